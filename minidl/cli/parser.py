"""The parser of all commands: argparse, with arguments and options in any order, readable help,
and error messages that suggest what is meant."""

import argparse
import shlex
import sys
import textwrap
from collections.abc import Generator
from pathlib import Path
from typing import Any

from minidl.cli.lists import Listed
from minidl.cli.order import in_order
from minidl.cli.words import suggestion
from minidl.errors import printable

LONGEST_MESSAGE = 500  # characters
LISTS_HELP = (
    "Lists are separated by spaces or commas. A list ends at the next option, or at a word that "
    "cannot be one of its items."
)
FILES = "FILE", "FOLDER", "OUT", "CONTENT STYLE", "PICTURE", "MODEL"  # metavars
NUMBERS = {int: "a whole number", float: "a number"}


class HelpFormatter(argparse.HelpFormatter):
    """Keep the line breaks of descriptions and epilogs, and indent the continuation of an indented
    line further. List commands without a headline."""

    def _fill_text(self, text, width, indent):
        return "\n".join(
            textwrap.fill(
                line,
                width,
                initial_indent=indent,
                subsequent_indent=indent + 4 * " " * line.startswith(" "),
                break_on_hyphens=False,
                break_long_words=False,
            )
            for line in text.splitlines()
        )

    def _format_action(self, action: Any) -> str:
        if action.nargs != argparse.PARSER:
            return super()._format_action(action)
        return self._join_parts(map(self._format_action, action._get_subactions()))

    def _iter_indented_subactions(self, action: Any) -> Generator[argparse.Action, None, None]:
        # argparse does not count the indent when it measures the names of commands
        if action.nargs == argparse.PARSER:
            yield from action._get_subactions()
        else:
            yield from super()._iter_indented_subactions(action)


class Parser(argparse.ArgumentParser):
    """The parser of the program, of a group of commands (which has sub-commands), or of a
    command."""

    def __init__(self, **options):
        super().__init__(formatter_class=HelpFormatter, **options)
        self._positionals.title = "arguments"

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        if self._subparsers is None:
            words = in_order(self, words)
        else:
            self._must_name_a_command(words)
        namespace, unknown = super().parse_known_args(words, namespace)
        if unknown := [word for word in unknown if word != "--"]:
            wanted = self.argument_usage() or "options only"
            self.error(
                f"unrecognized arguments: {shlex.join(unknown)}; this command takes {wanted}"
            )
        return namespace, unknown

    def error(self, message):
        """Print the usage of the command and the message, and exit with 2."""
        self.exit(2, f"{self.format_usage()}minidl: {printable(message, LONGEST_MESSAGE)}\n")

    def format_usage(self):
        self.usage = self._usage()
        return super().format_usage()

    def format_help(self):
        self.usage = self._usage()
        takes_lists = any(isinstance(action.type, Listed) for action in self._actions)
        if takes_lists and LISTS_HELP not in (self.epilog or ""):
            self.epilog = "\n\n".join(filter(None, [self.epilog, LISTS_HELP]))
        return super().format_help()

    def argument_usage(self):
        """Return the arguments of the command as its usage shows them."""
        forms: dict[int | str | None, str] = {None: "{}", "?": "[{}]", "*": "[{} ...]"}
        return " ".join(
            forms.get(action.nargs, "{} ...").format(self.title_of(action))
            for action in self._get_positional_actions()
        )

    def title_of(self, action):
        return action.metavar or action.dest

    def _usage(self):
        """Return the usage in one line. `--help` describes the options below it."""
        arguments = self.argument_usage().replace("%", "%%")
        return " ".join(filter(None, ["%(prog)s", "[options]", arguments]))

    def _must_name_a_command(self, words):
        """Refuse an option that is typed before the command that it belongs to."""
        [commands] = (
            action for action in self._get_positional_actions() if action.nargs == argparse.PARSER
        )
        names = list(commands.choices or ())
        word = words[0] if words else ""
        if not word:
            self.error(f"found no {commands.metavar}; wanted one of {', '.join(names)}")
        if word.startswith("-") and word.partition("=")[0] not in self._option_string_actions:
            example = f"`{self.prog} {names[0]} {word}`"
            self.error(
                f"unrecognized arguments: {word}; "
                f"options come after the {commands.metavar}, as in {example}"
            )

    def _get_value(self, action: Any, arg_string: str) -> Any:
        """Convert a text as argparse does, with minidl's messages."""
        is_file = action.type is Path or (action.metavar in FILES and action.type is None)
        if not arg_string and is_file:
            raise argparse.ArgumentError(action, "found ''; wanted the name of a file or folder")
        if action.type is None or action.type not in NUMBERS:
            return super()._get_value(action, arg_string)
        try:
            return action.type(arg_string)
        except ValueError:
            message = f"found {arg_string[:80]!r}; wanted {NUMBERS[action.type]}"
            raise argparse.ArgumentError(action, message) from None

    def _check_value(self, action, value):
        """Refuse a value that is not among the choices, and suggest what may be meant."""
        if action.choices is None or value in action.choices:
            return
        choices, is_command = list(map(str, action.choices)), action.nargs == argparse.PARSER
        if not is_command:
            message = f"invalid choice: {str(value)[:80]!r}; wanted one of {', '.join(choices)}"
            raise argparse.ArgumentError(action, message + suggestion(str(value), choices))
        command = _command_in_group(action.choices, value)
        hint = f"; did you mean `{command}`?" if command else suggestion(value, choices)
        self.error(
            f"there is no {action.metavar} {value[:80]!r}; wanted one of {', '.join(choices)}{hint}"
        )


def _command_in_group(parsers, name):
    """Return the full name of a command in one of the groups of commands, or None."""
    for parser in parsers.values():
        for action in parser._get_positional_actions():
            if action.nargs == argparse.PARSER and name in action.choices:
                return f"{parser.prog} {name}"
    return None
