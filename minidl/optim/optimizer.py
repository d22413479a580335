"""The base class of all optimisers holds the parameters, their groups, and the state from which a
training run resumes.

An optimiser's rule is a plain function of plain arrays, like an op. The call
`rule(x, g, *histories, **options)` returns a new x and new histories. x is one parameter and g its
gradient ∂L/∂x. The histories are arrays of x's shape that one step passes to the next, such as a
velocity.

**Weight decay** λ adds 1/2 λ Σ x² to the loss and therefore λ x to the gradient, so that it moves x
towards 0 in each step. This is PyTorch's λ. Keras' `l2(λ)` adds λ Σ x², which is a weight decay of
2λ.
"""

import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from minidl.autograd import Tensor
from minidl.backend import array_module, device_of, is_array, to_device
from minidl.dispatch import replaceable
from minidl.errors import ArgumentError, MinidlWarning
from minidl.half import at_least_float32, widened
from minidl.naming import must_have_same_names
from minidl.typing import Array

Parameters: TypeAlias = Iterable[Tensor] | dict[str, Tensor]  # Tensors, or Tensors by name


@dataclass(frozen=True)
class Group:
    """Parameters with a weight decay and a learning rate of their own.

    parameters: list of Tensors, or dict name -> Tensor. weight_decay: applies to all of them.
    rate: factor on the learning rate.
    """

    parameters: Parameters
    weight_decay: float = 0.0
    rate: float = 1.0


GroupedParameters: TypeAlias = Parameters | Iterable[Group]


class Update(NamedTuple):
    """The arguments of a rule for one parameter."""

    x: Array
    g: Array
    histories: list[Array]
    options: dict[str, Any]


@replaceable
def apply_rule(rule, updates):
    """Return [[x', *histories']] of the rule for each Update. The histories that are passed in may
    be overwritten. float16 is computed in float32."""
    results = []
    for u in updates:
        new, *histories = rule(widened(u.x), widened(u.g), *u.histories, **u.options)
        as_array = array_module(u.x).asarray  # NumPy computes scalars from arrays without axes
        results.append([as_array(new, u.x.dtype), *map(as_array, histories)])
    return results


class Optimizer:
    """An algorithm that changes parameters step by step, so that the loss becomes smaller.

    A step assigns a new array to `.data` of each parameter and does not write to the old array. A
    reference to an old array, such as the best picture so far, stays valid.

    A step leaves a parameter and its histories unchanged in two cases. In the first case, the
    parameter is frozen (requires_grad is False). In the second case, the loss does not depend on
    it, and the optimiser warns once. Its `.grad` is then None, or it is the array that an earlier
    step has used, while other parameters have new gradients.

    parameters: a list of Tensors with requires_grad; or a list of Groups; or a dict
    {name: Tensor}, such as Module.named_parameters(), whose frozen parameters are left out.
    learning_rate: above 0. weight_decay: λ; of a dict, it applies to the names that end in
    "kernel". histories: names of the arrays that one step passes to the next.

    converged: whether further steps would change nothing. takes_back: whether a step to a place
    where the loss is not finite is undone by the next one. NUMBERS: attributes that belong to the
    state. SETTINGS: attributes that a resumed run must share with the run before. A subclass lists
    its own. Attributes that are not listed are not compared.
    """

    converged, takes_back = False, False
    NUMBERS: dict[str, type] = {"learning_rate": float}
    SETTINGS: tuple[str, ...] = ()

    def __init__(
        self,
        parameters: GroupedParameters,
        learning_rate: float,
        weight_decay: float = 0.0,
        histories: Sequence[str] = (),
    ) -> None:
        entries = _entries(parameters, weight_decay)
        self.names, self.parameters, self._decays, self._rates = (
            map(list, zip(*entries, strict=True)) if entries else [[]] * 4
        )
        if not self.parameters or not all(
            isinstance(p, Tensor) and p.requires_grad for p in self.parameters
        ):
            raise ArgumentError(
                "an optimiser needs at least one Tensor, and all with requires_grad=True"
            )
        if len({*map(id, self.parameters)}) < len(self.parameters) or len({*self.names}) < len(
            self.names
        ):
            raise ArgumentError(
                "the optimiser was given a parameter, or a name, twice; wanted each once"
            )
        if not learning_rate > 0:
            raise ArgumentError(f"the learning rate is {learning_rate}; wanted a number above 0")
        self.learning_rate = learning_rate
        self._unreached: set[str] = set()  # names of parameters that a warning has named
        # index of a parameter -> weak reference to the gradient of its last step
        self._used: dict[int, weakref.ref[Array]] = {}
        # word -> for each parameter an array of its shape, which the steps change in place
        self._histories = {
            history: [
                array_module(p.data).zeros(p.shape, at_least_float32(p.dtype))
                for p in self.parameters
            ]
            for history in histories
        }

    def step(self, loss: float | None = None) -> None:
        """Change the parameters by one step.

        loss: the value whose gradients the parameters hold. Only L-BFGS needs it. Raises
        ArgumentError if no parameter has a gradient.
        """
        raise NotImplementedError

    def rules(self) -> dict[str, Any]:
        """Return the settings that a resumed run must share with the run before."""
        rules = {name: getattr(self, name) for name in self.SETTINGS}
        return rules | {"names": self.names, "decays": self._decays, "rates": self._rates}

    def state(self) -> dict[str, Any]:
        """Return {name: array or number}: all that `restore` needs, together with the parameters,
        to continue with the same bytes. The arrays are copies."""
        return {name: getattr(self, name) for name in self.NUMBERS} | {
            name: history.copy() for name, history in self._named_histories().items()
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from the `state()` of an optimiser of the same kind for the same parameters. The
        arrays of the state may be on another device.

        Raises ArgumentError, and changes nothing, if a name is missing or unknown, or a shape
        differs.
        """
        own = self._named_histories()
        must_fit(
            state,
            dict.fromkeys(self.NUMBERS, ())
            | {name: history.shape for name, history in own.items()},
        )
        for name, kind in self.NUMBERS.items():
            setattr(self, name, kind(state[name]))
        for name, history in own.items():
            history[...] = to_device(state[name], device_of(history))

    def _named_histories(self):
        return {
            f"{history}/{name}": array
            for history, arrays in self._histories.items()
            for name, array in zip(self.names, arrays, strict=True)
        }

    def __getstate__(self):
        # for pickle and copy.deepcopy, which keep no weak references
        return vars(self) | {"_used": {}}

    def _to_move(self):
        """Return the indices of the parameters that this step changes, as the class describes. Warn
        about others that the loss does not depend on."""
        free = [index for index, p in enumerate(self.parameters) if p.requires_grad]
        moving = [index for index in free if self.parameters[index].grad is not None]
        if free and not moving:
            raise ArgumentError(
                f"none of {len(free)} parameters has a gradient; call backward before step"
            )
        fresh = [
            index
            for index in moving
            if self._used.get(index, _nothing)() is not self.parameters[index].grad
        ]
        moving = fresh or moving  # If no gradient is new, all are used again.
        self._used |= {index: weakref.ref(self.parameters[index].grad) for index in moving}
        new = {self.names[index] for index in free if index not in moving} - self._unreached
        if new:
            self._unreached |= new
            names = ", ".join(name for name in self.names if name in new)
            warnings.warn(
                f"the loss does not depend on {len(new)} of {len(free)} parameters, which stay as "
                f"they are: {names}",
                MinidlWarning,
                stacklevel=3,
            )
        return moving

    def _move(self, rule: Callable[..., tuple], indices: list[int], *, options, each=None):
        """Change the parameters of these indices by a rule.

        options: of the rule, in addition to `rate` and `decay`. each: {option: list with one value
        for each parameter}, for options that differ between parameters.
        """
        updates = []
        for index in indices:
            p = self.parameters[index]
            own = {name: values[index] for name, values in (each or {}).items()}
            own |= {"rate": float(self.learning_rate * self._rates[index])}
            own |= {"decay": self._decays[index]}
            histories = [arrays[index] for arrays in self._histories.values()]
            updates.append(Update(p.data, p.grad, histories, options | own))
        for index, (new, *histories) in zip(indices, apply_rule(rule, updates), strict=True):
            self.parameters[index].data = new
            for arrays, history in zip(self._histories.values(), histories, strict=True):
                arrays[index] = history


def _nothing():
    """Return None, like a weak reference whose array no longer exists."""


def must_fit(state, shapes):
    """Raise ArgumentError if the names and shapes of a state are not those of `shapes`.

    state: {name: array or number}. shapes: {name: shape}, () for a number.
    """
    must_have_same_names(state, shapes, "the same optimiser and parameters")
    for name, shape in shapes.items():
        own_shape = getattr(state[name], "shape", ())
        if own_shape != shape or (shape and not is_array(state[name])):
            raise ArgumentError(
                f"{name} has shape {own_shape} in the state; wanted {shape}: use a state of the "
                "same parameters"
            )


def _entries(parameters, weight_decay):
    """Return a list of (name, parameter, weight decay, rate). The name of an unnamed parameter is
    its index."""
    _must_be_at_least_0("weight decay", weight_decay)
    if isinstance(parameters, dict):
        entries = [
            (name, p, weight_decay * name.endswith("kernel"), 1.0)
            for name, p in _learning(parameters).items()
        ]
        if weight_decay and not any(decay for _, _, decay, _ in entries):
            raise ArgumentError(
                "there is a weight decay, but no parameter's name ends in 'kernel'; wanted such "
                "a name, or Groups"
            )
        return entries
    parameters = list(parameters)
    if not any(isinstance(each, Group) for each in parameters):
        return [(str(number), p, weight_decay, 1.0) for number, p in enumerate(parameters)]
    if weight_decay or not all(isinstance(each, Group) for each in parameters):
        raise ArgumentError(
            "there are Groups with a weight decay or other parameters; wanted only "
            "Groups, each with its own weight decay"
        )
    entries = []
    for group in parameters:
        _must_be_at_least_0("weight decay of a group", group.weight_decay)
        _must_be_at_least_0("rate of a group", group.rate)
        some = group.parameters
        named = (
            _learning(some) if isinstance(some, dict) else dict(enumerate(some, start=len(entries)))
        )
        entries += [(str(name), p, group.weight_decay, group.rate) for name, p in named.items()]
    return entries


def _learning(parameters):
    """Return the named parameters that are not frozen."""
    return {name: p for name, p in parameters.items() if getattr(p, "requires_grad", True)}


def _must_be_at_least_0(name, value):
    if not 0 <= value < float("inf"):
        raise ArgumentError(f"the {name} is {value}; wanted a number of at least 0")
