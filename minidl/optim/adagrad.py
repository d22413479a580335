"""This file contains Adagrad, whose rates fall where gradients were large (Duchi, Hazan, Singer
2011)."""

from minidl.backend import array_module
from minidl.optim.optimizer import GroupedParameters, Optimizer


def adagrad(x, g, s, *, rate, decay, epsilon):
    """Return x', s', as `Adagrad` documents them. x, g, s: arrays of one shape."""
    g = g + decay * x
    s = s + g**2
    return x - rate * g / (array_module(x).sqrt(s) + epsilon), s


class Adagrad(Optimizer):
    """Adagrad adds up the squares of all gradients g so far, element by element, and divides by the
    root of the sum s:

    s ← s + g²,      x ← x - α g / (√s + ε)

    A parameter that rarely has a gradient, such as the vector of a rare word, keeps a large rate.
    For gradients of equal size, the steps fall like α / √t. RMSprop replaces the sum by a moving
    average, so that they do not end.

    learning_rate, epsilon: α, ε. weight_decay: λ, adds λ x to g. parameters: see Optimizer, which
    raises ArgumentError for values out of range.

    >>> from minidl import Tensor
    >>> x = Tensor(np.array([1.]), requires_grad=True)
    >>> x.grad = np.array([3.])
    >>> Adagrad([x], learning_rate=0.5).step()                     # s = 3², so the step is 0.5·3/3
    >>> x.data.round(6)
    array([0.5])
    """

    SETTINGS = ("epsilon",)

    def __init__(
        self,
        parameters: GroupedParameters,
        learning_rate: float = 0.01,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, ["s"])
        self.epsilon = epsilon

    def step(self, loss: float | None = None) -> None:
        """Change the parameters by one step. `loss` is not used."""
        self._move(adagrad, self._to_move(), options={"epsilon": self.epsilon})
