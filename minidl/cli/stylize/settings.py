"""The settings of a painting that the options choose."""

import shlex
import warnings
from dataclasses import fields

from minidl.cli.options import flag
from minidl.cli.parser import Parser
from minidl.cli.stylize.files import FILES
from minidl.cli.stylize.options import add_options
from minidl.errors import ArgumentError, MinidlWarning
from minidl.style_transfer import Settings, read_settings
from minidl.style_transfer.presets import varied

# options that say what is painted, beside the settings
MASKS = ("content_mask", "mask", "style_mask", "content_map", "style_map")
OF_THE_RUN = ("preset", "save_preset", "style_blend", *MASKS)
# options for one painting
OF_ONE = ("resume", "preview", "frames", "every", "log", "plot", "film", "live", "checkpoint")


def settings_of(arguments):
    """Return the Settings of a preset, with the typed ones."""
    base = Settings() if arguments.preset is None else read_settings(arguments.preset)
    names = [field.name for field in fields(Settings) if hasattr(arguments, field.name)]
    return varied(base, {name: getattr(arguments, name) for name in names})


def must_lack(arguments, names, task, advice="leave it out"):
    """Raise ArgumentError if an option was typed that does not go with others.

    task: the others in words.
    """
    for name in names:
        if getattr(arguments, name, None) not in (None, False):
            raise ArgumentError(f"found {flag(name)} with {task}; {advice}")


def warn_of_options_without_effect(arguments, settings):
    """Warn of typed options that have an effect only together with another option."""
    missing: dict[str, str] = {}  # {setting: options that it needs}
    if settings.start != "noise":
        missing |= {"noise": "--start noise", "seed": "--start noise"}
    if not settings.late_steps:
        missing["late_learning_rate"] = "--late-steps"
    if settings.late_learning_rate is None:
        missing["late_steps"] = "--late-learning-rate"
    if settings.content_weight is not None:
        missing["balance"] = "a content weight that is left out"
    if not any(getattr(arguments, name) for name in ("preview", "frames", "log", "checkpoint")):
        missing["every"] = "--preview, --frames, --log or --checkpoint"
    if not any(getattr(arguments, name) for name in MASKS):
        missing["mask_way"] = "a mask"
    if not arguments.sequence:
        missing["fps"] = "--sequence"
    for name, needed in missing.items():
        if getattr(arguments, name, None) is not None:
            message = f"{flag(name)} has no effect without {needed}"
            warnings.warn(message, MinidlWarning, stacklevel=3)


def first_arguments(record, arguments):
    """Return the arguments of the first run of a checkpoint, with what was typed now for its files.

    record: of the checkpoint. arguments: with --resume. Raise ArgumentError if a picture or a
    setting was typed, because the checkpoint holds them.
    """
    names = [field.name for field in fields(Settings) if hasattr(arguments, field.name)]
    typed = [*map(flag, names), *arguments.pictures]
    typed += [flag(name) for name in OF_THE_RUN if getattr(arguments, name) is not None]
    if typed:
        raise ArgumentError(
            f"found {typed[0]} with --resume; the checkpoint holds all pictures and settings: "
            "leave it out, or begin a new painting"
        )
    words = shlex.split(record.get("command", "minidl stylize"))[2:]
    first = stylize_parser().parse_args(words)
    for name in (*FILES, "frames"):
        if getattr(arguments, name) is not None:
            setattr(first, name, getattr(arguments, name))
    if hasattr(arguments, "every"):
        first.every = arguments.every
    first.checkpoint = arguments.resume
    for name in ("weights", "device", "tf32", "live", "quiet"):
        setattr(first, name, getattr(arguments, name) or getattr(first, name))
    return first


def stylize_parser():
    """Return a parser of the options of `minidl stylize`."""
    parser = Parser(prog="minidl stylize")
    add_options(parser)
    return parser
