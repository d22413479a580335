"""There are three rules for the gradient of a ReLU, y = max(x, 0), in pictures of what activates a
unit.

The forward pass is the same in all three. dy is the gradient of the unit's activation with respect
to y, so that dy > 0 means: a larger y increases the activation. [..] is 1 if true and 0 if false.

    "gradient"    dx = dy [x > 0]              the derivative
    "deconvnet"   dx = dy [dy > 0]             Zeiler & Fergus 2014, section 2.1
    "guided"      dx = dy [x > 0] [dy > 0]     Springenberg et al. 2015, equation in figure 1c

The last two are not derivatives of any function: they drop the negative contributions. Max-pooling
needs no such rule, because its gradient already sends dy to the position of the maximum, as the
switches of Zeiler and Fergus do.
"""

from collections.abc import Callable
from typing import Any

from minidl.autograd import differentiable
from minidl.ops import relu
from minidl.ops.activations import relu_dx
from minidl.typing import Array


def deconvnet_dx(dy: Array) -> Array:
    """Return dy [dy > 0]."""
    return relu(dy)


def guided_dx(dy: Array, y: Array) -> Array:
    """Return dy [x > 0] [dy > 0]. y > 0 is the same as x > 0."""
    return relu_dx(relu(dy), y)


def _forward(x):
    return relu(x)


RECTIFIERS: dict[str, Callable[[Any], Any]] = {
    "gradient": relu,
    "deconvnet": differentiable(_forward, dx=deconvnet_dx),
    "guided": differentiable(_forward, dx=guided_dx),
}
