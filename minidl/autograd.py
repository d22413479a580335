"""Tensor and tape: reverse-mode differentiation.

An op is written as plain functions of plain arrays: a forward, and one gradient for each input.
`differentiable` joins them. A Tensor carries an array and the place on the tape where it came from;
`backward` walks the tape from the latest op to the first, turning the cotangent dy = ∂L/∂y of each
output into the cotangents dx = ∂L/∂x = dy·∂y/∂x of its inputs (Linnainmaa 1970; Griewank & Walther
2008, section 3.2). minidl differentiates once: gradients are arrays, not Tensors.
"""

import functools
import inspect
import itertools
import threading
from contextlib import ContextDecorator

import numpy as np

from minidl.backend import array_module, current_module, device_of, is_array, to_device, to_numpy
from minidl.cores import blas_on_one_thread
from minidl.errors import ArgumentError, ShapeError
from minidl.frozen import frozen_copy, is_frozen
from minidl.overwriting import arrays_in, watching

_ticks = itertools.count()


class Tensor:
    """An array that remembers how it was computed.

    data: array of either device, kept as it is and not copied; lists and numbers become float32 on
    the current device. requires_grad: whether `backward` shall leave ∂L/∂(this) in `.grad`. Only
    real floating-point data can require it.

    >>> x = Tensor([1., 2., 3.], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    array([2., 4., 6.], dtype=float32)
    """

    __slots__ = ("_node", "data", "grad", "requires_grad")
    # by identity, because == is element-wise and `backward` uses Tensors as keys
    __hash__ = object.__hash__
    # `array + tensor` is Tensor.__radd__, not a loop of NumPy's over the array
    __array_ufunc__ = None

    def __init__(self, data, requires_grad=False):
        self.data = _as_array(data)
        if requires_grad and self.data.dtype.kind != "f":
            raise ArgumentError(
                f"a {self.data.dtype} array has no gradient; give floating-point data or requires_grad=False"
            )
        self.requires_grad = bool(requires_grad)
        self.grad = None
        self._node = None

    @property
    def shape(self):
        return self.data.shape

    @property
    def ndim(self):
        return self.data.ndim

    @property
    def dtype(self):
        return self.data.dtype

    @property
    def device(self):
        """Where the data live: "cpu" or "gpu"."""
        return device_of(self.data)

    def numpy(self):
        """The data as a NumPy array, fetched from the GPU where it is there."""
        return to_numpy(self.data)

    def detach(self):
        """A Tensor of the same data that the tape does not know."""
        return Tensor(self.data)

    def to(self, device):
        """This Tensor on the device "cpu", "gpu" or "auto"; the gradient finds its way back."""
        home = self.device
        there = Tensor(to_device(self.data, device))
        if self.requires_grad and is_recording():
            there._record([(self._source(), lambda dy, shared: (to_device(dy, home), False))])
        return there

    def __getstate__(self):
        """For pickle and copy.deepcopy. The tape is not copied, so the copy of a computed Tensor is
        a constant."""
        requires_grad = self.requires_grad and self._node is None
        return self.data, requires_grad, self.grad, is_frozen(self.data)

    def __setstate__(self, state):
        data, self.requires_grad, self.grad, frozen = state
        self.data, self._node = frozen_copy(data) if frozen else data, None

    def __copy__(self):
        """A copy with the same data, at the same place on the tape"""
        copy = object.__new__(type(self))
        for name in Tensor.__slots__:
            setattr(copy, name, getattr(self, name))
        return copy

    def __float__(self):
        return float(self.data.item())

    def __bool__(self):
        if self.data.size != 1:
            raise ArgumentError(
                f"a Tensor of shape {self.shape} is neither true nor false; use .any() or .all(), or `is` to find it in a list"
            )
        return bool(self.data.item())

    def __index__(self):
        if self.data.dtype.kind not in "iu" or self.data.size != 1:
            raise ArgumentError(
                f"a Tensor of {self.dtype} and shape {self.shape} is no index; wanted a single integer"
            )
        return int(self.data.item())

    def __array__(self, *args, **kwargs):
        raise ArgumentError(
            "a Tensor does not turn into an array by itself, which would tear the tape; use its .data or .numpy()"
        )

    def __len__(self):
        return len(self.data)

    def __repr__(self):
        grad = ", requires_grad=True" if self.requires_grad else ""
        return f"Tensor({self.data!r}{grad})"

    def backward(self, dy=None, release=False):
        """Set `.grad` of every leaf that this Tensor was computed from to dy·∂(this)/∂(leaf).

        dy: cotangent, an array shaped like this Tensor; 1 where it holds a single number. A leaf is
        a Tensor that was made with requires_grad=True, not computed. `.grad` is replaced, not added
        to, however often backward is called: to add up gradients, add up the losses. Leaves that
        this Tensor does not depend on keep the `.grad` they had. release: forget the tape on the
        way, and with it what it keeps of each op, as soon as that has been read; there can be no
        second backward then. Raises ArgumentError where an array that a gradient reads was written
        to since the forward pass, as far as samples detect it (see minidl/overwriting.py).
        """
        # For each op, the (pull, dy, shared) of those that used its output; for each leaf, the sum
        # so far and if it is new.
        awaited, sums = {}, {}
        if self._node is None:
            sums[self] = self._cotangent(dy), False
        else:
            awaited[self._node] = [(lambda dy, shared: (dy, False), self._cotangent(dy), {})]
        nodes = _in_order(self._source())
        with blas_on_one_thread:  # once, rather than by each op
            while nodes:
                node = nodes.pop()
                dy, _ = _add_up(awaited.pop(node))
                shared = {}
                for source, pull in node.edges:
                    if isinstance(source, _Node):
                        awaited.setdefault(source, []).append((pull, dy, shared))
                    else:
                        sums[source] = _add(*sums.pop(source, (None, False)), *pull(dy, shared))
                if release:
                    node.edges = None
        for leaf, (dx, is_new) in sums.items():
            # Two leaves may have been handed the same array.
            leaf.grad = dx if is_new else array_module(dx).array(dx)

    def _cotangent(self, dy):
        if not self.requires_grad:
            raise ArgumentError(
                "backward from a Tensor that depends on none with requires_grad=True; set it on an input"
            )
        if dy is None:
            if self.data.size != 1:
                raise ArgumentError(
                    f"backward from a Tensor of shape {self.shape} wants dy, an array of that shape"
                )
            return array_module(self.data).ones_like(self.data)
        dy = _as_array(dy)
        array_module(self.data, dy)
        if dy.shape != self.shape:
            raise ShapeError(
                f"dy has shape {dy.shape}; wanted {self.shape}, the shape of the Tensor it belongs to"
            )
        return dy.astype(self.dtype, copy=False)

    def _source(self):
        """Where a cotangent for this Tensor goes: the op that computed it, or the leaf itself."""
        return self._node or self

    def _record(self, edges):
        if self.data.dtype.kind != "f":
            raise ArgumentError(
                f"the result is an array of {self.dtype}, which has no gradient; compute with real numbers"
            )
        self._node = _Node(next(_ticks), edges)
        self.requires_grad = True


class _Node:
    """One op on the tape. edges: for each input that wants a gradient, (where it came from, pull),
    where pull(dy, shared) is dx and holds all that is kept of the op: no more than its gradient
    reads. shared: a dict for the pulls of one dy."""

    __slots__ = ("edges", "tick")

    def __init__(self, tick, edges):
        self.tick = tick
        self.edges = edges


def _in_order(source):
    """All ops that `source` depends on, the latest at the end of the list: each stands before every
    op that used its output."""
    found, waiting = set(), [source]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _Node) and node not in found:
            if node.edges is None:
                raise ArgumentError(
                    "backward over a tape that backward(release=True) has forgotten; compute the Tensor anew"
                )
            found.add(node)
            waiting += [earlier for earlier, _ in node.edges]
    return sorted(found, key=lambda node: node.tick)


class _Recording(threading.local):
    """Whether this thread records: what the blocks say that it is inside of, the innermost at the
    end."""

    def __init__(self):
        self.blocks = [True]


_recording = _Recording()


class _recording_set(ContextDecorator):  # noqa: N801
    def __init__(self, on):
        self._on = on  # and nothing of the thread: several may be inside of one decorated function

    def __enter__(self):
        _recording.blocks.append(self._on)
        return self

    def __exit__(self, *error):
        _recording.blocks.pop()


class no_grad(_recording_set):  # noqa: N801  a verb in the reader's code
    """`with no_grad():` computes without a tape, in this thread; also a decorator."""

    def __init__(self):
        super().__init__(on=False)


def is_recording():
    return _recording.blocks[-1]


def value_and_grad(f):
    """From f(*Tensors) -> Tensor of one number make g(*arrays) -> (value, (one gradient per
    array)).

    An input that f does not use has a gradient of zeros.

    >>> value_and_grad(lambda x, y: (x * y).sum())(np.array([1., 2.]), np.array([3., 4.]))[1]
    (array([3., 4.]), array([1., 2.]))
    """

    @functools.wraps(f)
    def value_and_gradients(*arrays):
        inputs = [Tensor(array, requires_grad=True) for array in arrays]
        with _recording_set(on=True):
            value = f(*inputs)
        if not isinstance(value, Tensor) or value.data.size != 1:
            found = (
                f"shape {value.shape}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
            )
            raise ArgumentError(
                f"the function returned {found}; wanted a Tensor of one number, such as a loss"
            )
        if value.requires_grad:
            value.backward()
        gradients = (
            array_module(x.data).zeros_like(x.data) if x.grad is None else x.grad for x in inputs
        )
        return value.data.reshape(())[()], tuple(gradients)

    return value_and_gradients


def differentiable(forward, **gradients):
    """Join a forward with its gradients: the one line per op that knows of the tape.

    forward: function of arrays and options to one array. gradients: dNAME=function for the input
    NAME. The first parameter of a gradient is the cotangent, named d + the output's name; its other
    parameters name what it reads, and no more than that is kept: an input or option of the forward
    by its name, the output by its own (`y` beside `dy`), `NAME_shape` the shape alone of an input,
    and, where NAME is a list of arrays, `which` of them the gradient is asked for.

    Where gradients have sums in common they are one function, as in dx_dgamma_dbeta=f; f also reads
    `wanted`, the names of the inputs whose gradients are wanted, and returns these: {"x": dx, ..}.

    The op calls the plain forward where no Tensor is among its inputs. A gradient is cast to the
    dtype of its input.

    >>> double = differentiable(lambda x: 2 * x, dx=lambda dy: 2 * dy)
    >>> double(np.array([1., 2.]))
    array([2., 4.])
    """
    parameters = inspect.signature(forward).parameters
    defaults = {name: p.default for name, p in parameters.items() if p.default is not p.empty}
    alone, with_readers = {}, {}
    for key, gradient in gradients.items():
        readers, (first, *others) = _readers(forward, gradient), key[1:].split("_d")
        for name in (first, *others):
            with_readers[name] = gradient, readers, (first, *others) if others else ()
            alone[f"d{name}"] = _alone(gradient, name) if others else gradient

    @functools.wraps(forward)
    def op(*args, **kwargs):
        given = {**defaults, **dict(zip(parameters, args)), **kwargs}  # noqa: B905  a call with too many fails below
        _must_be_arrays(op, given, defaults)
        if not any(map(_holds_tensor, given.values())):
            return forward(*args, **kwargs)
        plain = {name: _plain(value) for name, value in given.items()}
        y = forward(*map(_plain, args), **{name: plain[name] for name in kwargs})
        result = Tensor(y)
        if is_recording():
            samples: dict = {}
            want = [
                name
                for name, value in given.items()
                if isinstance(value, Tensor) and value.requires_grad
            ]
            parts = (
                _edges(op, name, value, plain, result.data, want, samples)
                for name, value in given.items()
            )
            edges = [edge for part in parts for edge in part]
            if edges:
                result._record(edges)
        return result

    op.forward, op.gradients, op._gradients = forward, alone, with_readers
    return op


def _must_be_arrays(op, given, defaults):
    """Refuse a list, None and whatever else is no array, before it fails somewhere inside a
    formula. A number will do where the op has another input."""
    for name, (_, readers, _) in op._gradients.items():
        value = given.get(name, 0.0)
        if "which" in readers and not isinstance(value, (list, tuple)):
            raise ArgumentError(
                f"{op.__name__} takes a list of arrays as {name}; found a {type(value).__name__}"
            )
        for array in value if "which" in readers else (value,):
            will_do = isinstance(array, Tensor) or is_array(array)
            will_do |= isinstance(array, (int, float, complex)) and (
                len(op._gradients) > 1 or name not in given
            )
            will_do |= array is None and name in defaults
            if not will_do:
                found = type(array).__name__
                raise ArgumentError(
                    f"{op.__name__} takes an array as {name}; found a {found}: wrap it in minidl.Tensor(...)"
                )


def _edges(op, name, value, plain, y, want, samples):
    """The edges of the tape for one argument: one, or one for each Tensor of a list. samples: see
    `watching`."""
    for which, tensor in enumerate(value if isinstance(value, (list, tuple)) else (value,)):
        if isinstance(tensor, Tensor) and tensor.requires_grad:
            if name not in op._gradients:
                raise ArgumentError(f"{op.__name__} has no gradient for {name}; pass its .data")
            if tensor.data.dtype.kind != "f":
                raise ArgumentError(
                    f"{name} of {op.__name__} is an array of {tensor.dtype} and has no gradient; use floats"
                )
            gradient, readers, together = op._gradients[name]
            kept = {parameter: read(plain, y, which) for parameter, read in readers.items()}
            gradient = watching(op.__name__, gradient, kept, samples)
            if together:
                gradient = functools.partial(
                    gradient, wanted=[each for each in together if each in want]
                )
            yield tensor._source(), _pull(gradient, kept, tensor.dtype, name if together else None)


def _pull(gradient, kept, dtype, name):
    """From dy and what its pulls share make (dx, whether it is new: an array whose memory is
    neither dy's nor that of anything kept). name: of the input, where the gradient gives several at
    once."""

    def pull(dy, shared):
        if name and name not in shared:
            shared |= gradient(dy, **kept)
        dx = (shared.pop(name) if name else gradient(dy, **kept)).astype(dtype, copy=False)
        others = [array for value in (dy, *kept.values()) for array in arrays_in(value)]
        is_new = dx.flags.c_contiguous and getattr(dx.flags, "writeable", True)
        return dx, is_new and not any(
            array_module(dx).may_share_memory(dx, other) for other in others
        )

    return pull


def _add_up(pulls):
    """(dx, whether it is new), the sum over all [(pull, dy, shared)]. They are pulled here and not
    earlier, so that no more than two gradients of one op's output are in memory at once."""
    total, is_new = None, False
    while pulls:
        pull, dy, shared = pulls.pop()
        total, is_new = _add(total, is_new, *pull(dy, shared))
    return total, is_new


def _add(a, a_is_new, b, b_is_new):
    """(a + b, whether it is new), in the memory of one of them where nobody else needs that; b
    where there is no a yet."""
    if a is None:
        return b, b_is_new
    if a_is_new or b_is_new:
        return array_module(a, b).add(a, b, out=a if a_is_new else b), True
    return a + b, a.ndim > 0  # NumPy makes a number, not an array, of two without axes


def _alone(gradient, name):
    """Of a function that gives several gradients the one that gives this one."""

    def alone(*args, **kwargs):
        return gradient(*args, **kwargs, wanted=[name])[name]

    signature = inspect.signature(gradient)
    alone.__signature__ = signature.replace(
        parameters=[p for p in signature.parameters.values() if p.name != "wanted"]
    )
    return alone


def _readers(forward, gradient):
    """How each parameter of a gradient is found among the forward's arguments and output."""
    inputs = inspect.signature(forward).parameters
    cotangent, *names = inspect.signature(gradient).parameters
    output, readers = cotangent[1:], {}
    for name in names:
        if name in inputs:
            readers[name] = lambda plain, y, which, name=name: plain[name]
        elif name == output:
            readers[name] = lambda plain, y, which: y
        elif name.endswith("_shape") and name[:-6] in inputs:
            readers[name] = lambda plain, y, which, name=name[:-6]: _shape(plain[name])
        elif name == "which":
            readers[name] = lambda plain, y, which: which
        elif name == "wanted":
            pass
        else:
            raise TypeError(
                f"{gradient.__name__} reads {name}, neither an argument of {forward.__name__} nor its output"
            )
    return readers


def _shape(value):
    return (
        [x.shape for x in value]
        if isinstance(value, (list, tuple))
        else getattr(value, "shape", ())
    )


def _holds_tensor(value):
    return isinstance(value, Tensor) or (
        isinstance(value, (list, tuple)) and any(map(_holds_tensor, value))
    )


def _plain(value):
    """The value with each Tensor replaced by its array. A tuple stays a tuple, because indexing
    treats lists differently. A list is copied, because its owner may change it between forward and
    backward."""
    if isinstance(value, Tensor):
        return value.data
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, tuple) and any(isinstance(v, (Tensor, list, tuple)) for v in value):
        return tuple(_plain(v) for v in value)
    return value


def _as_array(data):
    if isinstance(data, Tensor):
        return data.data
    if is_array(data) and not isinstance(data, (np.ndarray, np.generic)):
        return data
    if isinstance(data, (bool, int, float, list, tuple)) and not isinstance(data, np.generic):
        try:
            return current_module().asarray(data, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise ArgumentError(
                f"cannot make an array of numbers from this {type(data).__name__}: {error}"
            ) from None
    array = np.asarray(data)
    if array.dtype.kind not in "fiubc":
        raise ArgumentError(f"cannot make an array of numbers from a {type(data).__name__}")
    return array
