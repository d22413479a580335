"""A small network on minidl's tape, whose backward pass is recorded."""

import inspect
from collections.abc import Callable
from typing import NamedTuple

from minidl import ops
from minidl.autograd import Tensor
from minidl.autograd.op import Op
from minidl.autograd.tape import Node
from minidl.typing import Array


class Call(NamedTuple):
    """One call of an op.

    inputs: {parameter of the op: name of the value}, such as {"a": "x", "b": "w"}. output: the name
    of the result.
    """

    op: Op
    inputs: dict[str, str]
    output: str

    def reads(self, parameter: str) -> list[str]:
        """Return what the gradient of an input reads beside the cotangent, such as ["w", "shape of
        x"]."""
        cotangent, *names = inspect.signature(self.op.gradients[f"d{parameter}"]).parameters
        values = {**self.inputs, cotangent[1:]: self.output}
        shapes = {f"{name}_shape": f"shape of {value}" for name, value in values.items()}
        return [(values | shapes)[name] for name in names if name in values | shapes]

    def kept(self) -> list[str]:
        """Return the names of the values whose arrays are kept for the gradients of this call."""
        read = {name for parameter in self.inputs for name in self.reads(parameter)}
        return [
            name for name in dict.fromkeys([*self.inputs.values(), self.output]) if name in read
        ]


class Pull(NamedTuple):
    """The gradient of one input of a call. part: what this edge contributes to ∂L/∂(input)."""

    call: Call
    parameter: str
    part: Array

    @property
    def input(self) -> str:
        """The name of the value whose gradient it is."""
        return self.call.inputs[self.parameter]


class Network:
    """Values by name, the leaves first, and the calls that computed the others, in order."""

    def __init__(self, **leaves: Array) -> None:
        self.values = {name: Tensor(array, requires_grad=True) for name, array in leaves.items()}
        self.leaves = [*leaves]
        self.calls: list[Call] = []

    def apply(self, output: str, name: str, **inputs: str) -> None:
        """Compute the value `output` by an op. inputs: {parameter of the op: name of a value}."""
        op: Op = getattr(ops, name)
        self.values[output] = op(**{into: self.values[value] for into, value in inputs.items()})
        self.calls.append(Call(op, inputs, output))

    def uses(self, name: str) -> int:
        """Return how many inputs of ops a value is."""
        return sum([*call.inputs.values()].count(name) for call in self.calls)

    def backward(self) -> list[Pull]:
        """Run `backward` of the last value. Return all Pulls in the order of their computation.

        Each gradient function on the tape is replaced by one that also records its result.
        """
        pulls: list[Pull] = []
        for call in self.calls:
            node = self.values[call.output].source()
            assert isinstance(node, Node) and node.edges is not None
            node.edges = [
                (source, _recording(pull, call, parameter, pulls))
                for parameter, (source, pull) in zip(call.inputs, node.edges, strict=True)
            ]
        self.values[self.calls[-1].output].backward()
        return pulls


def _recording(
    pull: Callable[..., tuple[Array, bool]], call: Call, parameter: str, pulls: list[Pull]
) -> Callable[..., tuple[Array, bool]]:
    """Return the function that does what a pull of the tape does, and notes its result."""

    def recorded(dy, shared):
        dx, is_new = pull(dy, shared)
        pulls.append(Pull(call, parameter, dx.copy()))  # a sum may be written to the memory of dx
        return dx, is_new

    return recorded
