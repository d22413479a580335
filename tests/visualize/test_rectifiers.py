"""Rectifiers: the three gradients, by the definitions in the docstring of rectifiers.py."""

import numpy as np
import pytest

from minidl.autograd import Tensor
from minidl.visualize.rectifiers import RECTIFIERS

X, DY = (axis.ravel() for axis in np.meshgrid([-2.0, 0.0, 3.0], [-5.0, 0.0, 7.0]))
WANTED = {"gradient": DY * (X > 0), "deconvnet": DY * (DY > 0), "guided": DY * (X > 0) * (DY > 0)}


def value_and_gradient(name):
    x = Tensor(X.copy(), requires_grad=True)
    y = RECTIFIERS[name](x)
    y.backward(DY)
    return y.data, x.grad


@pytest.mark.parametrize("name", RECTIFIERS)
def test_values_and_gradients_are_those_of_the_definitions(name):
    y, dx = value_and_gradient(name)
    np.testing.assert_array_equal(y, np.maximum(X, 0))
    np.testing.assert_array_equal(dx, WANTED[name])


def test_all_rules_are_tested_and_differ():
    assert RECTIFIERS.keys() == WANTED.keys()
    assert len({tuple(value_and_gradient(name)[1]) for name in RECTIFIERS}) == 3
