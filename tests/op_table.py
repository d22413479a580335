"""The table of ops as the tests see it: to each row of `minidl.proofs.ROWS` an oracle that owes the
op nothing.

An oracle is the definition, in plain loops or in the one line of NumPy that says it. `KEEPS` says
of each gradient which arrays it reads: they, and no others, may stay in memory for it. `draw` asks
hypothesis for a case.
"""

import math
import statistics
from itertools import count, product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from minidl import losses, ops
from minidl.autograd import Op
from minidl.proofs import ROWS, Row, fill

BY_NAME = {row.name: row for row in ROWS}


class Case(NamedTuple):
    """One row of the table at one drawn geometry, filled with numbers."""

    row: Row
    arguments: dict
    seed: Any


class HypothesisChooser:
    """Answers a row's questions with hypothesis, which shrinks towards small integers and first
    options."""

    def __init__(self, draw):
        self._draw = draw

    def integer(self, low, high):
        return self._draw(st.integers(low, high))

    def one_of(self, options):
        return options[self.integer(0, len(options) - 1)]


@st.composite
def cases(draw, row):
    geometry, seed = row.draw(HypothesisChooser(draw)), draw(st.integers(0, 2**32 - 1))
    return Case(row, fill(row, geometry, seed), seed)


def public_op(row):
    """The op that a user calls: the row "convolution[direct]" is a row of `ops.convolution`."""
    if isinstance(row.op, Op):
        return row.op
    name = row.name.split("[")[0]
    return getattr(ops, name, None) or getattr(losses, name)


# ---- windows
# --------------------------------------------------------------------------------------------------------


def each_axis(value, rank):
    return value if isinstance(value, tuple) else (value,) * rank


def pairs(padding, lengths, stride, reach):
    """(before, after) per axis. "same": as many windows as steps fit the input, the odd position of
    padding after it."""
    if padding == "same":
        totals = [
            max((math.ceil(n / s) - 1) * s + r - n, 0)
            for n, s, r in zip(lengths, stride, reach, strict=True)
        ]
        return [(total // 2, math.ceil(total / 2)) for total in totals]
    return [p if isinstance(p, tuple) else (p, p) for p in each_axis(padding, len(lengths))]


def convolution_oracle(x, w, b, *, stride, padding, dilation, groups):
    """Pad with zeros; cut out what each output sees; multiply it with the kernel; add it up."""
    *kernel, per_group, outputs = w.shape
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    x = np.pad(x, [(0, 0), *pairs(padding, x.shape[1:-1], stride, reach), (0, 0)])
    out = [(n - r) // s + 1 for n, r, s in zip(x.shape[1:-1], reach, stride, strict=True)]
    y = np.empty((len(x), *out, outputs))
    for o in product(*map(range, out)):
        sight = tuple(
            slice(i * s, i * s + r, d)
            for i, s, r, d in zip(o, stride, reach, dilation, strict=True)
        )
        for k in range(outputs):
            first = k // (outputs // groups) * per_group
            seen = x[(slice(None), *sight, slice(first, first + per_group))]
            y[(slice(None), *o, k)] = [(image * w[..., k]).sum() + b[k] for image in seen]
    return y


def convolution_relu_oracle(x, w, b, **geometry):
    return np.maximum(convolution_oracle(x, w, b, **geometry), 0)


def pooling_oracle(summarise):
    """summarise: (the values that a window sees, how many positions of it are input or padding) ->
    value."""

    def oracle(x, window, *, stride, padding, dilation=None, ceil, **options):
        lengths, dilation = x.shape[1:-1], dilation or (1,) * len(window)
        starts = [
            list(window_starts(n, d * (k - 1) + 1, s, before, after, ceil))
            for n, k, s, d, (before, after) in zip(
                lengths, window, stride, dilation, padding, strict=True
            )
        ]
        y = np.empty((len(x), *map(len, starts), x.shape[-1]))
        for o in product(*(range(len(along)) for along in starts)):
            positions = [
                tuple(
                    along[i] + t * d
                    for along, i, t, d in zip(starts, o, tap, dilation, strict=True)
                )
                for tap in product(*map(range, window))
            ]
            inside = [
                p for p in positions if all(0 <= i < n for i, n in zip(p, lengths, strict=True))
            ]
            counted = sum(
                all(i < n + after for i, n, (_, after) in zip(p, lengths, padding, strict=True))
                for p in positions
            )
            y[(slice(None), *o)] = summarise(
                np.array([x[(slice(None), *p)] for p in inside]), counted, **options
            )
        return y

    return oracle


def window_starts(length, reach, stride, before, after, ceil):
    """Where windows begin. Rounding up, one more begins while something is not reached, if it
    begins in the input."""
    end = length + after
    for start in count(-before, stride):
        fits = start + reach <= end
        reached_all = start > -before and start - stride + reach >= end
        if not fits and (not ceil or reached_all or start >= length):
            return
        yield start


def mean_of_window(values, counted, count_padding):
    return values.sum(axis=0) / (counted if count_padding else len(values))


# ---- element by element, reductions, moves
# --------------------------------------------------------------------------


def each(f):
    """f, a function of numbers, applied to every element, with broadcasting."""
    return lambda **arguments: np.vectorize(f, otypes=[float])(*arguments.values())


def reduction(f):
    """f, a function of a list of numbers, applied along the axes."""

    def oracle(x, axis, keepdims):
        axes = (
            tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        )
        last = np.moveaxis(x, axes, range(x.ndim - len(axes), x.ndim))
        rows = last.reshape(*last.shape[: x.ndim - len(axes)], -1)
        y = np.apply_along_axis(lambda row: f(row.tolist()), -1, rows)
        return np.expand_dims(y, axes) if keepdims else y

    return oracle


def softmax_oracle(x, axis):
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


def matmul_oracle(a, b):
    rows, columns = "m" * (a.ndim > 1), "n" * (b.ndim > 1)
    return np.einsum(f"...{rows}k,...k{columns}->...{rows}{columns}", a, b)


def transpose_oracle(x, axes):
    axes = range(x.ndim)[::-1] if axes is None else [range(x.ndim)[axis] for axis in axes]
    y = np.empty([x.shape[axis] for axis in axes])
    for i in np.ndindex(x.shape):
        y[tuple(i[axis] for axis in axes)] = x[i]
    return y


def concatenate_oracle(a, b, axis):
    slices = [*np.moveaxis(a, axis, 0), *np.moveaxis(b, axis, 0)]
    return np.moveaxis(np.array(slices), 0, axis)


def pad_oracle(x, width, value):
    y = np.full(
        [n + before + after for n, (before, after) in zip(x.shape, width, strict=True)],
        float(value),
    )
    for i in np.ndindex(x.shape):
        y[tuple(j + before for j, (before, _) in zip(i, width, strict=True))] = x[i]
    return y


def resample_oracle(x, rows, columns):
    """Over all pixels, with the weight that the formula gives each."""
    _, H, W, C = x.shape
    y = np.empty((*rows.shape, C))
    for n, i, j in np.ndindex(rows.shape):
        r, s = np.clip(rows[n, i, j], 0, H - 1), np.clip(columns[n, i, j], 0, W - 1)
        nearness = [
            [max(0, 1 - abs(r - p)) * max(0, 1 - abs(s - q)) for q in range(W)] for p in range(H)
        ]
        y[n, i, j] = np.einsum("pq,pqc->c", nearness, x[n])
    return y


# ---- losses: the formulas of the papers
# -----------------------------------------------------------------------------


def plain_gram(features):
    return np.einsum("nhwc,nhwd->ncd", features, features)


def content_oracle(generated, content, normalization):
    _, H, W, C = generated.shape
    factor = {"half": 1 / 2, "sum": 1, "mean": 1 / generated.size, "coursera": 1 / (4 * H * W * C)}
    return factor[normalization] * ((generated - content) ** 2).sum()


def gram_oracle(features, normalization):
    _, H, W, C = features.shape
    return plain_gram(features) / {"none": 1, "positions": H * W, "size": H * W * C}[normalization]


def style_oracle(generated, style, normalization):
    """A, the style's Gram matrix, is scaled to the M positions that the generated picture has."""
    _, H, W, C = generated.shape
    M = H * W
    A = style * M if style.ndim == 3 else plain_gram(style) * (M / math.prod(style.shape[1:3]))
    squares = (plain_gram(generated) - A) ** 2
    return {
        "gatys": squares.sum() / (4 * C**2 * M**2),
        "coursera": squares.sum() / (4 * C**2 * M**2),
        "ng": squares.sum() / (2 * H * W * C),
        "positions_mean": (squares / M**2).mean(),
        "size_sum": (squares / (H * W * C) ** 2).sum(),
    }[normalization]


def each_term(terms, reduction):
    return math.fsum(terms) / (len(terms) if reduction == "mean" else 1)


def softmax_cross_entropy_oracle(logits, labels, reduction):
    rows = zip(logits.tolist(), labels.tolist(), strict=True)
    return each_term(
        [-math.log(math.exp(z[label]) / math.fsum(map(math.exp, z))) for z, label in rows],
        reduction,
    )


def sigmoid_cross_entropy_oracle(logits, targets, reduction):
    """log p and log (1 - p) as they stand in the definition."""
    p = [1 / (1 + math.exp(-z)) for z in logits.flat]
    return each_term(
        [
            -t * math.log(p) - (1 - t) * math.log(1 - p)
            for p, t in zip(p, targets.flat, strict=True)
        ],
        reduction,
    )


def of_pairs(alike, different):
    """The mean over the pairs of one function of the distance or the other."""

    def oracle(a, b, same, **parameter):
        return np.mean([
            (alike if s else different)(math.dist(x, y), **parameter)
            for x, y, s in zip(a.tolist(), b.tolist(), same.tolist(), strict=True)
        ])  # fmt: skip

    return oracle


def variation_oracle(image, normalization):
    """Pixel by pixel, each with the neighbours that it has."""
    images = image if image.ndim == 4 else image[None]
    N, H, W, C = images.shape
    down, right, falling, rising, both = [], [], [], [], []
    for n, i, j, c in np.ndindex(N, H, W, C):
        p = images[n, i, j, c]
        below, beside = i + 1 < H, j + 1 < W
        down += [images[n, i + 1, j, c] - p] if below else []
        right += [images[n, i, j + 1, c] - p] if beside else []
        both += [(down[-1], right[-1])] if below and beside else []
        falling += [images[n, i + 1, j + 1, c] - p] if below and beside else []
        rising += [images[n, i + 1, j, c] - images[n, i, j + 1, c]] if below and beside else []
    squares = [sum(d * d for d in differences) for differences in (down, right, falling, rising)]
    return {
        "sum_squares": squares[0] + squares[1],
        "half_squares": sum(d * d + r * r for d, r in both) / 2,
        "mean_squares": squares[0] / len(down) + squares[1] / len(right),
        "sum_absolute": sum(map(abs, down)) + sum(map(abs, right)),
        "power": sum((d * d + r * r) ** (2.5 / 2) for d, r in both),
        "nine_point": (2 / 3 * (squares[0] + squares[1]) + 1 / 6 * (squares[2] + squares[3]))
        / image.size,
    }[normalization]


def l2_normalize_oracle(x, axis):
    lengths = np.array([math.hypot(*row) for row in x.reshape(-1, x.shape[-1])]).reshape(
        *x.shape[:-1], 1
    )
    return np.where(lengths > 0, x / np.where(lengths > 0, lengths, 1), 0)


def cosine_oracle(a, b):
    """From the law of cosines: c² = |a|² + |b|² - 2 |a| |b| cos"""
    y = np.zeros(a.shape[:-1])
    for i in np.ndindex(y.shape):
        p, q, c = math.hypot(*a[i]), math.hypot(*b[i]), math.dist(a[i], b[i])
        y[i] = (p * p + q * q - c * c) / (2 * p * q) if p and q else 0
    return y


def pairwise_oracle(a, squared, b=None):
    b = a if b is None else b
    y = np.empty((len(a), len(b)))
    for i, j in np.ndindex(y.shape):
        y[i, j] = math.dist(a[i], b[j]) ** (2 if squared else 1)
    return y


def triplet_oracle(anchor, positive, negative, margin, reduction, squared, soft):
    """Triplet by triplet, with the formula of the paper."""
    power, terms = 2 if squared else 1, []
    for a, p, n in zip(anchor, positive, negative, strict=True):
        z = math.dist(a, p) ** power - math.dist(a, n) ** power + margin
        terms.append(math.log(1 + math.exp(z)) if soft else max(z, 0))
    active = [term for term in terms if term > 0]
    return (
        math.fsum(terms)
        / {"sum": 1, "mean": len(terms), "mean_active": max(1, len(active))}[reduction]
    )


def batch_norm_oracle(x, gamma, beta, epsilon, mean=None, variance=None):
    """Channel by channel, with the mean and variance of the statistics textbook."""
    y = np.empty_like(x)
    for c in range(x.shape[-1]):
        numbers = x[..., c].ravel().tolist()
        middle = statistics.fmean(numbers) if mean is None else mean[c]
        spread = statistics.pvariance(numbers) if variance is None else variance[c]
        y[..., c] = gamma[c] * (x[..., c] - middle) / math.sqrt(spread + epsilon) + beta[c]
    return y


def dropout_oracle(x, keep, seed):
    kept = np.random.default_rng(seed).random(x.shape, np.float32) < keep
    return np.where(kept, x / keep, 0)


ORACLES = {
    "convolution": convolution_oracle,
    "convolution_relu": convolution_relu_oracle,
    "max_pool": pooling_oracle(lambda values, counted: values.max(axis=0)),
    "avg_pool": pooling_oracle(mean_of_window),
    "batch_norm": batch_norm_oracle,
    "batch_norm_relu": lambda **arguments: np.maximum(batch_norm_oracle(**arguments), 0),
    "dropout": dropout_oracle,
    "relu": each(lambda x: max(x, 0)),
    "leaky_relu": each(lambda x: x if x > 0 else x / 100),
    "sigmoid": each(lambda x: 1 / (1 + math.exp(-x))),
    "tanh": each(lambda x: math.expm1(2 * x) / (math.exp(2 * x) + 1)),
    "softmax": softmax_oracle,
    "add": each(lambda a, b: a + b),
    "subtract": each(lambda a, b: a - b),
    "multiply": each(lambda a, b: a * b),
    "divide": each(lambda a, b: a / b),
    "negative": each(lambda x: -x),
    "power": each(lambda x, exponent: math.pow(x, exponent)),
    "exp": each(math.exp),
    "log": each(math.log),
    "sqrt": each(math.sqrt),
    "absolute": each(abs),
    "maximum": each(max),
    "minimum": each(min),
    "matmul": matmul_oracle,
    "sum": reduction(math.fsum),
    "mean": reduction(statistics.fmean),
    "max": reduction(max),
    "reshape": lambda x, shape: np.fromiter(x.flat, float).reshape(shape),
    "transpose": transpose_oracle,
    "concatenate": concatenate_oracle,
    "index": lambda x, key: x.flat[np.arange(x.size).reshape(x.shape)[key]],
    "pad": pad_oracle,
    "broadcast_to": lambda x, shape: x * np.ones(shape),
    "resample": resample_oracle,
    "l2_normalize": l2_normalize_oracle,
    "cosine_similarity": cosine_oracle,
    "pairwise_distances": pairwise_oracle,
    "chi_square": each(lambda a, b: (a - b) ** 2 / (a + b) if a or b else 0),
    "content_loss": content_oracle,
    "gram_matrix": gram_oracle,
    "gram_loss": lambda G, A, factor: (
        factor * sum((g - a) ** 2 for g, a in zip(G.flat, A.flat, strict=True))
    ),
    "style_loss": style_oracle,
    "softmax_cross_entropy": softmax_cross_entropy_oracle,
    "sigmoid_cross_entropy": sigmoid_cross_entropy_oracle,
    "siamese_energy_loss": of_pairs(
        lambda E, q: 2 / q * E**2, lambda E, q: 2 * q * math.exp(-2.77 / q * E)
    ),
    "contrastive_loss": of_pairs(
        lambda E, margin: E**2 / 2, lambda E, margin: max(0, margin - E) ** 2 / 2
    ),
    "triplet_loss": triplet_oracle,
    "total_variation": variation_oracle,
}

# Which arrays the gradient with respect to each argument reads (y: the output); they alone may be
# kept for it.
KEEPS = {
    "convolution": {"x": "w", "w": "x", "b": ""},
    "convolution_relu": {"x": "wy", "w": "xy", "b": "y"},
    "max_pool": {"x": "xy"},
    "avg_pool": {"x": ""},
    "batch_norm": dict.fromkeys(("x", "gamma", "beta"), ("x", "gamma")),
    "batch_norm[fixed]": dict.fromkeys(("x", "gamma", "beta"), ("x", "gamma", "mean", "variance")),
    "batch_norm_relu": dict.fromkeys(("x", "gamma", "beta"), ("x", "gamma", "y")),
    "dropout": {"x": ""},
    "relu": {"x": "y"},
    "leaky_relu": {"x": "x"},
    "sigmoid": {"x": "y"},
    "tanh": {"x": "y"},
    "softmax": {"x": "y"},
    "add": {"a": "", "b": ""},
    "subtract": {"a": "", "b": ""},
    "multiply": {"a": "b", "b": "a"},
    "divide": {"a": "b", "b": "by"},
    "negative": {"x": ""},
    "power": {"x": "x"},
    "exp": {"x": "y"},
    "log": {"x": "x"},
    "sqrt": {"x": "y"},
    "absolute": {"x": "x"},
    "maximum": {"a": "ab", "b": "ab"},
    "minimum": {"a": "ab", "b": "ab"},
    "matmul": {"a": "b", "b": "a"},
    "sum": {"x": ""},
    "mean": {"x": ""},
    "max": {"x": "x"},
    "reshape": {"x": ""},
    "transpose": {"x": ""},
    "concatenate": {"a": "", "b": ""},
    "index": {"x": ""},
    "pad": {"x": ""},
    "broadcast_to": {"x": ""},
    "resample": {"x": ("rows", "columns")},
    "l2_normalize": {"x": "xy"},
    "cosine_similarity": {"a": "aby", "b": "aby"},
    "pairwise_distances": {"a": "aby", "b": "aby"},
    "pairwise_distances[one-set]": {"a": "ay"},
    "pairwise_distances[one-set,duplicates]": {"a": "ay"},
    "chi_square": {"a": "ab", "b": "ab"},
    "content_loss": {"generated": ("generated", "content"), "content": ("generated", "content")},
    "gram_matrix": {"features": ("features",)},
    "gram_loss": {"G": "GA", "A": "GA"},
    "style_loss": {"generated": ("generated", "style"), "style": ("generated", "style")},
    "softmax_cross_entropy": {"logits": ("logits", "labels")},
    "sigmoid_cross_entropy": {"logits": ("logits", "targets"), "targets": ("logits",)},
    "siamese_energy_loss": {"a": ("a", "b", "same"), "b": ("a", "b", "same")},
    "contrastive_loss": {"a": ("a", "b", "same"), "b": ("a", "b", "same")},
    "triplet_loss": dict.fromkeys(
        ("anchor", "positive", "negative"), ("anchor", "positive", "negative")
    ),
    "total_variation": {"image": ("image",)},
}


def of_row(table, row):
    return table.get(row.name) or table[row.name.split("[")[0]]
