"""A Module is a function with named parameters."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import device_of, is_array, to_device, to_numpy
from minidl.errors import ArgumentError
from minidl.frozen import frozen_copy, is_frozen
from minidl.layers.construction import Construction
from minidl.naming import must_have_same_names
from minidl.shapes import is_int
from minidl.typing import Device, Result

Self = TypeVar("Self", bound="Module")


class Module:
    """A function with parameters.

    A subclass defines `__call__` and keeps Tensors, Modules and dicts of Modules as attributes. The
    name of a parameter is the path to it, such as "block1_conv1/kernel". A Module or a parameter
    that is set in several places is shared: it counts once, under its first name, and its gradient
    is the sum over all uses. Modules in a list have no names; the methods that need names then
    raise ArgumentError.

    buffers: names of the attributes that belong to the state but are not parameters, such as
    running statistics and counters. Each is an array or a number.
    training: whether the module is being trained. Batch normalization and dropout depend on it.
    """

    buffers: tuple[str, ...] = ()
    training: bool = True
    __call__: Callable[..., Result]  # defined by each subclass
    _defined_call: Callable[..., Any] | None = None
    _made_with: Construction
    __signature__: inspect.Signature

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        module = super().__new__(cls)
        vars(module)["_made_with"] = Construction(arguments, options)
        return module

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls._defined_call = vars(cls).get("__call__")
        cls.__signature__ = _signature_of(cls)

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if isinstance(value, (Module, dict)):
            for place, module in enumerate(_module_and_parts(self)):
                module.take_place(place)

    def take_place(self, place: int) -> None:
        """Adapt this module to its place in a network. A network calls this method of all its
        modules whenever a module is added to it.

        place: the index of this module among the modules of the network. The network itself has
        index 0. Dropout derives its default seed from the place. Other modules ignore it.
        """

    def named_parameters(self) -> dict[str, Tensor]:
        """Return {name: parameter}, each parameter once, in the order in which the attributes were
        set."""
        named = {
            f"{path}{name}": value
            for path, module in self.named_modules().items()
            for name, value in vars(module).items()
            if isinstance(value, Tensor)
        }
        return _each_once(named)

    def parameters(self) -> list[Tensor]:
        """Return all parameters."""
        return list(self.named_parameters().values())

    def named_modules(self) -> dict[str, "Module"]:
        """Return {path: Module}, each Module once, in the order in which the attributes were set:
        "" for this module, "block1_conv1/" for one that it contains.

        Raises ArgumentError if parameters are kept where they have no name, such as in a list.
        """
        modules: dict[str, Module] = {"": self}
        for name, value in vars(self).items():
            # The members of a dict have its keys as names: {"block1_conv1": layer} is named
            # block1_conv1/...
            members = value if isinstance(value, dict) else {name: value}
            for key, member in members.items():
                if isinstance(member, Module):
                    parts = member.named_modules()
                    modules |= {f"{key}/{path}": module for path, module in parts.items()}
                elif not isinstance(value, Tensor) and _holds_parameters(member):
                    index = f"[{key!r}]" if isinstance(value, dict) else ""
                    raise ArgumentError(
                        f"{type(self).__name__}.{name}{index}, a {type(member).__name__}, holds "
                        "parameters that have no names there; wanted layers in a Sequential or in "
                        "a dict by name, and Tensors as attributes"
                    )
        return _each_once(modules)

    def train(self: Self, training: bool = True) -> Self:
        """Switch training on or off for this module and all that it contains. Return the module."""
        for module in self.named_modules().values():
            module.training = training
        return self

    def freeze(self: Self, frozen: bool = True) -> Self:
        """Freeze all parameters, or unfreeze them. Return the module.

        Frozen parameters have no gradients, and `backward` does not compute any for them; their
        `.grad` is set to None. Optimisers do not change them, not even optimisers that were made
        before. Their arrays are copies that cannot be written to, so that ops may keep results that
        depend on them alone.
        """
        for parameter in self.parameters():
            parameter.requires_grad = not frozen
            if frozen:
                parameter.grad = None
            if is_frozen(parameter.data) != frozen:
                parameter.data = frozen_copy(parameter.data) if frozen else parameter.data.copy()
        return self

    def to(self: Self, device: Device) -> Self:
        """Move all parameters and buffers to a device. Return the module."""
        for parameter in self.parameters():
            moved = to_device(parameter.data, device)
            if moved is not parameter.data:
                parameter.data = frozen_copy(moved) if is_frozen(parameter.data) else moved
        for module in self.named_modules().values():
            for name in module.buffers:
                if is_array(value := getattr(module, name)):
                    setattr(module, name, to_device(value, device))
        return self

    def state(self) -> dict[str, Any]:
        """Return {name: array or number} of all parameters and buffers. The arrays are not
        copied."""
        state: dict[str, Any] = {name: p.data for name, p in self.named_parameters().items()}
        for path, module in self.named_modules().items():
            state |= {f"{path}{name}": getattr(module, name) for name in module.buffers}
        return state

    def restore(self: Self, state: Mapping[str, Any]) -> Self:
        """Copy all parameters and buffers from the `state()` of a module of the same structure, and
        return this module. Dtypes and devices stay those of this module.

        Raises ArgumentError, and changes nothing, if a name is missing or unknown, a shape differs,
        or a value is neither an array nor a number.
        """
        own = self.state()
        must_have_same_names(state, own, "a network of the same structure")
        for name, value in state.items():
            form, own_form = _form(value), _form(own[name])
            if form != own_form:
                raise ArgumentError(f"{name} has {form} in the state; wanted {own_form}")
        parameters = self.named_parameters()
        for path, module in self.named_modules().items():
            names = [name for name in vars(module) if f"{path}{name}" in parameters]
            for name in (*names, *module.buffers):
                _replace(module, name, state[f"{path}{name}"])
        return self


def _signature_of(cls):
    """Return the signature of a class by its `__init__`. `__new__` takes any arguments."""
    if cls.__init__ is object.__init__:
        return inspect.Signature()
    _, *parameters = inspect.signature(cls.__init__).parameters.values()
    return inspect.Signature(parameters)


Module.__signature__ = _signature_of(Module)


def calls_as_defined(module: Module) -> bool:
    """Return whether a call of the module runs the `__call__` that its own class was defined with.

    It does not if `__call__` is inherited, or was replaced later, as profilers and tests do.
    """
    cls = type(module)
    return cls._defined_call is not None and vars(cls).get("__call__") is cls._defined_call


def _module_and_parts(module):
    """Return the module and all modules that it contains, each once, in the order in which they
    were set."""
    modules, waiting = {}, [module]
    while waiting:
        part = waiting.pop()
        if id(part) not in modules:
            modules[id(part)] = part
            attributes = vars(part).values()
            members = [
                member
                for value in attributes
                for member in (value.values() if isinstance(value, dict) else [value])
            ]
            waiting += [member for member in reversed(members) if isinstance(member, Module)]
    return modules.values()


def _each_once(named):
    """Return a dict without the values that it has under an earlier name too."""
    first: dict[int, tuple[str, Any]] = {}
    for name, value in named.items():
        first.setdefault(id(value), (name, value))
    return dict(first.values())


def _holds_parameters(value):
    if isinstance(value, (list, tuple, dict)):
        return any(map(_holds_parameters, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Module) or (isinstance(value, Tensor) and value.requires_grad)


def _form(value):
    """Return in words what two states must have in common: a shape, or a type of number."""
    if is_array(value) and value.ndim:
        return f"the shape {value.shape}"
    return "a whole number" if is_int(value) else f"a {type(value).__name__}"


def _replace(module, name, value):
    """Set a parameter or buffer to a value, in the dtype and on the device of the old one."""
    old = getattr(module, name)
    if isinstance(old, Tensor):
        old.data = _like(value, old.data)
    else:
        setattr(module, name, _like(value, old) if is_array(old) else type(old)(value))


def _like(value, array):
    """Return a copy of the value as an array of this one's dtype, on its device."""
    numbers = np.array(to_numpy(value) if is_array(value) else value, array.dtype)
    return to_device(numbers, device_of(array))
