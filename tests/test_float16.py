"""float16: values and gradients equal those of float64, rounded; no sum overflows on the way.

float16 rounds to 11 binary digits, and below 2^-14 to multiples of 2^-24. Numbers above 65504 are
infinite.
"""

import numpy as np
import pytest

from minidl import Tensor, losses, ops
from minidl.backend import is_array, to_device
from minidl.engine import batch_norm_relu
from minidl.layers import BatchNorm
from minidl.losses.content import FACTORS as CONTENT
from minidl.losses.style import FACTORS as STYLE
from minidl.losses.total_variation import FORMS
from minidl.proofs import ROWS
from tests.devices import GPUS, at
from tests.op_table import drawn
from tests.running import in_floats, transformed
from tests.term_sizes import against_float64

EPSILON, SMALLEST, LARGEST = 2.0**-11, 2.0**-24, 65504
ROUNDINGS = 4  # the largest number of roundings in y and in what its gradient reads
rng = np.random.default_rng(0)


def must_be_near(array, wanted, size):
    """Check that each number is within ROUNDINGS roundings of wanted, for terms of the given size.

    A number that is too large for float16 may be infinite.
    """
    assert array.dtype == np.float16
    numbers, bound = array.astype(float), ROUNDINGS * (EPSILON * size + SMALLEST)
    overflows = (abs(wanted) + bound > LARGEST) & (numbers == np.copysign(np.inf, wanted))
    assert (overflows | (abs(numbers - wanted) <= bound)).all()


ROWS_IN_RANGE = [row for row in ROWS if "tiny" not in row.name]


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("row", ROWS_IN_RANGE, ids=lambda row: row.name)
def test_every_op_equals_float64_rounded(row):
    for number in range(6):
        must_be_rounded(drawn(row, number))


@pytest.mark.thorough
@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("row", ROWS_IN_RANGE, ids=lambda row: row.name)
def test_every_op_equals_float64_rounded_on_a_gpu(row, place):
    with at(place):
        for number in range(2):
            must_be_rounded(transformed(drawn(row, number), lambda array: to_device(array, "gpu")))


def must_be_rounded(case):
    for result, wanted, size in against_float64(case, np.float16):
        must_be_near(np.asarray(result), wanted, size)


# ---- large arrays of large numbers ---------------------------------------------------------------


def features(*shape, largest=100.0, least=0.0):
    return rng.uniform(least, largest, shape)


def maps(**bounds):
    return features(1, 64, 64, 128, **bounds)


def weights(*shape):
    return rng.standard_normal(shape) / 8


def scale_and_shift():
    return {"gamma": 1 + weights(128), "beta": weights(128)}


def alternating(n):
    return np.arange(n) % 2 == 0


def triplets():
    return {name: features(64, 512) for name in ("anchor", "positive", "negative")}


LARGE = {  # name -> (op, function that makes its arrays, options)
    "convolution": (
        ops.convolution, lambda: {"x": maps(), "w": weights(3, 3, 128, 4) / 8, "b": weights(4)}, {},
    ),
    "convolution 1x1": (
        ops.convolution, lambda: {"x": maps(), "w": weights(1, 1, 128, 4) / 8}, {},
    ),
    "convolution with stride": (
        ops.convolution, lambda: {"x": maps(), "w": weights(4, 4, 128, 4) / 8}, {"stride": 3},
    ),
    "convolution of each channel": (
        ops.convolution, lambda: {"x": maps(), "w": weights(7, 7, 1, 128)}, {"groups": 128},
    ),
    "max_pool": (ops.max_pool, lambda: {"x": maps(least=-100.0)}, {"window": 5, "stride": 1}),
    "avg_pool": (ops.avg_pool, lambda: {"x": maps()}, {"window": 32}),
    "avg_pool of all": (ops.avg_pool, lambda: {"x": maps()}, {"window": 64}),
    "batch_norm": (
        ops.batch_norm, lambda: {"x": maps(largest=1000.0), **scale_and_shift()}, {},
    ),
    "batch_norm_relu": (batch_norm_relu, lambda: {"x": maps(), **scale_and_shift()}, {}),
    "group_norm": (
        ops.group_norm, lambda: {"x": maps(largest=1000.0), **scale_and_shift()}, {"groups": 4},
    ),
    "layer_norm": (
        ops.layer_norm, lambda: {"x": features(16, 128, largest=1000.0), **scale_and_shift()}, {},
    ),
    "local_response_norm": (
        ops.local_response_norm, lambda: {"x": features(2, 8, 96)}, {"size": 5, "alpha": 0.5},
    ),
    "embedding": (
        ops.embedding, lambda: {"w": features(4, 8)},
        {"indices": np.array([0] * 3000 + [1])},
    ),
    "softmax": (ops.softmax, lambda: {"x": weights(16, 4096)}, {}),
    "softmax over the first axis": (ops.softmax, lambda: {"x": weights(4096, 16)}, {"axis": 0}),
    "sum": (ops.sum, lambda: {"x": features(4096, 16, largest=10.0)}, {"axis": 0}),
    "sum of ones": (ops.sum, lambda: {"x": np.ones((8000, 3))}, {"axis": 0}),
    "mean": (ops.mean, lambda: {"x": maps()}, {}),
    "broadcast add": (ops.add, lambda: {"a": features(4096, 16), "b": weights(16)}, {}),
    "broadcast multiply": (
        ops.multiply, lambda: {"a": features(4096, 16, largest=1.0), "b": weights(16)}, {},
    ),
    "divide": (
        ops.divide,
        lambda: {"a": features(4096, least=50.0), "b": features(4096, largest=1.0, least=0.01)}, {},
    ),
    "matmul": (
        ops.matmul, lambda: {"a": features(4096, 64, largest=10.0), "b": weights(64, 16)}, {},
    ),
    "index": (ops.index, lambda: {"x": features(4, 8)}, {"key": [0] * 3000 + [1]}),
    "resample": (
        ops.resample, lambda: {"x": features(1, 2, 2, 3)},
        {"rows": np.zeros((1, 60, 50)), "columns": np.full((1, 60, 50), 0.5)},
    ),
    "l2_normalize": (ops.l2_normalize, lambda: {"x": features(2, 100_000)}, {}),
    "cosine_similarity": (
        ops.cosine_similarity, lambda: {"a": features(2, 10_000), "b": features(2, 10_000)}, {},
    ),
    "pairwise_distances": (
        ops.pairwise_distances, lambda: {"a": features(100, 512), "b": features(90, 512)}, {},
    ),
    "pairwise_distances squared": (
        ops.pairwise_distances, lambda: {"a": features(100, 512, largest=4.0)}, {"squared": True},
    ),
    "gram_matrix": (
        losses.gram_matrix, lambda: {"features": maps()}, {"normalization": "positions"},
    ),
    "gram_loss": (
        losses.gram_loss, lambda: {"G": features(1, 128, 128), "A": features(1, 128, 128)},
        {"factor": 1e-4},
    ),
    **{
        f"content {name}": (
            losses.content_loss, lambda: {"generated": maps(), "content": maps()},
            {"normalization": name},
        )
        for name in CONTENT
    },
    **{
        f"style {name}": (
            losses.style_loss, lambda: {"generated": maps(), "style": maps()},
            {"normalization": name},
        )
        for name in STYLE
    },
    "style, a Gram matrix": (
        losses.style_loss,
        lambda: {"generated": maps(), "style": features(1, 128, 128, largest=4000.0)}, {},
    ),
    "guided_gram_matrix": (
        losses.guided_gram_matrix, lambda: {"features": maps()},
        {"guide": np.linspace(0.1, 1, 64 * 64).reshape(1, 64, 64)},
    ),
    "deviation_loss": (
        losses.deviation_loss,
        lambda: {"m": features(1, 512), "q": features(1, 512, least=2e4, largest=6e4)},
        {"target_mean": features(1, 512), "target_deviation": features(1, 512, least=50.0)},
    ),
    "histogram_loss": (
        losses.histogram_loss, lambda: {"generated": maps()}, {"style": maps(least=50.0)},
    ),
    **{
        f"total variation {name}": (
            losses.total_variation, lambda: {"image": features(1, 200, 200, 3, largest=255.0)},
            {"normalization": name},
        )
        for name in FORMS
    },
    "mse_loss": (
        losses.mse_loss, lambda: {"predictions": maps(), "targets": maps()}, {},
    ),
    "huber_loss": (
        losses.huber_loss, lambda: {"predictions": maps(), "targets": maps()}, {"delta": 20.0},
    ),
    "softmax_cross_entropy with weights": (
        losses.softmax_cross_entropy, lambda: {"logits": features(512, 100, largest=20.0)},
        {"labels": np.arange(512) % 100, "weights": np.linspace(0.5, 2, 100), "smoothing": 0.1},
    ),
    "softmax_cross_entropy": (
        losses.softmax_cross_entropy, lambda: {"logits": features(512, 1000, largest=20.0)},
        {"labels": np.arange(512)},
    ),
    "sigmoid_cross_entropy": (
        losses.sigmoid_cross_entropy,
        lambda: {
            "logits": features(100_000, least=-100.0),
            "targets": rng.integers(0, 2, 100_000).astype(float),
        }, {},
    ),
    "siamese_energy_loss": (
        losses.siamese_energy_loss, lambda: {"a": features(64, 512), "b": features(64, 512)},
        {"same": alternating(64), "q": 5000.0},
    ),
    "contrastive_loss": (
        losses.contrastive_loss,
        lambda: {"a": features(64, 512, largest=9.0), "b": features(64, 512, largest=9.0)},
        {"same": alternating(64), "margin": 200.0},
    ),
    "triplet_loss squared": (
        losses.triplet_loss, triplets, {"reduction": "mean", "squared": True},
    ),
    "triplet_loss": (
        losses.triplet_loss, triplets, {"reduction": "mean_active", "squared": False},
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("name", LARGE)
def test_large_sums_equal_float64_rounded(name):
    op, arrays, options = LARGE[name]
    narrow = {key: array.astype(np.float16) for key, array in arrays().items()}
    cast = in_floats(np.float16)
    options = {key: cast(value) if is_array(value) else value for key, value in options.items()}
    results, all_wanted = (differentiated(op, narrow, options, t) for t in (np.float16, np.float64))
    for result, wanted in zip(results, all_wanted, strict=True):
        assert np.isfinite(wanted).all()
        must_be_near(result, wanted, abs(wanted).max())


def differentiated(op, arrays, options, dtype):
    """Return y and the gradients for a cotangent of 1, or of random float16 if y is an array."""
    leaves = [Tensor(array.astype(dtype), requires_grad=True) for array in arrays.values()]
    y = op(**dict(zip(arrays, leaves, strict=True)), **options)
    dy = np.random.default_rng(1).standard_normal(y.shape) if y.ndim else 1.0
    dy = np.asarray(dy, np.float16)
    y.backward(dy.astype(dtype))
    return [np.asarray(y.data), *(leaf.grad for leaf in leaves)]


def test_float16_with_a_wider_dtype_gives_the_wider_dtype():
    for dtype in (np.float32, np.float64):
        y = losses.content_loss(np.ones((1, 2, 2, 3), np.float16), np.zeros((1, 2, 2, 3), dtype))
        assert y.dtype == dtype


def test_batch_norm_normalizes_float16_with_a_variance_beyond_its_range():
    x = features(64, 8, largest=2000.0, least=-2000.0).astype(np.float16)
    norm = BatchNorm(8)
    y = norm(x).data.astype(float)
    np.testing.assert_allclose(y.std(axis=0), 1, rtol=2 * EPSILON)
    variance = x.astype(float).var(axis=0, ddof=1)
    np.testing.assert_allclose(norm.variance, 0.9 + 0.1 * variance, rtol=1e-5)


def test_the_running_moments_of_a_float16_layer_are_float32():
    """In float16 a running variance above 65504 would be infinite, and every y after training β."""
    x = (rng.standard_normal((64, 1)) * 2000).astype(np.float16)
    layer = BatchNorm(1, dtype=np.float16, momentum=0.0)
    layer(x)
    assert layer.mean.dtype == layer.variance.dtype == np.float32
    assert layer.gamma.dtype == np.float16
    np.testing.assert_allclose(layer.variance, x.astype(float).var(ddof=1), rtol=1e-5)
    y = layer.train(False)(x).data
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.std(dtype=float, ddof=1), 1, rtol=2e-3)
