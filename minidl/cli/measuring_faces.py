"""`minidl faces calibrate` and `minidl faces evaluate`: thresholds and error rates from one's own pictures."""

from minidl import faces
from minidl.backend import device
from minidl.cli.output import Output, counted, shown, warn
from minidl.cli.pictures import watched
from minidl.errors import MinidlError
from minidl.faces import THRESHOLD, Database, FaceReader, read_album
from minidl.files import must_be_writable, must_exist
from minidl.plots import must_be_drawable

SHOWN = 5  # names in a message


def calibrate(arguments):
    source, exit_code = arguments.source, 0
    if arguments.store and not source.is_dir():
        raise MinidlError(f"{source} is no folder: what a database gives is stored in the database itself; leave --store out")
    target = arguments.store if source.is_dir() else must_exist(source, "database or folder")
    with device(arguments.device):
        reader = FaceReader()
        database = None if target is None else Database(must_be_writable(target), reader.identity)
        if source.is_dir():
            album = _album(source, reader)
            labels, embeddings = album.labels[album.found], album.embeddings[album.found]
            exit_code = 2 if album.unreadable else 0
        else:
            labels, embeddings = database.embeddings()
    found = faces.calibrate(embeddings, labels, arguments.false_accept, arguments.threshold)
    record = found._asdict() | {"source": str(source)}
    if database is not None:
        database.calibrate(found.threshold, record)
    lines = [
        f"threshold {found.threshold:.3f}: {found.rule} (minidl comes with {THRESHOLD})",
        f"{found.false_accept:.3%} of {found.different_pairs:,} pairs of different people are accepted, "
        f"{found.false_reject:.3%} of {found.same_pairs:,} pairs of one person rejected ({found.people} people, "
        f"{found.faces} faces)",
        f"equal error rate {found.equal_error_rate:.3%}",
    ]
    if arguments.false_accept is not None and arguments.false_accept * found.different_pairs < 1:
        lines.append(f"so few pairs tell nothing about shares below {1 / found.different_pairs:.2g}: take more people")
    if database is not None:
        lines.append(f"stored in {shown(target)}: `minidl faces identify` uses it from now on")
    Output(arguments.form).put(record | {"stored": None if database is None else str(target)}, lines=lines)
    return exit_code


def evaluate(arguments):
    if arguments.plot:
        must_be_drawable(arguments.plot)
    with device(arguments.device):
        album = _album(arguments.folder, FaceReader())
    found, pairs = faces.evaluate(album, arguments.threshold)
    if arguments.plot:
        faces.plot_evaluation(arguments.plot, found, pairs)
    lines = [
        f"{found.people} people, {found.pictures} pictures, a face found in {found.faces_found}",
        f"pairs: equal error rate {found.equal_error_rate:.2%} at distance {found.equal_threshold:.3f} (pixels alone "
        f"{found.pixel_equal_error_rate:.2%})",
        f"at the threshold of {found.threshold:.3f}: {found.false_accept:.2%} of {found.different_pairs:,} pairs of different "
        f"people accepted, {found.false_reject:.2%} of {found.same_pairs:,} pairs of one person rejected",
        f"one picture of each person enrolled: the nearest is the right one for {found.one_shot:.2%} (pixels alone "
        f"{found.pixel_one_shot:.2%})",
        f"half of the people enrolled so: {found.known_named:.2%} named right, {found.known_misnamed:.2%} wrong, "
        f"{found.known_rejected:.2%} unknown; of the others, strangers, {found.strangers_accepted:.2%} taken for somebody",
    ]
    if arguments.plot:
        lines.append(f"drawn in {shown(arguments.plot)}")
    faceless, several = ([str(path) for path in paths] for paths in (album.faceless, album.several))
    Output(arguments.form).put(found._asdict() | {"faceless": faceless, "several_faces": several}, lines=lines)
    return 2 if album.unreadable else 0


def _album(folder, reader):
    album = read_album(folder, reader, watched)
    for error in album.unreadable:
        warn(str(error))
    for what, paths in {"no face was found": album.faceless, "the largest of several faces is taken": album.several}.items():
        if paths:
            names = ", ".join(str(path.relative_to(folder)) for path in paths[:SHOWN]) + (", ..." if len(paths) > SHOWN else "")
            warn(f"in {counted(len(paths), 'picture')} {what}: {names}")
    return album
