"""This file contains RMSprop, which divides the gradient by the root of its mean square."""

from minidl.backend import array_module
from minidl.optim.counting import must_be_shares
from minidl.optim.optimizer import GroupedParameters, Optimizer


def rmsprop(x, g, v, velocity=None, *, rate, decay, beta, epsilon, momentum):
    """Return x', v', and velocity' if there is a momentum. x, g, v, velocity: arrays of one
    shape."""
    g = g + decay * x
    v = beta * v + (1 - beta) * g**2
    x, *velocity = moved(x, g / (array_module(x).sqrt(v) + epsilon), velocity, rate, momentum)
    return x, v, *velocity


def centred_rmsprop(x, g, v, mean, velocity=None, *, rate, decay, beta, epsilon, momentum):
    """Return x', v', mean', and velocity' if there is a momentum. All are arrays of one shape."""
    xp, g = array_module(x), g + decay * x
    v = beta * v + (1 - beta) * g**2
    mean = beta * mean + (1 - beta) * g
    variance = xp.maximum(v - mean**2, 0)  # a rounding error may make it negative
    x, *velocity = moved(x, g / (xp.sqrt(variance) + epsilon), velocity, rate, momentum)
    return x, v, mean, *velocity


def moved(x, step, velocity, rate, momentum):
    """Return x - rate·step, or x - rate·velocity' and velocity' = momentum·velocity + step."""
    if velocity is None:
        return (x - rate * step,)
    velocity = momentum * velocity + step
    return x - rate * velocity, velocity


class RMSprop(Optimizer):
    """RMSprop keeps a moving average v of the square of the gradient g, element by element, and
    divides by its root, so that the steps do not depend on the size of the gradients:

    v ← β v + (1 - β) g²,      x ← x - α g / (√v + ε)

    Hinton, Srivastava, Swersky 2012, "Neural Networks for Machine Learning", lecture 6e. It is Adam
    without the average of g and without the corrections of the first steps. The first step is about
    α / √(1 - β), which is 10 α.

    learning_rate, beta, epsilon: α, β, ε. momentum: μ. If it is above 0, the velocity u adds up the
    quotients: u ← μ u + g / (√v + ε), and x ← x - α u. centred: whether to divide by the root of
    the variance v - m² instead, with the moving average m of g (Graves 2013, section 2.1). A
    variance is smaller than v, so the steps are longer where gradients agree. weight_decay: λ, adds
    λ x to g. parameters: see Optimizer.

    Raises ArgumentError for a beta or a momentum below 0 or not below 1.

    >>> from minidl import Tensor
    >>> x = Tensor(np.array([1.]), requires_grad=True)
    >>> x.grad = np.array([3.])
    >>> RMSprop([x], learning_rate=0.05).step()                # v = 0.01·3², so the step is 10·0.05
    >>> x.data.round(6)
    array([0.5])
    """

    SETTINGS = ("beta", "epsilon", "momentum", "centred")

    def __init__(
        self,
        parameters: GroupedParameters,
        learning_rate: float = 0.01,
        beta: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        centred: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        histories = ["v", *["mean"] * centred, *["velocity"] * (momentum > 0)]
        super().__init__(parameters, learning_rate, weight_decay, histories)
        must_be_shares("RMSprop", beta=beta, momentum=momentum)
        self.beta, self.epsilon, self.momentum, self.centred = beta, epsilon, momentum, centred

    def step(self, loss: float | None = None) -> None:
        """Change the parameters by one step. `loss` is not used."""
        options = {"beta": self.beta, "epsilon": self.epsilon, "momentum": self.momentum}
        rule = centred_rmsprop if self.centred else rmsprop
        self._move(rule, self._to_move(), options=options)
