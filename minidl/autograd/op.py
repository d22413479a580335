"""An Op joins a forward function with its hand-derived gradients.

The forward and the gradients are plain functions of plain arrays. The names of a gradient's
parameters say which arrays it reads. Only those are kept for it, and only if its input requires a
gradient.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec

from minidl import dispatch
from minidl.autograd.arguments import plain
from minidl.autograd.overwriting import arrays_in, watching
from minidl.autograd.tape import Edge, is_recording
from minidl.autograd.tensor import Tensor
from minidl.backend import array_module, is_array
from minidl.errors import ArgumentError
from minidl.half import has_half, in_float32

P = ParamSpec("P")


class Op(Generic[P]):
    """A differentiable function of arrays. It is made by `differentiable`.

    Called with plain arrays it returns an array and records nothing. Called with at least one
    Tensor it returns a Tensor. `Op.forward` and `Op.gradients` take plain arrays only. An Op in the
    body of a class is not bound to instances, unlike a function.

    forward: function of plain arrays.
    gradients: {"dx": gradient with respect to the input "x", a function of dy and what it reads}.
    joint, check: as for `differentiable`.
    """

    __name__: str
    __qualname__: str

    def __init__(
        self,
        forward: Callable[P, Any],
        gradients: Mapping[str, Callable[..., Any]],
        joint: Mapping[tuple[str, ...], Callable[..., Any]],
        check: Callable[..., None] | None,
        dtype_of: str | None,
    ) -> None:
        parameters = inspect.signature(forward).parameters
        inputs = {name[1:] for name in gradients} | {name for names in joint for name in names}
        options = [name for name in parameters if name not in inputs]
        others = [name for name in parameters if name != dtype_of]
        self.forward: Callable[P, Any] = _computed(forward, others if dtype_of else options)
        self.gradients: dict[str, Callable[..., Any]] = {}
        self._parameters = [*parameters]
        self._defaults = {
            name: p.default for name, p in parameters.items() if p.default is not p.empty
        }
        self.joint, self.check = dict(joint), check
        kinds = [p.kind for p in parameters.values()]
        if {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} & {*kinds}:
            raise TypeError(f"{forward.__name__} has * or ** parameters; wanted named ones only")
        self._positional = len(kinds) - kinds.count(inspect.Parameter.KEYWORD_ONLY)
        self._required = parameters.keys() - self._defaults.keys()
        # input -> (gradient, its readers, the inputs of a joint gradient)
        self._readers: dict[str, tuple[Callable[..., Any], dict, tuple[str, ...]]] = {}
        for name, gradient in gradients.items():
            if not name.startswith("d") or name[1:] not in parameters:
                raise TypeError(f"{name} is not d + the name of an input of {forward.__name__}")
            self.gradients[name] = function = _computed(gradient, options)
            self._readers[name[1:]] = function, _readers(forward, gradient, name[1:]), ()
        for names, gradient in joint.items():
            if not {*names} <= parameters.keys() or {*names} & self._readers.keys():
                raise TypeError(
                    f"the joint gradient of {names}: wanted inputs of {forward.__name__} that have "
                    "no other gradient"
                )
            function = _computed(gradient, options)
            for name in names:
                self.gradients[f"d{name}"] = _alone(function, name)
                self._readers[name] = function, _readers(forward, gradient, name), names
        self.__name__ = self.__qualname__ = type(forward).__name__  # if the forward has no name
        functools.update_wrapper(self, forward, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        given = {**self._defaults, **dict(zip(self._parameters, args, strict=False)), **kwargs}
        fits = len(args) <= self._positional and self._required <= given.keys()
        if not fits or len(given) > len(self._parameters):
            dispatch.definition_of(self.forward)(*args, **kwargs)  # a TypeError that names the op
        self._must_be_arrays(given)
        has_tensor = any(map(_holds_tensor, given.values()))
        arrays = {name: plain(value) for name, value in given.items()} if has_tensor else given
        if has_tensor:
            args, kwargs = (*map(plain, args),), {name: arrays[name] for name in kwargs}  # type: ignore[assignment]
        if self.check is not None:
            self.check(*args, **kwargs)
        y = self.forward(*args, **kwargs)
        if not has_tensor:
            return y
        result = Tensor(y)
        if is_recording() and (edges := self._edges(given, arrays, result.data)):
            result.record(edges)
        return result

    def __repr__(self):
        return f"<op {self.__name__}>"

    def __reduce__(self):
        return self.__qualname__  # for pickle and copy, which then refer to it by its name

    def _must_be_arrays(self, given):
        """Raise ArgumentError if an input is no array, and DeviceError if inputs belong to
        different libraries. An op with several inputs also takes numbers for them."""
        arrays = []
        for name, (_, readers, _) in self._readers.items():
            value = given.get(name, 0.0)
            is_list = "which" in readers
            if is_list and not isinstance(value, (list, tuple)):
                raise ArgumentError(
                    f"{self.__name__} takes a list of arrays as {name}; found a "
                    f"{type(value).__name__}"
                )
            for array in value if is_list else (value,):
                if isinstance(array, Tensor) or is_array(array):
                    arrays.append(plain(array))
                    continue
                if isinstance(array, (int, float, complex)):
                    if len(self._readers) > 1 or name not in given:
                        continue
                elif array is None and name in self._defaults:
                    continue
                raise ArgumentError(
                    f"{self.__name__} takes an array as {name}; found a {type(array).__name__}: "
                    "wrap it in minidl.Tensor(...)"
                )
        array_module(*arrays)

    def _edges(self, given, arrays, y):
        """Return the edges of one call: one for each input Tensor that requires a gradient.

        given: the arguments by name. arrays: the same with arrays instead of Tensors. y: the
        output. Raises ArgumentError if a Tensor that requires a gradient has none.
        """
        edges: list[Edge] = []
        samples: dict[int, bytes] = {}
        wanted = [name for name, v in given.items() if isinstance(v, Tensor) and v.requires_grad]
        for name, value in given.items():
            tensors = value if isinstance(value, (list, tuple)) else (value,)
            for which, tensor in enumerate(tensors):
                if not (isinstance(tensor, Tensor) and tensor.requires_grad):
                    continue
                if name not in self._readers:
                    raise ArgumentError(
                        f"{self.__name__} has no gradient for {name}; pass its .data"
                    )
                if tensor.data.dtype.kind != "f":
                    raise ArgumentError(
                        f"{name} of {self.__name__} is an array of {tensor.dtype} and has no "
                        "gradient; use floats"
                    )
                gradient, readers, joint = self._readers[name]
                kept = {parameter: read(arrays, y, which) for parameter, read in readers.items()}
                gradient = watching(self.__name__, gradient, kept, samples)
                if joint:
                    jointly_wanted = [other for other in joint if other in wanted]
                    gradient = functools.partial(gradient, wanted=jointly_wanted)
                edges.append((tensor.source(), _pull(gradient, kept, tensor.dtype, joint and name)))
        return edges


def differentiable(
    forward: Callable[P, Any],
    *,
    joint: Mapping[tuple[str, ...], Callable[..., Any]] | None = None,
    check: Callable[..., None] | None = None,
    dtype_of: str | None = None,
    **gradients: Callable[..., Any],
) -> Op[P]:
    """Return the Op that joins a forward with its gradients. No other line of an op refers to the
    tape.

    forward: function of arrays and options that returns one array.

    gradients: `dx=...` for the input x, and so on. The first parameter of a gradient is the
    cotangent: "d" and the name of the output. Its other parameters name what it reads:

        x, an option   the input or option of the forward
        y              the output, if the cotangent is dy
        x_shape        the shape of the input x
        which          if x is a list of arrays: the index of the array that the gradient is for
        others         if x is a list of arrays: the list with None in place of that array

    joint: {("x", "b"): function} for inputs whose gradients have sums in common. The function also
    reads `wanted`, the names of the inputs whose gradients are wanted. It returns {"x": dx, ...}
    with one gradient for each of these.

    check: function with the parameters of the forward. It runs before the forward or its fast
    implementation, and raises an error if the arguments do not fit.

    dtype_of: the input whose dtype the output has. By default it is the common dtype of all inputs.

    A gradient is cast to the dtype of its input. float16 is computed in float32 (see half.py).
    Raises TypeError if a name is neither an input of the forward nor something that a gradient can
    read.

    >>> double = differentiable(lambda x: 2 * x, dx=lambda dy: 2 * dy)
    >>> double(np.array([1., 2.]))
    array([2., 4.])
    """
    return Op(forward, gradients, joint or {}, check, dtype_of)


def _computed(function, options):
    """Return the function that runs a definition or its fast implementation. It computes float16 in
    float32.

    options: names of parameters that are no inputs. Their dtypes have no influence on that of the
    result.
    """
    definition = dispatch.definition_of(function)

    @functools.wraps(definition)
    def computed(*args, **kwargs):
        implementation = dispatch.implementation_of(definition)
        if has_half(args, kwargs):
            return in_float32(implementation, args, kwargs, options)
        return implementation(*args, **kwargs)

    computed.definition = definition  # type: ignore[attr-defined]
    return computed


def _pull(gradient, kept, dtype, name):
    """Return the pull of an edge: (dy, shared) -> (dx, whether the memory of dx is new).

    The memory is new if no other array uses it: neither dy nor an array that is kept. dtype: of dx.
    name: of the input, if the gradient is joint. The first pull of a joint gradient computes the
    gradients of all its inputs and leaves the others in `shared`.
    """

    def pull(dy, shared):
        if name and name not in shared:
            shared |= gradient(dy, **kept)
        dx = (shared.pop(name) if name else gradient(dy, **kept)).astype(dtype, copy=False)
        others = [array for value in (dy, *kept.values()) for array in arrays_in(value)]
        is_new = dx.flags.c_contiguous and getattr(dx.flags, "writeable", True)
        return dx, is_new and not any(array_module(dx).may_share_memory(dx, o) for o in others)

    return pull


def _alone(gradient, name):
    """Return the function that computes one gradient of a joint gradient: that of the input
    `name`."""

    def alone(*args, **kwargs):
        return gradient(*args, **kwargs, wanted=[name])[name]

    signature = inspect.signature(gradient)
    parameters = [p for p in signature.parameters.values() if p.name != "wanted"]
    alone.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return alone


def _readers(forward, gradient, of):
    """Return {parameter of the gradient: its reader}, without the cotangent and `wanted`, for the
    input `of`. A reader is a function (arguments, y, which) -> value. Raise TypeError if nothing
    has the name of a parameter."""
    inputs = inspect.signature(forward).parameters
    cotangent, *names = inspect.signature(gradient).parameters
    output = cotangent[1:]
    readers: dict[str, Callable[..., Any]] = {}
    for name in names:
        if name in inputs:
            readers[name] = lambda arrays, y, which, name=name: arrays[name]
        elif name == output:
            readers[name] = lambda arrays, y, which: y
        elif name.endswith("_shape") and name[:-6] in inputs:
            readers[name] = lambda arrays, y, which, name=name[:-6]: _shape(arrays[name])
        elif name == "which":
            readers[name] = lambda arrays, y, which: which
        elif name == "others":
            readers[name] = lambda arrays, y, which: _without(arrays[of], which)
        elif name != "wanted":
            raise TypeError(
                f"{gradient.__name__} reads {name}, neither an argument of {forward.__name__} nor "
                "its output"
            )
    return readers


def _without(arrays, which):
    return [None if place == which else array for place, array in enumerate(arrays)]


def _shape(value):
    if isinstance(value, (list, tuple)):
        return [x.shape for x in value]
    return getattr(value, "shape", ())


def _holds_tensor(value):
    if isinstance(value, (list, tuple)):
        return any(map(_holds_tensor, value))
    return isinstance(value, Tensor)
