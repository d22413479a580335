"""This file contains Nadam, Adam with Nesterov's momentum (Dozat 2016)."""

from minidl.backend import array_module
from minidl.errors import ArgumentError
from minidl.optim.counting import CountingOptimizer, must_be_shares
from minidl.optim.optimizer import GroupedParameters

NEGLIGIBLE = 1e-20  # 1 minus a product below this is 1


def nadam(
    x, g, m, v, *, rate, decay, t, momentum, next_momentum, product, beta1, beta2, epsilon,
    decoupled,
):  # fmt: skip
    """Return x', m', v', as `Nadam` documents them.

    x, g, m, v: arrays of one shape. t: the number of this step, from 1. momentum, next_momentum:
    μ[t] and μ[t+1]. product: μ[1] ... μ[t].
    """
    if decoupled:
        x = (1 - rate * decay) * x
    else:
        g = g + decay * x
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    ahead = next_momentum / (1 - product * next_momentum) * m
    step = ahead + (1 - momentum) / (1 - product) * g
    return x - rate * step / (array_module(x).sqrt(v / (1 - beta2**t)) + epsilon), m, v


class Nadam(CountingOptimizer):
    """Adam steps along the moving average m of the gradient g. Nadam looks ahead, as Nesterov's
    momentum does: it weights m as the next step would, and adds g of this step. The averages are
    those of Adam:

    m ← β1 m + (1 - β1) g,      v ← β2 v + (1 - β2) g²

    and, in step t with the learning rate α and the momentum μ[t] = β1 (1 - 0.96^(t ψ) / 2), which
    grows from β1/2 to β1,

    m̂ = μ[t+1] m / (1 - μ[1] ... μ[t+1]) + (1 - μ[t]) g / (1 - μ[1] ... μ[t])
    x ← x - α m̂ / (√(v / (1 - β2^t)) + ε)

    learning_rate, beta1, beta2, epsilon, momentum_decay: α, β1, β2, ε, ψ. weight_decay, decoupled:
    as for Adam. parameters: see Optimizer. Raises ArgumentError for a beta below 0 or not below 1,
    and for a negative ψ.

    >>> from minidl import Tensor
    >>> x = Tensor(np.array([1.]), requires_grad=True)
    >>> x.grad = np.array([3.])
    >>> Nadam([x], learning_rate=0.5).step()       # m̂ = (0.1 μ / (1 - μ²) + 1) g with μ = 0.45
    >>> x.data.round(3)
    array([0.472])
    """

    SETTINGS = ("beta1", "beta2", "epsilon", "momentum_decay", "decoupled")

    def __init__(
        self,
        parameters: GroupedParameters,
        learning_rate: float = 2e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        momentum_decay: float = 4e-3,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, ["m", "v"])
        must_be_shares("Nadam", beta1=beta1, beta2=beta2)
        if not momentum_decay >= 0:
            raise ArgumentError(
                f"Nadam's momentum_decay is {momentum_decay}; wanted a number of at least 0"
            )
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.momentum_decay, self.decoupled = momentum_decay, decoupled
        self._products = [1.0]  # t -> μ[1] ... μ[t], up to the first below NEGLIGIBLE

    def step(self, loss: float | None = None) -> None:
        """Change the parameters by one step. `loss` is not used."""
        indices = self._to_move()
        counts = self._count(indices)
        options = {
            "beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon,
            "decoupled": self.decoupled,
        }  # fmt: skip
        each = {
            "t": counts,
            "momentum": [self._momentum(t) for t in counts],
            "next_momentum": [self._momentum(t + 1) for t in counts],
            "product": [self._product(t) for t in counts],
        }
        self._move(nadam, indices, options=options, each=each)

    def _momentum(self, t):
        return self.beta1 * (1 - 0.96 ** (t * self.momentum_decay) / 2)

    def _product(self, t):
        while len(self._products) <= t and self._products[-1] > NEGLIGIBLE:
            self._products.append(self._products[-1] * self._momentum(len(self._products)))
        return self._products[min(t, len(self._products) - 1)]
