"""`minidl stylize`: paint a photograph in the manner of a painting."""

import argparse
import signal
import sys
import warnings
from dataclasses import fields, replace
from pathlib import Path

from tqdm import tqdm

from minidl.backend import device, to_numpy
from minidl.cli.lists import is_path_like, number_list, weighted_layer_list
from minidl.cli.options import add_device, add_list_layers, add_tf32
from minidl.cli.output import counted
from minidl.cli.presets import FULL, explained, typed
from minidl.cli.saying import say, say_nothing
from minidl.cli.suggesting import suggestion
from minidl.data.images import fit, image_size, picture_form, shipped_picture, write_image
from minidl.errors import ArgumentError, MinidlError, MinidlWarning, printable
from minidl.files import (
    clear_halves,
    make_folder,
    must_be_writable,
    must_differ,
    must_exist,
    write_somewhere,
)
from minidl.interruption import STOPPED
from minidl.losses.content import FACTORS as CONTENT_WORDS
from minidl.losses.style import FACTORS as STYLE_WORDS
from minidl.losses.total_variation import FORMS as VARIATION_WORDS
from minidl.models.vgg19 import POOLING
from minidl.plots import must_be_drawable
from minidl.style_transfer import PRESETS, Settings, stylize
from minidl.style_transfer.record import plot_log, row, write_log
from minidl.style_transfer.settings import OPTIMIZERS, STARTS
from minidl.training.stopping import SIGNALS, handled_by

DEMO = ("chelsea", "van-gogh-pere-tanguy")
FRAME = "step-{:05}.png"
EVERY = 10  # steps between previews and frames


def register(commands):
    parser = commands.add_parser(
        "stylize",
        help="paint a photograph in the manner of a painting",
        description="Paint CONTENT in the manner of STYLE, or of several. Without pictures, a shipped photograph in the manner "
        "of a shipped painting.",
        epilog=explained(),
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "pictures", nargs="*", metavar="CONTENT STYLE", help="a photograph, then paintings"
    )

    files = parser.add_argument_group("files")
    files.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="PNG, JPEG or WebP (default: CONTENT-as-STYLE.png, here)",
    )
    files.add_argument(
        "--preview", metavar="FILE", help="a picture of the state, written anew every --every steps"
    )
    files.add_argument(
        "--frames", metavar="FOLDER", help="keep a picture every --every steps in this folder"
    )
    files.add_argument(
        "--every",
        type=int,
        default=argparse.SUPPRESS,
        metavar="N",
        help=f"steps between previews and frames (default: {EVERY})",
    )
    files.add_argument("--log", metavar="FILE", help="the losses as CSV, a row an evaluation")
    files.add_argument("--plot", metavar="FILE", help="the curves of the losses as a picture")

    the_run = parser.add_argument_group("the run")
    the_run.add_argument(
        "--preset", choices=PRESETS, metavar="NAME", help=f"{', '.join(PRESETS)}: see below"
    )
    add_device(the_run)
    add_tf32(the_run)
    the_run.add_argument(
        "--weights", metavar="FILE", help="VGG19 in minidl's form (default: the shipped one)"
    )
    the_run.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")
    _setting(
        the_run,
        "size",
        "longer side of the painting in pixels, or full: the photograph's; nothing is enlarged",
        type=_size,
        metavar="PIXELS",
    )
    _setting(the_run, "steps", "evaluations of the objective", type=int, metavar="N")
    _setting(the_run, "optimizer", "how to move", choices=OPTIMIZERS)
    _setting(
        the_run,
        "learning_rate",
        "of the optimiser: by default 1 for lbfgs, 5 for adam",
        type=float,
        metavar="RATE",
    )
    _setting(
        the_run, "late_learning_rate", "of the last --late-steps steps", type=float, metavar="RATE"
    )
    _setting(the_run, "late_steps", "how many steps are late", type=int, metavar="N")
    _setting(the_run, "start", "content, noise, style, or the file of a picture", metavar="WHAT")
    _setting(
        the_run,
        "noise",
        "share of noise in a noise start; the rest is the photograph",
        type=float,
        metavar="SHARE",
    )
    _setting(the_run, "seed", "of the noise", type=int, metavar="N")

    objective = parser.add_argument_group("the objective")
    _setting(objective, "content_weight", "how much the photograph counts", type=float, metavar="W")
    _setting(objective, "style_weight", "how much the painting counts", type=float, metavar="W")
    _setting(
        objective,
        "tv_weight",
        "how much total variation counts: smoothness",
        type=float,
        metavar="W",
    )
    layers = {"type": weighted_layer_list(), "metavar": "LAYER[=W],..."}
    _setting(
        objective,
        "content_layers",
        "layers and their weights, such as conv3_1=0.5,conv4_2",
        **layers,
    )
    _setting(objective, "style_layers", "likewise for the style", **layers)
    add_list_layers(objective)
    objective.add_argument(
        "--style-blend",
        type=number_list(),
        metavar="W,W,...",
        help="a weight for each STYLE (default: equal)",
    )
    _setting(
        objective,
        "content_normalization",
        "what the sum of squares is divided by",
        choices=CONTENT_WORDS,
    )
    _setting(objective, "style_normalization", "likewise", choices=STYLE_WORDS)
    forms = f"form of the total variation: {', '.join(VARIATION_WORDS)}"
    _setting(objective, "tv_normalization", forms, choices=VARIATION_WORDS, metavar="FORM")
    _setting(objective, "pooling", "of the network", choices=POOLING)


def _every(arguments):
    """Steps between previews and frames; --every is absent where it was not given."""
    return getattr(arguments, "every", EVERY)


def _size(text):
    """A number of pixels; None for the size of the photograph"""
    try:
        return None if text == FULL else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"found {printable(text, 80)!r}; wanted a whole number or {FULL}"
        ) from None


def _setting(group, name, meaning, **options):
    """Add an option for one of the Settings. The parsed arguments have no such attribute where the
    option was not typed."""
    default = getattr(Settings(), name)
    if isinstance(default, dict):
        default = typed(default)
    flag = "--" + name.replace("_", "-")
    by_default = "" if default is None else f" (default: {default})"
    group.add_argument(flag, default=argparse.SUPPRESS, help=meaning + by_default, **options)


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
        _one_interruption(),
        _Watch(arguments, settings.steps) as watch,
    ):
        extent, names = _extent(content, settings.size), ", ".join(style.name for style in styles)
        tell(
            f"painting {content.name} ({extent}) in the manner of {names}, on the {chosen.name.upper()} in {chosen.arithmetic}"
        )
        painting = stylize(
            content,
            styles,
            settings,
            style_weights=arguments.style_blend,
            weights=arguments.weights,
            callback=watch,
        )
        output, unwritable = write_somewhere(
            arguments.output or _free_name(content, styles[0]),
            lambda path: painting.save(path, command=arguments.command),
        )
        steps, troubles = len(painting.losses), [painting.trouble, unwritable]
        try:
            watch.finish(painting)
        except MinidlError as error:
            troubles.append(error)
    trouble = next(
        (trouble for trouble in troubles if isinstance(trouble, Exception)), painting.trouble
    )
    if isinstance(trouble, Exception):
        raise MinidlError(f"{trouble}; {output} holds the best of {counted(steps, 'step')}")
    if not (trouble or painting.improved):
        raise MinidlError(f"{painting.doubt()}; {output} holds the start")
    ending, seconds = "stopped after" if trouble else "done:", watch.rows[-1]["seconds"]
    fall = f"{painting.losses[0].total:.4g} -> {painting.lowest:.4g}"
    tell(
        f"{ending} {counted(steps, 'step')} in {seconds:.0f} s, loss {fall}; the painting is in {output}"
    )
    return STOPPED if trouble else 0


def _one_interruption():
    """The first Ctrl-C, hang-up or request to end interrupts; later ones must not disturb the
    saving of what there is."""

    def interrupt(number, frame):
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    return handled_by(interrupt)


class _Watch:
    """Called with every Step: moves the progress bar, collects the rows of the table, writes what
    was asked for on the way."""

    def __init__(self, arguments, steps):
        self.arguments, self.rows, self._logged = arguments, [], 0
        interval = 0.5 if sys.stderr and sys.stderr.isatty() else 10
        self._bar = tqdm(
            total=steps,
            unit="step",
            disable=arguments.quiet or not sys.stderr,
            mininterval=interval,
            delay=0.1,
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()

    def __call__(self, step):
        self.rows.append(row(step))
        words = "loss {total:.4g}, content {content:.4g}, style {style:.4g}".format(**self.rows[-1])
        self._bar.set_postfix_str(words, refresh=False)
        self._bar.update()
        if step.number % _every(self.arguments) == 0:
            self._write_state(step)

    def _write_state(self, step):
        self._write_pictures(step.number, to_numpy(step.best), to_numpy(step.image))
        self._write_log()

    def _write_pictures(self, number, best, image):
        if self.arguments.preview is not None:
            write_image(self.arguments.preview, best)
        if self.arguments.frames is not None:
            write_image(Path(self.arguments.frames) / FRAME.format(number), image)

    def _write_log(self):
        if self.arguments.log is not None and self._logged < len(self.rows):
            write_log(self.arguments.log, self.rows, self._logged)
            self._logged = len(self.rows)

    def finish(self, painting):
        """The last frame is the painting, at whatever step it ended."""
        self._write_log()
        self._write_pictures(len(painting.losses), painting.image, painting.image)
        if self.arguments.plot is not None:
            plot_log(self.arguments.plot, self.rows)


def _pictures(names):
    if not names:
        return [shipped_picture(name) for name in DEMO]
    if len(names) == 1 and must_exist(names[0], "picture"):
        raise ArgumentError(
            f"found one picture, {names[0]}; wanted CONTENT and at least one STYLE, or none for the demo"
        )
    return [Path(name) for name in names]


def _settings(arguments):
    base = PRESETS[arguments.preset] if arguments.preset else Settings()
    changes = {
        f.name: getattr(arguments, f.name) for f in fields(Settings) if hasattr(arguments, f.name)
    }
    if changes.get("optimizer", base.optimizer) != base.optimizer:
        # the preset's rate was meant for the preset's optimiser
        changes = {"learning_rate": None, **changes}
    return replace(base, **changes)


def _warn_of_options_without_effect(arguments, settings):
    """Say which of the options that were given change nothing, as they need another one."""
    missing = {}
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
            option = "--" + name.replace("_", "-")
            warnings.warn(f"{option} has no effect without {needed}", MinidlWarning, stacklevel=3)


def _check_files(arguments, content, styles, settings):
    """Find out now what would fail after a long run."""
    if _every(arguments) < 1:
        raise ArgumentError(f"--every is {arguments.every}; wanted a whole number of at least 1")
    starts = [] if settings.start in STARTS else [_picture_to_start_from(settings.start)]
    for picture in (content, *styles, *starts):
        must_exist(picture, "picture")
    options = {
        f"--{name}": getattr(arguments, name) for name in ("output", "preview", "log", "plot")
    }
    outputs = {name: must_be_writable(path) for name, path in options.items() if path is not None}
    if arguments.output is None:
        outputs["the painting"] = must_be_writable(_free_name(content, styles[0]))
    for name in {"--output", "--preview"} & outputs.keys():
        picture_form(outputs[name], fit(*image_size(content), settings.size))
    if arguments.plot is not None:
        must_be_drawable(arguments.plot)
    inputs = {
        f"picture {number}": path
        for number, path in enumerate([content, *styles, *starts], start=1)
    }
    must_differ(outputs, inputs | ({"--weights": arguments.weights} if arguments.weights else {}))
    if arguments.frames is not None:
        make_folder(arguments.frames)
        must_be_writable(Path(arguments.frames) / FRAME.format(1))
        clear_halves(Path(arguments.frames) / "step-*.png", pattern=True)
    for path in outputs.values():
        clear_halves(path)


def _picture_to_start_from(name):
    """Return the name. Raises ArgumentError where it is an unknown word and not like the name of a
    file."""
    if not is_path_like(name) and not Path(name).exists():
        wanted = (
            suggestion(name, STARTS) or f"; wanted {', '.join(STARTS)}, or the file of a picture"
        )
        raise ArgumentError(f"--start is {printable(name, 80)!r}{wanted}")
    return name


def _free_name(content, style):
    """CONTENT-as-STYLE.png, or with a number appended where such a file exists."""
    stem = f"{content.stem}-as-{style.stem}"
    names = (f"{stem}{'' if n == 1 else f'-{n}'}.png" for n in range(1, 10**6))
    return next(name for name in names if not Path(name).exists())


def _extent(path, size):
    """The photograph's size and the painting's, in words."""
    found = image_size(path)
    painted = fit(*found, size)
    extent = "{}x{}".format(*found)
    if painted != found:
        return "{}, painted at {}x{}".format(extent, *painted)
    return (
        f"{extent}; smaller than {size} and not enlarged" if size and max(found) < size else extent
    )
