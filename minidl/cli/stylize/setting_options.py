"""The options of `minidl stylize` for the Settings, one for each, and the help about presets."""

import argparse
from dataclasses import fields

from minidl.cli.lists import number_list, weighted_layer_list
from minidl.cli.options import add_list_layers, flag
from minidl.cli.stylize.presets import ListPresets
from minidl.errors import printable
from minidl.losses.content import FACTORS as CONTENT_NORMALIZATIONS
from minidl.losses.style import FACTORS as STYLE_NORMALIZATIONS
from minidl.losses.total_variation import FORMS as VARIATION_FORMS
from minidl.models.vgg19 import POOLING
from minidl.style_transfer import PRESETS, Settings
from minidl.style_transfer.presets import SOURCES
from minidl.style_transfer.settings import BALANCES, COLOURS, OBJECTIVES, OPTIMIZERS
from minidl.style_transfer.settings_files import FULL

DEFAULTS = Settings()
PRESET_FILES = (
    "--preset takes the name of a preset, of minidl or of your own; a painting by minidl, whose "
    "settings are used again; or a TOML file with the names of options:",
    '  preset = "gatys-code"',
    "  steps = 200",
    "  style-layers = { conv1_1 = 1, conv2_1 = 0.5 }",
    "Options that are typed replace settings of the preset. --save-preset writes such a file.",
)


def add_optimization(group):
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
    add_setting(
        group,
        "size",
        f"longer side of the painting, or {FULL} for the size of the photograph; pictures are not "
        "enlarged",
        type=_size,
        metavar="PIXELS",
    )
    add_setting(
        group,
        "scales",
        "number of scales: 3 paints a quarter of the size first, then half of it, then all",
        type=int,
        metavar="N",
    )
    add_setting(
        group,
        "steps",
        "number of evaluations of the objective at the finest scale; each coarser scale takes "
        "twice as many as the next",
        type=int,
        metavar="N",
    )
    add_setting(group, "optimizer", "optimization algorithm", choices=OPTIMIZERS)
    rate = {"type": float, "metavar": "RATE"}
    add_setting(group, "learning_rate", "learning rate (default: 1 for lbfgs, 5 for adam)", **rate)
    add_setting(group, "late_learning_rate", "learning rate of the last --late-steps steps", **rate)
    add_setting(
        group, "late_steps", "number of steps with the late learning rate", type=int, metavar="N"
    )
    add_setting(
        group,
        "start",
        "picture to start from: content, noise, style, or a file",
        metavar="START",
    )
    add_setting(
        group,
        "noise",
        "share of noise in the picture that --start noise makes; the remainder is the photograph",
        type=float,
        metavar="SHARE",
    )
    add_setting(group, "seed", "seed of the noise", type=int, metavar="N")


def add_objective(group):
    weight = {"type": float, "metavar": "W"}
    layers = {"type": weighted_layer_list(), "metavar": "LAYER[=W],..."}
    add_setting(
        group,
        "style_objective",
        f"how a style is measured: {', '.join(OBJECTIVES)}",
        choices=OBJECTIVES,
        metavar="NAME",
    )
    add_setting(
        group,
        "balance",
        "content against style: the length of the first gradient of the content over that of the "
        f"style (default: {BALANCES['gram']}; {BALANCES['nearest']} for nearest, "
        f"{BALANCES['patches']} for patches)",
        type=float,
        metavar="RATIO",
    )
    add_setting(
        group, "content_weight", "weight of the content loss (default: by --balance)", **weight
    )
    add_setting(group, "style_weight", "weight of the style loss", **weight)
    add_setting(
        group,
        "tv_weight",
        "weight of the total variation; a larger weight makes the painting smoother",
        **weight,
    )
    add_setting(
        group,
        "content_layers",
        "layers of the content loss with their weights, such as conv3_1=0.5,conv4_2",
        **layers,
    )
    add_setting(
        group,
        "style_layers",
        "layers of the style loss with their weights, such as conv1_1=0.5,conv3_1; several at once "
        "as conv3_1+conv4_1, by another objective as moments:conv2_1 (default: those of the style "
        "objective)",
        **layers,
    )
    add_setting(
        group,
        "style_scale",
        "sizes of each STYLE, as multiples of the size of the painting: smaller for finer strokes",
        type=number_list(),
        metavar="X,...",
    )
    add_setting(
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
    add_setting(
        group,
        "content_normalization",
        "normalization of the content loss",
        choices=CONTENT_NORMALIZATIONS,
    )
    add_setting(
        group,
        "style_normalization",
        "normalization of the style loss",
        choices=STYLE_NORMALIZATIONS,
    )
    add_setting(
        group,
        "tv_normalization",
        f"form of the total variation: {', '.join(VARIATION_FORMS)}",
        choices=VARIATION_FORMS,
        metavar="FORM",
    )
    add_setting(group, "pooling", "pooling of the network", choices=POOLING)


def add_setting(group, name, purpose, **options):
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
