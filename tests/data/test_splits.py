"""split holds out random examples, which depend only on the seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.data import split
from minidl.errors import ArgumentError, ShapeError


@given(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))),
    st.integers(0, 2**40),
)
def test_each_example_is_in_exactly_one_part(sizes, seed):
    count, held_out = sizes
    examples = np.arange(count)
    (kept, kept_twice), (held, held_twice) = split([examples, 2 * examples], held_out, seed)
    assert len(held) == held_out and sorted([*kept, *held]) == examples.tolist()
    np.testing.assert_array_equal(2 * kept, kept_twice)
    np.testing.assert_array_equal(2 * held, held_twice)
    np.testing.assert_array_equal(held, split([examples], held_out, seed)[1][0])


def test_another_seed_holds_out_other_examples():
    examples = [np.arange(1000)]
    assert split(examples, 100, 0)[1][0].tolist() != split(examples, 100, 1)[1][0].tolist()


@pytest.mark.parametrize("held_out", [-1, 10, 0.1, None])
def test_invalid_numbers_are_refused(held_out):
    with pytest.raises(ArgumentError, match="held out of 10; wanted a whole number from 0 to 9"):
        split([np.arange(10)], held_out, 0)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ShapeError, match=r"lengths \[3, 4\]"):
        split([np.arange(3), np.arange(4)], 1, 0)
