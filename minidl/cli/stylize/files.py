"""The pictures to read and the files to write, checked before the computation."""

from pathlib import Path

from minidl.cli.options import flag
from minidl.cli.stylize.options import EVERY, NO_MASK
from minidl.cli.stylize.presets import files_of_presets
from minidl.cli.words import is_path_like, suggestion
from minidl.data.images import fit, image_size, picture_form, read_picture, shipped_picture
from minidl.errors import ArgumentError, printable
from minidl.files import (
    clear_halves,
    make_folder,
    must_be_writable,
    must_differ,
    must_exist,
    numbered,
)
from minidl.plots import must_be_drawable
from minidl.style_transfer.film import film_form
from minidl.style_transfer.inputs import Form, MaskFiles
from minidl.style_transfer.settings import STARTS

DEMO = ("chelsea", "van-gogh-pere-tanguy")
FRAME = "step-{:05}.png"
FILES = ("output", "preview", "log", "plot", "film", "checkpoint")  # the options for one file each
SMALL = 64  # pixels of a side; enough to find out what the file of a painting keeps


def pictures_of(names):
    if not names:
        return [shipped_picture(name) for name in DEMO]
    if len(names) == 1:
        if not Path(names[0]).is_dir():
            must_exist(names[0], "picture")
        raise ArgumentError(
            f"found only {names[0]}; "
            "wanted CONTENT and at least one STYLE, or none for the demonstration"
        )
    return [Path(name) for name in names]


def every(arguments):
    """Return the number of steps between previews and frames. The parsed arguments lack `every` if
    the option was not typed."""
    return getattr(arguments, "every", EVERY)


def check_files(arguments, content, styles, settings, masks):
    """Refuse, before the computation, files that could not be read or written after it."""
    inputs = check_inputs(arguments, [content, *styles, *masks.names()], settings.start)
    inputs |= files_of_presets(arguments)  # no output may replace the preset that is saved either
    output = arguments.output or free_name(content, styles[0])
    size = fit(*image_size(content), settings.size)
    _, alpha, profile, depth = read_picture(content, SMALL)
    check_outputs(arguments, output, size, Form(alpha, profile, depth), inputs)


def check_inputs(arguments, pictures, *starts):
    """Refuse pictures that do not exist. Return {role: path} of all files that are read.

    starts: values of --start.
    """
    files = [_start_picture(start) for start in starts if start not in STARTS]
    pictures = [must_exist(picture, "picture") for picture in (*pictures, *files)]
    inputs = {f"picture {number}": path for number, path in enumerate(pictures, start=1)}
    if arguments.weights:
        inputs["--weights"] = arguments.weights
    return inputs


def check_outputs(arguments, output, size, form, inputs=()):
    """Refuse files that could not be written after the computation.

    output: the file of the painting. size, form: its (width, height), and what it keeps of the
    photograph's file. inputs: {role: path} of the files that are read.
    """
    if every(arguments) < 1:
        raise ArgumentError(f"--every is {arguments.every}; wanted a whole number of at least 1")
    paths = {name: getattr(arguments, name) for name in FILES} | {"output": output}
    outputs = {
        flag(name): must_be_writable(path) for name, path in paths.items() if path is not None
    }
    depth = form.options(output)["depth"]
    picture_form(output, size, depth=depth, has_alpha=form.alpha is not None)
    if arguments.preview is not None:
        picture_form(arguments.preview, size)
    if arguments.plot is not None:
        must_be_drawable(arguments.plot)
    if arguments.film is not None:
        film_form(arguments.film)
    must_differ(outputs, dict(inputs))
    if arguments.frames is not None:
        make_folder(arguments.frames)
        must_be_writable(Path(arguments.frames) / FRAME.format(1))
        clear_halves(Path(arguments.frames) / "step-*.png", pattern=True)
    for path in outputs.values():
        clear_halves(path)


def _start_picture(name):
    """Return the name. Raise ArgumentError if no such file exists and the name is not like that of
    a file."""
    if not is_path_like(name) and not Path(name).exists():
        wanted = f"; wanted {', '.join(STARTS)}, or the file of a picture"
        hint = suggestion(name, STARTS) or wanted
        raise ArgumentError(f"--start is {printable(name, 80)!r}{hint}")
    return name


def free_name(content, style, ending=".png"):
    """Return CONTENT-as-STYLE and the ending, with a number appended if this exists."""
    names = numbered(Path(title_of(content, style) + ending))
    return next(name for name in names if not name.exists())


def title_of(content, style):
    """Return CONTENT-as-STYLE for the paths of a picture, or a folder, and a style."""
    own = content.resolve().name if content.is_dir() else content.stem
    return f"{own}-as-{style.stem}"


def size_in_words(path, longest):
    """Return the size of the photograph, and that of the painting if it differs, in words."""
    size = width, height = image_size(path)
    painted = fit(width, height, longest)
    if painted != size:
        return "{}x{}, painted at {}x{}".format(*size, *painted)
    is_smaller = longest and max(size) < longest
    remark = f"; smaller than {longest} and not enlarged" if is_smaller else ""
    return "{}x{}{}".format(*size, remark)


def masks_of(arguments):
    """Return the MaskFiles that the options name, or None without any."""

    def listed(paths):
        return [None if path == NO_MASK else Path(path) for path in paths or ()]

    maps = (arguments.content_map, arguments.style_map)
    if any(maps) and not all(maps):
        missing = "--style-map" if arguments.content_map else "--content-map"
        raise ArgumentError(
            f"semantic maps are pairs, and {missing} is missing; name a map of the photograph and "
            "one of the style"
        )
    masks = MaskFiles(
        arguments.content_mask,
        listed(arguments.mask),
        listed(arguments.style_mask),
        maps if all(maps) else None,
        getattr(arguments, "feather", 0),
    )
    if masks.feather and not (masks.regions or masks.maps):
        raise ArgumentError(
            "--feather needs a region; give --mask, or --content-map and --style-map"
        )
    return masks
