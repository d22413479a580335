"""What all optimisers share: parameters whose `.grad` says where up is, how strongly each is moved,
and the state from which a training goes on.

**Weight decay** λ adds λ/2 Σ x² to the loss, and so λ x to the gradient: each step then pulls x
towards 0. λ is counted as PyTorch does; Keras' l2(λ) adds λ Σ x², which is a weight decay of 2λ.
"""

import warnings
import weakref
from dataclasses import dataclass

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import array_module, device_of, is_array, to_device
from minidl.cores import share
from minidl.errors import ArgumentError, MinidlWarning
from minidl.memory import empty
from minidl.ops.half import HALF, at_least_float32
from minidl.ops.strips import GPU_STRIP, LEAST, equal_parts

# numbers of a parameter: a call works on them for longer than a thread waits for Python's lock
STRIP = 1 << 18


@dataclass(frozen=True)
class Group:
    """Parameters, a list of Tensors or a dict name -> Tensor, with a weight decay of their own,
    which is for all of them, and a rate, a factor on the learning rate."""

    parameters: list | dict
    weight_decay: float = 0.0
    rate: float = 1.0


class Optimizer:
    """parameters: a list of Tensors with requires_grad; or a dict name -> Tensor, as
    Module.named_parameters() gives it, where frozen ones are passed over; or a list of Groups. A
    step gives each a new array in `.data` and leaves the old one as it was, so whoever kept it (a
    snapshot of the best picture) keeps it.

    A step does not change a parameter and its histories while the parameter is frozen
    (requires_grad is False), or where the loss does not depend on it: its `.grad` is None, or is
    still the array of the last step that moved it while other parameters have new ones. In the
    second case it warns once.

    weight_decay: λ; of all parameters in a list; in a dict, of those alone whose name ends in
    "kernel", as biases and batch normalization's scales are few and need no holding back. Groups
    say their own.

    converged: whether further steps would change nothing; takes_back: whether a step to where the
    loss is not finite is taken back by the next one.
    """

    converged, takes_back = False, False
    NUMBERS: dict[str, type] = {"learning_rate": float}  # attributes that belong to the state

    def __init__(self, parameters, learning_rate, weight_decay=0.0, histories=()):
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
        self._unreached = set()  # names of parameters that a warning has named
        self._used = {}  # index of a parameter -> weak reference to the gradient of its last step
        # word -> for each parameter an array of its shape, which the steps change in place
        self._histories = {
            word: [
                array_module(p.data).zeros(p.shape, at_least_float32(p.dtype))
                for p in self.parameters
            ]
            for word in histories
        }

    def step(self, loss=None):
        """Move the parameters against their gradients. loss: the value that the gradients belong
        to; only L-BFGS, which watches that it falls, looks at it."""
        raise NotImplementedError

    def state(self):
        """{name: array or number}: copies of all that `restore` needs, beside the parameters, to go
        on to the same bytes."""
        return {name: getattr(self, name) for name in self.NUMBERS} | {
            name: history.copy() for name, history in self._named_histories().items()
        }

    def restore(self, state):
        """Go on from a `state()` of an optimiser of the same kind and parameters, on whatever
        device its arrays are.

        Raises ArgumentError where a name is missing or unknown, or a shape differs; nothing is
        changed then.
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
        """The indices of the parameters that a step changes: those that are not frozen and have a
        gradient of this step."""
        free = [number for number, p in enumerate(self.parameters) if p.requires_grad]
        found = [number for number in free if self.parameters[number].grad is not None]
        if free and not found:
            raise ArgumentError(
                f"none of {len(free)} parameters has a gradient; call backward before step"
            )
        fresh = [
            number
            for number in found
            if self._used.get(number, _nothing)() is not self.parameters[number].grad
        ]
        found = fresh or found  # without a new gradient at all, a step is taken once more
        self._used |= {number: weakref.ref(self.parameters[number].grad) for number in found}
        new = {self.names[number] for number in free if number not in found} - self._unreached
        if new:
            self._unreached |= new
            names = ", ".join(name for name in self.names if name in new)
            warnings.warn(
                f"the loss does not depend on {len(new)} of {len(free)} parameters, which stay as they are: {names}",
                MinidlWarning,
                stacklevel=3,
            )
        return found

    def _move(self, change, numbers, *others):
        """Give the parameters of these numbers the new arrays that change(new, x, g, *histories,
        decay, rate, *others) fills, for strips of their flattened elements, which the cores share.
        others: lists with one value for each parameter."""
        parameters = [self.parameters[number] for number in numbers]
        data, gradients = [p.data for p in parameters], [p.grad for p in parameters]
        xp, change = array_module(*data, *gradients), _in_float32(change)
        moved, strips = [empty(xp, x.shape, x.dtype) for x in data], []
        for number, *arrays in zip(numbers, moved, data, gradients, strict=True):
            arrays += [histories[number] for histories in self._histories.values()]
            rows, rate = (
                [array.reshape(-1) for array in arrays],
                float(self.learning_rate * self._rates[number]),
            )
            for part in equal_parts(rows[0].size, STRIP if xp is np else GPU_STRIP, cores=1):
                values = self._decays[number], rate, *(values[number] for values in others)
                strips.append((*(row[part] for row in rows), *values))
        if sum(x.size for x in data) < LEAST:
            for strip in strips:
                change(*strip)
        else:
            share(xp, lambda strip: change(*strip), strips)
        for p, new in zip(parameters, moved, strict=True):
            p.data = new


def _nothing():
    """What a weak reference to nothing gives"""


def _in_float32(change):
    """change(new, x, g, ..) of float16 arrays, computed in float32 and then rounded"""

    def changed(new, x, g, *others):
        if new.dtype != HALF:
            change(new, x, g, *others)
        else:
            wide = array_module(new).empty(new.shape, np.float32)
            change(wide, x.astype(np.float32), g.astype(np.float32), *others)
            new[...] = wide

    return changed


def must_fit(state, shapes):
    """Refuse a state that has other names or shapes than these; a number's is ()."""
    if different := sorted(state.keys() ^ shapes.keys()):
        found = "lacks" if different[0] in shapes else "has an unknown"
        raise ArgumentError(
            f"the state {found} {different[0]!r} ({len(different)} names differ); wanted that of the same optimiser and "
            "parameters"
        )
    for name, shape in shapes.items():
        found = getattr(state[name], "shape", ())
        if found != shape or (shape and not is_array(state[name])):
            raise ArgumentError(
                f"{name} has shape {found} in the state; wanted {shape}, that of the same parameters"
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
                "there is a weight decay, but no parameter's name ends in 'kernel'; wanted one, or Groups"
            )
        return entries
    parameters = list(parameters)
    if not any(isinstance(each, Group) for each in parameters):
        return [(str(number), p, weight_decay, 1.0) for number, p in enumerate(parameters)]
    if weight_decay or not all(isinstance(each, Group) for each in parameters):
        raise ArgumentError(
            "there are Groups beside a weight decay or other parameters; wanted Groups alone: they say their own"
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
