"""The help of `minidl stylize` describes the presets correctly."""

import re
from dataclasses import asdict

import pytest

from minidl import cli
from minidl.cli import stylize
from minidl.style_transfer import PRESETS
from minidl.style_transfer.presets import SOURCES

PROGRAM = cli._parser()


def test_each_has_a_source():
    assert SOURCES.keys() == PRESETS.keys()


@pytest.mark.parametrize("name", PRESETS)
def test_the_options_in_the_help_choose_what_the_preset_does(name, capsys):
    with pytest.raises(SystemExit):
        cli.main(["stylize", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    [options] = re.findall(
        rf"{name} \({re.escape(SOURCES[name])}\): (.*?)(?: [\w-]+ \([^)]*\):|$)", printed
    )
    typed = asdict(stylize._settings(PROGRAM.parse_args(["stylize", *options.split()])))
    for setting, wanted in asdict(PRESETS[name]).items():
        approximate = isinstance(wanted, (dict, float))  # weights are shown with four digits
        assert typed[setting] == (pytest.approx(wanted, rel=1e-3) if approximate else wanted), (
            setting
        )
