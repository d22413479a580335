"""The settings of a painting that the options choose."""

import shlex
import warnings
from dataclasses import fields

from minidl.cli.options import flag
from minidl.cli.parser import Parser
from minidl.cli.stylize.options import add_options
from minidl.errors import ArgumentError, MinidlWarning, printable
from minidl.style_transfer import Settings, read_settings
from minidl.style_transfer.presets import varied

# options that a checkpoint replaces, beside the settings
MASKS = ("content_mask", "mask", "style_mask", "content_map", "style_map")
OF_THE_RUN = ("preset", "save_preset", "style_blend", "feather", "checkpoint", *MASKS)
# options for one painting
OF_ONE = (
    "resume", "preview", "frames", "every", "log", "plot", "film", "live", "checkpoint", "plan",
)  # fmt: skip


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


def warn_of_options_without_effect(arguments, paintings):
    """Warn of typed options that have an effect only together with another option.

    paintings: the Settings of all paintings.
    """
    missing: dict[str, str] = {}  # {setting: options that it needs}
    if all(settings.start != "noise" for settings in paintings):
        missing |= {"noise": "--start noise", "seed": "--start noise"}
    if not any(settings.late_steps for settings in paintings):
        missing["late_learning_rate"] = "--late-steps"
    if all(settings.late_learning_rate is None for settings in paintings):
        missing["late_steps"] = "--late-learning-rate"
    measures = [measure for settings in paintings for measure in settings.measures.values()]
    if all(name != "gram" for name, _ in measures):
        missing["style_normalization"] = "the style objective gram"
    if not any(settings.tv_weight for settings in paintings):
        missing["tv_normalization"] = "--tv-weight"
    if len(arguments.pictures) < 3:
        missing["style_blend"] = "several STYLEs"
    if not any(getattr(arguments, name) for name in ("preview", "frames", "log", "checkpoint")):
        missing["every"] = "--preview, --frames, --log or --checkpoint"
    if not any(getattr(arguments, name) for name in MASKS):
        missing["mask_way"] = "a mask"
    if not arguments.sequence:
        missing["fps"] = "--sequence"
    reasons = {name: f"without {needed}" for name, needed in missing.items()}
    if all(settings.content_weight is not None for settings in paintings):
        reasons["balance"] = "with a content weight"
    for name, reason in reasons.items():
        if getattr(arguments, name, None) is not None:
            message = f"{flag(name)} has no effect {reason}"
            warnings.warn(message, MinidlWarning, stacklevel=3)


def first_arguments(record, arguments):
    """Return the arguments of the first run of a checkpoint, with the options that were typed now.

    record: of the checkpoint. arguments: with --resume. Raise ArgumentError if a picture, a setting
    or another checkpoint was typed, because the checkpoint holds the first two.
    """
    names = [field.name for field in fields(Settings) if hasattr(arguments, field.name)]
    names += [name for name in OF_THE_RUN if getattr(arguments, name, None) is not None]
    typed = [*map(flag, names), *map(printable, arguments.pictures)]
    if typed:
        raise ArgumentError(
            f"found {typed[0]} with --resume, which takes all pictures and settings from the "
            "checkpoint and stores the progress in it; leave it out, or begin a new painting"
        )
    parser = stylize_parser()
    first = parser.parse_args(_words(record.get("command", "")))
    parser.parse_args(_words(arguments.command), first)  # replaces what was typed now
    first.checkpoint, first.quiet = arguments.resume, arguments.quiet
    return first


def _words(command):
    """Return the words after `minidl stylize`, or none of another command."""
    program, words = shlex.split(command)[:2], shlex.split(command)[2:]
    return words if program == ["minidl", "stylize"] else []


def stylize_parser():
    """Return a parser of the options of `minidl stylize`."""
    parser = Parser(prog="minidl stylize")
    add_options(parser)
    return parser
