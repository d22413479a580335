"""Books for the tests: one without the slow parts, and a complete one."""

import pytest

from minidl.book.figures.figure import Figure, Frame
from minidl.book.network import shipped_exploration
from minidl.book.site import build as building
from minidl.book.site import chapter
from minidl.book.site.section import Measured
from minidl.cli import program_parser

FIGURE = Figure(
    "Two frames", "A caption.", {"": [Frame("<svg></svg>", "A."), Frame("<svg></svg>", "B.")]}
)


@pytest.fixture(scope="session")
def exploration():
    return shipped_exploration()


def leave_out_what_is_slow(patch):
    """Let books be built without figures, proofs and times."""
    patch.setattr(building, "measure", lambda subject: Measured(None, [], None))
    patch.setattr(building, "wrong_examples", lambda text, name: [])
    patch.setattr(chapter, "draw", lambda name: FIGURE)


@pytest.fixture(scope="session")
def book(tmp_path_factory, exploration):
    """The folder of a book without figures, proofs and times."""
    folder = tmp_path_factory.mktemp("books") / "book"
    with pytest.MonkeyPatch.context() as patch:
        leave_out_what_is_slow(patch)
        building.build(folder, program_parser(), exploration)
    return folder


@pytest.fixture(scope="session")
def complete_book(tmp_path_factory, exploration):
    """The folder of a complete book."""
    folder = tmp_path_factory.mktemp("books") / "complete"
    building.build(folder, program_parser(), exploration)
    return folder
