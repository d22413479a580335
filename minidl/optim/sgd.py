"""Gradient descent with momentum (Polyak 1964; Nesterov 1983; Sutskever et al. 2013)."""

from minidl.backend import array_module
from minidl.errors import ArgumentError, one_of
from minidl.memory import scratch
from minidl.optim.optimizer import Optimizer

MOMENTUM_FORMS = ("pytorch", "keras")


class SGD(Optimizer):
    """With the gradient g, to which weight decay adds λ x:

    "pytorch"    v ← momentum·v + g,                     x ← x - learning_rate·v
                 Nesterov:                               x ← x - learning_rate·(g + momentum·v)
    "keras"      v ← momentum·v + learning_rate·g,       x ← x - v
                 Nesterov:                               x ← x - (learning_rate·g + momentum·v)

    The first sums up gradients and applies the learning rate afterwards; the second, Sutskever's
    and Keras' (whose v has the other sign), sums up steps. They differ where the learning rate
    changes: the first slows down at once, the second lets the old steps run out.
    """

    def __init__(
        self,
        parameters,
        learning_rate,
        momentum=0.0,
        nesterov=False,
        momentum_form="pytorch",
        weight_decay=0.0,
    ):
        super().__init__(parameters, learning_rate, weight_decay, ["velocity"] if momentum else [])
        if not 0 <= momentum < 1:
            raise ArgumentError(f"the momentum is {momentum}; wanted a number from 0 to below 1")
        if nesterov and not momentum:
            raise ArgumentError(
                "Nesterov's step looks ahead along the momentum, which is 0; give a momentum such as 0.9"
            )
        self.momentum, self.nesterov = momentum, nesterov
        self.momentum_form = one_of("momentum_form", momentum_form, MOMENTUM_FORMS)

    def step(self, loss=None):
        self._move(self._change if self.momentum else _descend, self._to_move())

    def _change(self, new, x, g, v, decay, rate):
        g = decayed(g, x, decay)
        if self.momentum_form == "keras":
            g = array_module(x).multiply(g, rate, out=_buffer(x))
            rate = 1.0
        v *= self.momentum
        v += g
        if self.nesterov:
            array_module(x).multiply(v, self.momentum, out=new)
            new += g
            new *= -rate
        else:
            array_module(x).multiply(v, -rate, out=new)
        new += x


def _descend(new, x, g, decay, rate):
    array_module(x).multiply(decayed(g, x, decay), -rate, out=new)
    new += x


def decayed(g, x, decay):
    """g + λ x"""
    if not decay:
        return g
    sum_ = array_module(x).multiply(x, decay, out=_buffer(x))
    sum_ += g
    return sum_


def _buffer(x):
    return scratch(array_module(x), "gradient", x.shape, x.dtype)
