"""The base of all optimisers: parameters with gradients, groups of them, and the state that a
training run resumes from.

An optimiser's rule is a plain function of plain arrays, like an op:

    x', *histories' = rule(x, g, *histories, **options)

x is one parameter and g its gradient ∂L/∂x. The histories are arrays of x's shape that the rule
carries from step to step, such as a velocity.

**Weight decay** λ adds λ/2 Σ x² to the loss, and so λ x to the gradient, which pulls x towards 0. λ
is PyTorch's. Keras' l2(λ) adds λ Σ x², which is a weight decay of 2λ.
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
    """Moves parameters against their gradients.

    A step gives each parameter a new array in `.data` and leaves the old one unchanged, so that a
    reference to it, such as the best picture so far, stays valid.

    A step does not change a parameter and its histories while the parameter is frozen
    (requires_grad is False), or if the loss does not depend on it: its `.grad` is None, or is still
    the array of the last step that moved it while other parameters have new ones. In the second
    case it warns once.

    parameters: a list of Tensors with requires_grad; or a dict name -> Tensor, as
    Module.named_parameters() returns it, of which frozen ones are left out; or a list of Groups.
    weight_decay: λ, of all parameters in a list. In a dict it applies only to names that end in
    "kernel", because biases and the scales of batch normalization are usually not decayed. Groups
    have their own.

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
                "an optimiser wants a list of Tensors with requires_grad=True, at least one"
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
            word: [
                array_module(p.data).zeros(p.shape, at_least_float32(p.dtype))
                for p in self.parameters
            ]
            for word in histories
        }

    def step(self, loss: float | None = None) -> None:
        """Move the parameters against their gradients. loss: the value that the gradients belong
        to. Only L-BFGS needs it."""
        raise NotImplementedError

    def rules(self) -> dict[str, Any]:
        """Return the settings that a resumed run must share with the run before."""
        rules = {name: getattr(self, name) for name in self.SETTINGS}
        return rules | {"names": self.names, "decays": self._decays, "rates": self._rates}

    def state(self) -> dict[str, Any]:
        """Return {name: array or number}: copies of what `restore` needs, in addition to the
        parameters, to continue with the same bytes."""
        return {name: getattr(self, name) for name in self.NUMBERS} | {
            name: history.copy() for name, history in self._named_histories().items()
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from the `state()` of an optimiser of the same kind and parameters. Its arrays
        may be on another device.

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
            f"{word}/{name}": history
            for word, histories in self._histories.items()
            for name, history in zip(self.names, histories, strict=True)
        }

    def __getstate__(self):
        # for pickle and copy.deepcopy, which keep no weak references
        return vars(self) | {"_used": {}}

    def _to_move(self):
        """Return the indices of the parameters that a step changes: those that are not frozen and
        have a gradient of this step."""
        free = [number for number, p in enumerate(self.parameters) if p.requires_grad]
        moving = [number for number in free if self.parameters[number].grad is not None]
        if free and not moving:
            raise ArgumentError(
                f"none of {len(free)} parameters has a gradient; call backward before step"
            )
        fresh = [
            number
            for number in moving
            if self._used.get(number, _nothing)() is not self.parameters[number].grad
        ]
        moving = fresh or moving  # if no gradient is new, the step is repeated
        self._used |= {number: weakref.ref(self.parameters[number].grad) for number in moving}
        new = {self.names[number] for number in free if number not in moving} - self._unreached
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

    def _move(self, rule: Callable[..., tuple], numbers: list[int], *, options, each=None):
        """Move the parameters of these numbers by a rule.

        options: of the rule, in addition to `rate` and `decay`; each: {option: a list with one
        value for each parameter}.
        """
        updates = []
        for number in numbers:
            p = self.parameters[number]
            own = {name: values[number] for name, values in (each or {}).items()}
            own |= {"rate": float(self.learning_rate * self._rates[number])}
            own |= {"decay": self._decays[number]}
            histories = [arrays[number] for arrays in self._histories.values()]
            updates.append(Update(p.data, p.grad, histories, options | own))
        for number, (new, *histories) in zip(numbers, apply_rule(rule, updates), strict=True):
            self.parameters[number].data = new
            for arrays, history in zip(self._histories.values(), histories, strict=True):
                arrays[number] = history


def _nothing():
    """Stands for a weak reference that was never made: a call returns None."""


def must_fit(state, shapes):
    """Raise ArgumentError if a state has other names or shapes than these. The shape of a number is
    ()."""
    if different := sorted(state.keys() ^ shapes.keys()):
        difference = "lacks" if different[0] in shapes else "has an unknown"
        raise ArgumentError(
            f"the state {difference} {different[0]!r} ({len(different)} names differ); wanted that "
            "of the same optimiser and parameters"
        )
    for name, shape in shapes.items():
        own_shape = getattr(state[name], "shape", ())
        if own_shape != shape or (shape and not is_array(state[name])):
            raise ArgumentError(
                f"{name} has shape {own_shape} in the state; wanted {shape}, that of the same "
                "parameters"
            )


def _entries(parameters, weight_decay):
    """[(name, parameter, weight decay, rate)]; those without a name are numbered"""
    _must_be_at_least_0("weight decay", weight_decay)
    if isinstance(parameters, dict):
        entries = [
            (name, p, weight_decay * name.endswith("kernel"), 1.0)
            for name, p in _learning(parameters).items()
        ]
        if weight_decay and not any(decay for _, _, decay, _ in entries):
            raise ArgumentError(
                "there is a weight decay, but no parameter's name ends in 'kernel'; wanted one, or "
                "Groups"
            )
        return entries
    parameters = list(parameters)
    if not any(isinstance(each, Group) for each in parameters):
        return [(str(number), p, weight_decay, 1.0) for number, p in enumerate(parameters)]
    if weight_decay or not all(isinstance(each, Group) for each in parameters):
        raise ArgumentError(
            "there are Groups beside a weight decay or other parameters; wanted Groups alone: they "
            "say their own"
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
    """Of named parameters those that are not frozen."""
    return {name: p for name, p in parameters.items() if getattr(p, "requires_grad", True)}


def _must_be_at_least_0(name, value):
    if not 0 <= value < float("inf"):
        raise ArgumentError(f"the {name} is {value}; wanted a number of at least 0")
