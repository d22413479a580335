"""Random geometries: the shapes and options on which ops are proven.

A function of this module takes a chooser, which chooses integers and options, and returns the
arguments of an op by name, with a Shape for each array. `RandomChooser` chooses from a seed; the
tests have a chooser that searches and shrinks with hypothesis. Output sizes are chosen first and
input sizes follow from them, so that no geometry has to be discarded.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Protocol, TypeAlias, TypeVar, get_args

import numpy as np

from minidl.losses import content, gram, style, triplet
from minidl.losses.reduction import REDUCTIONS
from minidl.ops.padding import Mode

Option = TypeVar("Option")
Arguments: TypeAlias = dict[str, Any]


class Shape(tuple):
    """Stands for an array of this shape in a geometry."""

    __slots__ = ()


class Numbers(tuple):
    """Stands for an array of these numbers in a geometry, such as labels."""

    __slots__ = ()


class Chooser(Protocol):
    """The source of the choices in a geometry."""

    def integer(self, low: int, high: int) -> int:
        """Return an integer from low to high, both included."""
        ...

    def one_of(self, options: Sequence[Option]) -> Option:
        """Return one of the options."""
        ...


class RandomChooser:
    """A Chooser that draws from a seed."""

    def __init__(self, seed: int | Sequence[Any]) -> None:
        self._rng = np.random.default_rng(seed)

    def integer(self, low: int, high: int) -> int:
        """Return an integer from low to high, both included."""
        return int(self._rng.integers(low, high + 1))

    def one_of(self, options: Sequence[Option]) -> Option:
        """Return one of the options."""
        return options[self.integer(0, len(options) - 1)]


def lengths(choose: Chooser, low: int = 1, high: int = 3) -> tuple[int, ...]:
    """Return the lengths of `low` to `high` axes, each from 1 to 3."""
    return tuple(choose.integer(1, 3) for _ in range(choose.integer(low, high)))


def elements(choose: Chooser) -> Arguments:
    return {"x": Shape(lengths(choose, 0, 4))}


def prelu(choose: Chooser) -> Arguments:
    shape = lengths(choose)
    slopes = choose.one_of((shape[-1:], (1,), (), shape))
    return {"x": Shape(shape), "slope": Shape(slopes)}


def softplus(choose: Chooser) -> Arguments:
    return {**elements(choose), "beta": choose.one_of((1.0, 0.5, 3.0))}


def elu(choose: Chooser) -> Arguments:
    return {**elements(choose), "alpha": choose.one_of((1.0, 0.5, -2.0))}


def gelu(choose: Chooser) -> Arguments:
    return {**elements(choose), "approximate": choose.one_of(("none", "tanh"))}


def broadcasting(choose: Chooser) -> Arguments:
    """Two shapes that broadcast: some axes have length 1, and b may lack axes in front."""
    shape = lengths(choose, 0, 4)
    a, b = ([choose.one_of((n, 1)) for n in shape] for _ in range(2))
    if choose.one_of((True, False)):
        b = b[choose.integer(0, len(b)) :]
    return {"a": Shape(a), "b": Shape(b)}


def _window_axis(choose, dilated, ceil=False):
    """Choose one spatial axis, from its output size: (length, taps, stride, dilation, (before,
    after)). With `ceil`, an output size of 0 stands for one window that may be longer than the
    input and its padding."""
    out = choose.integer(0 if ceil else 1, 3)
    taps, stride = choose.integer(1, 3), choose.integer(1, 3)
    dilation = choose.integer(1, 2) if dilated else 1
    reach = dilation * (taps - 1) + 1
    if out:
        left_over = choose.integer(0, stride - 1)  # positions at the end that no window reads
        span = (out - 1) * stride + reach + left_over
    else:
        span = reach - choose.integer(0, min(stride, reach) - 1)
    least = min(span, dilation)
    before = choose.integer(0, min(reach - 1, span - least))
    after = choose.integer(0, min(reach - 1, span - least - before))
    return span - before - after, taps, stride, dilation, (before, after)


def convolution(choose: Chooser) -> Arguments:
    axes = [_window_axis(choose, dilated=True) for _ in range(choose.integer(1, 3))]
    return _convolution(choose, axes, choose.integer(1, 3))


def convolution_of_runs(choose: Chooser) -> Arguments:
    """No dilation along the last axis, and no groups: what the algorithm of runs takes."""
    axes = [_window_axis(choose, dilated=True) for _ in range(choose.integer(0, 2))]
    return _convolution(choose, [*axes, _window_axis(choose, dilated=False)], groups=1)


def _convolution(choose, axes, groups):
    spatial, kernel, stride, dilation, padding = zip(*axes, strict=True)
    inputs, multiplier = choose.integer(1, 2), choose.integer(1, 2)
    x = (choose.integer(1, 2), *spatial, groups * inputs)
    w = (*kernel, inputs, groups * multiplier)
    return {
        "x": Shape(x), "w": Shape(w), "b": Shape(w[-1:]), "stride": stride, "dilation": dilation,
        "groups": groups, "padding": choose.one_of((padding, padding, "same")),
    }  # fmt: skip


def _transposed_axis(choose):
    """Choose one spatial axis of a transposed convolution, whose padding leaves at least one
    position of the output: (length, taps, stride, dilation, output padding, (before, after))."""
    length, taps, stride = (choose.integer(1, 3) for _ in range(3))
    dilation = choose.integer(1, 2)
    unread = choose.integer(0, max(stride, dilation) - 1)
    most = (length - 1) * stride + dilation * (taps - 1) + unread
    before = choose.integer(0, min(2, most))
    after = choose.integer(0, min(2, most - before))
    return length, taps, stride, dilation, unread, (before, after)


def transposed_convolution(choose: Chooser) -> Arguments:
    axes = [_transposed_axis(choose) for _ in range(choose.integer(1, 3))]
    spatial, kernel, stride, dilation, unread, padding = zip(*axes, strict=True)
    groups, outputs = choose.integer(1, 3), choose.integer(1, 2)
    x = (choose.integer(1, 2), *spatial, groups * choose.integer(1, 2))
    is_same = choose.one_of((False, False, True))
    return {
        "x": Shape(x), "w": Shape((*kernel, outputs, x[-1])), "b": Shape((groups * outputs,)),
        "stride": stride, "padding": "same" if is_same else padding,
        "output_padding": 0 if is_same else unread, "dilation": dilation, "groups": groups,
    }  # fmt: skip


def convolution_of_each_channel(choose: Chooser) -> Arguments:
    """As many groups, input channels and output channels: a depthwise convolution."""
    geometry = convolution(choose)
    *kernel, _, _ = geometry["w"]
    channels = geometry["x"][-1]
    w, b = Shape((*kernel, 1, channels)), Shape((channels,))
    return {**geometry, "w": w, "b": b, "groups": channels}


def convolution_of_threes(choose: Chooser, least_axes: int = 1) -> Arguments:
    """3 taps on each axis, stride 1, dilation 1, no groups: what Winograd's algorithm takes. Up to
    three of its tiles along an axis, the last one complete or not."""
    out = tuple(choose.integer(1, 9) for _ in range(choose.integer(least_axes, 3)))
    padding = tuple(
        (choose.integer(0, min(3, n + 1)), choose.integer(0, 1) if n > 2 else 0) for n in out
    )
    spatial = tuple(
        max(1, n + 2 - before - after) for n, (before, after) in zip(out, padding, strict=True)
    )
    ones, threes = (1,) * len(out), (3,) * len(out)
    x = (choose.integer(1, 2), *spatial, choose.integer(1, 3))
    w = (*threes, x[-1], choose.integer(1, 3))
    return {
        "x": Shape(x), "w": Shape(w), "b": Shape(w[-1:]), "stride": ones, "dilation": ones,
        "groups": 1, "padding": choose.one_of((padding, padding, "same")),
    }  # fmt: skip


def _pooling(choose, dilated):
    ceil = choose.one_of((False, True))
    axes = [_window_axis(choose, dilated, ceil=ceil) for _ in range(choose.integer(1, 3))]
    spatial, window, stride, dilation, padding = zip(*axes, strict=True)
    x = Shape((choose.integer(1, 2), *spatial, choose.integer(1, 3)))
    geometry = {"x": x, "window": window, "stride": stride, "padding": padding, "ceil": ceil}
    return {**geometry, "dilation": dilation} if dilated else geometry


def max_pool(choose: Chooser) -> Arguments:
    return _pooling(choose, dilated=True)


def avg_pool(choose: Chooser) -> Arguments:
    return {**_pooling(choose, dilated=False), "count_padding": choose.one_of((True, False))}


def adaptive_pool(choose: Chooser) -> Arguments:
    """Bins that share positions, bins that do not, and more bins than positions."""
    spatial = [choose.integer(1, 6) for _ in range(choose.integer(1, 3))]
    size = tuple(choose.one_of((1, 2, 3, 4, None)) for _ in spatial)
    x = Shape((choose.integer(1, 2), *spatial, choose.integer(1, 2)))
    return {"x": x, "size": choose.one_of((size, size, 2))}


def upsample(choose: Chooser) -> Arguments:
    """Enlarge or shrink to a size, or by a factor."""
    spatial = [choose.integer(1, 4) for _ in range(choose.integer(1, 3))]
    method = choose.one_of(("nearest", "linear", "cubic", "nearest-exact"))
    factors: list[Any] = [
        choose.one_of((2, 1.5 if n > 1 else 3, 0.4 if n > 2 else 2.5)) for n in spatial
    ]
    by_size = choose.one_of((True, False))
    return {
        "x": Shape((choose.integer(1, 2), *spatial, choose.integer(1, 2))),
        "factor": None if by_size else factors,
        "size": tuple(choose.integer(1, 6) for _ in spatial) if by_size else None,
        "method": method,
        "align_corners": method in ("linear", "cubic") and choose.one_of((False, True)),
    }


def matmul(choose: Chooser) -> Arguments:
    m, k, n = (choose.integer(1, 3) for _ in range(3))
    batch = broadcasting(choose)
    a, b = (*batch["a"], m, k), (*batch["b"], k, n)
    return {"a": Shape(choose.one_of((a, a, (k,)))), "b": Shape(choose.one_of((b, b, (k,))))}


def reduction(choose: Chooser) -> Arguments:
    shape = lengths(choose, 1, 4)
    axes = tuple(i for i in range(len(shape)) if choose.one_of((True, False)))
    axis, keepdims = choose.one_of((None, -1, axes, 0)), choose.one_of((False, True))
    return {"x": Shape(shape), "axis": axis, "keepdims": keepdims}


def reshape(choose: Chooser) -> Arguments:
    shape = lengths(choose)
    return {"x": Shape(shape), "shape": choose.one_of(((-1,), shape[::-1], (1, *shape)))}


def transpose(choose: Chooser) -> Arguments:
    shape = lengths(choose, 2, 4)
    shift = choose.integer(0, len(shape) - 1)
    axes = tuple(range(len(shape)))
    rotated, swapped = axes[shift:] + axes[:shift], (*axes[:-2], -1, -2)
    return {"x": Shape(shape), "axes": choose.one_of((None, rotated, swapped))}


def concatenate(choose: Chooser) -> Arguments:
    shape = lengths(choose)
    axis = choose.integer(0, len(shape) - 1)
    other = (*shape[:axis], choose.integer(1, 3), *shape[axis + 1 :])
    return {"a": Shape(shape), "b": Shape(other), "axis": choose.one_of((axis, axis - len(shape)))}


def index(choose: Chooser) -> Arguments:
    every, odd, reversed_ = slice(None), slice(1, None, 2), slice(None, None, -1)
    key = choose.one_of((0, odd, (..., reversed_), [1, 0, 1], (every, [0, 0])))
    return {"x": Shape((choose.integer(2, 4), choose.integer(2, 4))), "key": key}


def pad(choose: Chooser) -> Arguments:
    shape, mode = lengths(choose), choose.one_of(get_args(Mode))
    most = [{"reflect": length - 1, "circular": length}.get(mode, 2) for length in shape]
    width = [(choose.integer(0, n), choose.integer(0, n)) for n in most]
    value = choose.integer(0, 1) if mode == "constant" else 0
    return {"x": Shape(shape), "width": width, "value": value, "mode": mode}


def broadcast_to(choose: Chooser) -> Arguments:
    shape = lengths(choose)
    ones = Shape(choose.one_of((n, 1)) for n in shape)
    return {"x": ones, "shape": (*lengths(choose, 0, 2), *shape)}


def resample(choose: Chooser) -> Arguments:
    """Places are multiples of a quarter of a pixel, some of them outside of the image."""
    n, height, width, channels = (choose.integer(1, 3) for _ in range(4))
    out_height, out_width = choose.integer(1, 2), choose.integer(1, 3)

    def row(size):
        return [choose.integer(-4, 4 * size) / 4 for _ in range(out_width)]

    def places(size):
        return Numbers([[row(size) for _ in range(out_height)] for _ in range(n)])

    x = Shape((n, height, width, channels))
    return {"x": x, "rows": places(height), "columns": places(width)}


def softmax(choose: Chooser) -> Arguments:
    shape = lengths(choose)
    return {"x": Shape(shape), "axis": choose.integer(-len(shape), len(shape) - 1)}


def batch_norm(choose: Chooser) -> Arguments:
    """At least two numbers for each channel, because one number minus the mean is 0."""
    *axes, channels = lengths(choose, 2, 4)
    x, per_channel = Shape((axes[0] + 1, *axes[1:], channels)), Shape((channels,))
    epsilon = choose.one_of((1e-3, 1.0))
    return {"x": x, "gamma": per_channel, "beta": per_channel, "epsilon": epsilon}


def batch_norm_with_fixed_moments(choose: Chooser) -> Arguments:
    geometry = batch_norm(choose)
    channels = geometry["x"][-1]
    mean = Numbers(0.5 * choose.integer(-2, 2) for _ in range(channels))
    variance = Numbers(choose.one_of((0.5, 2.0)) for _ in range(channels))
    return {**geometry, "mean": mean, "variance": variance}


def batch_norm_without_parameters(choose: Chooser) -> Arguments:
    return _without_parameters(batch_norm(choose))


def group_norm(choose: Chooser) -> Arguments:
    """At least two numbers in each group, because one number minus the mean is 0."""
    n, groups, in_group = (choose.integer(1, 2) for _ in range(3))
    spatial = lengths(choose, 0, 2) if in_group > 1 else (2, *lengths(choose, 0, 2))
    per_channel, epsilon = Shape((groups * in_group,)), choose.one_of((1e-3, 1.0))
    return {
        "x": Shape((n, *spatial, *per_channel)), "gamma": per_channel, "beta": per_channel,
        "groups": groups, "epsilon": epsilon,
    }  # fmt: skip


def group_norm_without_parameters(choose: Chooser) -> Arguments:
    return _without_parameters(group_norm(choose))


def layer_norm(choose: Chooser) -> Arguments:
    """At least two numbers along the last axes."""
    *others, length = lengths(choose, 1, 4)
    x = Shape((*others, length + 1))
    axes = choose.integer(1, len(x))
    last, epsilon = Shape(x[-axes:]), choose.one_of((1e-3, 1.0))
    return {"x": x, "gamma": last, "beta": last, "axes": axes, "epsilon": epsilon}


def layer_norm_without_parameters(choose: Chooser) -> Arguments:
    return _without_parameters(layer_norm(choose))


def _without_parameters(geometry):
    return {name: value for name, value in geometry.items() if name not in ("gamma", "beta")}


def local_response_norm(choose: Chooser) -> Arguments:
    x = Shape((*lengths(choose, 0, 2), choose.integer(1, 5)))
    alpha, beta, k = (choose.one_of(numbers) for numbers in ((1.0, 0.3), (0.75, 1.0), (1.0, 2.0)))
    return {"x": x, "size": choose.integer(1, 6), "alpha": alpha, "beta": beta, "k": k}


def embedding(choose: Chooser) -> Arguments:
    """Indices that repeat, and rows that no index names."""
    rows, lines, columns = choose.integer(1, 4), choose.integer(1, 3), choose.integer(1, 3)
    line = [[choose.integer(0, rows - 1) for _ in range(columns)] for _ in range(lines)]
    indices = Numbers(choose.one_of((line, line[0])))
    w, padding = Shape((rows, choose.integer(1, 3))), choose.one_of((None, rows - 1))
    return {"w": w, "indices": indices, "padding": padding}


def dropout(choose: Chooser) -> Arguments:
    keep, seed = (0.5, 1.0, 0.1), (0, 9)
    return {**elements(choose), "keep": choose.one_of(keep), "seed": choose.integer(*seed)}


def _features(choose):
    n = choose.integer(1, 2)
    return Shape((n, *(choose.integer(1, 3) for _ in range(3))))


def content_loss(choose: Chooser) -> Arguments:
    features = _features(choose)
    normalization = choose.one_of(tuple(content.FACTORS))
    return {"generated": features, "content": features, "normalization": normalization}


def gram_matrix(choose: Chooser) -> Arguments:
    features, words = _features(choose), tuple(gram.DIVISORS)
    return {"features": features, "normalization": choose.one_of(words)}


def gram_loss(choose: Chooser) -> Arguments:
    n, channels = choose.integer(1, 2), choose.integer(1, 3)
    shape = Shape((n, channels, channels))
    return {"G": shape, "A": shape, "factor": choose.one_of((1.0, 0.3))}


def style_loss(choose: Chooser) -> Arguments:
    features = n, _, _, channels = _features(choose)
    style_features = (n, choose.integer(1, 3), choose.integer(1, 3), channels)
    gram_shape = (n, channels, channels)
    style_shape = Shape(choose.one_of((style_features, gram_shape)))
    normalization = choose.one_of(tuple(style.FACTORS))
    return {"generated": features, "style": style_shape, "normalization": normalization}


def guided_gram_matrix(choose: Chooser) -> Arguments:
    """A guide that is not 0 everywhere."""
    features = n, height, width, _ = _features(choose)

    def region():
        numbers = [choose.one_of((1.0, 0.0, 0.5)) for _ in range(height * width - 1)]
        return np.array([2.0, *numbers]).reshape(height, width).tolist()

    return {"features": features, "guide": Numbers(region() for _ in range(n))}


def deviation_loss(choose: Chooser) -> Arguments:
    names = ("m", "q", "target_mean", "target_deviation")
    shape = Shape((choose.integer(1, 2), choose.integer(1, 3)))
    return {**dict.fromkeys(names, shape), "epsilon": choose.one_of((0.1, 1.0))}


def gaussian_loss(choose: Chooser) -> Arguments:
    n, channels = choose.integer(1, 2), choose.integer(1, 3)
    vector, matrix = Shape((n, channels)), Shape((n, channels, channels))
    statistics = {"m": vector, "G": matrix, "target_mean": vector, "target_root": matrix}
    return {**statistics, "epsilon": choose.one_of((1e-3, 0.1))}


def features_and_style(choose: Chooser) -> Arguments:
    """Features of two pictures: at least two channels, because the direction of one number is only
    its sign, and at least two positions, because one position has no variance. The style has at
    most twice as many positions, so that each of its numbers is read at some quantile."""
    n, height, width, channels = _features(choose)
    style = (n, choose.integer(1, height), choose.integer(2, 2 * width + 2), channels + 1)
    return {"generated": Shape((n, height, width + 1, channels + 1)), "style": Shape(style)}


def features_and_style_by(epsilons: Sequence[float]) -> Callable[[Chooser], Arguments]:
    """Return a geometry for a loss of features and a style that has an epsilon."""
    return lambda choose: {**features_and_style(choose), "epsilon": choose.one_of(epsilons)}


def patch_loss(choose: Chooser) -> Arguments:
    geometry, size = features_and_style(choose), choose.integer(1, 3)

    def at_least_a_patch(shape):
        n, height, width, channels = shape
        return Shape((n, height + size - 1, width + size - 1, channels))

    return {**{name: at_least_a_patch(s) for name, s in geometry.items()}, "size": size}


def _weights(choose, shape):
    """Positive numbers for an array of this shape."""
    numbers = [choose.one_of((1.0, 0.5, 2.0)) for _ in range(prod(shape))]
    return Numbers(np.reshape(numbers, shape).tolist())


def softmax_cross_entropy(choose: Chooser) -> Arguments:
    """Some labels are ignored, but not all."""
    shape, classes = lengths(choose, 1, 2), choose.integer(1, 4)
    ignore = choose.one_of((None, 9))
    labels = [choose.integer(0, classes - 1) for _ in range(prod(shape))]
    if ignore:
        labels[1:] = [choose.one_of((label, ignore)) for label in labels[1:]]
    return {
        "logits": Shape((*shape, classes)), "labels": Numbers(np.reshape(labels, shape).tolist()),
        "reduction": choose.one_of(REDUCTIONS), "ignore": ignore,
        # The loss of a single class is constant: smoothing leaves a rounding error as gradient.
        "smoothing": choose.one_of((0.0, 0.1, 1.0)) if classes > 1 else 0.0,
    }  # fmt: skip


def softmax_cross_entropy_with_weights(choose: Chooser) -> Arguments:
    geometry = softmax_cross_entropy(choose)
    return {**geometry, "weights": _weights(choose, geometry["logits"][-1:])}


def softmax_cross_entropy_of_probabilities(choose: Chooser) -> Arguments:
    geometry = softmax_cross_entropy_with_weights(choose)
    return {**geometry, "labels": geometry["logits"], "ignore": None}


def sigmoid_cross_entropy(choose: Chooser) -> Arguments:
    shape, weights = Shape(lengths(choose)), (1.0, 3.0)
    return {
        "logits": shape, "targets": shape, "reduction": choose.one_of(REDUCTIONS),
        "weights": choose.one_of(weights), "positive_weight": choose.one_of(weights),
    }  # fmt: skip


def sigmoid_cross_entropy_with_weights(choose: Chooser) -> Arguments:
    geometry = sigmoid_cross_entropy(choose)
    *others, last = shape = geometry["logits"]
    weights = _weights(choose, choose.one_of((shape, (*others, 1))))
    return {**geometry, "weights": weights, "positive_weight": _weights(choose, (last,))}


def regression(choose: Chooser) -> Arguments:
    shape = Shape(lengths(choose, 0))
    return {"predictions": shape, "targets": shape, "reduction": choose.one_of(REDUCTIONS)}


def huber_loss(choose: Chooser) -> Arguments:
    return {**regression(choose), "delta": choose.one_of((1.0, 0.3))}


def pairs(parameter: str, values: Sequence[float]) -> Callable[[Chooser], Arguments]:
    """Return a geometry for a loss of pairs that has a parameter with one of these values."""

    def draw(choose):
        n, dimensions = choose.integer(1, 4), choose.integer(1, 3)
        same = Numbers(choose.one_of((False, True)) for _ in range(n))
        points = Shape((n, dimensions))
        return {"a": points, "b": points, "same": same, parameter: choose.one_of(values)}

    return draw


def points(choose: Chooser) -> Arguments:
    """Two sets, which may be empty."""
    dimensions = choose.integer(1, 3)
    a, b = Shape((choose.integer(0, 4), dimensions)), Shape((choose.integer(0, 4), dimensions))
    return {"a": a, "b": b, "squared": choose.one_of((False, True))}


def points_of_one_set(choose: Chooser) -> Arguments:
    a = Shape((choose.integer(1, 5), choose.integer(1, 3)))
    return {"a": a, "squared": choose.one_of((False, True))}


def vectors(choose: Chooser) -> Arguments:
    """At least two numbers each, because the direction of one number is only its sign."""
    *axes, length = lengths(choose)
    return {"x": Shape((*axes, length + 1)), "axis": -1}


def pairs_of_vectors(choose: Chooser) -> Arguments:
    shape = vectors(choose)["x"]
    return {"a": shape, "b": shape}


def triplets(choose: Chooser) -> Arguments:
    """Points of at least two numbers, because along a line the gradients of positive and negative
    may cancel and leave rounding errors."""
    points = Shape((choose.integer(1, 4), choose.integer(2, 3)))
    margin, reduction = choose.one_of((0.2, 1.7)), choose.one_of(tuple(triplet.DIVISORS))
    squared, soft = choose.one_of((True, False)), choose.one_of((False, True))
    return {
        "anchor": points, "positive": points, "negative": points,
        "margin": margin, "reduction": reduction, "squared": squared, "soft": soft,
    }  # fmt: skip


def total_variation(form: str) -> Callable[[Chooser], Arguments]:
    """Return a geometry for one form of the total variation."""

    def draw(choose):
        image = (choose.integer(2, 4), choose.integer(2, 4), choose.integer(1, 3))
        return {"image": Shape(choose.one_of((image, (2, *image)))), "normalization": form}

    return draw
