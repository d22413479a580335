"""A masked gradient is exactly 0, even where dy is infinite or NaN: the product 0·∞ would be
NaN."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.engine import batch_norm_relu, convolution_relu
from minidl.engine.masks import masked
from minidl.layers import Dropout
from tests.algorithms import by
from tests.devices import GPUS, at

BAD = [np.inf, -np.inf, np.nan]


def gradient(f, x):
    x = Tensor(np.asarray(x), requires_grad=True)
    with np.errstate(all="ignore"):
        y = f(x)
        y.backward(np.ones(y.shape))
    return x.grad


@pytest.mark.parametrize(
    "outer",
    [ops.log, ops.sqrt, lambda x: x**0.5, lambda x: x**-1.0, lambda x: 1.0 / x],
    ids=["log", "sqrt", "power 0.5", "power -1", "inverse"],
)
@pytest.mark.parametrize(
    "inner",
    [
        ops.relu,
        lambda x: ops.leaky_relu(x, slope=0),
        lambda x: ops.maximum(x, 0.0),
        lambda x: -ops.minimum(-x, 0.0),
        lambda x: convolution_relu(x.reshape(1, 2, 1), np.ones((1, 1, 1))).reshape(2),
        lambda x: batch_norm_relu(
            x.reshape(2, 1),
            np.ones(1),
            np.zeros(1),
            (np.zeros(1), np.ones(1)),
            epsilon=0.0,
            fixed=True,
        ).reshape(2),
    ],
    ids=["relu", "leaky_relu", "maximum", "minimum", "convolution_relu", "batch_norm_relu"],
)
def test_an_infinite_slope_stops_at_a_dead_rectifier(inner, outer):
    found = gradient(lambda x: outer(inner(x)), [-3.0, 4.0])
    assert found.tolist() == [0.0, gradient(outer, [4.0])[0]]


@pytest.mark.parametrize(
    ("inner", "outer", "x", "wanted"),
    [
        (ops.log, ops.relu, [0.0, 4.0], [0.0, 0.25]),
        (ops.log, lambda x: ops.maximum(x, -5.0), [0.0, 4.0], [0.0, 0.25]),
        (ops.sqrt, lambda x: ops.maximum(x, 1.0), [0.0, 4.0], [0.0, 0.25]),
        (lambda x: x**0.5, lambda x: ops.maximum(x, 1.0), [0.0, 4.0], [0.0, 0.25]),
        (lambda x: x**-1, lambda x: ops.minimum(x, 1.0), [0.0, 4.0], [0.0, -1 / 16]),
        (lambda x: 1.0 / x, lambda x: ops.minimum(x, 1.0), [0.0, 4.0], [0.0, -1 / 16]),
        (lambda x: x / np.array([0.0, 2.0]), lambda x: ops.minimum(x, 3.0), [1.0, 4.0], [0.0, 0.5]),
        (ops.exp, lambda x: ops.minimum(x, 3.0), [1000.0, 0.0], [0.0, 1.0]),
    ],
)
def test_an_infinite_slope_before_a_dead_rectifier_stays_out(inner, outer, x, wanted):
    assert gradient(lambda x: outer(inner(x)), x).tolist() == wanted


@pytest.mark.parametrize("bad", BAD)
def test_each_mask_gives_exactly_zero(bad):
    dy = np.array([bad, bad])
    assert ops.relu.gradients["dx"](dy, np.array([0.0, 1.0]))[0] == 0
    assert ops.leaky_relu.gradients["dx"](dy, np.array([-1.0, 1.0]), 0.0)[0] == 0
    assert ops.absolute.gradients["dx"](dy, np.array([0.0, 1.0]))[0] == 0
    a, b = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    assert ops.maximum.gradients["da"](dy, a, b, a.shape)[0] == 0
    assert ops.maximum.gradients["db"](dy, a, b, b.shape)[1] == 0
    assert ops.minimum.gradients["da"](dy, a, b, a.shape)[1] == 0
    assert ops.minimum.gradients["db"](dy, a, b, b.shape)[0] == 0
    assert (ops.power.gradients["dx"](dy, a, 0) == 0).all()
    np.testing.assert_array_equal(
        ops.max.gradients["dx"](np.array([bad]), a[None], 1, False), [[0, bad]]
    )


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("algorithm", ["textbook", "im2col", "runs", "winograd", "winograd_runs"])
def test_each_convolution_masks_an_infinite_gradient(bad, algorithm):
    rng = np.random.default_rng(0)
    x, w, b = (
        rng.standard_normal((1, 6, 6, 2)),
        rng.standard_normal((3, 3, 2, 3)),
        np.array([-100.0, 0.0, 0.0]),
    )
    op = by(algorithm, convolution_relu)
    y = op.forward(x, w, b, padding=1)
    clean = rng.standard_normal(y.shape)
    dy = np.where(y > 0, clean, bad)
    options = {"stride": 1, "padding": 1, "dilation": 1, "groups": 1}
    for name, reads in (("dx", {"w": w, "x_shape": x.shape}), ("dw", {"x": x, "w_shape": w.shape})):
        pull = op.gradients[name]
        np.testing.assert_array_equal(
            pull(dy, y, **reads, **options), pull(clean, y, **reads, **options)
        )
    db = op.gradients["db"]
    np.testing.assert_array_equal(db(dy, y), db(clean, y))


@pytest.mark.parametrize("bad", BAD)
def test_max_pool_gives_the_others_of_a_window_zero(bad):
    for stride, wanted in ((2, [0.0, 1.0, 0.0, 1.0]), (1, [0.0, 2.0, 0.0, 1.0])):
        x = Tensor(np.array([1.0, 3.0, 2.0, 5.0]).reshape(1, 4, 1), requires_grad=True)
        y = ops.max_pool(x, 2, stride=stride)
        y.backward(np.full(y.shape, bad))
        np.testing.assert_array_equal(x.grad.ravel() == 0, np.array(wanted) == 0)


@pytest.mark.parametrize("bad", BAD)
def test_what_dropout_leaves_out_is_zero_on_both_ways(bad):
    x = Tensor(np.full(64, bad), requires_grad=True)
    y = Dropout(0.5, seed=1)(x)
    kept = ops.dropout(np.ones(64), 0.5, (1, 1)) > 0
    y.backward(np.full(64, bad))
    for found in (y.data, x.grad):
        assert (found[~kept] == 0).all() and not np.isfinite(found[kept]).any()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_masked_array_has_the_bits_of_what_passes(dtype):
    dy = np.array([1.5, -2.5, -0.0, np.inf, np.nan, 0.0], dtype)
    whole, none = masked(dy, np.ones(6, bool)), masked(dy, np.zeros(6, bool))
    assert (whole.dtype, whole.tobytes(), none.tobytes()) == (dtype, dy.tobytes(), bytes(dy.nbytes))
    out = np.full((6, 2), 7, dtype)
    masked(dy, dy > 0, out=out[:, 1])
    assert (out[:, 0] == 7).all() and out[:, 1].tolist() == [1.5, 0, 0, np.inf, 0, 0]


@pytest.mark.parametrize("place", GPUS)
def test_masks_on_a_gpu(place):
    with at(place):
        x = Tensor(np.array([-1.0, 4.0])).to("gpu")
        x = Tensor(x.data, requires_grad=True)
        ops.log(ops.relu(x)).backward(Tensor(np.ones(2)).to("gpu").data)
        assert x.grad.get().tolist() == [0.0, 0.25]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "rectifier",
    [
        ops.relu,
        lambda x: ops.maximum(x, 0.0),
        lambda x: ops.maximum(0.0, x),
        lambda x: ops.minimum(x, 9.0),
        lambda x: ops.minimum(9.0, x),
        lambda x: convolution_relu(x.reshape(1, 3, 1), np.ones((1, 1, 1), x.dtype)).reshape(3),
        lambda x: batch_norm_relu(
            x.reshape(3, 1),
            np.ones(1),
            np.zeros(1),
            (np.zeros(1), np.ones(1)),
            epsilon=0.0,
            fixed=True,
        ).reshape(3),
    ],
    ids=[
        "relu",
        "maximum",
        "maximum b",
        "minimum",
        "minimum b",
        "convolution_relu",
        "batch_norm_relu",
    ],
)
def test_a_nan_passes_the_gradient_on(rectifier, dtype):
    """A gradient of 0 would hide that the forward pass went wrong."""
    x = np.array([np.nan, 4.0, 3.0], dtype)
    assert gradient(rectifier, x).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("place", GPUS)
def test_a_nan_passes_the_gradient_on_in_the_kernel_of_a_gpu(place):
    """A 3x3 convolution with a ReLU of one NaN: every output reads it, and so every number has a
    gradient."""
    with at(place):
        numbers = np.ones((1, 3, 3, 1), np.float32)
        numbers[0, 1, 1] = np.nan
        x, w = (
            Tensor(Tensor(a).to("gpu").data, requires_grad=True)
            for a in (numbers, np.ones((3, 3, 1, 1), np.float32))
        )
        y = by("winograd", convolution_relu)(x, w, padding=1)
        y.backward(Tensor(np.ones(y.shape, np.float32)).to("gpu").data)
        wanted = np.array([[4, 6, 4], [6, 9, 6], [4, 6, 4]])
        np.testing.assert_allclose(x.grad.get()[0, ..., 0], wanted, rtol=1e-4)
