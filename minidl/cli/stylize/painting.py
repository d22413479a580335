"""Paint one picture, or continue one from a checkpoint."""

import signal
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path

from minidl.backend import device
from minidl.cli.output import counted, say
from minidl.cli.stylize.files import (
    FILES,
    check_files,
    check_outputs,
    every,
    free_name,
    masks_of,
    pictures_of,
    size_in_words,
)
from minidl.cli.stylize.monitor import Monitor
from minidl.cli.stylize.presets import save_preset
from minidl.cli.stylize.settings import (
    first_arguments,
    settings_of,
    warn_of_options_without_effect,
)
from minidl.data.images import fit, image_size
from minidl.dispatch import textbook
from minidl.errors import MinidlError, MinidlWarning
from minidl.files import numbered, write_somewhere
from minidl.interruption import STOPPED
from minidl.style_transfer import Painter, resume, stylize
from minidl.style_transfer.checkpoint import load, rows_of
from minidl.style_transfer.inputs import Form
from minidl.training.stopping import SIGNALS, handled_by


def paint_picture(arguments, tell):
    """Paint the picture that the arguments describe, and return the exit code."""
    settings, masks = settings_of(arguments), masks_of(arguments)
    if _only_saves(arguments):
        save_preset(arguments.save_preset, settings, tell)
        return 0
    content, *styles = pictures_of(arguments.pictures)
    check_files(arguments, content, styles, settings, masks)
    warn_of_options_without_effect(arguments, [settings])
    if arguments.save_preset is not None:
        save_preset(arguments.save_preset, settings, tell)
    if arguments.plan:
        with prepared(arguments):
            found = painter_of(arguments, styles, settings).plan(content, masks)
        for line in str(found).splitlines():
            say(line)
        return 0
    names = ", ".join(style.name for style in styles)
    size = fit(*image_size(content), settings.size)
    title = f"{content.name} in the style of {names}"

    def paint(monitor):
        return stylize(
            content,
            styles,
            settings,
            style_weights=arguments.style_blend,
            masks=masks,
            weights=arguments.weights,
            callback=monitor,
            checkpoint=arguments.checkpoint,
            every=every(arguments),
            notes={"command": arguments.command},
        )

    with prepared(arguments) as place, Monitor(arguments, size, title) as monitor:
        in_words = size_in_words(content, settings.size)
        tell(f"painting {content.name} ({in_words}) in the style of {names}, on the {place}")
        return finish(paint, monitor, _place_of(arguments, content, styles[0]), tell)


def _place_of(arguments, content, style):
    """Return a function that returns the file of the painting: the typed name, or a free one."""
    return lambda: Path(arguments.output or free_name(content, style))


def _only_saves(arguments):
    """Whether the command saves settings, and names no picture and no file of a painting."""
    files = any(getattr(arguments, name) is not None for name in (*FILES, "frames"))
    paints = arguments.pictures or files or arguments.live
    return arguments.save_preset is not None and not paints


def continue_picture(arguments, tell):
    """Continue from a checkpoint, with the files that the command of the first run names."""
    state = load(arguments.resume)
    first = first_arguments(state["record"], arguments)
    height, width = state["content"].shape[:2]
    content = Path(state["record"]["content"].get("name", "photograph"))
    style = Path(state["record"]["styles"][0].get("name", "style"))
    place, size = _place_of(first, content, style), (width, height)
    check_outputs(first, place(), size, Form(**state["form"]))
    rows = rows_of(state)
    monitor = Monitor(first, size, f"{content.name} in the style of {style.name}", rows)

    def paint(monitor):
        return resume(arguments.resume, weights=first.weights, callback=monitor, every=every(first))

    with prepared(first), monitor:
        tell(f"continuing {arguments.resume} after {counted(len(rows), 'step')}")
        return finish(paint, monitor, place, tell)


def painter_of(arguments, styles, settings):
    """Return the Painter for styles, with the weights that the arguments name."""
    weights, blend = arguments.weights, arguments.style_blend
    return Painter(styles, settings, style_weights=blend, weights=weights)


@contextmanager
def prepared(arguments):
    """Return a context that computes on the chosen device by the chosen implementation, and yields
    the device and its arithmetic in words. The first interruption in it raises KeyboardInterrupt.
    """
    by_definitions = textbook() if arguments.textbook else nullcontext()
    chosen = device(arguments.device, arguments.tf32)
    with chosen as place, by_definitions, _single_interruption():
        yield f"{place.name.upper()} in {place.arithmetic}"


def finish(paint, monitor, place, tell):
    """Paint, write all files, and return the exit code. place: a function that returns the path of
    the painting when it is done, so that a free name is still free."""
    with warnings.catch_warnings():
        # `_conclude` raises an error instead
        warnings.filterwarnings("ignore", "nothing improved", MinidlWarning)
        painting = paint(monitor)
    output = place()
    if not (painting.improved or painting.trouble):  # keep an earlier painting of this name
        output = next(path for path in numbered(output) if not path.exists())
    output, unwritable = write_somewhere(output, painting.save)
    errors = [painting.trouble, unwritable, *monitor.finish(painting, output)]
    return _conclude(painting, output, errors, monitor, tell)


def _conclude(painting, output, errors, monitor, tell):
    """Report the result and return the exit code. Raise MinidlError if an error occurred, or if no
    step improved the painting."""
    steps = counted(painting.steps, "step")
    if told := [*dict.fromkeys(str(error) for error in errors if isinstance(error, Exception))]:
        raise MinidlError(f"{'; '.join(told)}; {output} holds the best picture after {steps}")
    stopped = painting.trouble
    if not (stopped or painting.improved):
        raise MinidlError(f"{painting.doubt()}; {output} holds the picture at the start")
    ending, seconds = "stopped after" if stopped else "done:", monitor.rows[-1]["seconds"]
    losses = f"{painting.losses[-1][0].total:.4g} -> {painting.lowest:.4g}"
    checkpoint = monitor.arguments.checkpoint
    advice = f"; continue with `minidl stylize --resume {checkpoint}`" if checkpoint else ""
    tell(
        f"{ending} {steps} in {seconds:.0f} s, loss {losses}; the painting is in {output}"
        f"{advice if stopped else ''}"
    )
    return STOPPED if stopped else 0


def _single_interruption():
    """Return a context in which the first Ctrl-C, hang-up or request to end raises
    KeyboardInterrupt, and later ones are ignored, so that the painting is saved completely."""

    def interrupt(number, frame):
        for other in SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    return handled_by(interrupt)
