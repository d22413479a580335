"""Options and arguments in any order: the words of a command, rewritten for argparse.

argparse does not accept arguments before and after an option, and its lists do not end where a
picture begins. `in_order` therefore rewrites the words of a command in an unambiguous order:
options as `--name=value`, then `--`, then the arguments.
"""

import argparse
import re
from collections import deque
from typing import NamedTuple

from minidl.cli.lists import Listed
from minidl.cli.words import is_number, is_path_like, joined
from minidl.errors import did_you_mean

# characters that replace "-" in commands copied from web pages
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"


class Last(argparse.Action):
    """An option that ends the program. It runs after all other options are parsed."""


class TypedOption(NamedTuple):
    """An option as typed.

    spare  how many of its last words may be arguments instead
    last   whether it comes after all others, because it ends the program
    """

    name: str
    words: list
    spare: int = 0
    last: bool = False

    def __str__(self):
        return f"{self.name}={joined(self.words)}" if self.words else self.name


def in_order(parser, words):
    """Return the words of a command for its Parser: options with their values, "--", arguments.

    End the program with a message for an unknown or ambiguous option, and for an option that lacks
    its value.
    """
    return _WordOrder(parser).in_order(words)


class _WordOrder:
    def __init__(self, parser):
        self._parser = parser
        self._options = parser._option_string_actions  # {name: action}
        self._arguments = parser._get_positional_actions()

    def in_order(self, words):
        remaining = deque(words)
        options: list[TypedOption] = []
        arguments: list[str] = []
        while remaining:
            word = remaining.popleft()
            if word == "--":
                arguments += remaining
                break
            if self._is_option(word):
                options.append(self._take_option(word, remaining))
            else:
                arguments.append(word)
        needed = self._count_needed(options)
        for option in options:
            moved = min(option.spare, max(0, needed - len(arguments)))
            first_moved = len(option.words) - moved
            arguments += option.words[first_moved:]
            del option.words[first_moved:]
        if len(arguments) < needed:
            self._refuse_pairs(arguments)
        options.sort(key=lambda option: option.last)
        return [*map(str, options), *["--"] * bool(self._arguments), *arguments]

    def _is_option(self, word):
        if word[:1] in DASHES and word:
            return "--" + word.lstrip(DASHES + "-").partition("=")[0] in self._options
        return word.startswith("-") and len(word) > 1 and not is_number(word)

    def _take_option(self, word, remaining):
        """Return the option that begins with this word, and remove its value from the remaining
        words."""
        name, value = self._name_and_value(word)
        action = self._options[name]
        long_name = max(action.option_strings, key=len)
        if action.nargs == 0:
            if value and not word.startswith("--"):  # -qo FILE is -q -o FILE
                remaining.appendleft(f"-{value}")
            elif value is not None:
                self._parser.error(f"{long_name} takes no value; found {value!r}")
            if isinstance(action, argparse._HelpAction):
                self._parser.print_help()
                self._parser.exit()
            return TypedOption(long_name, [], last=isinstance(action, Last))
        if value is not None:
            return TypedOption(long_name, [value])
        values, spare = self._take_values(action, long_name, remaining)
        return TypedOption(long_name, values, spare)

    def _take_values(self, action, name, remaining):
        """Remove the value of an option, one word or a list, from the remaining words.

        Return its words, and how many of the last ones may be arguments instead.
        """
        candidates = []
        for candidate in remaining:
            if candidate == "--" or self._is_option(candidate):
                break
            candidates.append(candidate)
        if not candidates:
            wanted = action.metavar or "|".join(action.choices or [action.dest.upper()])
            next_word = remaining[0] if remaining else "nothing"
            self._parser.error(f"{name} needs a value, {wanted}; found {next_word}")
        is_list = isinstance(action.type, Listed)
        least, most = action.type.reach(candidates) if is_list else (1, 1)
        return [remaining.popleft() for _ in range(most)], most - least

    def _name_and_value(self, word):
        """Return the name of an option, and the value in the same word or None."""
        name, equals, value = word.partition("=")
        if name in self._options:
            return name, value if equals else None
        if word[:2] in self._options and f"-{name}" not in self._options:  # -oFILE, but not -output
            return word[:2], word[2:]
        names = []
        if name.startswith("--"):
            names = [known for known in self._options if known.startswith(name)]
        if len({id(self._options[known]) for known in names}) != 1:
            self._refuse(name, names)
        return names[0], value if equals else None

    def _refuse(self, name, longer_names):
        """Refuse an unknown option, and suggest what may be meant.

        longer_names: the options that begin with this name
        """
        parser, plain = self._parser, name.lstrip(DASHES + "-").lower()
        titles = [parser.title_of(action).lower() for action in self._arguments]
        if any(plain in re.split(r"\W+", title) for title in titles):
            usage = f"`{parser.prog} {parser.argument_usage()}`"
            options = f"; the options are {', '.join(longer_names)}" if longer_names else ""
            parser.error(
                f"unrecognized arguments: {name}; {plain.upper()} is typed without an option: "
                f"{usage}{options}"
            )
        if longer_names:
            parser.error(f"{name} may be {' or '.join(longer_names)}; type the full name")
        long_names = [option[2:] for option in self._options if option.startswith("--")]
        hint = did_you_mean(plain.replace("_", "-"), long_names).replace("mean '", "mean '--")
        default_hint = f"; `{parser.prog} --help` lists the options"
        parser.error(f"unrecognized arguments: {name}{hint or default_hint}")

    def _refuse_pairs(self, arguments):
        """Refuse two names of files that are joined by a comma."""
        for argument in arguments:
            names = argument.split(",")
            if len(names) > 1 and all(is_path_like(name.strip()) for name in names):
                self._parser.error(
                    f"{argument!r} is one argument; "
                    "separate two arguments by a space, not by a comma"
                )

    def _count_needed(self, options):
        """Return how many arguments the command needs at least, beside these options."""
        names = {option.name for option in options}
        alternatives = []  # actions of a required group without any of its options
        for group in self._parser._mutually_exclusive_groups:
            actions = group._group_actions
            group_names = {name for action in actions for name in action.option_strings}
            if group.required and not names & group_names:
                alternatives += actions
        return sum(
            action.nargs in (None, "+") or action in alternatives for action in self._arguments
        )
