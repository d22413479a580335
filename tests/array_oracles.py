"""Oracles of the ops that select, join, repeat, reduce or contract arrays, as in oracles.py."""

import math
import statistics
from itertools import product

import numpy as np

# ---- element by element, reductions --------------------------------------------------------------


def elementwise(f):
    """Return the oracle that applies f, a function of numbers, to every element."""
    return lambda **arguments: np.vectorize(f, otypes=[float])(*arguments.values())


def reduction(f):
    """Return the oracle that applies f, a function of a list of numbers, along the axes."""

    def oracle(x, axis, keepdims, **options):
        axes = tuple(range(x.ndim)) if axis is None else axis
        axes = axes if isinstance(axes, tuple) else (axes,)
        kept = x.ndim - len(axes)
        last = np.moveaxis(x, axes, range(kept, x.ndim))
        rows = last.reshape(*last.shape[:kept], -1)
        y = np.apply_along_axis(lambda row: f(row.tolist(), **options), -1, rows)
        return np.expand_dims(y, axes) if keepdims else y

    return oracle


def variance(numbers, correction):
    mean = statistics.fmean(numbers)
    return math.fsum((x - mean) ** 2 for x in numbers) / (len(numbers) - correction)


def log_of_sum(numbers):
    return math.log(math.fsum(map(math.exp, numbers)))


def cumsum_oracle(x, axis):
    if axis is None:
        return np.array([math.fsum(x.flat[: i + 1]) for i in range(x.size)])
    y = np.empty_like(x)
    for i in np.ndindex(x.shape):
        upto = list(i)
        upto[axis] = slice(i[axis] + 1)
        y[i] = math.fsum(x[tuple(upto)])
    return y


# ---- selection -----------------------------------------------------------------------------------


def clipped(x, low, high):
    return high if low > high else sorted((x, low, high))[1]


def clip_to_numbers(x, bounds):
    low, high = (10.0**9 * s if b is None else b for b, s in zip(bounds, (-1, 1), strict=True))
    return elementwise(clipped)(x=x, low=low, high=high)


# ---- joining, repetition -------------------------------------------------------------------------


def stack_oracle(a, b, axis):
    return np.moveaxis(np.array([a, b]), 0, axis)


def parts_in_reverse(x, sections, axis):
    """The places along the axis, in the order of the last part to the first."""
    places = [*range(x.shape[axis])]
    n = len(places) // sections if isinstance(sections, int) else 0
    begins = [*range(0, len(places), n)] if n else [0, *sections]
    parts = [places[b:e] for b, e in zip(begins, [*begins[1:], len(places)], strict=True)]
    return x.take([place for part in parts[::-1] for place in part], axis)


def repeat_oracle(x, repeats, axis):
    x, axis = (x.ravel(), 0) if axis is None else (x, axis)
    several = [repeats] * x.shape[axis] if isinstance(repeats, int) else repeats
    return x.take([place for place, r in enumerate(several) for _ in range(r)], axis)


def tile_oracle(x, counts):
    counts = (counts,) if isinstance(counts, int) else counts
    for axis, count in enumerate(counts[::-1], start=1):
        x = x if x.ndim >= axis else x[None]
        x = np.concatenate([x] * count, axis=-axis)
    return x


# ---- shapes --------------------------------------------------------------------------------------


def flatten_oracle(x, start, end):
    return x.reshape(*x.shape[: start + x.ndim], -1, *x.shape[end + 1 :])


def squeeze_oracle(x, axis):
    for place in sorted({*range(x.ndim)} if axis is None else {*np.atleast_1d(axis)}, reverse=True):
        x = x.take(0, place) if x.shape[place] == 1 else x
    return x


def expand_dims_oracle(x, axis):
    places = axis if isinstance(axis, tuple) else (axis,)
    ndim = x.ndim + len(places)
    new = {place % ndim for place in places}
    return x[tuple(None if place in new else slice(None) for place in range(ndim))]


# ---- einsum --------------------------------------------------------------------------------------


def einsum_oracle(subscripts, *operands):
    """All combinations of the indices, one by one. The operands have up to two axes for "..."."""
    inputs, arrow, out = subscripts.replace(" ", "").replace("...", "XY").partition("->")
    terms = inputs.split(",")
    if not arrow:
        once = [letter for letter in sorted({*inputs} - {*",XY"}) if inputs.count(letter) == 1]
        out = "XY" * ("X" in inputs) + "".join(once)
    lengths, arrays, dots = {}, [], 0
    for term, x in zip(terms, operands, strict=True):
        missing = range(term.find("X"), term.find("X") + len(term) - x.ndim)
        arrays.append(np.expand_dims(x, tuple(missing)))
        dots = max(dots, 2 * ("X" in term) - len(missing))
        for letter, length in zip(term, arrays[-1].shape, strict=True):
            lengths[letter] = max(length, lengths.get(letter, 1))
    y = np.zeros([lengths[letter] for letter in out])
    for combination in product(*map(range, lengths.values())):
        i = dict(zip(lengths, combination, strict=True))
        numbers = (
            x[tuple(min(i[letter], n - 1) for letter, n in zip(term, x.shape, strict=True))]
            for term, x in zip(terms, arrays, strict=True)
        )
        y[tuple(i[letter] for letter in out)] += math.prod(numbers)
    return y.reshape(y.shape[2 - dots :]) if "X" in out else y


ARRAY_ORACLES = {
    "power": elementwise(math.pow),
    "expm1": elementwise(math.expm1),
    "log1p": elementwise(math.log1p),
    "sin": elementwise(math.sin),
    "cos": elementwise(math.cos),
    "clip": elementwise(clipped),
    "clip[numbers]": clip_to_numbers,
    "where": elementwise(lambda condition, a, b: a if condition else b),
    "min": reduction(min),
    "prod": reduction(math.prod),
    "var": reduction(variance),
    "std": reduction(lambda numbers, correction: math.sqrt(variance(numbers, correction))),
    "logsumexp": reduction(log_of_sum),
    "log_softmax": lambda x, axis: x - reduction(log_of_sum)(x, axis, keepdims=True),
    "cumsum": cumsum_oracle,
    "flatten": flatten_oracle,
    "squeeze": squeeze_oracle,
    "expand_dims": expand_dims_oracle,
    "stack": stack_oracle,
    "split": parts_in_reverse,
    "repeat": repeat_oracle,
    "tile": tile_oracle,
    "einsum": lambda a, b, subscripts: einsum_oracle(subscripts, a, b),
    "einsum[one]": lambda a, subscripts: einsum_oracle(subscripts, a),
}
