"""Module: something with parameters, by name."""

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import is_array, to_device, to_numpy
from minidl.errors import ArgumentError
from minidl.frozen import frozen_copy, is_frozen
from minidl.shapes import is_int


class Module:
    """A function with parameters. A subclass keeps Tensors, Modules and dicts of Modules as
    attributes and defines __call__; the names of parameters are the paths to them, such as
    "block1_conv1/kernel". What it keeps in a list has no name, and is refused when names are asked
    for.

    buffers: names of attributes that are no parameters but belong to the state: running statistics,
    counters; arrays or numbers. training: whether the module is being trained, which batch
    normalization and dropout ask for.
    """

    buffers: tuple = ()
    training = True
    _defined_call = None

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls._defined_call = vars(cls).get("__call__")

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if isinstance(value, (Module, dict)):
            for place, module in enumerate(_inside(self)):
                module.take_place(place)

    def take_place(self, place):
        """Called when the module becomes a part of a network. place: its index there, 0 for the
        network itself. Dropout derives its default seed from it."""

    def named_parameters(self):
        """name -> Tensor, in the order in which they were set."""
        return {
            f"{path}{name}": value
            for path, module in self.named_modules().items()
            for name, value in vars(module).items()
            if isinstance(value, Tensor)
        }

    def parameters(self):
        """All parameters as a list of Tensors."""
        return list(self.named_parameters().values())

    def named_modules(self):
        """path -> Module: "" for this one, "block1_conv1/" for one below it, in the order in which
        they were set."""
        found = {"": self}
        for name, value in vars(self).items():
            # The members of a dict go by their own keys: {"block1_conv1": layer} is named
            # block1_conv1/...
            members = value if isinstance(value, dict) else {name: value}
            for key, member in members.items():
                if isinstance(member, Module):
                    found |= {
                        f"{key}/{path}": module for path, module in member.named_modules().items()
                    }
                elif not isinstance(value, Tensor) and _holds_parameters(member):
                    place = f"{type(self).__name__}.{name}" + (
                        f"[{key!r}]" if isinstance(value, dict) else ""
                    )
                    raise ArgumentError(
                        f"{place}, a {type(member).__name__}, holds parameters that have no names there; wanted layers in a "
                        "Sequential or in a dict by name, and Tensors as attributes"
                    )
        return found

    def train(self, training=True):
        """Train from here on, or with False do not; returns the module itself."""
        for module in self.named_modules().values():
            module.training = training
        return self

    def freeze(self, frozen=True):
        """Want no gradients of the parameters from here on (or want them again): their share of
        backward is left out. Optimisers do not change frozen parameters, even optimisers that were
        made before. Their gradients are set to None.

        Frozen parameters are copies that cannot be written to, so that ops may keep what they
        compute from them alone.
        """
        for parameter in self.parameters():
            parameter.requires_grad = not frozen
            if frozen:
                parameter.grad = None
            if is_frozen(parameter.data) != frozen:
                parameter.data = frozen_copy(parameter.data) if frozen else parameter.data.copy()
        return self

    def to(self, device):
        """Move all parameters and buffers to the device "cpu", "gpu" or "auto"; returns the module
        itself."""
        for parameter in self.parameters():
            moved = to_device(parameter.data, device)
            if moved is not parameter.data:
                parameter.data = frozen_copy(moved) if is_frozen(parameter.data) else moved
        for module in self.named_modules().values():
            for name in module.buffers:
                if is_array(value := getattr(module, name)):
                    setattr(module, name, to_device(value, device))
        return self

    def state(self):
        """name -> array or number: all parameters and buffers, the arrays themselves."""
        found = {name: parameter.data for name, parameter in self.named_parameters().items()}
        for path, module in self.named_modules().items():
            found |= {f"{path}{name}": getattr(module, name) for name in module.buffers}
        return found

    def restore(self, state):
        """Take all parameters and buffers from what `state` gave, on whatever device they are here.

        Raises ArgumentError where a name is missing or unknown, a shape differs, or a value is
        neither array nor number; nothing is changed then.
        """
        mine = self.state()
        wrong = sorted(state.keys() ^ mine.keys())
        if wrong:
            kind = "lacks" if wrong[0] in mine else "has an unknown"
            raise ArgumentError(
                f"the state {kind} {wrong[0]!r} ({len(wrong)} names differ); it belongs to another network"
            )
        for name, value in state.items():
            found, wanted = _form(value), _form(mine[name])
            if found != wanted:
                raise ArgumentError(f"{name} has {found} in the state; wanted {wanted}")
        parameters = self.named_parameters()
        for path, module in self.named_modules().items():
            for name in [key for key in vars(module) if f"{path}{key}" in parameters] + list(
                module.buffers
            ):
                self._put(module, name, state[f"{path}{name}"])
        return self

    @staticmethod
    def _put(module, name, value):
        old = getattr(module, name)
        if isinstance(old, Tensor):
            old.data = _like(value, old.data)
        else:
            setattr(module, name, _like(value, old) if is_array(old) else type(old)(value))


def calls_as_defined(module):
    """Whether a call runs the `__call__` that the module's own class was defined with, rather than
    an inherited one, or one that was put in its place later, as by a profiler or a test."""
    cls = type(module)
    return cls._defined_call is not None and vars(cls).get("__call__") is cls._defined_call


def _inside(module):
    """The module and all modules that it contains, each once, in the order in which they were
    set"""
    found, waiting = {}, [module]
    while waiting:
        part = waiting.pop()
        if id(part) not in found:
            found[id(part)] = part
            values = vars(part).values()
            members = [
                member
                for value in values
                for member in (value.values() if isinstance(value, dict) else [value])
            ]
            waiting += [member for member in reversed(members) if isinstance(member, Module)]
    return found.values()


def _holds_parameters(value):
    if isinstance(value, (list, tuple, dict)):
        return any(map(_holds_parameters, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Module) or (isinstance(value, Tensor) and value.requires_grad)


def _form(value):
    """What must be the same in a state, in words"""
    if is_array(value) and value.ndim:
        return f"the shape {value.shape}"
    return "a whole number" if is_int(value) else f"a {type(value).__name__}"


def _like(value, array):
    """The numbers as an array of this one's dtype, on its device"""
    return to_device(
        np.array(to_numpy(value) if is_array(value) else value, array.dtype),
        "cpu" if isinstance(array, np.ndarray) else "gpu",
    )
