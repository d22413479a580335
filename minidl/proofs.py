"""The table of proofs: for every op, what sort of function it is in each argument, and geometries to prove it on.

A geometry is drawn by asking a chooser for integers and choices. `RandomChooser` answers from a seed; the tests answer
with hypothesis, which searches and shrinks. Output sizes are drawn first and input sizes follow, so that no draw is thrown
away. The numbers in the arrays come from a seed alone.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minidl import losses, ops
from minidl.gradcheck import prove
from minidl.losses.total_variation import FORMS
from minidl.ops.convolutions import ALGORITHMS


@dataclass(frozen=True)
class Row:
    """draw: chooser -> arguments, arrays given as a Shape. kinds: argument -> word of `gradcheck.KINDS`. data: argument ->
    word of `DATA`, where it is neither "spaced" (piecewise linear ones) nor "normal" (the others)."""

    name: str
    op: Any
    draw: Any
    kinds: dict
    data: dict = field(default_factory=dict)


class Shape(tuple):
    """Stands in a drawn geometry for an array of this shape."""

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


def fill(row, geometry, seed, dtype=np.float64):
    """The drawn geometry with arrays of numbers in place of shapes."""
    rng = np.random.default_rng(seed)
    shapes = {name: value for name, value in geometry.items() if isinstance(value, Shape)}
    words = {name: row.data.get(name, "spaced" if row.kinds.get(name) == "piecewise linear" else "normal") for name in shapes}
    spaced = iter(_spaced(rng, [shape for name, shape in shapes.items() if words[name] == "spaced"]))
    arrays = {
        name: next(spaced) if words[name] == "spaced" else DATA[words[name]](rng, shape) for name, shape in shapes.items()
    }
    return {**geometry, **{name: np.asarray(array, dtype) for name, array in arrays.items()}}


DATA = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2, shape),
    "nonzero": lambda rng, shape: rng.uniform(0.5, 2, shape) * rng.choice([-1.0, 1.0], shape),
}


def _spaced(rng, shapes):
    """Arrays whose entries all differ by at least 1 from each other and by 1/2 from 0: no kink within reach of a step."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    numbers = rng.permutation(sum(sizes)) - sum(sizes) // 2 + 0.5
    parts = np.split(numbers, np.cumsum(sizes)[:-1]) if sizes else []
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def run(row, cases=20, seed=0):
    """Prove one row on that many drawn geometries: argument -> the Proof with the worst error."""
    worst = {}
    for case in range(cases):
        geometry = row.draw(RandomChooser((seed, case)))
        for proof in prove(row.op, fill(row, geometry, (seed, case, 1)), row.kinds, seed=(seed, case, 2)):
            if proof.argument not in worst or not proof.error <= worst[proof.argument].error:
                worst[proof.argument] = proof
    return worst


# ---- geometries -----------------------------------------------------------------------------------------------------


def _axes(choose, low=1, high=3):
    return tuple(choose.integer(1, 3) for _ in range(choose.integer(low, high)))


def _elements(choose):
    return {"x": Shape(_axes(choose, 0, 4))}


def _broadcasting(choose):
    """Two shapes that broadcast: axes of length 1 here and there, one of them shorter in front."""
    full = _axes(choose, 0, 4)
    a, b = ([choose.one_of((n, 1)) for n in full] for _ in range(2))
    if choose.one_of((True, False)):
        b = b[choose.integer(0, len(b)) :]
    return {"a": Shape(a), "b": Shape(b)}


def _window_axis(choose, dilated, least=1):
    """One spatial axis, from its output size: (length, taps, stride, dilation, (before, after))."""
    out, taps, stride = choose.integer(1, 3), choose.integer(1, 3), choose.integer(1, 3)
    dilation = choose.integer(1, 2) if dilated else 1
    reach = dilation * (taps - 1) + 1
    span = (out - 1) * stride + reach + choose.integer(0, stride - 1)  # the last term: left over, read by no window
    least = min(span, max(least, dilation))
    before = choose.integer(0, min(reach - 1, span - least))
    after = choose.integer(0, min(reach - 1, span - least - before))
    return span - before - after, taps, stride, dilation, (before, after)


def _convolution(choose):
    axes = [_window_axis(choose, dilated=True) for _ in range(choose.integer(1, 3))]
    spatial, kernel, stride, dilation, padding = zip(*axes, strict=True)
    groups, per_group, multiplier = choose.integer(1, 3), choose.integer(1, 2), choose.integer(1, 2)
    x, w = (choose.integer(1, 2), *spatial, groups * per_group), (*kernel, per_group, groups * multiplier)
    return {
        "x": Shape(x), "w": Shape(w), "b": Shape(w[-1:]), "stride": stride, "dilation": dilation, "groups": groups,
        "padding": choose.one_of((padding, padding, "same")),
    }  # fmt: skip


def _pooling(choose, dilated):
    axes = [_window_axis(choose, dilated) for _ in range(choose.integer(1, 3))]
    spatial, window, stride, dilation, padding = zip(*axes, strict=True)
    x = Shape((choose.integer(1, 2), *spatial, choose.integer(1, 3)))
    geometry = {"x": x, "window": window, "stride": stride, "padding": padding, "ceil": choose.one_of((False, True))}
    return {**geometry, "dilation": dilation} if dilated else geometry


def _max_pool(choose):
    return _pooling(choose, dilated=True)


def _avg_pool(choose):
    return {**_pooling(choose, dilated=False), "count_padding": choose.one_of((True, False))}


def _matmul(choose):
    m, k, n = (choose.integer(1, 3) for _ in range(3))
    batch = _broadcasting(choose)
    a, b = (*batch["a"], m, k), (*batch["b"], k, n)
    return {"a": Shape(choose.one_of((a, a, (k,)))), "b": Shape(choose.one_of((b, b, (k,))))}


def _reduction(choose):
    shape = _axes(choose, 1, 4)
    some = tuple(i for i in range(len(shape)) if choose.one_of((True, False)))
    return {"x": Shape(shape), "axis": choose.one_of((None, -1, some)), "keepdims": choose.one_of((False, True))}


def _reshape(choose):
    shape = _axes(choose)
    return {"x": Shape(shape), "shape": choose.one_of(((-1,), shape[::-1], (1, *shape)))}


def _transpose(choose):
    shape = _axes(choose, 2, 4)
    shift = choose.integer(0, len(shape) - 1)
    axes = tuple(range(len(shape)))
    return {"x": Shape(shape), "axes": choose.one_of((None, axes[shift:] + axes[:shift], (*axes[:-2], -1, -2)))}


def _concatenate(choose):
    shape = _axes(choose)
    axis = choose.integer(0, len(shape) - 1)
    other = (*shape[:axis], choose.integer(1, 3), *shape[axis + 1 :])
    return {"a": Shape(shape), "b": Shape(other), "axis": choose.one_of((axis, axis - len(shape)))}


def _index(choose):
    key = choose.one_of((0, slice(1, None, 2), (..., slice(None, None, -1)), [1, 0, 1], (slice(None), [0, 0])))
    return {"x": Shape((choose.integer(2, 4), choose.integer(2, 4))), "key": key}


def _pad(choose):
    shape = _axes(choose)
    width = [(choose.integer(0, 2), choose.integer(0, 2)) for _ in shape]
    return {"x": Shape(shape), "width": width, "value": choose.integer(0, 1)}


def _broadcast_to(choose):
    shape = _axes(choose)
    ones = Shape(choose.one_of((n, 1)) for n in shape)
    return {"x": ones, "shape": (*_axes(choose, 0, 2), *shape)}


def _softmax(choose):
    shape = _axes(choose)
    return {"x": Shape(shape), "axis": choose.integer(-len(shape), len(shape) - 1)}


def _features(choose):
    return Shape((choose.integer(1, 2), choose.integer(1, 3), choose.integer(1, 3), choose.integer(1, 3)))


def _content_loss(choose):
    features = _features(choose)
    normalization = choose.one_of(tuple(losses.content.FACTORS))
    return {"generated": features, "content": features, "normalization": normalization}


def _gram_matrix(choose):
    return {"features": _features(choose), "normalization": choose.one_of(tuple(losses.gram.DIVISORS))}


def _style_loss(choose):
    features = n, _, _, channels = _features(choose)
    pictures = (n, choose.integer(1, 3), choose.integer(1, 3), channels)
    style = Shape(choose.one_of((pictures, (n, channels, channels))))
    return {"generated": features, "style": style, "normalization": choose.one_of(tuple(losses.style.FACTORS))}


def _total_variation(form):
    def draw(choose):
        image = (choose.integer(2, 4), choose.integer(2, 4), choose.integer(1, 3))
        return {"image": Shape(choose.one_of((image, (2, *image)))), "normalization": form}

    return draw


def _concatenate_two(a, b, axis):
    return ops.concatenate([a, b], axis)


def _with(op, **options):
    return lambda **arguments: op(**arguments, **options)


# ---- the table ------------------------------------------------------------------------------------------------------

_VARIATION_KINDS = {"sum_absolute": "piecewise linear", "power": "analytic"}
_VARIATION_DATA = {"power": {"image": "spaced"}}  # (↓² + →²)^1.25 is not smooth where both differences are 0

ROWS = [
    *(
        Row(f"convolution[{name}]", _with(ops.convolution, algorithm=name), _convolution, dict.fromkeys("xwb", "linear"))
        for name in ALGORITHMS
    ),
    Row("max_pool", ops.max_pool, _max_pool, {"x": "piecewise linear"}),
    Row("avg_pool", ops.avg_pool, _avg_pool, {"x": "linear"}),
    Row("relu", ops.relu, _elements, {"x": "piecewise linear"}),
    Row("leaky_relu", ops.leaky_relu, _elements, {"x": "piecewise linear"}),
    Row("sigmoid", ops.sigmoid, _elements, {"x": "analytic"}),
    Row("tanh", ops.tanh, _elements, {"x": "analytic"}),
    Row("softmax", ops.softmax, _softmax, {"x": "analytic"}),
    Row("add", ops.add, _broadcasting, {"a": "linear", "b": "linear"}),
    Row("subtract", ops.subtract, _broadcasting, {"a": "linear", "b": "linear"}),
    Row("multiply", ops.multiply, _broadcasting, {"a": "linear", "b": "linear"}),
    Row("divide", ops.divide, _broadcasting, {"a": "linear", "b": "analytic"}, {"b": "nonzero"}),
    Row("negative", ops.negative, _elements, {"x": "linear"}),
    Row(
        "power", ops.power, lambda choose: {**_elements(choose), "exponent": choose.one_of((-1, 0, 0.5, 1, 2, 3))},
        {"x": "analytic"}, {"x": "positive"},
    ),
    Row("exp", ops.exp, _elements, {"x": "analytic"}),
    Row("log", ops.log, _elements, {"x": "analytic"}, {"x": "positive"}),
    Row("sqrt", ops.sqrt, _elements, {"x": "analytic"}, {"x": "positive"}),
    Row("absolute", ops.absolute, _elements, {"x": "piecewise linear"}),
    Row("maximum", ops.maximum, _broadcasting, {"a": "piecewise linear", "b": "piecewise linear"}),
    Row("minimum", ops.minimum, _broadcasting, {"a": "piecewise linear", "b": "piecewise linear"}),
    Row("matmul", ops.matmul, _matmul, {"a": "linear", "b": "linear"}),
    Row("sum", ops.sum, _reduction, {"x": "linear"}),
    Row("mean", ops.mean, _reduction, {"x": "linear"}),
    Row("max", ops.max, _reduction, {"x": "piecewise linear"}),
    Row("reshape", ops.reshape, _reshape, {"x": "linear"}),
    Row("transpose", ops.transpose, _transpose, {"x": "linear"}),
    Row("concatenate", _concatenate_two, _concatenate, {"a": "linear", "b": "linear"}),
    Row("index", ops.index, _index, {"x": "linear"}),
    Row("pad", ops.pad, _pad, {"x": "linear"}),
    Row("broadcast_to", ops.broadcast_to, _broadcast_to, {"x": "linear"}),
    Row("content_loss", losses.content_loss, _content_loss, {"generated": "quadratic", "content": "quadratic"}),
    Row("gram_matrix", losses.gram_matrix, _gram_matrix, {"features": "quadratic"}),
    Row("style_loss", losses.style_loss, _style_loss, {"generated": "quartic", "style": "quartic"}),
    *(
        Row(
            f"total_variation[{form}]", losses.total_variation, _total_variation(form),
            {"image": _VARIATION_KINDS.get(form, "quadratic")}, _VARIATION_DATA.get(form, {}),
        )
        for form in FORMS
    ),
]  # fmt: skip
