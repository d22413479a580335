"""The parser of all commands: argparse, with arguments and options in any order, and error messages
that suggest what is meant.

argparse does not accept arguments before and after an option, and its lists do not end where a
picture begins. The parser therefore first rewrites the words of a command in an unambiguous order:
options as `--name=value`, then `--`, then the arguments. argparse parses the result.
"""

import argparse
import re
import shlex
import sys
import textwrap
from collections import deque
from pathlib import Path
from typing import NamedTuple

from minidl.cli.lists import Listed, is_number, is_path_like, joined
from minidl.cli.suggesting import suggestion
from minidl.errors import did_you_mean, printable

LONGEST = 500  # characters of an error message
# characters that replace "-" in commands copied from web pages
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
LISTS = "Lists are separated by spaces or commas. A list ends at the next option, or at a word that cannot be one of its items."
FILES = "FILE", "FOLDER", "OUT", "CONTENT STYLE", "PICTURE", "MODEL"  # metavars
PLAIN = {int: "a whole number", float: "a number"}


class Paragraphs(argparse.HelpFormatter):
    """Keeps the line breaks of descriptions and epilogs. The continuation of an indented line is
    indented further."""

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


class Given(NamedTuple):
    """An option as typed. spare: how many of its last words may be arguments instead; last: whether
    it comes after all others, because it ends the program."""

    name: str
    words: list
    spare: int = 0
    last: bool = False

    def __str__(self):
        return f"{self.name}={joined(self.words)}" if self.words else self.name


class Parser(argparse.ArgumentParser):
    """The parser of the program, of a group of commands (which has sub-commands), or of a
    command."""

    def __init__(self, **options):
        super().__init__(formatter_class=Paragraphs, **options)

    def parse_known_args(self, args=None, namespace=None):
        words = list(sys.argv[1:] if args is None else args)
        if self._subparsers is None:
            words = self._in_order(words)
        else:
            self._must_name_a_command(words)
        namespace, rest = super().parse_known_args(words, namespace)
        if rest := [word for word in rest if word != "--"]:
            wanted = (
                f"this command takes {self._arguments()}"
                if self._arguments()
                else "this command takes options alone"
            )
            self.error(f"unrecognized arguments: {shlex.join(rest)}; {wanted}")
        return namespace, rest

    def error(self, message):
        """Print the usage of the command and the message, and exit with 2."""
        self.exit(2, f"{self.format_usage()}minidl: {printable(message, LONGEST)}\n")

    def format_usage(self):
        self.usage = self._usage()
        return super().format_usage()

    def format_help(self):
        self.usage = self._usage()
        if LISTS not in (self.epilog or "") and any(
            isinstance(action.type, Listed) for action in self._actions
        ):
            self.epilog = "\n\n".join(filter(None, [self.epilog, LISTS]))
        return super().format_help()

    def _usage(self):
        """The usage in one line. `--help` describes the options below it."""
        return " ".join(
            filter(None, ["%(prog)s", "[options]", self._arguments().replace("%", "%%")])
        )

    def _arguments(self):
        forms = {None: "{}", "?": "[{}]", "*": "[{} ...]"}
        return " ".join(
            forms.get(action.nargs, "{} ...").format(self._title(action))
            for action in self._get_positional_actions()
        )

    # ---- the order of the words
    # -------------------------------------------------------------------------------------

    def _must_name_a_command(self, words):
        """Refuse an option that is typed before the command that it belongs to."""
        [commands] = (
            action for action in self._get_positional_actions() if action.nargs == argparse.PARSER
        )
        first, name = words[0] if words else "", next(iter(commands.choices))
        if not first:
            self.error(f"found no {commands.metavar}; wanted one of {', '.join(commands.choices)}")
        if first.startswith("-") and first.partition("=")[0] not in self._option_string_actions:
            order = f"options come after the {commands.metavar}, as in `{self.prog} {name} {first}`"
            self.error(f"unrecognized arguments: {first}; {order}")

    def _in_order(self, words):
        """The options with their values, then "--" and the arguments"""
        left, given, arguments = deque(words), [], []
        while left:
            word = left.popleft()
            if word == "--":
                arguments += left
                break
            if self._is_option(word):
                given.append(self._take(word, left))
            else:
                arguments.append(word)
        for option in given:
            missing = min(option.spare, max(0, self._least(given) - len(arguments)))
            arguments += option.words[len(option.words) - missing :]
            del option.words[len(option.words) - missing :]
        pairs = [
            word
            for word in arguments
            if "," in word and all(is_path_like(part.strip()) for part in word.split(","))
        ]
        if len(arguments) < self._least(given) and pairs:
            self.error(
                f"{pairs[0]!r} is one argument; two are separated by a space, not by a comma"
            )
        given.sort(key=lambda option: option.last)
        return [*map(str, given), *["--"] * bool(self._get_positional_actions()), *arguments]

    def _is_option(self, word):
        if word[:1] in DASHES and word:
            return "--" + word.lstrip(DASHES + "-").partition("=")[0] in self._option_string_actions
        return word.startswith("-") and len(word) > 1 and not is_number(word)

    def _take(self, word, left):
        """The option that begins with this word. Its value is removed from the words that are
        left."""
        name, value = self._name_of(word)
        action = self._option_string_actions[name]
        long = max(action.option_strings, key=len)
        if action.nargs == 0:
            if value and not word.startswith("--"):  # -qo FILE is -q -o FILE
                left.appendleft(f"-{value}")
            elif value is not None:
                self.error(f"{long} takes no value; found {value!r}")
            if isinstance(action, argparse._HelpAction):
                action(self, None, None)
            return Given(long, [], last=isinstance(action, Last))
        if value is not None:
            return Given(long, [value])
        following = []
        for candidate in left:
            if candidate == "--" or self._is_option(candidate):
                break
            following.append(candidate)
        if not following:
            wanted = action.metavar or "|".join(action.choices or [action.dest.upper()])
            self.error(f"{long} needs a value, {wanted}; found {left[0] if left else 'nothing'}")
        least, most = action.type.reach(following) if isinstance(action.type, Listed) else (1, 1)
        return Given(long, [left.popleft() for _ in range(most)], spare=most - least)

    def _name_of(self, word):
        """(name of the option, the value in the same word or None)"""
        known = self._option_string_actions
        name, equals, value = word.partition("=")
        if name in known:
            return name, value if equals else None
        if word[:2] in known and f"-{name}" not in known:  # -oFILE, but not -output
            return word[:2], word[2:]
        begun = {
            other: action
            for other, action in known.items()
            if name.startswith("--") and other.startswith(name)
        }
        if len(set(map(id, begun.values()))) != 1:
            self._refuse(name, list(begun))
        return next(iter(begun)), value if equals else None

    def _refuse(self, name, begun):
        """Refuse an unknown option, and suggest what may be meant. begun: the options that begin
        with this name"""
        plain = name.lstrip(DASHES + "-").lower()
        if any(
            plain in re.split(r"\W+", self._title(action).lower())
            for action in self._get_positional_actions()
        ):
            usage = f"{plain.upper()} is typed without an option: `{self.prog} {self._arguments()}`"
            options = f"; the options are {', '.join(begun)}" if begun else ""
            self.error(f"unrecognized arguments: {name}; {usage}{options}")
        if begun:
            self.error(f"{name} may be {' or '.join(begun)}; write it in full")
        options = [option[2:] for option in self._option_string_actions if option.startswith("--")]
        near = did_you_mean(plain.replace("_", "-"), options).replace("mean '", "mean '--")
        near = near or f"; `{self.prog} --help` lists the options"
        self.error(f"unrecognized arguments: {name}{near}")

    def _least(self, given):
        """How many arguments the command needs at least"""
        names = {option.name for option in given}
        alternatives = [
            action
            for group in self._mutually_exclusive_groups
            if group.required
            and not any(names & set(action.option_strings) for action in group._group_actions)
            for action in group._group_actions
        ]
        return sum(
            action.nargs in (None, "+") or action in alternatives
            for action in self._get_positional_actions()
        )

    # ---- error messages
    # ---------------------------------------------------------------------------------------------

    def _title(self, action):
        return action.metavar or action.dest

    def _get_value(self, action, text):
        """Like argparse's method, with minidl's messages"""
        if not text and (action.type is Path or (action.type is None and action.metavar in FILES)):
            raise argparse.ArgumentError(action, "found ''; wanted the name of a file or folder")
        if action.type not in PLAIN:
            return super()._get_value(action, text)
        try:
            return action.type(text)
        except ValueError:
            raise argparse.ArgumentError(
                action, f"found {text[:80]!r}; wanted {PLAIN[action.type]}"
            ) from None

    def _check_value(self, action, value):
        if action.choices is None or value in action.choices:
            return
        is_command = action.nargs == argparse.PARSER
        deeper = self._deeper(action.choices, value) if is_command else None
        near = (
            f"; did you mean `{deeper}`?"
            if deeper
            else suggestion(str(value), list(map(str, action.choices)))
        )
        found = (
            f"there is no {action.metavar} {value[:80]!r}"
            if is_command
            else f"invalid choice: {str(value)[:80]!r}"
        )
        refusal = f"{found}; wanted one of {', '.join(map(str, action.choices))}{near}"
        if is_command:
            self.error(refusal)
        raise argparse.ArgumentError(action, refusal)

    def _deeper(self, parsers, name):
        """The command of this name in a group of commands, or None"""
        for group in parsers.values():
            if any(
                name in action.choices
                for action in group._get_positional_actions()
                if action.nargs == argparse.PARSER
            ):
                return f"{group.prog} {name}"
        return None


class Last(argparse.Action):
    """An option that ends the program. It runs after all other options are parsed."""
