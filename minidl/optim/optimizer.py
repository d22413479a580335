"""What all optimisers share: a list of parameters whose `.grad` says where up is."""

from minidl.autograd import Tensor
from minidl.errors import ArgumentError


class Optimizer:
    """parameters: Tensors with requires_grad. A step gives each a new array in `.data` and leaves the old one as it was, so
    whoever kept it (a snapshot of the best picture) keeps it.

    converged: whether further steps would change nothing; takes_back: whether a step to where the loss is not finite is
    taken back by the next one.
    """

    converged, takes_back = False, False

    def __init__(self, parameters, learning_rate):
        self.parameters = list(parameters)
        if not self.parameters or not all(isinstance(p, Tensor) and p.requires_grad for p in self.parameters):
            raise ArgumentError("an optimiser wants a list of Tensors with requires_grad=True, at least one")
        if not learning_rate > 0:
            raise ArgumentError(f"the learning rate is {learning_rate}; wanted a number above 0")
        self.learning_rate = learning_rate

    def step(self, loss):
        """Move the parameters against their gradients. loss: the value that the gradients belong to; only L-BFGS, which
        watches that it falls, looks at it."""
        raise NotImplementedError

    def _gradients(self):
        missing = sum(p.grad is None for p in self.parameters)
        if missing:
            raise ArgumentError(f"{missing} of {len(self.parameters)} parameters have no gradient; call backward before step")
        return [p.grad for p in self.parameters]
