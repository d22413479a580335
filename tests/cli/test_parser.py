"""The command line of every command: words in any order, and error messages that suggest what is
meant."""

import argparse

import pytest

from minidl import cli
from minidl.cli.lists import Listed
from minidl.cli.parser import Last, Parser

PROGRAM = cli._parser()


def groups_and_commands(parser):
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for other in action.choices.values():
                yield from groups_and_commands(other)


EACH = {parser.prog: parser for parser in groups_and_commands(PROGRAM)}
COMMANDS = {name: parser for name, parser in EACH.items() if parser._subparsers is None}


def parse(line):
    return vars(PROGRAM.parse_args(line.split()))


def refused(capsys, *words):
    """The message after the usage of the command"""
    with pytest.raises(SystemExit) as stop:
        cli.main(list(words))
    assert stop.value.code == 2
    printed = capsys.readouterr()
    usage, sentence = printed.err.splitlines()
    known = [name for name in EACH if f"minidl {' '.join(words)} ".startswith(f"{name} ")]
    assert usage.startswith(f"usage: {max(known, key=len)} [options]")
    assert (
        sentence.startswith("minidl: ")
        and len(sentence) < 300
        and sentence.isprintable()
        and not printed.out
    )
    return sentence


def value_of(action):
    """A word or a list that the option takes"""
    if action.choices:
        return str(next(iter(action.choices)))
    if isinstance(action.type, Listed):
        lists = {"style_blend": "1 2", "methods": "guided occlusion", "match": "style"}
        return lists.get(action.dest, "conv1_1")
    return "yes" if action.metavar == "yes|no" else {int: "3", float: "0.5"}.get(action.type, "1")


@pytest.mark.parametrize("name", COMMANDS)
def test_options_may_stand_anywhere_between_the_arguments(name):
    """Each option of each command has the same effect at each position."""
    parser = COMMANDS[name]
    chosen = [
        action for group in parser._mutually_exclusive_groups for action in group._group_actions
    ]
    places = [action for action in parser._actions if not action.option_strings]
    arguments = [
        str(next(iter(a.choices))) if a.choices else "a.png"
        for a in places
        for _ in range(1 + (a.nargs in ("+", "*")))
    ]
    options = [
        a
        for a in parser._actions
        if a.option_strings and not isinstance(a, (argparse._HelpAction, Last))
    ]
    for action in options:
        if action in chosen and any(place in chosen for place in places):
            continue
        flag, value = (
            max(action.option_strings, key=len),
            [] if action.nargs == 0 else value_of(action).split(),
        )
        found = [
            vars(parser.parse_args([*arguments[:at], *words, *arguments[at:]]))
            for at in range(len(arguments) + 1)
            for words in ([flag, *value], [f"{flag}={' '.join(value)}"] if value else [flag])
        ]
        assert all(each == found[-1] for each in found), flag


def test_an_option_between_two_pictures():
    found = parse("stylize c.png -o o.png s.png")
    assert found["pictures"] == ["c.png", "s.png"] and found["output"] == "o.png"
    assert parse("stylize -qoo.png c.png --size 20 s.png") == parse(
        "stylize c.png s.png -q -o o.png --size=20"
    )
    assert (
        parse("faces enroll --largest people.db Ada a.png --device cpu b.png")["pictures"][1].name
        == "b.png"
    )


def test_behind_two_dashes_there_are_no_options():
    assert parse("stylize -q -- -c.png --size")["pictures"] == ["-c.png", "--size"]


def test_numbers_below_0_are_values():
    found = parse("stylize --style-weight -1 --tv-weight -1e3 --learning-rate -inf")
    assert (found["style_weight"], found["tv_weight"], found["learning_rate"]) == (
        -1.0,
        -1000.0,
        float("-inf"),
    )


def test_options_may_be_shortened_where_one_alone_begins_so(capsys):
    assert parse("stylize --siz 16") == parse("stylize --size 16")
    assert "--st may be --steps or --start or --style-weight" in refused(
        capsys, "stylize", "--st", "3"
    )


@pytest.mark.parametrize(("line", "sentence"), [
    ("", "found no COMMAND; wanted one of stylize, faces,"),
    ("faces", "found no ACTION; wanted one of compare, enroll,"),
    ("train", "found no NETWORK; wanted one of siamese,"),
    ("styleize", "there is no COMMAND 'styleize'; wanted one of stylize,"),
    ("styleize", "did you mean 'stylize'?"),
    ("compare a.png b.png", "did you mean `minidl faces compare`?"),
    ("faces lst", "did you mean 'list'?"),
    ("train mnist", "did you mean 'siamese'?"),
    ("visualize feature c.png", "did you mean 'features'?"),
    ("--quiet stylize", "options come after the COMMAND, as in `minidl stylize --quiet`"),
    ("faces --json list people.db", "options come after the ACTION, as in `minidl faces compare --json`"),
    ("stylize --content c.png", "CONTENT is typed without an option: `minidl stylize [CONTENT STYLE ...]`"),
    ("stylize --content c.png", "the options are --content-weight, --content-layers, --content-normalization"),
    ("stylize --style s.png", "STYLE is typed without an option"),
    ("visualize dream --picture c.png", "PICTURE is typed without an option: `minidl visualize dream PICTURE`"),
    ("stylize --styleweight 3", "unrecognized arguments: --styleweight; did you mean '--style-weight'?"),
    ("stylize --style_weight 3", "did you mean '--style-weight'?"),
    ("faces evaluate p --limit 3", "--limit; `minidl faces evaluate --help` lists the options"),
    ("train siamese --head absolute", "--head; `minidl train siamese --help` lists the options"),
    ("stylize -output o.png", "did you mean '--output'?"),
    ("stylize \u2014size 3", "did you mean '--size'?"),
    ("faces compare --threshhold 1 a b", "did you mean '--threshold'?"),
    ("train siamese --epoch_s 3", "did you mean '--epochs'?"),
    ("info --foo", "`minidl info --help` lists the options"),
    ("stylize --size", "--size needs a value, PIXELS; found nothing"),
    ("stylize --size --steps 3", "--size needs a value, PIXELS; found --steps"),
    ("stylize --quiet=yes", "--quiet takes no value; found 'yes'"),
    ("stylize --size big", "--size: found 'big'; wanted a whole number"),
    ("stylize --steps 1e3", "--steps: found '1e3'; wanted a whole number"),
    ("stylize --tv-weight much", "--tv-weight: found 'much'; wanted a number"),
    ("stylize --preset monet", "invalid choice: 'monet'; wanted one of gatys-paper, gatys-code,"),
    ("stylize --preset courserra", "did you mean 'coursera'?"),
    ("stylize --device cuda", "did you mean 'gpu'?"),
    ("data fetch minst", "did you mean 'mnist'?"),
    ("info more", "unrecognized arguments: more; this command takes options alone"),
    ("faces compare a b c", "unrecognized arguments: c; this command takes A B"),
    ("faces compare a.png,b.png", "'a.png,b.png' is one argument; two are separated by a space, not by a comma"),
    ("faces compare a.png", "required: B"),
    ("faces enroll people.db Doe,Jane", "required: PICTURE"),
])  # fmt: skip
def test_messages_suggest_what_is_meant(line, sentence, capsys):
    assert sentence in refused(capsys, *line.split())


@pytest.mark.parametrize("words", [
    ["stylize", ""], ["stylize", "--weights", ""], ["stylize", "--frames="], ["visualize", "dream", ""],
    ["classify", "", "c.png"], ["faces", "list", ""], ["data", "info", "--data", ""], ["weights", "info", ""],
])  # fmt: skip
def test_an_empty_name_of_a_file_is_refused(words, capsys):
    assert "found ''; wanted the name of a file or folder" in refused(capsys, *words)


@pytest.mark.parametrize("words", [
    ["\x1b[31m"], ["stylize", "--\x1b[31m"], ["stylize", "--size", "\x1b[31m"], ["stylize", "--preset", "\x1b[31m"],
    ["stylize", "--style-layers", "\x1b[31m=x"], ["info", "\x1b[31m\n"], ["stylize", "--size", "9" * 5000],
    ["stylize", "--" + "a" * 5000], ["visualize", "saliency", "c.png", "--methods", "\x1b[31m" * 999],
])  # fmt: skip
def test_messages_are_short_and_without_control_characters(words, capsys):
    with pytest.raises(SystemExit):
        cli.main(words)
    _, sentence = capsys.readouterr().err.splitlines()
    assert sentence.isprintable() and len(sentence) < 600


def test_help_is_an_option_and_a_command(capsys):
    for words in (
        ["help", "faces", "list"],
        ["faces", "list", "--help"],
        ["faces", "list", "-h", "people.db"],
    ):
        with pytest.raises(SystemExit) as stop:
            cli.main(words)
        assert stop.value.code == 0 and capsys.readouterr().out.startswith(
            "usage: minidl faces list [options] DB\n"
        )


@pytest.mark.parametrize("name", EACH)
def test_help_is_readable_in_80_columns(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = EACH[name].format_help().splitlines()
    assert max(map(len, lines)) <= 80 and lines[0].startswith(f"usage: {name} [options]")


def test_the_help_of_a_command_that_takes_lists_says_how_they_are_separated():
    with_lists = {
        name
        for name, parser in EACH.items()
        if "Lists are separated by spaces or commas" in parser.format_help()
    }
    looking = {
        f"minidl visualize {action}"
        for action in ("features", "patches", "dream", "saliency", "invert")
    }
    assert with_lists == looking | {"minidl stylize", "minidl train faces"}


def test_a_percent_sign_in_a_name_is_one():
    parser = Parser(prog="50%")
    parser.add_argument("x", metavar="100%")
    assert parser.format_usage() == "usage: 50% [options] 100%\n"
