"""Integer shape arithmetic, compared with windows that are placed one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.errors import ArgumentError, ShapeError
from minidl.shapes import is_int, per_axis, windows_onto, windows_over
from tests.oracles import window_starts

axes = st.fixed_dictionaries(
    {
        "length": st.integers(1, 12),
        "size": st.integers(1, 4),
        "stride": st.integers(1, 4),
        "dilation": st.integers(1, 3),
        "before": st.integers(0, 3),
        "after": st.integers(0, 3),
        "ceil": st.booleans(),
    }
)


def reach(axis):
    """Return the length of a dilated window."""
    return axis["dilation"] * (axis["size"] - 1) + 1


axes_with_a_window = axes.filter(lambda axis: axis["length"] >= reach(axis))


def windows_of(length, size, stride, dilation, before, after, ceil):
    return windows_over((length,), size, stride, ((before, after),), dilation, ceil)


@given(axis=axes)
def test_the_number_of_windows_equals_that_of_windows_placed_one_by_one(axis):
    missing = reach(axis) - (axis["length"] + axis["before"] + axis["after"])
    if missing > 0 and not (axis["ceil"] and missing < axis["stride"]):
        with pytest.raises(ShapeError, match="does not fit an input"):
            windows_of(**axis)
        return
    # with more padding a ceil window would lie in padding alone, which no op allows
    axis["after"] = min(axis["after"], reach(axis) - 1)
    length, stride = axis["length"], axis["stride"]
    starts = window_starts(length, reach(axis), stride, axis["before"], axis["after"], axis["ceil"])
    windows, count = windows_of(**axis), len(list(starts))
    assert windows.out == (count,)
    end_of_last = (count - 1) * stride + reach(axis)
    assert windows.padded == (max(axis["before"] + length + axis["after"], end_of_last),)


def test_a_ceil_window_that_starts_after_the_input_is_refused():
    with pytest.raises(ShapeError, match="an input of 0 holds no window of 2"):
        windows_over((0,), 2, stride=3, padding=((0, 1),), ceil=True)


def positions_through(axis, windows, tap):
    """Return the position of the unpadded input that each window reads through a tap."""
    offset = tap[0] * axis["dilation"] - axis["before"]
    return [o * axis["stride"] + offset for o in range(*windows.out)]


@given(axis=axes_with_a_window)
def test_the_view_of_a_tap_reads_the_positions_of_the_tap(axis):
    windows = windows_of(**axis)
    x = np.arange(axis["length"]).reshape(1, -1, 1)
    padded = windows.pad(x, -1)
    assert np.array_equal(windows.unpad(padded), x)
    for tap in windows.taps:
        positions = positions_through(axis, windows, tap)
        wanted = [position if 0 <= position < axis["length"] else -1 for position in positions]
        assert padded[windows.under(tap)].ravel().tolist() == wanted


@given(axis=axes_with_a_window)
def test_the_number_of_taps_inside_equals_that_of_positions(axis):
    windows = windows_of(**axis)
    [inside], [with_padding] = windows.taps_inside(), windows.taps_inside(and_padding=True)
    for o in range(*windows.out):
        positions = [positions_through(axis, windows, tap)[o] for tap in windows.taps]
        assert inside[o] == sum(0 <= position < axis["length"] for position in positions)
        end = axis["before"] + axis["length"] + axis["after"]
        beyond = sum(o * axis["stride"] + t * axis["dilation"] >= end for (t,) in windows.taps)
        assert with_padding[o] == axis["size"] - beyond


@given(
    length=st.integers(1, 20),
    size=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
)
def test_same_padding_gives_as_many_windows_as_steps(length, size, stride, dilation):
    windows = windows_over((length,), size, stride, "same", dilation)
    [(before, after)] = windows.padding
    assert windows.out == (-(-length // stride),)
    assert after - before in (0, 1)


def test_valid_is_no_padding():
    windows = windows_over((7, 7), 3)
    assert windows_over((7, 7), 3, padding="valid") == windows
    assert windows_over((7, 7), 3, padding=((0, 0), 0)) == windows


def test_each_axis_may_have_its_own_form_of_padding():
    assert windows_over((5, 5), 3, padding=(1, (0, 2))).padding == ((1, 1), (0, 2))


@pytest.mark.parametrize(
    "value", [0, -1, 1.0, True, None, "2", (1,), (1, 2, 3), (1, 0), np.array([1, 1]), [1, 1.5]]
)
def test_per_axis_accepts_only_one_int_or_one_per_axis(value):
    message = r"stride is .*; wanted an int of at least 1, or 2 of them, one per spatial axis"
    with pytest.raises(ArgumentError, match=message):
        per_axis("stride", value, rank=2, least=1)


@pytest.mark.parametrize(
    "value",
    [-1, (1, -1), "SAME", ((1, 2), (1,)), ((1, 2),), None, 1.5, np.array([[1, 1], [1, 1]]), True],
)
def test_padding_of_another_form_is_refused(value):
    message = r"(?s)padding is .*; wanted an int of at least 0, one for each of 2"
    with pytest.raises(ArgumentError, match=message):
        windows_over((5, 5), 3, padding=value)


def test_which_values_are_ints():
    assert all(map(is_int, (0, -3, np.int64(2), np.uint8(2), np.array(2))))
    assert not any(map(is_int, (True, 1.0, "1", None, np.array([1]), np.float64(1))))


@given(axis=axes_with_a_window)
def test_windows_onto_an_array_are_those_over_it(axis):
    """The number of positions that no window reads tells the lengths apart that hold as many
    windows."""
    axis["ceil"] = False
    over = windows_of(**axis)
    geometry = over.size, over.stride, over.padding
    unread = over.padded[0] - (over.out[0] - 1) * axis["stride"] - reach(axis)
    assert windows_onto(over.out, *geometry, unread, over.dilation) == over


@given(length=st.integers(1, 9), axis=axes)
def test_same_makes_the_output_as_long_as_the_input_times_the_stride(length, axis):
    size, stride, dilation = axis["size"], axis["stride"], axis["dilation"]
    onto = windows_onto((length,), size, stride, "same", 0, dilation)
    assert onto == windows_over((length * stride,), size, stride, "same", dilation)
    assert onto.extent == (length * stride,)


def test_output_padding_may_exceed_the_stride_up_to_the_dilation():
    assert windows_onto((2,), 3, output_padding=1, dilation=2).extent == (7,)
    with pytest.raises(ArgumentError, match="less than the stride 1 or the dilation 2 along"):
        windows_onto((2,), 3, output_padding=2, dilation=2)


@pytest.mark.parametrize("out", [(0,), (1,)])
def test_an_array_without_positions_is_refused(out):
    with pytest.raises(ShapeError, match="gives an output of"):
        windows_onto(out, 3, stride=2, padding=2)
