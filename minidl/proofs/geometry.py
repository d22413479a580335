"""Geometries to prove the ops on: shapes and options.

A geometry is drawn by asking a chooser for integers and choices. `RandomChooser` answers from a
seed; the tests answer with hypothesis, which searches and shrinks. Output sizes are drawn first and
input sizes follow, so that no draw is thrown away. Each function gives the arguments of an op by
name, an array as its Shape.
"""

import numpy as np

from minidl import losses


class Shape(tuple):
    """Stands in a drawn geometry for an array of this shape."""

    __slots__ = ()


class Numbers(tuple):
    """Stands in a drawn geometry for an array of these very numbers: labels, which are no
    floating-point ones."""

    __slots__ = ()


class RandomChooser:
    """Draws from a seed."""

    def __init__(self, seed):
        self._rng = np.random.default_rng(seed)

    def integer(self, low, high):
        """An integer from low to high, both included."""
        return int(self._rng.integers(low, high + 1))

    def one_of(self, options):
        return options[self.integer(0, len(options) - 1)]


def _axes(choose, low=1, high=3):
    return tuple(choose.integer(1, 3) for _ in range(choose.integer(low, high)))


def elements(choose):
    return {"x": Shape(_axes(choose, 0, 4))}


def broadcasting(choose):
    """Two shapes that broadcast: axes of length 1 here and there, one of them shorter in front."""
    full = _axes(choose, 0, 4)
    a, b = ([choose.one_of((n, 1)) for n in full] for _ in range(2))
    if choose.one_of((True, False)):
        b = b[choose.integer(0, len(b)) :]
    return {"a": Shape(a), "b": Shape(b)}


def _window_axis(choose, dilated, least=1, ceil=False):
    """One spatial axis, from its output size: (length, taps, stride, dilation, (before, after)).
    With `ceil`, an output size of 0 stands for one window that may be longer than the input and its
    padding."""
    out, taps, stride = (
        choose.integer(0 if ceil else 1, 3),
        choose.integer(1, 3),
        choose.integer(1, 3),
    )
    dilation = choose.integer(1, 2) if dilated else 1
    reach = dilation * (taps - 1) + 1
    if out:
        # the last term: left over, read by no window
        span = (out - 1) * stride + reach + choose.integer(0, stride - 1)
    else:
        span = reach - choose.integer(0, min(stride, reach) - 1)
    least = min(span, max(least, dilation))
    before = choose.integer(0, min(reach - 1, span - least))
    after = choose.integer(0, min(reach - 1, span - least - before))
    return span - before - after, taps, stride, dilation, (before, after)


def convolution(choose):
    axes = [_window_axis(choose, dilated=True) for _ in range(choose.integer(1, 3))]
    return _convolution(choose, axes, choose.integer(1, 3))


def convolution_of_runs(choose):
    """No dilation along the last axis, no groups."""
    axes = [_window_axis(choose, dilated=True) for _ in range(choose.integer(0, 2))]
    return _convolution(choose, [*axes, _window_axis(choose, dilated=False)], groups=1)


def _convolution(choose, axes, groups):
    spatial, kernel, stride, dilation, padding = zip(*axes, strict=True)
    per_group, multiplier = choose.integer(1, 2), choose.integer(1, 2)
    x, w = (
        (choose.integer(1, 2), *spatial, groups * per_group),
        (*kernel, per_group, groups * multiplier),
    )
    return {
        "x": Shape(x), "w": Shape(w), "b": Shape(w[-1:]), "stride": stride, "dilation": dilation, "groups": groups,
        "padding": choose.one_of((padding, padding, "same")),
    }  # fmt: skip


def convolution_of_each_channel(choose):
    geometry = convolution(choose)
    *kernel, _, _ = geometry["w"]
    channels = geometry["x"][-1]
    return {
        **geometry,
        "w": Shape((*kernel, 1, channels)),
        "b": Shape((channels,)),
        "groups": channels,
    }


def convolution_of_threes(choose, least_axes=1):
    """3 taps on each axis, stride 1: up to three of winograd's tiles along an axis, the last one
    whole or not."""
    out = tuple(choose.integer(1, 9) for _ in range(choose.integer(least_axes, 3)))
    padding = tuple(
        (choose.integer(0, min(3, n + 1)), choose.integer(0, 1) if n > 2 else 0) for n in out
    )
    spatial = tuple(
        max(1, n + 2 - before - after) for n, (before, after) in zip(out, padding, strict=True)
    )
    x, w = (
        (choose.integer(1, 2), *spatial, choose.integer(1, 3)),
        ((3,) * len(out), choose.integer(1, 3)),
    )
    return {
        "x": Shape(x), "w": Shape((*w[0], x[-1], w[1])), "b": Shape(w[1:]), "stride": (1,) * len(out),
        "dilation": (1,) * len(out), "groups": 1, "padding": choose.one_of((padding, padding, "same")),
    }  # fmt: skip


def _pooling(choose, dilated):
    ceil = choose.one_of((False, True))
    axes = [_window_axis(choose, dilated, ceil=ceil) for _ in range(choose.integer(1, 3))]
    spatial, window, stride, dilation, padding = zip(*axes, strict=True)
    x = Shape((choose.integer(1, 2), *spatial, choose.integer(1, 3)))
    geometry = {"x": x, "window": window, "stride": stride, "padding": padding, "ceil": ceil}
    return {**geometry, "dilation": dilation} if dilated else geometry


def max_pool(choose):
    return _pooling(choose, dilated=True)


def avg_pool(choose):
    return {**_pooling(choose, dilated=False), "count_padding": choose.one_of((True, False))}


def matmul(choose):
    m, k, n = (choose.integer(1, 3) for _ in range(3))
    batch = broadcasting(choose)
    a, b = (*batch["a"], m, k), (*batch["b"], k, n)
    return {"a": Shape(choose.one_of((a, a, (k,)))), "b": Shape(choose.one_of((b, b, (k,))))}


def reduction(choose):
    shape = _axes(choose, 1, 4)
    some = tuple(i for i in range(len(shape)) if choose.one_of((True, False)))
    return {
        "x": Shape(shape),
        "axis": choose.one_of((None, -1, some)),
        "keepdims": choose.one_of((False, True)),
    }


def reshape(choose):
    shape = _axes(choose)
    return {"x": Shape(shape), "shape": choose.one_of(((-1,), shape[::-1], (1, *shape)))}


def transpose(choose):
    shape = _axes(choose, 2, 4)
    shift = choose.integer(0, len(shape) - 1)
    axes = tuple(range(len(shape)))
    return {
        "x": Shape(shape),
        "axes": choose.one_of((None, axes[shift:] + axes[:shift], (*axes[:-2], -1, -2))),
    }


def concatenate(choose):
    shape = _axes(choose)
    axis = choose.integer(0, len(shape) - 1)
    other = (*shape[:axis], choose.integer(1, 3), *shape[axis + 1 :])
    return {"a": Shape(shape), "b": Shape(other), "axis": choose.one_of((axis, axis - len(shape)))}


def index(choose):
    key = choose.one_of(
        (0, slice(1, None, 2), (..., slice(None, None, -1)), [1, 0, 1], (slice(None), [0, 0]))
    )
    return {"x": Shape((choose.integer(2, 4), choose.integer(2, 4))), "key": key}


def pad(choose):
    shape = _axes(choose)
    width = [(choose.integer(0, 2), choose.integer(0, 2)) for _ in shape]
    return {"x": Shape(shape), "width": width, "value": choose.integer(0, 1)}


def broadcast_to(choose):
    shape = _axes(choose)
    ones = Shape(choose.one_of((n, 1)) for n in shape)
    return {"x": ones, "shape": (*_axes(choose, 0, 2), *shape)}


def resample(choose):
    """Places in quarters of a pixel, some of them outside."""
    n, height, width, channels = (choose.integer(1, 3) for _ in range(4))
    out = choose.integer(1, 2), choose.integer(1, 3)

    def places(size):
        return Numbers(
            [
                [[choose.integer(-4, 4 * size) / 4 for _ in range(out[1])] for _ in range(out[0])]
                for _ in range(n)
            ]
        )

    return {
        "x": Shape((n, height, width, channels)),
        "rows": places(height),
        "columns": places(width),
    }


def softmax(choose):
    shape = _axes(choose)
    return {"x": Shape(shape), "axis": choose.integer(-len(shape), len(shape) - 1)}


def batch_norm(choose):
    """At least two numbers of each channel: of one alone the mean takes all away."""
    *axes, channels = _axes(choose, 2, 4)
    x = Shape((axes[0] + 1, *axes[1:], channels))
    return {
        "x": x,
        "gamma": Shape((channels,)),
        "beta": Shape((channels,)),
        "epsilon": choose.one_of((1e-3, 1.0)),
    }


def batch_norm_with_fixed_moments(choose):
    geometry = batch_norm(choose)
    channels = geometry["x"][-1]
    moments = (
        tuple(0.5 * choose.integer(-2, 2) for _ in range(channels)),
        tuple(choose.one_of((0.5, 2.0)) for _ in range(channels)),
    )
    return {**geometry, "mean": Numbers(moments[0]), "variance": Numbers(moments[1])}


def dropout(choose):
    return {
        **elements(choose),
        "keep": choose.one_of((0.5, 1.0, 0.1)),
        "seed": choose.integer(0, 9),
    }


def _features(choose):
    return Shape(
        (choose.integer(1, 2), choose.integer(1, 3), choose.integer(1, 3), choose.integer(1, 3))
    )


def content_loss(choose):
    features = _features(choose)
    normalization = choose.one_of(tuple(losses.content.FACTORS))
    return {"generated": features, "content": features, "normalization": normalization}


def gram_matrix(choose):
    return {
        "features": _features(choose),
        "normalization": choose.one_of(tuple(losses.gram.DIVISORS)),
    }


def gram_loss(choose):
    n, channels = choose.integer(1, 2), choose.integer(1, 3)
    return {
        "G": Shape((n, channels, channels)),
        "A": Shape((n, channels, channels)),
        "factor": choose.one_of((1.0, 0.3)),
    }


def style_loss(choose):
    features = n, _, _, channels = _features(choose)
    pictures = (n, choose.integer(1, 3), choose.integer(1, 3), channels)
    style = Shape(choose.one_of((pictures, (n, channels, channels))))
    return {
        "generated": features,
        "style": style,
        "normalization": choose.one_of(tuple(losses.style.FACTORS)),
    }


def softmax_cross_entropy(choose):
    n, classes = choose.integer(1, 3), choose.integer(1, 4)
    labels = Numbers(choose.integer(0, classes - 1) for _ in range(n))
    return {
        "logits": Shape((n, classes)),
        "labels": labels,
        "reduction": choose.one_of(("mean", "sum")),
    }


def sigmoid_cross_entropy(choose):
    shape = Shape(_axes(choose))
    return {"logits": shape, "targets": shape, "reduction": choose.one_of(("mean", "sum"))}


def pairs(parameter, values):
    """Of a loss of pairs with a parameter of these values."""

    def draw(choose):
        n, dimensions = choose.integer(1, 4), choose.integer(1, 3)
        same = Numbers(choose.one_of((False, True)) for _ in range(n))
        return {
            "a": Shape((n, dimensions)),
            "b": Shape((n, dimensions)),
            "same": same,
            parameter: choose.one_of(values),
        }

    return draw


def points(choose):
    """Two sets, of which one may be empty."""
    dimensions = choose.integer(1, 3)
    a, b = Shape((choose.integer(0, 4), dimensions)), Shape((choose.integer(0, 4), dimensions))
    return {"a": a, "b": b, "squared": choose.one_of((False, True))}


def points_of_one_set(choose):
    return {
        "a": Shape((choose.integer(1, 5), choose.integer(1, 3))),
        "squared": choose.one_of((False, True)),
    }


def vectors(choose):
    """At least two numbers each: one alone has no direction but its sign."""
    *axes, length = _axes(choose)
    return {"x": Shape((*axes, length + 1)), "axis": -1}


def pairs_of_vectors(choose):
    shape = vectors(choose)["x"]
    return {"a": shape, "b": shape}


def triplets(choose):
    """Of at least two numbers: along a line the pulls of positive and negative may cancel but for
    rounding."""
    points = Shape((choose.integer(1, 4), choose.integer(2, 3)))
    return {
        "anchor": points, "positive": points, "negative": points, "margin": choose.one_of((0.2, 1.7)),
        "reduction": choose.one_of(tuple(losses.triplet.DIVISORS)), "squared": choose.one_of((True, False)),
        "soft": choose.one_of((False, True)),
    }  # fmt: skip


def total_variation(form):
    def draw(choose):
        image = (choose.integer(2, 4), choose.integer(2, 4), choose.integer(1, 3))
        return {"image": Shape(choose.one_of((image, (2, *image)))), "normalization": form}

    return draw
