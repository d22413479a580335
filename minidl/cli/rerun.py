"""`minidl rerun`: paint a picture again from its own record, and compare both."""

from pathlib import Path

from minidl.cli.output import counted, say
from minidl.cli.progress import progress_bar
from minidl.data.images import picture_form, read_picture
from minidl.errors import MinidlError, listed
from minidl.files import must_be_folder, must_be_writable, must_differ, numbered, write_somewhere
from minidl.style_transfer.record import changes
from minidl.style_transfer.rerun import difference, paint_again, recipe


def register(commands):
    parser = commands.add_parser(
        "rerun",
        help="paint a picture again from its own record",
        description="Paint PICTURE again from the record that `minidl stylize` stored in it: from "
        "the same pictures and weights, found by name and SHA-256, with the same settings, number "
        "of steps, device and number of threads. Say whether the result is the same. If it is not, "
        "the exit code is 1.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("picture", metavar="PICTURE", help="a painting of `minidl stylize`")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="file for the new painting (default: PICTURE-again in the current folder, in the "
        "format of PICTURE)",
    )
    parser.add_argument(
        "--inputs",
        action="append",
        default=[],
        metavar="FOLDER",
        help="look for the pictures in this folder first, then in that of PICTURE, in the current "
        "one, and among those that minidl ships; may be given several times",
    )
    parser.add_argument(
        "--weights",
        metavar="FILE",
        help="weight file of VGG19 (default: the shipped weights)",
    )


def run(arguments):
    picture = Path(arguments.picture)
    folders = [must_be_folder(folder, "one with the inputs") for folder in arguments.inputs]
    made_from = recipe(picture, folders, arguments.weights)
    output = _output(arguments, made_from)
    names = ", ".join(Path(path).name for path in made_from.names())
    say(f"the inputs are the same: {names}")
    planned = 0  # number of steps of the first run
    with progress_bar(made_from.steps, "step", delay=0.1) as bar:

        def advance(step):
            nonlocal planned
            planned = step.total
            bar.update()

        painting = paint_again(made_from, callback=advance, notes={"command": arguments.command})
    output, unwritable = write_somewhere(output, painting.save)
    if unwritable:
        raise MinidlError(f"{unwritable}; {output} holds the new painting")
    if painting.steps < planned:
        say(f"the first run ended after {painting.steps} of {planned} steps, and so did this one")
    return _conclude(picture, output, painting, made_from.record)


def _output(arguments, made_from):
    """Return the file for the new painting, checked before the computation."""
    picture = Path(arguments.picture)
    free = numbered(Path(f"{picture.stem}-again{picture.suffix}"))
    output = arguments.output or next(path for path in free if not path.exists())
    pixels, alpha, _, _ = read_picture(picture)
    picture_form(output, pixels.shape[1::-1], has_alpha=alpha is not None)
    inputs = {f"input {number}": path for number, path in enumerate(made_from.names(), start=1)}
    must_differ({"--output": must_be_writable(output)}, {"PICTURE": picture, **inputs})
    return Path(output)


def _conclude(picture, output, painting, record):
    """Report the result, and return the exit code."""
    found, steps = difference(picture, painting), counted(painting.steps, "step")
    if found == (0, 0):
        say(f"the result is the same: after {steps}, it has the pixels of {picture}; see {output}")
        return 0
    if found is None:
        how = "in size"
    else:
        how = f"by at most {found.largest:.3g} levels of 255, {found.mean:.2g} on average"
    changed = changes(record, painting.record)
    reason = f"now {listed(changed, most=9)}" if changed else "nothing else in its record differs"
    say(f"the result differs from {picture} {how}, after {steps}; see {output}; {reason}")
    return 1
