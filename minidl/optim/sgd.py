"""SGD is gradient descent with momentum (Polyak 1964; Nesterov 1983; Sutskever et al. 2013)."""

from typing import Literal

from minidl.errors import ArgumentError, one_of
from minidl.optim.optimizer import GroupedParameters, Optimizer

MOMENTUM_FORMS = ("pytorch", "keras")


def descent(x, g, *, rate, decay):
    """x' = x - rate (g + λ x),      λ: decay"""
    return (x - rate * (g + decay * x),)


def momentum_descent(x, g, v, *, rate, decay, momentum, form, nesterov):
    """Return x', v' in one of the forms that `SGD` documents. x, g, v: arrays of one shape."""
    g = g + decay * x
    if form == "keras":
        g, rate = rate * g, 1.0
    v = momentum * v + g
    return x - rate * (g + momentum * v if nesterov else v), v


class SGD(Optimizer):
    """Gradient descent with momentum, in one of two forms (momentum_form):

    "pytorch"    v ← momentum·v + g,                     x ← x - learning_rate·v
                 Nesterov:                               x ← x - learning_rate·(g + momentum·v)
    "keras"      v ← momentum·v + learning_rate·g,       x ← x - v
                 Nesterov:                               x ← x - (learning_rate·g + momentum·v)

    g is the gradient plus λ x, where λ is the weight decay. The first form adds up gradients, and
    multiplies the sum by the learning rate. The second form adds up steps. It is that of Sutskever
    et al. and of Keras, whose v has the other sign. The forms differ only if the learning rate
    changes: after a decrease, the first form takes smaller steps at once, and the second form only
    when its old steps have decayed.

    parameters, weight_decay: see Optimizer. momentum: from 0 to below 1. nesterov: whether to use
    Nesterov's step. It needs a momentum. Raises ArgumentError for other values.

    >>> from minidl import Tensor
    >>> x = Tensor(np.array([1.]), requires_grad=True)
    >>> x.grad = np.array([3.])
    >>> SGD([x], learning_rate=0.5).step()                       # 1 - 0.5·3
    >>> x.data
    array([-0.5])
    """

    SETTINGS = ("momentum", "nesterov", "momentum_form")

    def __init__(
        self,
        parameters: GroupedParameters,
        learning_rate: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        momentum_form: Literal["pytorch", "keras"] = "pytorch",
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, ["velocity"] if momentum else [])
        if not 0 <= momentum < 1:
            raise ArgumentError(f"the momentum is {momentum}; wanted a number from 0 to below 1")
        if nesterov and not momentum:
            raise ArgumentError(
                "Nesterov's step looks ahead along the momentum, which is 0; give a momentum such "
                "as 0.9"
            )
        self.momentum, self.nesterov = momentum, nesterov
        self.momentum_form = one_of("momentum_form", momentum_form, MOMENTUM_FORMS)

    def step(self, loss: float | None = None) -> None:
        """Change the parameters by one step. `loss` is not used."""
        if not self.momentum:
            self._move(descent, self._to_move(), options={})
            return
        options = {"momentum": self.momentum, "form": self.momentum_form, "nesterov": self.nesterov}
        self._move(momentum_descent, self._to_move(), options=options)
