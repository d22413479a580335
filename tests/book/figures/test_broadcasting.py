"""The numbers of the figure of broadcasting agree with NumPy and with the sums of loops."""

import numpy as np

from minidl.book.figures.broadcasting import DY, A, B, draw, gradients
from tests.book.figures.drawn import numbers, tables


def test_the_gradients_are_sums_over_the_repeated_axes():
    a, b, dy = (np.random.default_rng(0).normal(size=shape) for shape in ((3, 1), (4,), (3, 4)))
    da, db = gradients(a, b, dy)
    np.testing.assert_allclose(da, [[sum(dy[i])] for i in range(3)])
    np.testing.assert_allclose(db, [sum(dy[:, j]) for j in range(4)])


def test_the_arrays_are_repeated_and_added():
    nothing, a_repeated, both, added, *_ = (tables(frame.svg) for frame in draw().variants[""])
    assert nothing == [numbers(A), numbers(B)]
    assert a_repeated == [numbers(np.tile(A, (1, 4))), numbers(B)]
    assert both == [numbers(np.tile(A, (1, 4))), numbers(np.tile(B, (3, 1)))]
    assert added[-1] == numbers(A + B)


def test_the_gradients_fill_up_column_by_column_and_row_by_row():
    back = [tables(frame.svg) for frame in draw().variants[""]][5:]
    for k in range(4):
        assert back[k][-2:] == [numbers(DY), numbers(DY[:, : k + 1].sum(1))]
    for k in range(3):
        assert back[4 + k][-2:] == [numbers(DY.sum(1)), numbers(DY[: k + 1].sum(0))]
    last = draw().variants[""][-1].words
    inner = f"{(DY.sum(1) * A[:, 0]).sum():.0f}"
    assert f"the repeated a has the sum {inner}, and that of da and a has the sum {inner};" in last
