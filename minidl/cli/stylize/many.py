"""Paint many photographs in one style: those of folders, or a list."""

import warnings
from pathlib import Path

from minidl.cli.output import counted, warn
from minidl.cli.stylize.files import (
    check_inputs,
    masks_of,
    pictures_of,
    size_in_words,
    title_of,
)
from minidl.cli.stylize.monitor import Monitor
from minidl.cli.stylize.painting import finish, painter_of, prepared
from minidl.cli.stylize.settings import (
    OF_ONE,
    must_lack,
    settings_of,
    warn_of_options_without_effect,
)
from minidl.data.folders import picture_files
from minidl.data.images import ENDINGS, WRITABLE, fit, image_size, read_image
from minidl.errors import (
    ArgumentError,
    FileError,
    LackOfMemoryError,
    MinidlError,
    MinidlWarning,
    ShapeError,
    listed,
)
from minidl.files import clear_halves, make_folder, must_be_writable, must_exist, numbered
from minidl.interruption import STOPPED
from minidl.style_transfer.record import record_of_same

OF_ONE_PHOTOGRAPH = (*OF_ONE, "content_mask", "mask", "content_map")


def is_many(arguments):
    """Return whether the arguments name a folder, or further photographs."""
    return arguments.more is not None or any(map(_is_folder, arguments.pictures[:1]))


def paint_many(arguments, tell):
    """Paint all photographs into one folder, and return the exit code.

    A photograph that cannot be painted is reported, and the others are painted. A photograph whose
    finished painting is in the folder is left out, so that the same command continues after an
    interruption.
    """
    must_lack(arguments, OF_ONE_PHOTOGRAPH, "many photographs", "it is for one: leave it out")
    content, *styles = pictures_of(arguments.pictures)
    sources = [content, *map(Path, arguments.more or ())]
    settings, masks = settings_of(arguments), masks_of(arguments)
    check_inputs(arguments, [*styles, *masks.names()], settings.start)
    for style in styles:
        read_image(style, 1)  # a damaged one would be reported with every photograph
    photographs = _photographs(sources)
    folder = _folder(arguments.output or title_of(content, styles[0]), sources)
    warn_of_options_without_effect(arguments, [settings])
    failed, code = 0, 0
    with prepared(arguments) as place:
        painter = painter_of(arguments, styles, settings)
        names = ", ".join(style.name for style in styles)
        tell(f"painting {counted(len(photographs), 'photograph')} as {names}, on the {place}")
        for number, photograph in enumerate(photographs, start=1):
            label = f"{number} of {len(photographs)}: {photograph.name}"
            try:
                code = _paint(painter, photograph, masks, folder, arguments, tell, label)
            except KeyboardInterrupt:
                code = STOPPED
            except MinidlError as error:
                of_this_one = (ShapeError, LackOfMemoryError)
                if isinstance(error, ArgumentError) and not isinstance(error, of_this_one):
                    raise  # the settings are wrong for every photograph
                failed += 1
                told = photograph.name in str(error)
                warn(error if told else f"{photograph.name}: {error}")
            if code == STOPPED:
                tell(f"stopped at photograph {number}; the same command continues")
                return STOPPED
    if failed:
        raise MinidlError(
            f"{failed} of {counted(len(photographs), 'photograph')} could not be painted, for the "
            f"reasons above; the paintings of the others are in {folder}"
        )
    tell(f"done: {folder} has {counted(len(photographs), 'painting')}")
    return 0


def _paint(painter, photograph, masks, folder, arguments, tell, label):
    """Paint one of the photographs, and return the exit code. label: its name, for messages."""
    settings = painter.settings
    notes = {"command": arguments.command}
    record = painter.record(photograph, masks=masks)
    path, is_finished = _place(folder / f"{photograph.stem}.png", record)
    if is_finished:
        tell(f"{label} is painted already, in {path}")
        return 0
    must_be_writable(path)
    clear_halves(path)
    tell(f"{label} ({size_in_words(photograph, settings.size)})")
    size = fit(*image_size(photograph), settings.size)
    with Monitor(arguments, size, photograph.name) as monitor:

        def paint(callback):
            return painter.paint(photograph, masks=masks, callback=callback, notes=notes)

        return finish(paint, monitor, lambda: path, tell)


def _place(path, record):
    """Return the path of a painting, with a number appended if there is another picture, and
    whether the painting is there and finished.

    record: of the painting. An unfinished one, which an interruption left, is painted again.
    """
    found = ((name, record_of_same(name, record)) for name in numbered(path))
    path, stored = next((name, own) for name, own in found if own or not name.exists())
    return path, stored is not None and stored.get("finished", True)


def _photographs(sources):
    """Return the paths of all photographs: files, and those of folders. Warn of other files."""
    photographs, others = [], []
    for source in sources:
        if not _is_folder(source):
            photographs.append(must_exist(source, "photograph"))
            continue
        pictures, rest = picture_files(source)
        if not pictures:
            endings = ", ".join(ENDINGS)
            raise FileError(f"{source} has no pictures; wanted files that end in {endings}")
        photographs += pictures
        others += rest
    if others:
        warnings.warn(
            f"{counted(len(others), 'file')} whose names are not those of pictures are skipped: "
            f"{listed([path.name for path in others])}",
            MinidlWarning,
            stacklevel=3,
        )
    return [*dict.fromkeys(photographs)]


def _folder(name, sources):
    """Make the folder of the paintings, and return its path."""
    folder = Path(name)
    if folder.suffix.lower() in WRITABLE and not _is_folder(folder):
        raise FileError(
            f"{folder} is the name of one picture, and there are many; give -o the name of a folder"
        )
    if any(folder.resolve() == source.resolve() for source in sources):
        raise FileError(
            f"{folder} has the photographs, and the paintings would be among them; give -o another "
            "folder"
        )
    make_folder(folder)
    must_be_writable(folder / "painting.png")
    return folder


def _is_folder(path):
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):  # the name is too long or invalid
        return False
