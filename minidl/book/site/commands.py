"""The page of all commands, from the parser of the program."""

import argparse
from collections.abc import Iterator
from html import escape
from typing import NamedTuple


class Command(NamedTuple):
    """A command and its parser. name: with the group that it belongs to, such as "faces find"."""

    name: str
    help: str
    parser: argparse.ArgumentParser

    @property
    def anchor(self) -> str:
        return self.name.replace(" ", "-")


def commands(parser: argparse.ArgumentParser, prefix: str = "") -> Iterator[Command]:
    """Yield all commands of a parser, also those of its groups."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, found in action.choices.items():
                yield Command(f"{prefix}{name}", helps.get(name, ""), found)
                yield from commands(found, f"{prefix}{name} ")


def page(found: list[Command]) -> str:
    """Return the content of the page of commands, as HTML."""
    return f"<h1>Commands</h1>{''.join(map(_section, found))}"


def _section(command):
    parser = command.parser
    usage = parser.format_usage().removeprefix("usage: ").strip()
    texts = "".join(map(_paragraphs, (parser.description, parser.epilog)))
    return (
        f'<section class="command" id="{command.anchor}"><h2>minidl {command.name}</h2>'
        f'<p class="call"><code>{escape(usage)}</code></p>{texts}{_options(parser)}</section>'
    )


def _paragraphs(text):
    parts = (text or "").strip().split("\n\n")
    return "".join(_paragraph(part) for part in parts if part)


def _paragraph(part):
    if "\n " in part or part.startswith(" "):
        return f"<pre>{escape(part)}</pre>"
    return f"<p>{_marked(part)}</p>"


def _options(parser):
    rows = "".join(map(_option, filter(_is_shown, parser._actions)))
    return f'<dl class="options">{rows}</dl>' if rows else ""


def _is_shown(action):
    hidden = action.help == argparse.SUPPRESS or isinstance(action, argparse._SubParsersAction)
    return not hidden and action.help


def _option(action):
    formatter = argparse.HelpFormatter("minidl")
    name = formatter._format_action_invocation(action)
    words = formatter._expand_help(action)
    return f"<dt><code>{escape(name)}</code></dt><dd>{_marked(words)}</dd>"


def _marked(text):
    """Return a text with the words in backticks as code."""
    parts = escape(text, quote=False).split("`")
    return "".join(
        f"<code>{part}</code>" if place % 2 and place < len(parts) - 1 else part
        for place, part in enumerate(parts)
    )
