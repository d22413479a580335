"""`minidl exercise`: the exercises of the book, their files to fill in, and their check.

The exercises are imported when the command runs, so that other commands start without them.
"""

import shlex
from pathlib import Path

from minidl.cli.output import say
from minidl.errors import ArgumentError, FileError
from minidl.files import must_be_writable, must_exist

LARGEST = 2**20  # bytes of a reader's file
LONGEST = 3600  # seconds


def register(commands):
    parser = commands.add_parser(
        "exercise",
        help="list the exercises of the book, write one to fill in, or check it",
        description="Without a NAME, list the exercises of the book. With a NAME, write a file to "
        "fill in. With a NAME and a FILE, run the function in the file, and say whether it is "
        "right or what is wrong. The code runs in a process of its own, with limits of time and "
        "memory, but with your rights: check only code that you trust. The exit code is 1 if the "
        "function is wrong.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("name", nargs="?", metavar="NAME", help="such as convolution-dx")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the file with your function")
    parser.add_argument(
        "-o", "--output", metavar="OUT", help="the file to write (default: NAME.py, here)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=10.0,
        metavar="S",
        help="limit of time for your code (default: 10)",
    )


def run(arguments):
    if arguments.file is not None and arguments.output is not None:
        raise ArgumentError(
            f"found the file {arguments.file} to check and the file {arguments.output} to write; "
            "wanted one of them"
        )
    if not 0 < arguments.seconds <= LONGEST:
        raise ArgumentError(
            f"--seconds is {arguments.seconds:g}; wanted a number above 0, at most {LONGEST}"
        )
    if arguments.name is None and arguments.output is not None:
        raise ArgumentError(
            f"found no NAME for the file {arguments.output}; `minidl exercise` lists the names"
        )
    if arguments.name is None:
        return _list()
    from minidl.book.exercises import exercise

    chosen = exercise(arguments.name)
    if arguments.file is None:
        return _write(chosen, Path(arguments.output or f"{chosen.name}.py"))
    return _check(chosen, must_exist(arguments.file), arguments.seconds)


def _list():
    from minidl.book.chapters import chapters
    from minidl.book.exercises import EXERCISES

    width = max(map(len, EXERCISES))
    for chapter in chapters():
        titles = [(e.name, e.title) for e in EXERCISES.values() if e.chapter == chapter.name]
        if titles:
            say(chapter.title)
        for name, title in titles:
            say(f"  {name:{width}}  {title}")
    say("")
    say("`minidl exercise NAME` writes a file to fill in. `minidl exercise NAME FILE` checks it.")


def _write(chosen, path):
    from minidl.book.exercises import template

    must_be_writable(path)
    try:
        with open(path, "x", encoding="utf-8") as file:
            _fill(file, template(chosen, path))
    except FileExistsError:
        raise FileError(
            f"{path} exists already; check it with `minidl exercise {chosen.name} {path}`, or "
            "write to another file with -o"
        ) from None
    say(f"the exercise is in {path}; fill in the function {chosen.function}, then run")
    say(f"  minidl exercise {chosen.name} {shlex.quote(str(path))}")


def _fill(file, text):
    """Write a new file, or remove it if it cannot be written as a whole."""
    try:
        file.write(text)
        file.flush()
    except OSError as error:
        Path(file.name).unlink()
        raise FileError(
            f"{file.name} cannot be written: {error.strerror}; free disk space, then try again"
        ) from error


def _check(chosen, path, seconds):
    from minidl.book.exercises import check

    if path.stat().st_size > LARGEST:
        raise FileError(f"{path} has more than {LARGEST:,} bytes; wanted a file of Python code")
    try:
        text = path.read_text(encoding="utf-8-sig")  # with or without a BOM
    except UnicodeDecodeError:
        raise FileError(f"{path} is not a text in UTF-8; wanted a file of Python code") from None
    verdict = check(chosen, text, seconds, path.name)
    for line in verdict.lines:
        say(line)
    return 0 if verdict.passed else 1
