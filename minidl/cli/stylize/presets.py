"""The presets of `minidl stylize`: list them, and save settings as one of them."""

import os

from minidl.cli.order import Last
from minidl.cli.output import say
from minidl.errors import FileError
from minidl.style_transfer import read_settings, write_settings
from minidl.style_transfer.presets import SOURCES
from minidl.style_transfer.settings_files import (
    own_presets,
    settings_text,
    source_file,
    target_file,
)


class ListPresets(Last):
    """Print the names of minidl's presets with their sources, and the user's own with their files,
    and exit."""

    def __call__(self, parser, arguments, values, option_string=None):
        own = own_presets()
        width = max(map(len, [*SOURCES, *own]))
        for name, source in SOURCES.items():
            say(f"{name:{width}}  {source}")
        for name, path in own.items():
            remark = ", not used: minidl has this name" if name in SOURCES else ""
            say(f"{name:{width}}  {path}{remark}")
        if not own:
            say("Add presets of your own with --save-preset NAME.")
        parser.exit()


def save_preset(target, settings, tell):
    """Write settings as a TOML file, and tell its path. Raise FileError if the file exists with
    other settings.

    target: as for `write_settings`.
    """
    path = target_file(target)
    if not os.path.exists(path):
        write_settings(target, settings)
    elif settings_text(read_settings(path)) != settings_text(settings):
        raise FileError(f"{path} exists with other settings; take another name, or remove the file")
    tell(f"the settings are in {path}")


def files_of_presets(arguments):
    """Return {option: path} of the files that --preset and --save-preset name."""
    files = {}
    if arguments.preset is not None:
        files["--preset"] = source_file(arguments.preset)
    if arguments.save_preset is not None:
        files["--save-preset"] = target_file(arguments.save_preset)
    return {option: path for option, path in files.items() if path is not None}
