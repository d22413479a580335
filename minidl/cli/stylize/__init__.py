"""`minidl stylize`: paint a photograph in the style of a painting.

options.py          the options for files, many pictures, masks and the computation
setting_options.py  one option for each setting, and the help about presets
presets.py          the list of presets, and how they are saved
settings.py         the settings that the options choose
files.py            the pictures to read and the files to write, checked before the computation
monitor.py          what is shown and written during the painting
painting.py         paint one picture
many.py             paint the photographs of a folder or a list
grid.py             paint one photograph with several settings
sequence.py         paint the frames of a film
command.py          which of these is done
"""

from minidl.cli.stylize.command import run
from minidl.cli.stylize.files import DEMO
from minidl.cli.stylize.options import add_options
from minidl.cli.stylize.setting_options import presets_help

__all__ = ["DEMO", "register"]


def register(commands):
    parser = commands.add_parser(
        "stylize",
        help="paint a photograph in the style of a painting",
        description="Paint the photograph CONTENT in the style of the painting STYLE, or of "
        "several paintings. CONTENT may be a folder of photographs. Without arguments, paint a "
        "photograph that minidl ships in the style of a painting that it ships.",
        epilog=presets_help(),
    )
    parser.set_defaults(run=run)
    add_options(parser)
