"""The three ways back, by their definitions in the docstring of rectifiers.py."""

import numpy as np
import pytest

from minidl.autograd import Tensor
from minidl.visualize.rectifiers import RECTIFIERS

X, DY = (each.ravel() for each in np.meshgrid([-2.0, 0.0, 3.0], [-5.0, 0.0, 7.0]))
WANTED = {"gradient": DY * (X > 0), "deconvnet": DY * (DY > 0), "guided": DY * (X > 0) * (DY > 0)}


def way(name):
    x = Tensor(X.copy(), requires_grad=True)
    y = RECTIFIERS[name](x)
    y.backward(DY)
    return y.data, x.grad


@pytest.mark.parametrize("name", RECTIFIERS)
def test_forth_and_back(name):
    y, dx = way(name)
    np.testing.assert_array_equal(y, np.maximum(X, 0))
    np.testing.assert_array_equal(dx, WANTED[name])


def test_all_ways_are_known_and_differ():
    assert RECTIFIERS.keys() == WANTED.keys()
    assert len({tuple(way(name)[1]) for name in RECTIFIERS}) == 3
