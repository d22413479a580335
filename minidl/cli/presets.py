"""Help text for the presets of `minidl stylize`, generated from their table."""

from dataclasses import fields

from minidl.style_transfer import PRESETS, Settings
from minidl.style_transfer.presets import SOURCES

FULL = "full"  # the value of --size for the size of the photograph


def explained():
    """Lines for the help: the source of each preset, and the equivalent options"""
    lines = ["presets, with their source and the equivalent options:"]
    return "\n".join(
        [*lines, *(f"  {name} ({SOURCES[name]}): {options_of(PRESETS[name])}" for name in PRESETS)]
    )


def options_of(settings):
    """The settings that differ from the defaults, as options to type"""
    names = [
        field.name
        for field in fields(Settings)
        if getattr(settings, field.name) != getattr(Settings(), field.name)
    ]
    return " ".join(
        f"--{name.replace('_', '-')} {typed(getattr(settings, name))}" for name in names
    )


def typed(value):
    """The value of a setting as typed on the command line

    >>> typed({"conv1_1": 0.25, "conv2_1": 1.0}), typed(10.0), typed("noise")
    ('conv1_1=0.25 conv2_1=1', '10', 'noise')
    """
    if isinstance(value, dict):
        return " ".join(f"{layer}={weight:.4g}" for layer, weight in value.items())
    if value is None:
        return FULL
    return f"{value:g}" if isinstance(value, float) else str(value)
