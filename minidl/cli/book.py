"""`minidl book`: the book, built from the docstrings and the code of minidl."""

from contextlib import suppress
from pathlib import Path

from minidl.cli.output import say
from minidl.cli.progress import progress_bar
from minidl.errors import ArgumentError
from minidl.extras import need
from minidl.loopback import open_page

FOLDER = Path("minidl-book")
PICTURE = "chelsea"
PURPOSE = "`minidl book`"


def register(commands):
    parser = commands.add_parser(
        "book",
        help="build the book: the maths beside the code, with moving pictures and exercises",
        description="Build the book from the docstrings and the code of minidl, and open it. It is "
        "a folder of pages that need no server and no network. All examples, proofs, times and "
        "figures are computed while it is built, which takes about half a minute.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "-o",
        dest="folder",
        type=Path,
        default=FOLDER,
        metavar="FOLDER",
        help="where to write the book (default: %(default)s); an earlier book there is replaced",
    )
    parser.add_argument("--no-open", action="store_true", help="do not open the book")
    parser.add_argument(
        "--network",
        type=Path,
        metavar="FILE",
        help="the network to explore: a run of `minidl train`, or its checkpoint (default: a small "
        "network that minidl ships)",
    )
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="FILE",
        help="the picture to explore it with (default: one that minidl ships)",
    )
    parser.add_argument(
        "--serve",
        action="store_true",
        help="serve the book to this computer until Ctrl-C: examples and code can be edited and "
        "run, and exercises are checked in the page",
    )
    parser.add_argument(
        "--notebooks",
        type=Path,
        metavar="FOLDER",
        help="write the chapters as Jupyter notebooks into this folder instead",
    )


def run(arguments):
    if arguments.notebooks:
        _must_be_alone(arguments)
        _write_notebooks(arguments.notebooks)
        return
    for package in ("jinja2", "pygments", *(["flask"] if arguments.serve else [])):
        need(package, "book", PURPOSE)
    first = _build(arguments)
    if arguments.serve:
        _serve(arguments)
    else:
        say(f"the first page of the book is {first}")
        if not arguments.no_open:
            open_page(first.resolve().as_uri())


def _must_be_alone(arguments):
    """Refuse --notebooks with options of the site."""
    others = {
        "-o": arguments.folder != FOLDER,
        "--no-open": arguments.no_open,
        "--network": arguments.network,
        "--picture": arguments.picture,
        "--serve": arguments.serve,
    }
    if given := [name for name, value in others.items() if value]:
        raise ArgumentError(
            f"--notebooks writes notebooks and no pages; leave it out, or leave out "
            f"{', '.join(given)}"
        )


def _build(arguments):
    from minidl.book.site.build import build
    from minidl.cli import program_parser

    explored = _explored(arguments)
    with progress_bar(None, "page") as bar:

        def watch(title):
            bar.set_postfix_str(title, refresh=False)
            bar.update()

        return build(arguments.folder, program_parser(), explored, watch)


def _explored(arguments):
    """Return the exploration of the chosen network and picture."""
    from minidl.book.network import shipped_exploration, shipped_network, trained_network
    from minidl.data import shipped_picture

    if not arguments.network and not arguments.picture:
        return shipped_exploration()
    network = trained_network(arguments.network) if arguments.network else shipped_network()
    path = arguments.picture or shipped_picture(PICTURE)
    return network.explored(network.read(path), f"from the file {path.name}")


def _serve(arguments):
    from minidl.book.site.server import server

    waiting, url = server(arguments.folder)
    say(f"the book is served to this computer at {url} (Ctrl-C ends it)")
    if not arguments.no_open:
        open_page(url)
    with suppress(KeyboardInterrupt):
        waiting.serve_forever()
    say("the server has ended")


def _write_notebooks(folder):
    need("nbformat", "book", "`minidl book --notebooks`")
    from minidl.book.notebooks import write_notebooks

    written = write_notebooks(folder)
    say(f"wrote {len(written)} notebooks into {folder}")
