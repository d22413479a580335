"""Pickles are described without running them, and those of other instructions are refused."""

import os
import pickle
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.data.pickles import Call, Refused, describe
from tests.data.official import photographs, python2_pickle


class Calls:
    """An object whose pickle calls a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def programs(sentinel):
    """Return pickles that would create the file `sentinel`, with each instruction that can call."""
    command = f"touch {sentinel}"
    text = f"X{chr(len(command))}\0\0\0{command}".encode()
    return {
        f"protocol {protocol}": pickle.dumps(Calls(os.system, command), protocol)
        for protocol in range(6)
    } | {
        "GLOBAL": b"\x80\x02cos\nsystem\n(" + text + b"tR.",
        "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93(" + text + b"tR.",
        "INST": b"(" + text + b"ios\nsystem\n.",
        "OBJ": b"(cos\nsystem\n" + text + b"o.",
        "NEWOBJ": b"\x80\x02cos\nsystem\n(" + text + b"t\x81.",
        "eval": pickle.dumps(Calls(eval, f"__import__('os').system({command!r})"), 2),
        "as a key": pickle.dumps({Calls(os.system, command): 1}, 2),
        "extension registry": b"\x80\x02\x82\x01.",
        "persistent": b"\x80\x02" + text + b"Q.",
        "in a batch": python2_pickle(
            *photographs(), more=b"U\x04morecos\nsystem\n(" + text + b"tR"
        ),
    }


@pytest.mark.parametrize("kind", programs("x"))
def test_programs_are_refused_and_not_run(tmp_path, kind):
    program = programs(tmp_path / "ran")[kind]
    with pytest.raises(Refused, match=r"asks to import|holds the pickle instruction"):
        describe(program)
    assert not (tmp_path / "ran").exists()
    if kind in ("GLOBAL", "protocol 4"):  # Python's unpickler does run them
        pickle.loads(program)
        assert (tmp_path / "ran").exists()


def test_a_batch_of_python_2():
    pictures, labels = photographs()
    batch = describe(python2_pickle(pictures, labels))
    assert batch["batch_label"] == "training batch 1 of 5" and batch["labels"] == labels.tolist()
    array = batch["data"]
    assert isinstance(array, Call) and array.function == "numpy.core.multiarray _reconstruct"
    assert array.arguments == ("numpy ndarray", (0,), "b")
    assert array.state[:2] == (1, (4, 3072))


def test_the_handmade_pickle_is_valid():
    pictures, labels = photographs()
    batch = pickle.loads(python2_pickle(pictures, labels), encoding="latin-1")
    np.testing.assert_array_equal(
        batch["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), pictures
    )


def test_plain_objects_are_read_unchanged():
    value = {
        "a": [1, 300, 70000, -1, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "b": {"c": None, "d": True},
        "e": [[]],
        "f": False,
    }
    assert describe(pickle.dumps(value, 2)) == value
    assert describe(pickle.dumps({b"\xffdata": b"\x80"}, 2)) == {"\xffdata": "\x80"}


@pytest.mark.parametrize(
    "damaged",
    [
        *(b"", b".", b"\x80\x02", b"\x80\x02}", b"\x80\x02e.", b"\x80\x02(.", b"\x80\x02K\x01b."),
        *(b"\x80\x02h\x07.", b"\x80\x02}}}s.", b"\x80\x02K\x01K\x02.", b"\x80\x02}.}"),
        *(b"\x80\x02U\xff.", b"\x80\x02T\xff\xff\xff\x7f."),
    ],
)
def test_damaged_pickles_are_refused(damaged):
    with pytest.raises(Refused):
        describe(damaged)


def test_deep_nesting_causes_no_recursion_error():
    nested = b"\x80\x02)" + b"\x85" * 10**5
    describe(nested + b".")
    with pytest.raises(Refused, match="keys are not text"):
        describe(b"\x80\x02}" + nested[2:] + b"Ns.")


WHOLE = python2_pickle(*photographs(1))


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=5),
    st.integers(0, len(WHOLE)),
)
def test_mutated_pickles_are_read_or_refused(changes, length):
    mutated = bytearray(WHOLE)
    for place, value in changes:
        mutated[place] = value
    with suppress(Refused):
        describe(bytes(mutated[: max(length, 250)]))
