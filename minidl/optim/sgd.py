"""Gradient descent with momentum (Polyak 1964; Nesterov 1983; Sutskever et al. 2013)."""

from minidl.errors import ArgumentError
from minidl.optim.optimizer import Optimizer


class SGD(Optimizer):
    """v ← momentum·v + g,      x ← x - learning_rate·v;      Nesterov: x ← x - learning_rate·(g + momentum·v)

    The velocity v sums gradients, and the learning rate is applied afterwards, as in PyTorch.
    """

    def __init__(self, parameters, learning_rate, momentum=0.0, nesterov=False):
        super().__init__(parameters, learning_rate)
        if not 0 <= momentum < 1:
            raise ArgumentError(f"the momentum is {momentum}; wanted a number from 0 to below 1")
        if nesterov and not momentum:
            raise ArgumentError("Nesterov's step looks ahead along the momentum, which is 0; give a momentum such as 0.9")
        self.momentum, self.nesterov = momentum, nesterov
        self.velocity = [p.data * 0 for p in self.parameters]

    def step(self, loss=None):
        for i, (p, g) in enumerate(zip(self.parameters, self._gradients(), strict=True)):
            v = self.velocity[i] = self.momentum * self.velocity[i] + g
            p.data = p.data - self.learning_rate * (g + self.momentum * v if self.nesterov else v)
