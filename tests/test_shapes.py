"""Integer shape arithmetic, against windows that are laid one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.errors import ArgumentError, ShapeError
from minidl.shapes import is_int, per_axis, windows_over
from tests.oracles import window_starts

axes = st.fixed_dictionaries({
    "length": st.integers(1, 12), "size": st.integers(1, 4), "stride": st.integers(1, 4), "dilation": st.integers(1, 3),
    "before": st.integers(0, 3), "after": st.integers(0, 3), "ceil": st.booleans(),
})  # fmt: skip


def over(length, size, stride, dilation, before, after, ceil):
    return windows_over((length,), size, stride, ((before, after),), dilation, ceil)


@given(axis=axes)
def test_windows_are_counted_as_they_are_laid(axis):
    reach = axis["dilation"] * (axis["size"] - 1) + 1
    missing = reach - (axis["length"] + axis["before"] + axis["after"])
    if missing > 0 and not (axis["ceil"] and missing < axis["stride"]):
        with pytest.raises(ShapeError, match="does not fit an input"):
            over(**axis)
        return
    if axis["after"] >= reach:  # a ceil window that would see padding alone: no op allows it
        axis["after"] = reach - 1
    starts = list(
        window_starts(
            axis["length"], reach, axis["stride"], axis["before"], axis["after"], axis["ceil"]
        )
    )
    assert over(**axis).out == (len(starts),)


def positions_through(axis, windows, tap):
    """The position of the unpadded input that each window reads through a tap"""
    offset = tap[0] * axis["dilation"] - axis["before"]
    return [o * axis["stride"] + offset for o in range(*windows.out)]


@given(axis=axes.filter(lambda axis: axis["length"] >= 1 + axis["dilation"] * (axis["size"] - 1)))
def test_a_tap_s_view_reads_the_positions_that_it_names(axis):
    windows = over(**axis)
    x = np.arange(axis["length"]).reshape(1, -1, 1)
    padded = windows.pad(x, -1)
    assert np.array_equal(windows.unpad(padded), x)
    for tap in windows.taps:
        positions = positions_through(axis, windows, tap)
        assert padded[windows.under(tap)].ravel().tolist() == [
            position if 0 <= position < axis["length"] else -1 for position in positions
        ]


@given(axis=axes.filter(lambda axis: axis["length"] >= 1 + axis["dilation"] * (axis["size"] - 1)))
def test_taps_inside_are_counted_as_they_are_read(axis):
    windows = over(**axis)
    [inside], [with_padding] = windows.taps_inside(), windows.taps_inside(and_padding=True)
    for o in range(*windows.out):
        positions = [positions_through(axis, windows, tap)[o] for tap in windows.taps]
        assert inside[o] == sum(0 <= position < axis["length"] for position in positions)
        end = axis["before"] + axis["length"] + axis["after"]
        past = sum(o * axis["stride"] + t * axis["dilation"] >= end for (t,) in windows.taps)
        assert with_padding[o] == axis["size"] - past


@given(
    length=st.integers(1, 20),
    size=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
)
def test_same_gives_as_many_windows_as_steps(length, size, stride, dilation):
    windows = windows_over((length,), size, stride, "same", dilation)
    [(before, after)] = windows.padding
    assert windows.out == (-(-length // stride),)
    assert after - before in (0, 1)


def test_valid_is_no_padding():
    assert (
        windows_over((7, 7), 3, padding="valid")
        == windows_over((7, 7), 3)
        == windows_over((7, 7), 3, padding=((0, 0), 0))
    )


def test_each_axis_may_pad_in_its_own_way():
    assert windows_over((5, 5), 3, padding=(1, (0, 2))).padding == ((1, 1), (0, 2))


@pytest.mark.parametrize(
    "value", [0, -1, 1.0, True, None, "2", (1,), (1, 2, 3), (1, 0), np.array([1, 1]), [1, 1.5]]
)
def test_per_axis_refuses_what_is_not_one_int_or_one_per_axis(value):
    with pytest.raises(
        ArgumentError,
        match=r"stride is .*; wanted an int of at least 1, or 2 of them, one per spatial axis",
    ):
        per_axis("stride", value, rank=2, least=1)


@pytest.mark.parametrize(
    "value",
    [-1, (1, -1), "SAME", ((1, 2), (1,)), ((1, 2),), None, 1.5, np.array([[1, 1], [1, 1]]), True],
)
def test_padding_refuses_what_is_none_of_its_four_forms(value):
    with pytest.raises(
        ArgumentError, match=r"(?s)padding is .*; wanted an int of at least 0, one for each of 2"
    ):
        windows_over((5, 5), 3, padding=value)


def test_what_counts_as_an_int():
    assert all(map(is_int, (0, -3, np.int64(2), np.uint8(2), np.array(2))))
    assert not any(map(is_int, (True, 1.0, "1", None, np.array([1]), np.float64(1))))
