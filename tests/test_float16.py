"""float16: values and gradients are those of float64, rounded, and sums do not overflow on the way.

A number of float16 is rounded to 11 binary digits, below 2^-14 to multiples of 2^-24; above 65504
it is infinite.
"""

import numpy as np
import pytest

from minidl import Tensor, losses, ops
from minidl.backend import is_array, to_device
from minidl.layers import BatchNorm
from minidl.losses.content import FACTORS as CONTENT
from minidl.losses.style import FACTORS as STYLE
from minidl.losses.total_variation import FORMS
from minidl.proofs import ROWS, RandomChooser, fill
from tests.checks import differentiate, in_floats, sizes, transformed
from tests.devices import GPUS, at
from tests.op_table import Case

HALF, SMALLEST, LARGEST = 2.0**-11, 2.0**-24, 65504
ROUNDINGS = 4  # of y and of what its gradient reads, at most
rng = np.random.default_rng(0)


def must_be_near(found, wanted, size):
    """Within so many roundings of numbers of that size; or infinite where the number is too
    large."""
    assert found.dtype == np.float16
    found, bound = found.astype(float), ROUNDINGS * (HALF * size + SMALLEST)
    overflows = (abs(wanted) + bound > LARGEST) & (found == np.copysign(np.inf, wanted))
    assert (overflows | (abs(found - wanted) <= bound)).all()


ROWS_OF_ITS_RANGE = [row for row in ROWS if "tiny" not in row.name]


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("row", ROWS_OF_ITS_RANGE, ids=lambda row: row.name)
def test_every_op_is_that_of_float64_rounded(row):
    for number in range(6):
        must_be_rounded(Case(row, fill(row, row.draw(RandomChooser([number])), [number]), number))


@pytest.mark.thorough
@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("row", ROWS_OF_ITS_RANGE, ids=lambda row: row.name)
def test_every_op_is_that_of_float64_rounded_on_a_gpu(row, place):
    with at(place):
        for number in range(2):
            case = Case(row, fill(row, row.draw(RandomChooser([number])), [number]), number)
            must_be_rounded(transformed(case, lambda array: to_device(array, "gpu")))


def must_be_rounded(case):
    narrow = transformed(case, in_floats(np.float16))
    wide = transformed(narrow, in_floats(np.float64))
    y, dy, gradients = differentiate(narrow)
    wanted_y, _, wanted = differentiate(wide, dy.astype(np.float64))
    y_size, sizes_ = sizes(wide)
    must_be_near(np.asarray(y), wanted_y, y_size)
    for name, gradient in gradients.items():
        must_be_near(gradient, wanted[name], sizes_[name])


# ---- large arrays of large numbers ---------------------------------------------------------------


def features(*shape, largest=100.0, least=0.0):
    return rng.uniform(least, largest, shape)


def weights(*shape):
    return rng.standard_normal(shape) / 8


def bools(n):
    return np.arange(n) % 2 == 0


SHAPE = (1, 64, 64, 128)
LARGE = {
    "convolution": (ops.convolution, lambda: {"x": features(*SHAPE), "w": weights(3, 3, 128, 4) / 8, "b": weights(4)}, {}),
    "convolution 1x1": (ops.convolution, lambda: {"x": features(*SHAPE), "w": weights(1, 1, 128, 4) / 8}, {}),
    "convolution with stride": (
        ops.convolution, lambda: {"x": features(*SHAPE), "w": weights(4, 4, 128, 4) / 8}, {"stride": 3},
    ),
    "convolution of each channel": (
        ops.convolution, lambda: {"x": features(*SHAPE), "w": weights(7, 7, 1, 128)}, {"groups": 128},
    ),
    "max_pool": (ops.max_pool, lambda: {"x": features(*SHAPE, least=-100.0)}, {"window": 5, "stride": 1}),
    "avg_pool": (ops.avg_pool, lambda: {"x": features(*SHAPE)}, {"window": 32}),
    "avg_pool of all": (ops.avg_pool, lambda: {"x": features(*SHAPE)}, {"window": 64}),
    "batch_norm": (
        ops.batch_norm, lambda: {"x": features(*SHAPE, largest=1000.0), "gamma": 1 + weights(128), "beta": weights(128)}, {},
    ),
    "batch_norm_relu": (
        ops.batch_norm_relu, lambda: {"x": features(*SHAPE), "gamma": 1 + weights(128), "beta": weights(128)}, {},
    ),
    "softmax": (ops.softmax, lambda: {"x": weights(16, 4096)}, {}),
    "softmax over the first axis": (ops.softmax, lambda: {"x": weights(4096, 16)}, {"axis": 0}),
    "sum": (ops.sum, lambda: {"x": features(4096, 16, largest=10.0)}, {"axis": 0}),
    "sum of ones": (ops.sum, lambda: {"x": np.ones((8000, 3))}, {"axis": 0}),
    "mean": (ops.mean, lambda: {"x": features(*SHAPE)}, {}),
    "broadcast add": (ops.add, lambda: {"a": features(4096, 16), "b": weights(16)}, {}),
    "broadcast multiply": (ops.multiply, lambda: {"a": features(4096, 16, largest=1.0), "b": weights(16)}, {}),
    "divide": (ops.divide, lambda: {"a": features(4096, least=50.0), "b": features(4096, largest=1.0, least=0.01)}, {}),
    "matmul": (ops.matmul, lambda: {"a": features(4096, 64, largest=10.0), "b": weights(64, 16)}, {}),
    "index": (ops.index, lambda: {"x": features(4, 8)}, {"key": [0] * 3000 + [1]}),
    "resample": (
        ops.resample, lambda: {"x": features(1, 2, 2, 3)},
        {"rows": np.zeros((1, 60, 50)), "columns": np.full((1, 60, 50), 0.5)},
    ),
    "l2_normalize": (ops.l2_normalize, lambda: {"x": features(2, 100_000)}, {}),
    "cosine_similarity": (ops.cosine_similarity, lambda: {"a": features(2, 10_000), "b": features(2, 10_000)}, {}),
    "pairwise_distances": (ops.pairwise_distances, lambda: {"a": features(100, 512), "b": features(90, 512)}, {}),
    "pairwise_distances squared": (ops.pairwise_distances, lambda: {"a": features(100, 512, largest=4.0)}, {"squared": True}),
    "gram_matrix": (losses.gram_matrix, lambda: {"features": features(*SHAPE)}, {"normalization": "positions"}),
    "gram_loss": (losses.gram_loss, lambda: {"G": features(1, 128, 128), "A": features(1, 128, 128)}, {"factor": 1e-4}),
    **{
        f"content {name}": (
            losses.content_loss, lambda: {"generated": features(*SHAPE), "content": features(*SHAPE)}, {"normalization": name},
        )
        for name in CONTENT
    },
    **{
        f"style {name}": (
            losses.style_loss, lambda: {"generated": features(*SHAPE), "style": features(*SHAPE)}, {"normalization": name},
        )
        for name in STYLE
    },
    "style, a Gram matrix": (
        losses.style_loss, lambda: {"generated": features(*SHAPE), "style": features(1, 128, 128, largest=4000.0)}, {},
    ),
    **{
        f"total variation {name}": (
            losses.total_variation, lambda: {"image": features(1, 200, 200, 3, largest=255.0)}, {"normalization": name},
        )
        for name in FORMS
    },
    "softmax_cross_entropy": (
        losses.softmax_cross_entropy, lambda: {"logits": features(512, 1000, largest=20.0)}, {"labels": np.arange(512)},
    ),
    "sigmoid_cross_entropy": (
        losses.sigmoid_cross_entropy,
        lambda: {"logits": features(100_000, least=-100.0), "targets": rng.integers(0, 2, 100_000).astype(float)}, {},
    ),
    "siamese_energy_loss": (
        losses.siamese_energy_loss, lambda: {"a": features(64, 512), "b": features(64, 512)}, {"same": bools(64), "q": 5000.0},
    ),
    "contrastive_loss": (
        losses.contrastive_loss, lambda: {"a": features(64, 512, largest=9.0), "b": features(64, 512, largest=9.0)},
        {"same": bools(64), "margin": 200.0},
    ),
    **{
        f"triplet_loss {name}": (
            losses.triplet_loss, lambda: {each: features(64, 512) for each in ("anchor", "positive", "negative")},
            {"reduction": reduction, "squared": squared},
        )
        for name, reduction, squared in (("squared", "mean", True), ("", "mean_active", False))
    },
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("name", LARGE)
def test_large_sums_are_those_of_float64_rounded(name):
    op, arrays, options = LARGE[name]
    narrow = {key: array.astype(np.float16) for key, array in arrays().items()}
    options = {
        key: in_floats(np.float16)(value) if is_array(value) else value
        for key, value in options.items()
    }
    found, wanted = (recorded(op, narrow, options, dtype) for dtype in (np.float16, np.float64))
    for one, other in zip(found, wanted, strict=True):
        assert np.isfinite(other).all()
        must_be_near(one, other, abs(other).max())


def recorded(op, arrays, options, dtype):
    """y and the gradients; the cotangent is 1 for a loss, else random numbers of float16"""
    leaves = [Tensor(array.astype(dtype), requires_grad=True) for array in arrays.values()]
    y = op(**dict(zip(arrays, leaves, strict=True)), **options)
    dy = (
        np.random.default_rng(1).standard_normal(y.shape).astype(np.float16)
        if y.ndim
        else np.float16(1)
    )
    y.backward(np.asarray(dy, dtype))
    return [np.asarray(y.data), *(leaf.grad for leaf in leaves)]


def test_the_sums_of_float32_and_float64_keep_their_dtype_beside_float16():
    for dtype in (np.float32, np.float64):
        y = losses.content_loss(np.ones((1, 2, 2, 3), np.float16), np.zeros((1, 2, 2, 3), dtype))
        assert y.dtype == dtype


def test_a_layer_in_training_normalizes_float16_whose_variance_is_beyond_it():
    x = features(64, 8, largest=2000.0, least=-2000.0).astype(np.float16)
    norm = BatchNorm(8)
    y = norm(x).data.astype(float)
    np.testing.assert_allclose(y.std(axis=0), 1, rtol=2 * HALF)
    np.testing.assert_allclose(
        norm.variance, 0.9 + 0.1 * x.astype(float).var(axis=0, ddof=1), rtol=1e-5
    )


def test_the_running_moments_of_a_float16_layer_are_float32():
    """In float16 a running variance above 65504 would be infinite, and every y after training β."""
    layer, x = (
        BatchNorm(1, dtype=np.float16, momentum=0.0),
        (rng.standard_normal((64, 1)) * 2000).astype(np.float16),
    )
    layer(x)
    assert (layer.mean.dtype, layer.variance.dtype, layer.gamma.dtype) == (
        np.float32,
        np.float32,
        np.float16,
    )
    np.testing.assert_allclose(layer.variance, x.astype(float).var(ddof=1), rtol=1e-5)
    y = layer.train(False)(x).data
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.std(dtype=float, ddof=1), 1, rtol=2e-3)
