"""Which of its tasks the command carries out."""

import warnings

from minidl.cli.output import say, say_nothing
from minidl.cli.stylize.grid import paint_grid
from minidl.cli.stylize.many import is_many, paint_many
from minidl.cli.stylize.painting import continue_picture, paint_picture
from minidl.cli.stylize.sequence import paint_sequence
from minidl.cli.stylize.settings import must_lack
from minidl.errors import MinidlWarning


def run(arguments):
    """Carry out the command, and return the exit code."""
    if arguments.quiet:
        warnings.simplefilter("ignore", MinidlWarning)
    return _task(arguments)(arguments, say_nothing if arguments.quiet else say)


def _task(arguments):
    if arguments.grid is None:
        must_lack(arguments, ["sheet"], "one set of settings", "give --grid, or leave it out")
    if arguments.resume is not None:
        must_lack(arguments, ["more", "grid", "sequence", "fps", "plan"], "--resume")
        return continue_picture
    if not (arguments.sequence or arguments.grid or is_many(arguments)):
        return paint_picture
    must_lack(
        arguments, ["save_preset"], "many paintings", "save it with a painting of one picture"
    )
    if arguments.sequence:
        return paint_sequence
    return paint_many if arguments.grid is None else paint_grid
