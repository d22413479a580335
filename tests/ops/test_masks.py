"""A masked gradient is exactly 0, even where dy is infinite or NaN. The product 0·∞ would be
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
RECTIFIERS = {
    "relu": ops.relu,
    "maximum": lambda x: ops.maximum(x, 0.0),
    "convolution_relu": lambda x: convolution_relu(
        x.reshape(1, -1, 1), np.ones((1, 1, 1), x.dtype)
    ).reshape(-1),
    "batch_norm_relu": lambda x: batch_norm_relu(
        x.reshape(-1, 1), np.ones(1), np.zeros(1), (np.zeros(1), np.ones(1)), 0.0, fixed=True
    ).reshape(-1),
}


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
        *(pytest.param(rectifier, id=name) for name, rectifier in RECTIFIERS.items()),
        pytest.param(lambda x: ops.leaky_relu(x, slope=0), id="leaky_relu"),
        pytest.param(lambda x: -ops.minimum(-x, 0.0), id="minimum"),
    ],
)
def test_an_inactive_rectifier_blocks_an_infinite_slope_after_it(inner, outer):
    dx = gradient(lambda x: outer(inner(x)), [-3.0, 4.0])
    assert dx.tolist() == [0.0, gradient(outer, [4.0])[0]]


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
def test_an_inactive_rectifier_blocks_an_infinite_slope_before_it(inner, outer, x, wanted):
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
    with np.errstate(invalid="ignore"):
        assert (ops.power.gradients["dx"](dy, a, 0, a.shape) == 0).all()
        assert (ops.power.gradients["dx"](dy, a, np.zeros(2), a.shape) == 0).all()
    for name, dx in (("max", [[0, bad]]), ("min", [[bad, 0]])):
        gradient = getattr(ops, name).gradients["dx"]
        np.testing.assert_array_equal(gradient(np.array([bad]), a[None], 1, False), dx)
    choice = np.array([True, False])
    assert ops.where.gradients["da"](dy, choice, (2,))[1] == 0
    assert ops.where.gradients["db"](dy, choice, (2,))[0] == 0
    assert ops.clip.gradients["dx"](dy, a, 0.5, None)[0] == 0
    assert ops.clip.gradients["dmin"](dy, a, np.full(2, 0.5), None, (2,))[1] == 0
    assert ops.clip.gradients["dmax"](dy, a, None, np.full(2, 0.5), (2,))[0] == 0


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("algorithm", ["textbook", "im2col", "runs", "winograd", "winograd_runs"])
def test_each_convolution_masks_an_infinite_gradient(bad, algorithm):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((1, 6, 6, 2)), rng.standard_normal((3, 3, 2, 3))
    b = np.array([-100.0, 0.0, 0.0])
    op = by(algorithm, convolution_relu)
    y = op.forward(x, w, b, padding=1)
    clean = rng.standard_normal(y.shape)
    dy = np.where(y > 0, clean, bad)
    options = {"stride": 1, "padding": 1, "dilation": 1, "groups": 1}
    arguments = {
        "dx": {"w": w, "x_shape": x.shape, **options},
        "dw": {"x": x, "w_shape": w.shape, **options},
        "db": {},
    }
    for name, others in arguments.items():
        pull = op.gradients[name]
        np.testing.assert_array_equal(pull(dy, y, **others), pull(clean, y, **others))


@pytest.mark.parametrize("bad", BAD)
def test_all_but_the_maximum_of_a_window_have_a_gradient_of_0(bad):
    for stride, wanted in ((2, [0.0, 1.0, 0.0, 1.0]), (1, [0.0, 2.0, 0.0, 1.0])):
        x = Tensor(np.array([1.0, 3.0, 2.0, 5.0]).reshape(1, 4, 1), requires_grad=True)
        y = ops.max_pool(x, 2, stride=stride)
        y.backward(np.full(y.shape, bad))
        np.testing.assert_array_equal(x.grad.ravel() == 0, np.array(wanted) == 0)


@pytest.mark.parametrize("bad", BAD)
def test_dropped_numbers_and_their_gradients_are_0(bad):
    x = Tensor(np.full(64, bad), requires_grad=True)
    y = Dropout(0.5, seed=1)(x)
    kept = ops.dropout(np.ones(64), 0.5, (1, 1)) > 0
    y.backward(np.full(64, bad))
    for numbers in (y.data, x.grad):
        assert (numbers[~kept] == 0).all() and not np.isfinite(numbers[kept]).any()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_masked_array_keeps_the_bits_where_the_mask_is_true(dtype):
    dy = np.array([1.5, -2.5, -0.0, np.inf, np.nan, 0.0], dtype)
    unmasked, zeros = masked(dy, np.ones(6, bool)), masked(dy, np.zeros(6, bool))
    assert unmasked.dtype == dtype and unmasked.tobytes() == dy.tobytes()
    assert zeros.tobytes() == bytes(dy.nbytes)
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
        *(pytest.param(rectifier, id=name) for name, rectifier in RECTIFIERS.items()),
        pytest.param(lambda x: ops.maximum(0.0, x), id="maximum b"),
        pytest.param(lambda x: ops.minimum(x, 9.0), id="minimum"),
        pytest.param(lambda x: ops.minimum(9.0, x), id="minimum b"),
    ],
)
def test_a_nan_lets_the_gradient_pass(rectifier, dtype):
    """A gradient of 0 would hide that the forward pass went wrong."""
    x = np.array([np.nan, 4.0, 3.0], dtype)
    assert gradient(rectifier, x).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("place", GPUS)
def test_a_nan_lets_the_gradient_pass_in_the_kernel_of_a_gpu(place):
    """Every output of this 3x3 convolution with a ReLU reads the NaN, so every number has a
    gradient."""
    with at(place):
        numbers = np.ones((1, 3, 3, 1), np.float32)
        numbers[0, 1, 1] = np.nan
        x = Tensor(Tensor(numbers).to("gpu").data, requires_grad=True)
        w = Tensor(Tensor(np.ones((3, 3, 1, 1), np.float32)).to("gpu").data, requires_grad=True)
        y = by("winograd", convolution_relu)(x, w, padding=1)
        y.backward(Tensor(np.ones(y.shape, np.float32)).to("gpu").data)
        wanted = np.array([[4, 6, 4], [6, 9, 6], [4, 6, 4]])
        np.testing.assert_allclose(x.grad.get()[0, ..., 0], wanted, rtol=1e-4)
