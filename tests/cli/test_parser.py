"""The parser of every command: words in any order, help, and error messages that suggest what is
meant."""

import argparse

import pytest

from minidl import cli
from minidl.cli.lists import Listed
from minidl.cli.order import Last
from minidl.cli.parser import Parser

PROGRAM = cli.program_parser()


def parsers_below(parser):
    """Yield a parser and those of all its groups and commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from parsers_below(command)


PARSERS = {parser.prog: parser for parser in parsers_below(PROGRAM)}
COMMANDS = {name: parser for name, parser in PARSERS.items() if parser._subparsers is None}


def parse(line):
    return vars(PROGRAM.parse_args(line.split()))


def refused(capsys, *words):
    """Run a command that is refused, check the usage, and return the message below it."""
    with pytest.raises(SystemExit) as stop:
        cli.main(list(words))
    assert stop.value.code == 2
    printed = capsys.readouterr()
    usage, message = printed.err.splitlines()
    line = f"minidl {' '.join(words)} "
    command = max((name for name in PARSERS if line.startswith(f"{name} ")), key=len)
    assert usage.startswith(f"usage: {command} [options]")
    assert message.startswith("minidl: ") and len(message) < 300 and message.isprintable()
    assert not printed.out
    return message


def value_of(action):
    """Return a value that the option accepts, as words."""
    if action.nargs == 0:
        return []
    if action.choices:
        return [str(next(iter(action.choices)))]
    if isinstance(action.type, Listed):
        lists = {
            "style_blend": ["1", "2"],
            "style_scale": ["1", "2"],
            "methods": ["guided", "occlusion"],
            "chapters": ["maps", "dream"],
            "match": ["style"],
        }
        return lists.get(action.dest, ["conv1_1"])
    if action.metavar == "yes|no":
        return ["yes"]
    return [{int: "3", float: "0.5"}.get(action.type, "1")]


@pytest.mark.parametrize("name", COMMANDS)
def test_options_may_come_before_between_and_after_the_arguments(name):
    """Each option of each command has the same effect at each position."""
    parser = COMMANDS[name]
    alternatives = [
        action for group in parser._mutually_exclusive_groups for action in group._group_actions
    ]
    positionals = [action for action in parser._actions if not action.option_strings]
    arguments = []
    for action in positionals:
        word = str(next(iter(action.choices))) if action.choices else "a.png"
        arguments += [word, word] if action.nargs in ("+", "*") else [word]
    has_alternative_argument = any(action in alternatives for action in positionals)
    for action in parser._actions:
        if not action.option_strings or isinstance(action, (argparse._HelpAction, Last)):
            continue
        if action in alternatives and has_alternative_argument:
            continue
        flag, value = max(action.option_strings, key=len), value_of(action)
        spellings = [[flag, *value], [f"{flag}={' '.join(value)}"] if value else [flag]]
        results = [
            vars(parser.parse_args([*arguments[:place], *words, *arguments[place:]]))
            for place in range(len(arguments) + 1)
            for words in spellings
        ]
        assert all(result == results[-1] for result in results), flag


def test_an_option_between_two_pictures():
    arguments = parse("stylize c.png -o o.png s.png")
    assert arguments["pictures"] == ["c.png", "s.png"] and arguments["output"] == "o.png"
    short = parse("stylize -qoo.png c.png --size 20 s.png")
    assert short == parse("stylize c.png s.png -q -o o.png --size=20")
    arguments = parse("faces enroll --largest people.db Ada a.png --device cpu b.png")
    assert [path.name for path in arguments["pictures"]] == ["a.png", "b.png"]


def test_words_after_two_dashes_are_arguments():
    assert parse("stylize -q -- -c.png --size")["pictures"] == ["-c.png", "--size"]


def test_negative_numbers_are_values():
    arguments = parse("stylize --style-weight -1 --tv-weight -1e3 --learning-rate -inf")
    names = ("style_weight", "tv_weight", "learning_rate")
    assert [arguments[name] for name in names] == [-1.0, -1000.0, float("-inf")]


def test_unambiguous_options_may_be_shortened(capsys):
    assert parse("stylize --siz 16") == parse("stylize --size 16")
    message = refused(capsys, "stylize", "--content-m", "3")
    assert "--content-m may be --content-mask or --content-map; type" in message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "found no COMMAND; wanted one of stylize, rerun, faces,"),
        ("faces", "found no ACTION; wanted one of compare, enroll,"),
        ("train", "found no NETWORK; wanted one of siamese,"),
        ("styleize", "there is no COMMAND 'styleize'; wanted one of stylize,"),
        ("styleize", "did you mean 'stylize'?"),
        ("compare a.png b.png", "did you mean `minidl faces compare`?"),
        ("faces lst", "did you mean 'list'?"),
        ("train mnist", "did you mean 'siamese'?"),
        ("visualize feature c.png", "did you mean 'features'?"),
        ("--quiet stylize", "options come after the COMMAND, as in `minidl stylize --quiet`"),
        (
            "faces --json list people.db",
            "options come after the ACTION, as in `minidl faces compare --json`",
        ),
        (
            "stylize --content c.png",
            "CONTENT is typed without an option: `minidl stylize [CONTENT STYLE ...]`",
        ),
        (
            "stylize --content c.png",
            "the options are --content-mask, --content-map, --content-weight",
        ),
        ("stylize --style s.png", "STYLE is typed without an option"),
        (
            "visualize dream --picture c.png",
            "PICTURE is typed without an option: `minidl visualize dream PICTURE`",
        ),
        (
            "stylize --styleweight 3",
            "unrecognized arguments: --styleweight; did you mean '--style-weight'?",
        ),
        ("stylize --style_weight 3", "did you mean '--style-weight'?"),
        ("faces evaluate p --limit 3", "--limit; `minidl faces evaluate --help` lists the options"),
        (
            "train siamese --head absolute",
            "--head; `minidl train siamese --help` lists the options",
        ),
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
        (
            "stylize --optimizer newton",
            "invalid choice: 'newton'; wanted one of lbfgs, adam, sgd",
        ),
        ("stylize --colours histogramm", "did you mean 'histogram'?"),
        ("stylize --device cuda", "did you mean 'gpu'?"),
        ("data fetch minst", "did you mean 'mnist'?"),
        ("info more", "unrecognized arguments: more; this command takes options only"),
        ("faces compare a b c", "unrecognized arguments: c; this command takes A B"),
        (
            "faces compare a.png,b.png",
            "'a.png,b.png' is one argument; separate two arguments by a space, not by a comma",
        ),
        ("faces compare a.png", "required: B"),
        ("faces enroll people.db", "required: NAME|FOLDER"),
    ],
)
def test_messages_suggest_what_is_meant(line, message, capsys):
    assert message in refused(capsys, *line.split())


@pytest.mark.parametrize(
    "words",
    [
        ["stylize", ""],
        ["stylize", "--weights", ""],
        ["stylize", "--frames="],
        ["visualize", "dream", ""],
        ["classify", "", "c.png"],
        ["faces", "list", ""],
        ["data", "info", "--data", ""],
        ["weights", "info", ""],
    ],
)
def test_an_empty_name_of_a_file_is_refused(words, capsys):
    assert "found ''; wanted the name of a file or folder" in refused(capsys, *words)


@pytest.mark.parametrize(
    "words",
    [
        ["\x1b[31m"],
        ["stylize", "--\x1b[31m"],
        ["stylize", "--size", "\x1b[31m"],
        ["stylize", "--optimizer", "\x1b[31m"],
        ["stylize", "--style-layers", "\x1b[31m=x"],
        ["info", "\x1b[31m\n"],
        ["stylize", "--size", "9" * 5000],
        ["stylize", "--" + "a" * 5000],
        ["visualize", "saliency", "c.png", "--methods", "\x1b[31m" * 999],
    ],
)
def test_messages_are_short_and_without_control_characters(words, capsys):
    with pytest.raises(SystemExit):
        cli.main(words)
    _, message = capsys.readouterr().err.splitlines()
    assert message.isprintable() and len(message) < 600


@pytest.mark.parametrize(
    "line", ["help faces list", "faces list --help", "faces list -h people.db"]
)
def test_help_is_an_option_and_a_command(line, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(line.split())
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("usage: minidl faces list [options] DB [NAME]\n")


@pytest.mark.parametrize("name", PARSERS)
def test_help_is_readable_in_80_columns(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = PARSERS[name].format_help().splitlines()
    assert max(map(len, lines)) <= 80 and lines[0].startswith(f"usage: {name} [options]")


@pytest.mark.parametrize("name", PARSERS)
def test_help_describes_every_command_argument_and_option(name):
    parser = PARSERS[name]
    assert parser.description
    for action in parser._actions:
        if action.nargs == argparse.PARSER:
            assert all(command.help for command in action._get_subactions())
        else:
            assert action.help, action.dest


def test_help_explains_lists_in_the_commands_that_take_them():
    explanation = "Lists are separated by spaces or commas"
    with_lists = {name for name, parser in PARSERS.items() if explanation in parser.format_help()}
    actions = ("features", "patches", "unit", "dream", "saliency", "invert", "report")
    visualize = {f"minidl visualize {action}" for action in actions}
    assert with_lists == visualize | {"minidl stylize", "minidl train faces"}


def test_percent_signs_in_names_are_printed():
    parser = Parser(prog="50%")
    parser.add_argument("x", metavar="100%")
    assert parser.format_usage() == "usage: 50% [options] 100%\n"
