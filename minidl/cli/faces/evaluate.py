"""`minidl faces evaluate`: how often is all this right?"""

from pathlib import Path

from minidl import faces
from minidl.backend import device
from minidl.cli.faces.options import OTHERS_GO_ON, add_action, add_forms, add_threshold
from minidl.cli.faces.pictures import album_of
from minidl.cli.options import add_device
from minidl.cli.output import Output, shown
from minidl.faces import FaceReader
from minidl.faces.evaluation import must_be_few
from minidl.plots import must_be_drawable


def register(actions):
    action = add_action(
        actions, "evaluate", run, "measure how well your own people are told apart",
        "In a folder that has a subfolder of pictures for each person: all pairs, one picture of each enrolled, strangers; "
        "beside them what comparing pixels would do. Of several faces in a picture the largest is taken.", OTHERS_GO_ON,
    )  # fmt: skip
    action.add_argument("folder", metavar="FOLDER", type=Path)
    add_threshold(action)
    action.add_argument(
        "--plot",
        metavar="FILE",
        help="draw the curve of both errors (ROC), and the distances of pairs",
    )
    add_forms(action, "json")
    add_device(action)


def run(arguments):
    if arguments.plot:
        must_be_drawable(arguments.plot)
    must_be_few(arguments.folder)
    with device(arguments.device):
        album = album_of(arguments.folder, FaceReader())
    found, pairs = faces.evaluate(album, arguments.threshold)
    faceless, several = ([str(path) for path in paths] for paths in (album.faceless, album.several))
    output = Output(arguments.form)
    output.put(
        found._asdict() | {"faceless": faceless, "several_faces": several}, lines=_lines(found)
    )
    if arguments.plot:
        faces.plot_evaluation(arguments.plot, found, pairs)
        if not arguments.form:
            output.put(lines=[f"drawn in {shown(arguments.plot)}"])
    return 2 if album.unreadable else 0


def _lines(found):
    return [
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
