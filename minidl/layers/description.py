"""Networks as data that JSON can hold, from which they can be made again without their numbers.

    {"layer": "Sequential", "layers": {
        "convolution1": {"layer": "Convolution",
                         "kernel": {"shape": [3, 3, 3, 32], "dtype": "float32"},
                         "bias": {"shape": [32], "dtype": "float32"}, "padding": "same"},
        "relu1": {"layer": "ReLU"},
        "again": {"same": "convolution1"}}}

A layer is the name of its class in `minidl.layers` and the arguments of its constructor. A layer
that a network contains twice is the path of its first place. The numbers of the parameters are in
`Module.state()`. A description is of unknown origin if it was read from a file: `built` makes only
layers of minidl, and no code can be in it.
"""

from collections.abc import Mapping
from inspect import Parameter, signature
from math import isfinite
from typing import Any

import numpy as np

from minidl import layers
from minidl.autograd import Tensor
from minidl.backend import is_array
from minidl.errors import ArgumentError, brief
from minidl.layers.activations import UnitLength
from minidl.layers.construction import Form
from minidl.layers.initializers import unfilled
from minidl.layers.module import Module
from minidl.layers.sequential import Sequential
from minidl.limits import AXES, ENTRIES, FINITE, NAME, is_shape

LAYERS: dict[str, type[Module]] = {
    cls.__name__: cls
    for cls in (*(getattr(layers, name) for name in layers.__all__), UnitLength)
    if cls is not Module
}
# Attributes that do not determine what a trained network computes.
UNDESCRIBED = ("training", "seed", "_made_with")


def described(network: Module) -> dict[str, Any]:
    """Return a network as a description, from which `built` makes an equal one.

    Raises ArgumentError if the network is no Sequential of layers of `minidl.layers`, or if one of
    them was changed after it was made.
    """
    description = _described(network, "", {})
    _must_be_equal(built(description), network)
    return description


def built(description: Any) -> Module:
    """Return a network of a description. The arrays of its parameters take no memory until
    `restore` replaces them.

    Raises ArgumentError if the description is not one of `described`.
    """
    with unfilled():
        return _built(description, "", {})


def _described(module, path, places):
    if id(module) in places:
        return {"same": places[id(module)]}
    places[id(module)] = path.rstrip("/")
    cls = type(module)
    if cls is Sequential:
        parts = {
            name: _described(layer, f"{path}{name}/", places)
            for name, layer in module.layers.items()
        }
        return {"layer": "Sequential", "layers": parts}
    if LAYERS.get(cls.__name__) is not cls:
        raise ArgumentError(
            f"{path.rstrip('/') or 'the network'} is a {cls.__name__}; wanted a Sequential of "
            "layers of minidl.layers"
        )
    made = module._made_with
    bound = signature(cls).bind(*made.arguments, **made.options)
    arguments: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        is_rest = signature(cls).parameters[name].kind is Parameter.VAR_KEYWORD
        arguments |= value if is_rest else {name: value}
    return {"layer": cls.__name__} | {
        name: _as_json(value, f"{path}{name}") for name, value in arguments.items()
    }


def _as_json(value, path):
    if isinstance(value, Form):
        return {"shape": list(value.shape), "dtype": value.dtype}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return [_as_json(item, path) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    if isinstance(value, np.dtype | type):
        return str(np.dtype(value))
    raise ArgumentError(f"{path} is {brief(value)}; wanted a number, a text, None or several")


def _built(description, path, made):
    if not isinstance(description, Mapping) or len(made) > ENTRIES:
        raise ArgumentError(f"{brief(path)} is {brief(description)}; wanted a layer")
    arguments = dict(description)
    if "same" in arguments:
        if (first := made.get(arguments["same"])) is None:
            raise ArgumentError(f"{brief(path)} is the same as a layer that does not exist")
        return first
    name = arguments.pop("layer", None)
    cls = LAYERS.get(name) if isinstance(name, str) else None
    if cls is None:
        raise ArgumentError(f"{brief(path)} is {brief(name)}; wanted one of {', '.join(LAYERS)}")
    if cls is Sequential:
        module = _sequential(arguments.get("layers"), path, made)
    else:
        values = {option: _from_json(value) for option, value in arguments.items()}
        module = cls(**values)
    made[path.rstrip("/")] = module
    return module


def _sequential(parts, path, made):
    if not isinstance(parts, Mapping):
        raise ArgumentError(f"{brief(path)} has the layers {brief(parts)}; wanted them by name")
    return Sequential({name: _built(part, f"{path}{name}/", made) for name, part in parts.items()})


def _from_json(value):
    if isinstance(value, Mapping):
        shape: Any = value.get("shape")
        dtype = value.get("dtype")
        if not is_shape(shape) or dtype not in ("float16", "float32", "float64"):
            raise ArgumentError(f"an array has the form {brief(dict(value))}")
        return np.broadcast_to(np.zeros((), dtype), shape)
    if isinstance(value, list) and len(value) <= AXES:
        return tuple(map(_from_json, value))
    is_number = isinstance(value, int | float) and abs(value) <= FINITE
    if value is None or is_number or (isinstance(value, str) and len(value) <= NAME):
        return value
    raise ArgumentError(f"an argument is {brief(value)}")


def _must_be_equal(copy, network):
    """Raise ArgumentError if two networks of the same layers differ in an attribute."""
    for (path, own), other in zip(
        network.named_modules().items(), copy.named_modules().values(), strict=True
    ):
        names = [name for name in vars(own) if name not in UNDESCRIBED]
        for name in names:
            if _form(getattr(own, name)) != _form(getattr(other, name, None)):
                raise ArgumentError(
                    f"{path}{name} was changed after the layer was made; wanted a layer that is "
                    "made with these values"
                )


def _form(value):
    """What must be equal of an attribute"""
    if isinstance(value, Tensor) or (not isinstance(value, type) and is_array(value)):
        return value.shape, str(value.dtype)
    if isinstance(value, list | tuple):
        return tuple(map(_form, value))
    if isinstance(value, dict):
        return {name: _form(item) for name, item in value.items()}
    return None if isinstance(value, Module) else value
