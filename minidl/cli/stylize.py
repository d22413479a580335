"""`minidl stylize`: paint a photograph in the manner of a painting."""

import argparse
import hashlib
import sys
from dataclasses import fields, replace
from pathlib import Path

from tqdm import tqdm

from minidl.backend import DEVICES, device, to_numpy
from minidl.checkpoints import shipped
from minidl.data.images import image_size, picture_form, read_image, shipped_picture, write_image
from minidl.errors import ArgumentError, FileError, NonFiniteError
from minidl.extras import need
from minidl.files import must_be_writable
from minidl.losses.content import FACTORS as CONTENT_WORDS
from minidl.losses.style import FACTORS as STYLE_WORDS
from minidl.losses.total_variation import FORMS as VARIATION_WORDS
from minidl.models import vgg19
from minidl.models.vgg19 import POOLING
from minidl.style_transfer import PRESETS, Settings, paint
from minidl.style_transfer.record import describe, plot_log, row, write_log
from minidl.style_transfer.settings import OPTIMIZERS

DEMO = ("chelsea", "van-gogh-pere-tanguy")


def register(commands):
    parser = commands.add_parser(
        "stylize",
        help="paint a photograph in the manner of a painting",
        description="Paint CONTENT in the manner of STYLE, or of several. Without pictures, a shipped photograph in the manner "
        "of a shipped painting.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("pictures", nargs="*", metavar="CONTENT STYLE", help="a photograph, then paintings")

    files = parser.add_argument_group("files")
    files.add_argument("-o", "--output", metavar="OUT", help="PNG, JPEG or WebP (default: CONTENT-as-STYLE.png, here)")
    files.add_argument("--preview", metavar="FILE", help="a picture of the state, written anew every --every steps")
    files.add_argument("--frames", metavar="FOLDER", help="keep a picture every --every steps in this folder")
    files.add_argument("--every", type=int, default=10, metavar="N", help="steps between previews and frames (default: 10)")
    files.add_argument("--log", metavar="FILE", help="the losses as CSV, a row an evaluation")
    files.add_argument("--plot", metavar="FILE", help="the curves of the losses as a picture")

    the_run = parser.add_argument_group("the run")
    the_run.add_argument("--preset", choices=PRESETS, metavar="NAME", help=f"the settings of {', '.join(PRESETS)}")
    the_run.add_argument("--device", choices=DEVICES, default="cpu", help="where to compute (default: cpu)")
    the_run.add_argument("--weights", metavar="FILE", help="VGG19 in minidl's form (default: the shipped one)")
    the_run.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")
    _setting(the_run, "size", "longer side of the painting in pixels; nothing is enlarged", type=int, metavar="PIXELS")
    _setting(the_run, "steps", "evaluations of the objective", type=int, metavar="N")
    _setting(the_run, "optimizer", "how to move", choices=OPTIMIZERS)
    _setting(the_run, "learning_rate", "of the optimiser", type=float, metavar="RATE")
    _setting(the_run, "start", "content, noise, style, or the file of a picture", metavar="WHAT")
    _setting(the_run, "noise", "share of noise in a noise start; the rest is the photograph", type=float, metavar="SHARE")
    _setting(the_run, "seed", "of the noise", type=int, metavar="N")

    objective = parser.add_argument_group("the objective")
    _setting(objective, "content_weight", "how much the photograph counts", type=float, metavar="W")
    _setting(objective, "style_weight", "how much the painting counts", type=float, metavar="W")
    _setting(objective, "tv_weight", "how much total variation counts: smoothness", type=float, metavar="W")
    layers = {"type": _layers, "metavar": "LAYER[=W],..."}
    _setting(objective, "content_layers", "layers and their weights, such as conv3_1=0.5,conv4_2", **layers)
    _setting(objective, "style_layers", "likewise for the style", **layers)
    objective.add_argument("--style-blend", type=_numbers, metavar="W,W,...", help="a weight for each STYLE (default: equal)")
    _setting(objective, "content_normalization", "what the sum of squares is divided by", choices=CONTENT_WORDS)
    _setting(objective, "style_normalization", "likewise", choices=STYLE_WORDS)
    _setting(objective, "tv_normalization", "form of the total variation", choices=VARIATION_WORDS)
    _setting(objective, "pooling", "of the network", choices=POOLING)


def _setting(group, name, meaning, **options):
    """An option for one of the Settings. It is absent where it was not given, so that a preset can be told from a choice."""
    default = getattr(Settings(), name)
    if isinstance(default, dict):
        default = ",".join(f"{layer}={weight:.3g}" for layer, weight in default.items())
    flag = "--" + name.replace("_", "-")
    group.add_argument(flag, default=argparse.SUPPRESS, help=f"{meaning} (default: {default})", **options)


def run(arguments):
    content, *styles = _pictures(arguments.pictures)
    settings = _settings(arguments)
    output = Path(arguments.output or _free_name(content, styles[0]))
    _check_outputs(arguments, output)
    say = (lambda *words: None) if arguments.quiet else print
    with device(arguments.device) as chosen:
        photograph = read_image(content, settings.size)
        paintings = [read_image(style, settings.size) for style in styles]
        weights = Path(arguments.weights) if arguments.weights else shipped("vgg19")
        model = vgg19(weights, pooling=settings.pooling)
        say(f"painting {content.name} ({_extent(content, photograph, settings.size)}) in the manner of "
            f"{', '.join(style.name for style in styles)}, on the {chosen.name.upper()}")  # fmt: skip
        steps = paint(photograph, paintings, settings, style_weights=arguments.style_blend, model=model)
        rows, last, trouble = _follow(steps, settings, arguments)

    record = describe(
        settings, [r["total"] for r in rows], command=arguments.command, content=_identity(content),
        styles=[_identity(style) for style in styles], style_blend=arguments.style_blend, weights=_identity(weights),
    )  # fmt: skip
    write_image(output, to_numpy(last.best), record)
    _write_records(arguments, rows)
    if isinstance(trouble, NonFiniteError):
        raise NonFiniteError(f"{trouble}; {output} holds the best of the {len(rows)} steps before")
    ending = "stopped after" if trouble else "done:"
    fall = f"{rows[0]['total']:.4g} -> {min(r['total'] for r in rows):.4g}"
    say(f"{ending} {len(rows)} steps in {last.seconds:.0f} s, loss {fall}; the painting is in {output}")
    return 130 if trouble else 0


def _follow(steps, settings, arguments):
    """Go through the steps: (a row for each, the last Step, what ended it before its time or None)."""
    rows, step, trouble = [], None, None
    bar = tqdm(total=settings.steps, unit="step", disable=arguments.quiet, mininterval=0.5 if sys.stderr.isatty() else 10)
    try:
        for step in steps:
            rows.append(row(step))
            bar.set_postfix_str("loss {total:.4g}, content {content:.4g}, style {style:.4g}".format(**rows[-1]), refresh=False)
            bar.update()
            if step.number % arguments.every == 0:
                _write_state(arguments, step, rows)
    except (KeyboardInterrupt, NonFiniteError) as error:
        if step is None:
            raise
        trouble = error
    finally:
        bar.close()
    return rows, step, trouble


def _write_state(arguments, step, rows):
    if arguments.preview:
        write_image(arguments.preview, to_numpy(step.best))
    if arguments.frames:
        write_image(Path(arguments.frames) / f"step-{step.number:05}.png", to_numpy(step.image))
    if arguments.log:
        write_log(arguments.log, rows)


def _write_records(arguments, rows):
    if arguments.log:
        write_log(arguments.log, rows)
    if arguments.plot:
        plot_log(arguments.plot, rows)


def _pictures(names):
    if not names:
        return [shipped_picture(name) for name in DEMO]
    if len(names) == 1:
        raise ArgumentError(f"found one picture, {names[0]}; wanted CONTENT and at least one STYLE, or none for the demo")
    return [Path(name) for name in names]


def _settings(arguments):
    base = PRESETS[arguments.preset] if arguments.preset else Settings()
    return replace(base, **{f.name: getattr(arguments, f.name) for f in fields(Settings) if hasattr(arguments, f.name)})


def _layers(text):
    """NAME or NAME=WEIGHT, separated by commas; without a weight, 1."""
    parts = (part.partition("=") for part in text.split(","))
    try:
        return {name.strip(): float(weight) if equals else 1.0 for name, equals, weight in parts}
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted LAYER or LAYER=WEIGHT, with commas between") from None


def _numbers(text):
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted numbers with commas between") from None


def _check_outputs(arguments, output):
    """Find out now what would fail after a long run."""
    if arguments.every < 1:
        raise ArgumentError(f"--every is {arguments.every}; wanted a whole number of at least 1")
    for path in (output, arguments.preview or output):
        picture_form(path)
        must_be_writable(path)
    for path in filter(None, (arguments.log, arguments.plot)):
        must_be_writable(path)
    if arguments.plot:
        need("matplotlib", "plot", "--plot")
    if arguments.frames:
        try:
            Path(arguments.frames).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"cannot make the folder {arguments.frames}: {error.strerror.lower()}; choose another") from None


def _free_name(content, style):
    """CONTENT-as-STYLE.png, with a number behind where there is such a file already."""
    stem = f"{content.stem}-as-{style.stem}"
    names = (f"{stem}{'' if n == 1 else f'-{n}'}.png" for n in range(1, 10**6))
    return next(name for name in names if not Path(name).exists())


def _extent(path, image, size):
    width, height = image_size(path)
    said = f"{width}x{height}"
    if size and max(width, height) < size:
        return f"{said}; smaller than {size} and not enlarged"
    return said if image.shape[:2] == (height, width) else f"{said}, painted at {image.shape[1]}x{image.shape[0]}"


def _identity(path):
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
