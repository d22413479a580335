"""The options of `minidl stylize`: files, one option for each of the Settings, and the help about
presets."""

import argparse
from dataclasses import fields
from fractions import Fraction

from minidl.cli.lists import Listed, number_list, weighted_layer_list
from minidl.cli.options import add_device, add_list_layers, add_tf32, flag
from minidl.cli.stylize.presets import ListPresets
from minidl.cli.words import is_number
from minidl.errors import printable
from minidl.losses.content import FACTORS as CONTENT_NORMALIZATIONS
from minidl.losses.style import FACTORS as STYLE_NORMALIZATIONS
from minidl.losses.total_variation import FORMS as VARIATION_FORMS
from minidl.models.vgg19 import POOLING
from minidl.style_transfer import PRESETS, Settings
from minidl.style_transfer.guides import WAYS
from minidl.style_transfer.presets import SOURCES
from minidl.style_transfer.settings import COLOURS, OBJECTIVES, OPTIMIZERS
from minidl.style_transfer.settings_files import FULL

EVERY = 10  # default of --every: steps between previews and frames
NO_MASK = "none"  # in place of a mask: the whole picture
MOST_FPS = 100  # a GIF stores hundredths of a second
DEFAULTS = Settings()
PRESET_FILES = (
    "--preset takes the name of a preset, of minidl or of your own; a painting by minidl, whose "
    "settings are used again; or a TOML file with the names of options:",
    '  preset = "gatys-code"',
    "  steps = 200",
    "  style-layers = { conv1_1 = 1, conv2_1 = 0.5 }",
    "Options that are typed replace settings of the preset. --save-preset writes such a file.",
)


def add_options(parser):
    parser.add_argument(
        "pictures",
        nargs="*",
        metavar="CONTENT STYLE",
        help="a photograph or a folder of photographs, then one or more paintings",
    )
    _add_files(parser.add_argument_group("files"))
    _add_many(parser.add_argument_group("many pictures"))
    _add_masks(parser.add_argument_group("masks"))
    _add_computation(parser.add_argument_group("computation"))
    _add_optimization(parser.add_argument_group("optimization"))
    _add_objective(parser.add_argument_group("objective"))


def _add_files(group):
    group.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="file for the painting: .png, .jpg, .webp or .tif; of many pictures, the folder "
        "(default: CONTENT-as-STYLE.png or CONTENT-as-STYLE in the current folder)",
    )
    group.add_argument(
        "--preview",
        metavar="FILE",
        help="write the best painting so far to this file every --every steps",
    )
    group.add_argument(
        "--frames",
        metavar="FOLDER",
        help="write the current painting to a new file in this folder every --every steps",
    )
    group.add_argument(
        "--every",
        type=int,
        default=argparse.SUPPRESS,
        metavar="N",
        help=f"number of steps between previews, frames and checkpoints (default: {EVERY})",
    )
    group.add_argument(
        "--log", metavar="FILE", help="write the losses of each step to this CSV file"
    )
    group.add_argument("--plot", metavar="FILE", help="plot the losses to this picture file")
    group.add_argument(
        "--film",
        metavar="FILE",
        help="show how the painting forms in this file: .gif, .webp, or .mp4 with ffmpeg",
    )
    group.add_argument(
        "--live",
        action="store_true",
        help="show the painting while it forms on a page of this computer, in the browser",
    )
    group.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="store the painting in progress in this file every --every steps",
    )
    group.add_argument(
        "--resume",
        metavar="FILE",
        help="continue a painting from its checkpoint: the result has the same bytes as without "
        "the interruption",
    )


def _add_many(group):
    group.add_argument(
        "--more",
        action="append",
        metavar="FILE",
        help="a further photograph, or folder of photographs, to paint in the same style; may be "
        "given several times",
    )
    group.add_argument(
        "--grid",
        action="append",
        type=Listed(str, "SETTING=VALUE,VALUE,...", is_number),
        metavar="SETTING=V,V,...",
        help="paint CONTENT once for each of these values, such as balance=0.005,0.01,0.03 or "
        "pooling=avg,max, and show the paintings side by side; given twice, once for each pair of "
        "values",
    )
    group.add_argument(
        "--sheet",
        metavar="FILE",
        help="file for the paintings of --grid (default: CONTENT-as-STYLE-sheet.png)",
    )
    group.add_argument(
        "--sequence",
        action="store_true",
        help="paint the frames of a film, a folder of pictures or an animated GIF or WebP: each "
        "begins with the painting of the one before, so that a camera that stands still gives a "
        "film that flickers less; OUT is a folder, or a film: .gif, .webp, or .mp4 with ffmpeg",
    )
    group.add_argument(
        "--fps",
        type=_fps,
        metavar="N",
        help="frames per second of the film of --sequence (default: as CONTENT, 24 for a folder)",
    )


def _add_masks(group):
    group.add_argument(
        "--content-mask",
        metavar="FILE",
        help="grey picture, white where the painting keeps to the photograph",
    )
    group.add_argument(
        "--mask",
        action="append",
        metavar="FILE",
        help="grey picture of the size of the photograph, white where a STYLE is painted; once for "
        f"each STYLE, {NO_MASK} for everywhere",
    )
    group.add_argument(
        "--style-mask",
        action="append",
        metavar="FILE",
        help="grey picture of the size of a STYLE, white in the part that is used; once for each "
        f"STYLE, {NO_MASK} for all of it",
    )
    group.add_argument(
        "--content-map",
        metavar="FILE",
        help="semantic map of the photograph: a flat colour for each region",
    )
    group.add_argument(
        "--style-map",
        metavar="FILE",
        help="semantic map of the STYLE: each region is painted in the style of the region of the "
        "same colour",
    )
    group.add_argument(
        "--feather",
        type=int,
        default=argparse.SUPPRESS,
        metavar="PIXELS",
        help="radius by which regions get soft edges (default: 0)",
    )
    _add_setting(
        group,
        "mask_way",
        "positions of a layer that belong to a region: by the centre (simple), by any part of what "
        "they see (all), or only by all of it (inside)",
        choices=WAYS,
    )


def _add_computation(group):
    add_device(group)
    add_tf32(group)
    group.add_argument(
        "--weights",
        metavar="FILE",
        help="weight file of VGG19 in minidl's format (default: the shipped weights)",
    )
    group.add_argument(
        "--plan",
        action="store_true",
        help="print the memory, the arithmetic and the time that the painting will take, and the "
        "ways in which memory is saved if it does not fit; paint nothing",
    )
    group.add_argument("-q", "--quiet", action="store_true", help="print only errors")


def _add_optimization(group):
    group.add_argument(
        "--preset",
        metavar="PRESET",
        help="settings to start from: the name of a preset, a TOML file, or a painting by minidl; "
        "see below",
    )
    group.add_argument(
        "--save-preset",
        metavar="NAME",
        help="save the settings as a preset of your own, or as a TOML file; paint only if a "
        "picture or another file is named too",
    )
    group.add_argument(
        "--list-presets",
        action=ListPresets,
        nargs=0,
        help="print the names of the presets, with their sources or files, and exit",
    )
    _add_setting(
        group,
        "size",
        f"longer side of the painting, or {FULL} for the size of the photograph; pictures are not "
        "enlarged",
        type=_size,
        metavar="PIXELS",
    )
    _add_setting(
        group,
        "scales",
        "number of scales: 3 paints a quarter of the size first, then half of it, then all",
        type=int,
        metavar="N",
    )
    _add_setting(
        group,
        "steps",
        "number of evaluations of the objective at the finest scale; each coarser scale takes "
        "twice as many as the next",
        type=int,
        metavar="N",
    )
    _add_setting(group, "optimizer", "optimization algorithm", choices=OPTIMIZERS)
    rate = {"type": float, "metavar": "RATE"}
    _add_setting(group, "learning_rate", "learning rate (default: 1 for lbfgs, 5 for adam)", **rate)
    _add_setting(
        group, "late_learning_rate", "learning rate of the last --late-steps steps", **rate
    )
    _add_setting(
        group, "late_steps", "number of steps with the late learning rate", type=int, metavar="N"
    )
    _add_setting(
        group,
        "start",
        "picture to start from: content, noise, style, or a file",
        metavar="START",
    )
    _add_setting(
        group,
        "noise",
        "share of noise in the picture that --start noise makes; the remainder is the photograph",
        type=float,
        metavar="SHARE",
    )
    _add_setting(group, "seed", "seed of the noise", type=int, metavar="N")


def _add_objective(group):
    weight = {"type": float, "metavar": "W"}
    layers = {"type": weighted_layer_list(), "metavar": "LAYER[=W],..."}
    _add_setting(
        group,
        "style_objective",
        f"how a style is measured: {', '.join(OBJECTIVES)}",
        choices=OBJECTIVES,
        metavar="NAME",
    )
    _add_setting(
        group,
        "balance",
        "content against style: the length of the first gradient of the content over that of the "
        "style",
        type=float,
        metavar="RATIO",
    )
    _add_setting(
        group, "content_weight", "weight of the content loss (default: by --balance)", **weight
    )
    _add_setting(group, "style_weight", "weight of the style loss", **weight)
    _add_setting(
        group,
        "tv_weight",
        "weight of the total variation; a larger weight makes the painting smoother",
        **weight,
    )
    _add_setting(
        group,
        "content_layers",
        "layers of the content loss with their weights, such as conv3_1=0.5,conv4_2",
        **layers,
    )
    _add_setting(
        group,
        "style_layers",
        "layers of the style loss with their weights, such as conv1_1=0.5,conv3_1; several at once "
        "as conv3_1+conv4_1, by another objective as moments:conv2_1 (default: those of the style "
        "objective)",
        **layers,
    )
    _add_setting(
        group,
        "style_scale",
        "sizes of each STYLE, as multiples of the size of the painting: smaller for finer strokes",
        type=number_list(),
        metavar="X,...",
    )
    _add_setting(
        group,
        "colours",
        "colours of the painting: of the style; of the photograph with the painting's luminance; "
        "or of a style that is matched to the photograph",
        choices=COLOURS,
    )
    add_list_layers(group)
    group.add_argument(
        "--style-blend",
        type=number_list(),
        metavar="W,W,...",
        help="a weight for each STYLE (default: equal weights)",
    )
    _add_setting(
        group,
        "content_normalization",
        "normalization of the content loss",
        choices=CONTENT_NORMALIZATIONS,
    )
    _add_setting(
        group,
        "style_normalization",
        "normalization of the style loss",
        choices=STYLE_NORMALIZATIONS,
    )
    _add_setting(
        group,
        "tv_normalization",
        f"form of the total variation: {', '.join(VARIATION_FORMS)}",
        choices=VARIATION_FORMS,
        metavar="FORM",
    )
    _add_setting(group, "pooling", "pooling of the network", choices=POOLING)


def _add_setting(group, name, purpose, **options):
    """Add an option for one of the Settings. The parsed arguments lack this attribute if the option
    was not typed."""
    default = getattr(DEFAULTS, name)
    if isinstance(default, (dict, tuple)):
        default = typed(default)
    if default is not None:
        purpose += f" (default: {default})"
    group.add_argument(flag(name), default=argparse.SUPPRESS, help=purpose, **options)


def _size(text):
    """Return a number of pixels, or None for the size of the photograph."""
    try:
        return None if text == FULL else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"found {printable(text, 80)!r}; wanted a whole number or {FULL}"
        ) from None


def _fps(text):
    """Return a number of frames per second, such as 24 or 24000/1001."""
    try:
        fps = Fraction(text)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if not 0 < fps <= MOST_FPS:
        raise argparse.ArgumentTypeError(
            f"found {printable(text, 80)!r}; wanted a number above 0, at most {MOST_FPS}"
        )
    return fps


def presets_help():
    """Return lines for the help: what --preset takes, the source of each preset, and the equivalent
    options."""
    lines = [f"  {name} ({SOURCES[name]}): {options_of(PRESETS[name])}" for name in PRESETS]
    headline = "presets, with their source and the equivalent options:"
    return "\n".join([*PRESET_FILES, "", headline, *lines])


def options_of(settings):
    """Return the settings that differ from the defaults, as options to type."""
    values = {field.name: getattr(settings, field.name) for field in fields(Settings)}
    return " ".join(
        f"{flag(name)} {typed(value)}"
        for name, value in values.items()
        if value != getattr(DEFAULTS, name)
    )


def typed(value):
    """Return the value of a setting as a user types it.

    >>> typed({"conv1_1": 0.25, "conv2_1": 1.0}), typed(10.0), typed("noise")
    ('conv1_1=0.25 conv2_1=1', '10', 'noise')
    """
    if isinstance(value, (tuple, list)):
        return " ".join(map(typed, value))
    if isinstance(value, dict):
        return " ".join(f"{layer}={weight:.4g}" for layer, weight in value.items())
    if value is None:
        return FULL
    return f"{value:g}" if isinstance(value, float) else str(value)
