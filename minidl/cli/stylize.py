"""`minidl stylize`: paint a photograph in the style of a painting."""

import signal
import warnings
from dataclasses import fields, replace
from pathlib import Path

from minidl.backend import device, to_numpy
from minidl.cli.options import flag
from minidl.cli.output import counted, say, say_nothing
from minidl.cli.progress import progress_bar
from minidl.cli.stylize_options import EVERY, add_options, presets_help
from minidl.cli.words import is_path_like, suggestion
from minidl.data.images import fit, image_size, picture_form, shipped_picture, write_image
from minidl.errors import ArgumentError, MinidlError, MinidlWarning, printable
from minidl.files import (
    clear_halves,
    make_folder,
    must_be_writable,
    must_differ,
    must_exist,
    numbered,
    write_somewhere,
)
from minidl.interruption import STOPPED
from minidl.plots import must_be_drawable
from minidl.style_transfer import PRESETS, Settings, stylize
from minidl.style_transfer.record import plot_log, row, write_log
from minidl.style_transfer.settings import STARTS
from minidl.training.stopping import SIGNALS, handled_by

DEMO = ("chelsea", "van-gogh-pere-tanguy")
FRAME = "step-{:05}.png"


def register(commands):
    parser = commands.add_parser(
        "stylize",
        help="paint a photograph in the style of a painting",
        description="Paint the photograph CONTENT in the style of the painting STYLE, or of "
        "several paintings. Without arguments, paint a photograph that minidl ships in the style "
        "of a painting that it ships.",
        epilog=presets_help(),
    )
    parser.set_defaults(run=run)
    add_options(parser)


def run(arguments):
    content, *styles = _pictures(arguments.pictures)
    settings = _settings(arguments)
    _check_files(arguments, content, styles, settings)
    tell = say_nothing if arguments.quiet else say
    if arguments.quiet:
        warnings.simplefilter("ignore", MinidlWarning)
    _warn_of_options_without_effect(arguments, settings)
    # this command raises an error instead
    warnings.filterwarnings("ignore", "nothing improved", MinidlWarning)
    with (
        device(arguments.device, arguments.tf32) as chosen,
        _single_interruption(),
        _Monitor(arguments) as monitor,
    ):
        size = _size_in_words(content, settings.size)
        names = ", ".join(style.name for style in styles)
        place = f"{chosen.name.upper()} in {chosen.arithmetic}"
        tell(f"painting {content.name} ({size}) in the style of {names}, on the {place}")
        painting = stylize(
            content,
            styles,
            settings,
            style_weights=arguments.style_blend,
            weights=arguments.weights,
            callback=monitor,
        )
        output, unwritable = write_somewhere(
            arguments.output or _free_name(content, styles[0]),
            lambda path: painting.save(path, command=arguments.command),
        )
        errors = [painting.trouble, unwritable]
        try:
            monitor.finish(painting)
        except MinidlError as error:
            errors.append(error)
    return _conclude(painting, output, errors, monitor.rows, tell)


def _conclude(painting, output, errors, rows, tell):
    """Report the result and return the exit code. Raise MinidlError if an error occurred, or if no
    step improved the painting."""
    steps = counted(painting.steps, "step")
    for error in errors:
        if isinstance(error, Exception):
            raise MinidlError(f"{error}; {output} holds the best picture after {steps}")
    stopped = painting.trouble
    if not (stopped or painting.improved):
        raise MinidlError(f"{painting.doubt()}; {output} holds the picture at the start")
    ending, seconds = "stopped after" if stopped else "done:", rows[-1]["seconds"]
    losses = f"{painting.losses[-1][0].total:.4g} -> {painting.lowest:.4g}"
    tell(f"{ending} {steps} in {seconds:.0f} s, loss {losses}; the painting is in {output}")
    return STOPPED if stopped else 0


def _single_interruption():
    """Return a context in which the first Ctrl-C, hang-up or request to end raises
    KeyboardInterrupt, and later ones are ignored, so that the painting is saved completely."""

    def interrupt(number, frame):
        for other in SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    return handled_by(interrupt)


class _Monitor:
    """Called with every Step: updates the progress bar, collects the rows of the log, and writes
    the log, the preview and the frames."""

    def __init__(self, arguments):
        self.arguments, self.rows, self._rows_written = arguments, [], 0
        self._bar = progress_bar(None, "step", quiet=arguments.quiet, delay=0.1)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()

    def __call__(self, step):
        self.rows.append(row(step))
        losses = "loss {total:.4g}, content {content:.4g}, style {style:.4g}"
        self._bar.total = step.total
        self._bar.set_postfix_str(losses.format(**self.rows[-1]), refresh=False)
        self._bar.update()
        if step.number % _every(self.arguments) == 0:
            self._write_pictures(step.number, to_numpy(step.best), to_numpy(step.image))
            self._write_log()

    def finish(self, painting):
        """Write the complete log, and the painting as the preview and as the last frame."""
        self._write_log()
        self._write_pictures(painting.steps, painting.image, painting.image)
        if self.arguments.plot is not None:
            plot_log(self.arguments.plot, self.rows)

    def _write_pictures(self, number, best, image):
        if self.arguments.preview is not None:
            write_image(self.arguments.preview, best)
        if self.arguments.frames is not None:
            write_image(Path(self.arguments.frames) / FRAME.format(number), image)

    def _write_log(self):
        if self.arguments.log is not None and self._rows_written < len(self.rows):
            write_log(self.arguments.log, self.rows, self._rows_written)
            self._rows_written = len(self.rows)


def _pictures(names):
    if not names:
        return [shipped_picture(name) for name in DEMO]
    if len(names) == 1 and must_exist(names[0], "picture"):
        raise ArgumentError(
            f"found one picture, {names[0]}; "
            "wanted CONTENT and at least one STYLE, or none for the demonstration"
        )
    return [Path(name) for name in names]


def _settings(arguments):
    base = PRESETS[arguments.preset] if arguments.preset else Settings()
    names = [field.name for field in fields(Settings) if hasattr(arguments, field.name)]
    changes = {name: getattr(arguments, name) for name in names}
    if changes.get("optimizer", base.optimizer) != base.optimizer:
        # the learning rate of a preset is for the optimizer of the preset
        changes = {"learning_rate": None, **changes}
    return replace(base, **changes)


def _every(arguments):
    """Return the number of steps between previews and frames. The parsed arguments lack `every` if
    the option was not typed."""
    return getattr(arguments, "every", EVERY)


def _warn_of_options_without_effect(arguments, settings):
    """Warn of typed options that have an effect only together with another option."""
    missing: dict[str, str] = {}  # {setting: options that it needs}
    if settings.start != "noise":
        missing |= {"noise": "--start noise", "seed": "--start noise"}
    if not settings.late_steps:
        missing["late_learning_rate"] = "--late-steps"
    if settings.late_learning_rate is None:
        missing["late_steps"] = "--late-learning-rate"
    if arguments.preview is None and arguments.frames is None and arguments.log is None:
        missing["every"] = "--preview, --frames or --log"
    for name, needed in missing.items():
        if hasattr(arguments, name):
            message = f"{flag(name)} has no effect without {needed}"
            warnings.warn(message, MinidlWarning, stacklevel=3)


def _check_files(arguments, content, styles, settings):
    """Refuse, before the computation, files that could not be read or written after it."""
    if _every(arguments) < 1:
        raise ArgumentError(f"--every is {arguments.every}; wanted a whole number of at least 1")
    starts = [] if settings.start in STARTS else [_start_picture(settings.start)]
    pictures = [content, *styles, *starts]
    for picture in pictures:
        must_exist(picture, "picture")
    options = {
        flag(name): getattr(arguments, name) for name in ("output", "preview", "log", "plot")
    }
    outputs = {name: must_be_writable(path) for name, path in options.items() if path is not None}
    if arguments.output is None:
        outputs["the painting"] = must_be_writable(_free_name(content, styles[0]))
    for name in ("--output", "--preview"):
        if name in outputs:
            width, height = image_size(content)
            picture_form(outputs[name], fit(width, height, settings.size))
    if arguments.plot is not None:
        must_be_drawable(arguments.plot)
    inputs = {f"picture {number}": path for number, path in enumerate(pictures, start=1)}
    if arguments.weights:
        inputs["--weights"] = arguments.weights
    must_differ(outputs, inputs)
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


def _free_name(content, style):
    """Return CONTENT-as-STYLE.png, with a number appended if such a file exists."""
    names = numbered(Path(f"{content.stem}-as-{style.stem}.png"))
    return next(name for name in names if not name.exists())


def _size_in_words(path, longest):
    """Return the size of the photograph, and that of the painting if it differs, in words."""
    size = width, height = image_size(path)
    painted = fit(width, height, longest)
    if painted != size:
        return "{}x{}, painted at {}x{}".format(*size, *painted)
    is_smaller = longest and max(size) < longest
    remark = f"; smaller than {longest} and not enlarged" if is_smaller else ""
    return "{}x{}{}".format(*size, remark)
