"""The help of `minidl stylize` describes the presets correctly."""

import re
from dataclasses import asdict

import pytest

from minidl import cli
from minidl.cli.stylize.settings import settings_of
from minidl.style_transfer import PRESETS
from minidl.style_transfer.presets import SOURCES

PROGRAM = cli.program_parser()


def test_each_preset_has_a_source():
    assert SOURCES.keys() == PRESETS.keys()


@pytest.mark.parametrize("name", PRESETS)
def test_the_options_in_the_help_give_the_settings_of_the_preset(name, capsys):
    with pytest.raises(SystemExit):
        cli.main(["stylize", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    title = rf"{name} \({re.escape(SOURCES[name])}\)"
    [options] = re.findall(rf"{title}: (.*?)(?: [\w-]+ \([^)]*\):|$)", printed)
    settings = asdict(settings_of(PROGRAM.parse_args(["stylize", *options.split()])))
    for setting, wanted in asdict(PRESETS[name]).items():
        if isinstance(wanted, (dict, float)):  # the help shows weights with four digits
            wanted = pytest.approx(wanted, rel=1e-3)
        assert settings[setting] == wanted, setting
