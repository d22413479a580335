"""read_idx reads IDX files of unsigned bytes, and refuses all others."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.data.mnist import read_idx
from minidl.errors import FileError
from tests.data.official import idx

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
WHOLE = idx(ARRAY)


def test_the_array_is_read_unchanged(tmp_path):
    (tmp_path / "digits").write_bytes(WHOLE)
    found = read_idx(tmp_path / "digits", axes=3)
    np.testing.assert_array_equal(found, ARRAY)
    assert found.dtype == np.uint8 and found.flags.writeable


BAD = {
    "empty": (b"", "begins with nothing"),
    "no magic number": (b"PK\3\4" + WHOLE, "begins with 504b0304"),
    "floats": (b"\0\0\x0d\3" + WHOLE[4:], "type 0x0d, wanted 0x08"),
    "labels": (idx(ARRAY[0, 0]), "has 1 axes, wanted 3"),
    "cut header": (WHOLE[:10], "ends after 10 bytes"),
    "truncated": (WHOLE[:-1], r"24 numbers \(2, 3, 4\), but 23 follow"),
    "trailing": (WHOLE + b"\0", "but 25 follow"),
    "more than there can be": (b"\0\0\x08\3" + b"\xff" * 12, "but 0 follow"),
}


@pytest.mark.parametrize("kind", BAD)
def test_invalid_files_are_refused(tmp_path, kind):
    content, message = BAD[kind]
    (tmp_path / "digits").write_bytes(content)
    with pytest.raises(
        FileError,
        match=rf"digits is damaged or not what its name says: .*{message}.*; fetch it again",
    ):
        read_idx(tmp_path / "digits", axes=3)


@given(
    st.integers(0, len(WHOLE) - 1), st.integers(0, 255), st.integers(0, len(WHOLE)), st.booleans()
)
def test_mutated_files_are_read_or_refused(tmp_path_factory, place, value, length, packed):
    mutated = bytearray(gzip.compress(WHOLE) if packed else WHOLE)
    mutated[place % len(mutated)] = value
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(mutated[:length])
    try:
        read_idx(path, axes=3)
    except FileError as error:
        assert "mutated" in str(error)
