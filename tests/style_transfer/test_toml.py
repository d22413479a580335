"""Tables of settings as TOML: what is written is read again, and no file costs much."""

import sys
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minidl.errors import FileError
from minidl.style_transfer.toml import LONGEST, as_toml, parsed

numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
singles = numbers | texts
values = singles | st.lists(singles, max_size=4) | st.dictionaries(texts, numbers, max_size=4)


@given(st.dictionaries(texts, values, max_size=6))
@example({"a.b": "\x7f\x00\x1b\r\n'\"\\é\u2028\U0001f600", "é": {"": 1e-5, "c+d": -(2**63)}})
def test_a_table_that_is_written_is_read_again(table):
    assert parsed(as_toml(table).encode(), "a.toml") == table


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_files_of_other_editors(line_end):
    text = line_end.join(["\ufeffsteps = 9", "", "[layers]", "a = 1", ""])
    assert parsed(text.encode(), "a.toml") == {"steps": 9, "layers": {"a": 1}}


BAD = {
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "is no text in UTF-8"),
    "latin-1": ("start = 'caf\xe9.png'".encode("latin-1"), "is no text in UTF-8"),
    "utf-16": ("steps = 9".encode("utf-16"), "is no text in UTF-8"),
    "zeros": (bytes(100), "no valid TOML"),
    "an escape": (b'start = "\x1b[31m"', "no valid TOML"),
    "no assignment": (b"steps 9", "no valid TOML: expected '='"),
    "a word of JSON": (b"size = null", "no valid TOML"),
    "a key twice": (b"steps = 1\nsteps = 2", "no valid TOML: cannot overwrite a value"),
    "a table twice": (b"[a]\nb = 1\n[a]\nc = 1", "no valid TOML"),
    "a wrong date": (b"steps = 1979-13-45", "no valid TOML"),
    "many digits": (b"steps = " + b"9" * 5000, "no valid TOML"),
    "deep lists": (b"a = " + b"[" * 8000, "too many levels"),
    "deep tables": (b"a = " + b"{a=" * 2500, "too many levels"),
    "too long": (b"#" * (LONGEST + 1), "has more than 8,192 bytes"),
}


@pytest.fixture
def _usual_recursion():
    """Python's own limit of nested calls, which the tests raise."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("name", BAD)
@pytest.mark.usefixtures("_usual_recursion")
def test_a_bad_file_is_refused_in_one_sentence(name):
    data, message = BAD[name]
    with pytest.raises(FileError, match=message) as refusal:
        parsed(data, "bad.toml")
    error = str(refusal.value)
    assert error.startswith("bad.toml ") and error.isprintable() and len(error) < 400


@pytest.mark.parametrize(
    "text", ["{}=1", "[{}]", "[[{}]]", "a = {{ {} = 1 }}"], ids=["key", "table", "array", "inline"]
)
def test_the_time_of_a_key_with_many_dots_is_limited(text):
    key = ".".join(["a"] * ((LONGEST - 20) // 2))
    start = time.process_time()
    try:
        parsed(text.format(key).encode(), "dots.toml")
    except FileError as error:
        assert "too many levels" in str(error)
    assert time.process_time() - start < 5  # without the limit of the length: minutes
