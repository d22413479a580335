"""The presets of `minidl stylize` in words, made from their table."""

from dataclasses import fields

from minidl.style_transfer import PRESETS, Settings
from minidl.style_transfer.presets import SOURCES

FULL = "full"  # of a size: that of the photograph


def explained():
    """Lines for the help: of each preset where it comes from, and the options that would choose the same"""
    lines = ["presets, each with the options that it stands for:"]
    return "\n".join([*lines, *(f"  {name} ({SOURCES[name]}): {options_of(PRESETS[name])}" for name in PRESETS)])


def options_of(settings):
    """What differs from the defaults, as it would be typed"""
    names = [field.name for field in fields(Settings) if getattr(settings, field.name) != getattr(Settings(), field.name)]
    return " ".join(f"--{name.replace('_', '-')} {typed(getattr(settings, name))}" for name in names)


def typed(value):
    """The value of a setting as it would be typed

    >>> typed({"conv1_1": 0.25, "conv2_1": 1.0}), typed(10.0), typed("noise")
    ('conv1_1=0.25 conv2_1=1', '10', 'noise')
    """
    if isinstance(value, dict):
        return " ".join(f"{layer}={weight:.4g}" for layer, weight in value.items())
    if value is None:
        return FULL
    return f"{value:g}" if isinstance(value, float) else str(value)
