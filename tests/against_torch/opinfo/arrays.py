"""Translations of reductions, products, changes of shape, joining, repetition and indexing."""

import string
from types import EllipsisType

import numpy as np

from minidl import Tensor, ops

# ---- reductions ----------------------------------------------------------------------------------


def axes(x, dim):
    """Return PyTorch's `dim` as an axis. No axis means all, and a number without axes has one."""
    if dim is None or not x.ndim or (isinstance(dim, (tuple, list)) and not dim):
        return None
    return tuple(dim) if isinstance(dim, list) else dim


def reduction(op):
    return lambda x, dim=None, keepdim=False, dtype=None: op(x, axes(x, dim), keepdim)


def variance(op):
    def translation(x, dim=None, unbiased=True, keepdim=False, correction=...):
        if isinstance(dim, bool):  # var(x, unbiased)
            dim, unbiased = None, dim
        c = int(unbiased) if correction is ... else 1 if correction is None else correction
        return op(x, axes(x, dim), keepdim, correction=c)

    return translation


def with_mean(translation):
    def both(x, dim=None, *args, keepdim=False, **options):
        axis = None if isinstance(dim, bool) else axes(x, dim)
        return translation(x, dim, *args, keepdim=keepdim, **options), ops.mean(x, axis, keepdim)

    return both


def extreme(values, places):
    """Return the translation of max and min: without an axis the value, with one its place too."""

    def translation(x, dim=None, keepdim=False):
        if dim is None:
            return values(x)
        return values(x, axes(x, dim), keepdim), places(x, axes(x, dim), keepdim)

    return translation


def of_rows(op):
    return lambda x, dim, dtype=None: op(x.astype(np.float64), axes(x, dim))


# ---- products ------------------------------------------------------------------------------------


def inner(x, other):
    if not (x.ndim and other.ndim):
        return x * other
    return ops.einsum("...i,...i", x, other)


def tensordot(x, other, dims):
    """dims: how many axes are summed over, the last of x and the first of other, or both lists."""
    first, second = [[*range(-dims, 0)], [*range(dims)]] if isinstance(dims, int) else dims
    x_letters = [*string.ascii_lowercase[: x.ndim]]
    letters = [*string.ascii_uppercase[: other.ndim]]
    summed = [x_letters[axis] for axis in first]
    for axis, letter in zip(second, summed, strict=True):
        letters[axis] = letter
    result = "".join(letter for letter in x_letters + letters if letter not in summed)
    return ops.einsum(f"{''.join(x_letters)},{''.join(letters)}->{result}", x, other)


# ---- shapes --------------------------------------------------------------------------------------


def flatten(x, start_dim=0, end_dim=-1):
    return x.reshape(1) if not x.ndim else x.flatten(start_dim, end_dim)


def expand(x, shape):
    added = len(shape) - x.ndim
    return ops.broadcast_to(x, [x.shape[i - added] if n == -1 else n for i, n in enumerate(shape)])


def squeeze(x, dim=None):
    """PyTorch leaves out only those of the axes that have the length 1."""
    if dim is None or not x.ndim:
        return x.squeeze()
    some = [axis % x.ndim for axis in (dim if isinstance(dim, (tuple, list)) else (dim,))]
    return x.squeeze(tuple(axis for axis in some if x.shape[axis] == 1))


def transposed(x, first, second):
    order = [*range(x.ndim)]
    if order:
        order[first], order[second] = order[second], order[first]
    return ops.transpose(x, order)


def movedim(x, source, destination):
    order = [*range(x.ndim)]
    sources = [axis % x.ndim for axis in np.atleast_1d(source).tolist()]
    places = [axis % x.ndim for axis in np.atleast_1d(destination).tolist()]
    rest = iter([axis for axis in order if axis not in sources])
    return ops.transpose(
        x, [sources[places.index(i)] if i in places else next(rest) for i in order]
    )


# ---- joining, repetition, parts ------------------------------------------------------------------


def cat(tensors, dim=0):
    """PyTorch leaves out arrays of shape (0,)."""
    some = [x for x in tensors if x.shape != (0,)]
    return ops.concatenate(some, dim) if some else ops.concatenate(tensors)


def split(x, lengths, dim=0):
    if isinstance(lengths, int):
        places = [*range(lengths, x.shape[dim], lengths)]
    else:
        places = np.cumsum(lengths)[:-1].tolist()
    return ops.split(x, places, dim)


def chunk(x, chunks, dim=0):
    return split(x, -(-x.shape[dim] // chunks), dim)


def tensor_split(x, sections, dim=0):
    sections = np.asarray(sections).tolist()
    if isinstance(sections, list):
        return ops.split(x, sections, dim)
    length = x.shape[dim]
    longer, least = length % sections, length // sections
    return split(x, [least + 1] * longer + [least] * (sections - longer), dim)


def repeat(x, counts):
    return ops.tile(x, counts)


def repeat_interleave(x, repeats, dim=None, output_size=None):
    repeats = repeats if isinstance(repeats, int) else repeats.tolist()
    return x.reshape(-1).repeat(repeats) if dim is None else x.repeat(repeats, dim)


# ---- indexing ------------------------------------------------------------------------------------


def along(x, dim, key):
    """Index one axis."""
    return x[(slice(None),) * (dim % x.ndim) + (key,)]


def index_select(x, dim, index):
    return along(x, dim, index) if x.ndim else x.reshape(1)[index].reshape(())


def gather(x, dim, index):
    if not x.ndim or not index.ndim:
        return x.reshape(-1)[index.astype(int).reshape(-1)].reshape(index.shape)
    places = list(np.indices(index.shape, sparse=True))
    places[dim] = index.astype(int)
    return x[tuple(places)]


def flip(x, dims):
    keys = [slice(None)] * x.ndim
    for dim in dims:
        keys[dim] = slice(None, None, -1)
    return x[tuple(keys)]


def getitem(x, key):
    """PyTorch's samples have lists for tuples."""
    several = isinstance(key, list) and any(isinstance(k, (slice, list, EllipsisType)) for k in key)
    return x[tuple(key) if several else key]


def converted(dtype):
    return lambda x, memory_format=None: x.astype(dtype)


TRANSLATIONS = {
    "sum": reduction(ops.sum),
    "mean": reduction(ops.mean),
    "amax": reduction(ops.max),
    "amin": reduction(ops.min),
    "all": reduction(Tensor.all),
    "any": reduction(Tensor.any),
    "prod": reduction(ops.prod),
    "logsumexp": reduction(ops.logsumexp),
    "argmax": reduction(ops.argmax),
    "argmin": reduction(ops.argmin),
    "var": variance(ops.var),
    "std": variance(ops.std),
    "var_mean": with_mean(variance(ops.var)),
    "std_mean": with_mean(variance(ops.std)),
    "max reduction_with_dim": extreme(ops.max, ops.argmax),
    "max reduction_no_dim": extreme(ops.max, ops.argmax),
    "min reduction_with_dim": extreme(ops.min, ops.argmin),
    "min reduction_no_dim": extreme(ops.min, ops.argmin),
    "cumsum": lambda x, dim, dtype=None: ops.cumsum(x, dim) if x.ndim else x.reshape(()) * 1.0,
    "softmax": of_rows(ops.softmax),
    "nn.functional.softmin": lambda x, *args, **kwargs: of_rows(ops.softmax)(-x, *args, **kwargs),
    "log_softmax": of_rows(ops.log_softmax),
    "matmul": ops.matmul,
    "__rmatmul__": lambda x, other: other @ x,
    "mm": ops.matmul,
    "bmm": ops.matmul,
    "mv": ops.matmul,
    "dot": ops.matmul,
    "einsum": lambda operands, subscripts: ops.einsum(subscripts, *operands),
    "inner": inner,
    "outer": lambda x, other: ops.einsum("i,j->ij", x, other),
    "tensordot": tensordot,
    "trace": lambda x: x[np.arange(min(x.shape)), np.arange(min(x.shape))].sum(),
    "reshape": ops.reshape,
    "view": ops.reshape,
    "reshape_as": lambda x, other: x.reshape(other.shape),
    "view_as": lambda x, other: x.reshape(other.shape),
    "ravel": flatten,
    "flatten": flatten,
    "squeeze": squeeze,
    "unsqueeze": ops.expand_dims,
    "permute": lambda x, dims: ops.transpose(x, dims),
    "transpose": transposed,
    "t": lambda x: ops.transpose(x),
    "T": lambda x: x.T,
    "mT": lambda x: transposed(x, -1, -2),
    "movedim": movedim,
    "broadcast_to": ops.broadcast_to,
    "expand": expand,
    "expand_as": lambda x, other: ops.broadcast_to(x, other.shape),
    "cat": cat,
    "stack": ops.stack,
    "split": split,
    "split_with_sizes": split,
    "chunk": chunk,
    "tensor_split": tensor_split,
    "unbind": lambda x, dim=0: [along(x, dim, place) for place in range(x.shape[dim])],
    "repeat": repeat,
    "tile": repeat,
    "repeat_interleave": repeat_interleave,
    "__getitem__": getitem,
    "index_select": index_select,
    "select": along,
    "narrow": lambda x, dim, start, length: along(x, dim, slice(int(start), int(start) + length)),
    "gather": gather,
    "flip": flip,
    "item": lambda x: x.item(),
    "double": converted(np.float64),
    "float": converted(np.float32),
    "half": converted(np.float16),
}
