"""Empty batches: N = 0 pictures, points or rows.

Every op and loss gives the result of NumPy and PyTorch, an empty array or a sum of 0, with
gradients of 0; or it refuses in one sentence, because a mean or maximum of no numbers is undefined.
"""

import numpy as np
import pytest

from minidl import Tensor, layers, losses, ops
from minidl.backend import current_device, is_array, to_device, to_numpy
from minidl.engine import batch_norm_relu, convolution_relu
from minidl.engine.convolution import ALGORITHMS
from minidl.errors import ShapeError
from minidl.layers.activations import UnitLength
from minidl.layers.verification import Verification
from minidl.losses.content import FACTORS as CONTENT
from minidl.losses.style import FACTORS as STYLE
from minidl.losses.total_variation import FORMS
from tests.algorithms import by
from tests.devices import PLACES, at

NO_LABELS, NO_PAIRS = np.zeros(0, int), np.zeros(0, bool)


def empty(*shape):
    """Return an empty batch of arrays of this shape."""
    return np.zeros((0, *shape))


def ones(*shape):
    return np.ones(shape)


def row(op, *arrays, y=(), **options):
    """Return a row of the table. y: the shape of the result."""
    return op, arrays, options, y


def convolutions(op):
    for algorithm in ALGORITHMS:
        groups, w = (2, ones(3, 3, 1, 2)) if algorithm == "depthwise" else (1, ones(3, 3, 2, 2))
        name, op_by = f"{op.__name__} {algorithm}", by(algorithm, op)
        yield name, row(op_by, empty(6, 6, 2), w, ones(2), y=(0, 4, 4, 2), groups=groups)


UNARY = (
    "relu", "leaky_relu", "sigmoid", "tanh", "erf", "softplus", "elu", "silu", "gelu", "softmax",
    "negative", "exp", "log", "sqrt", "absolute", "l2_normalize", "log_softmax", "expm1", "log1p",
    "sin", "cos",
)  # fmt: skip
BINARY = (
    "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "chi_square", "clip",
)  # fmt: skip
REDUCTIONS = ("min", "argmax", "argmin", "var", "std", "logsumexp")
STYLES_OF_FEATURES = (
    "moments_loss", "wasserstein_loss", "histogram_loss", "nearest_loss", "patch_loss",
)  # fmt: skip
MOMENTS = {"given": (np.zeros(3), np.ones(3)), "fixed": True}
NO_POSITIONS = {"rows": empty(2, 5), "columns": empty(2, 5)}
GIVE_EMPTY_OR_0 = {
    **dict(convolutions(ops.convolution)),
    **dict(convolutions(convolution_relu)),
    "convolution, 1-D": row(ops.convolution, empty(9, 2), ones(3, 2, 4), ones(4), y=(0, 7, 4)),
    "convolution, large": row(
        ops.convolution, empty(64, 64, 32), ones(3, 3, 32, 32), y=(0, 62, 62, 32)
    ),
    "transposed_convolution": row(
        ops.transposed_convolution,
        empty(3, 3, 2),
        ones(2, 2, 4, 2),
        ones(4),
        y=(0, 6, 6, 4),
        stride=2,
    ),
    "max_pool": row(ops.max_pool, empty(6, 6, 2), window=2, y=(0, 3, 3, 2)),
    "max_pool, overlapping": row(ops.max_pool, empty(6, 6, 2), window=3, stride=1, y=(0, 4, 4, 2)),
    "max_pool, no channels": row(ops.max_pool, ones(1, 6, 6, 0), window=2, y=(1, 3, 3, 0)),
    "avg_pool": row(ops.avg_pool, empty(6, 6, 2), window=2, y=(0, 3, 3, 2)),
    "avg_pool, overlapping": row(
        ops.avg_pool, empty(6, 6, 2), window=3, stride=1, ceil=True, y=(0, 4, 4, 2)
    ),
    "adaptive_max_pool": row(ops.adaptive_max_pool, empty(5, 4, 2), size=(3, 2), y=(0, 3, 2, 2)),
    "adaptive_max_pool, equal bins": row(ops.adaptive_max_pool, empty(4, 2), size=2, y=(0, 2, 2)),
    "adaptive_max_pool, one bin": row(ops.adaptive_max_pool, empty(4, 2), size=1, y=(0, 1, 2)),
    "adaptive_avg_pool": row(ops.adaptive_avg_pool, empty(5, 4, 2), size=(3, 2), y=(0, 3, 2, 2)),
    "adaptive_avg_pool, no channels": row(
        ops.adaptive_avg_pool, ones(1, 5, 0), size=2, y=(1, 2, 0)
    ),
    **{
        f"upsample {method}": row(
            ops.upsample, empty(3, 2, 2), factor=2, method=method, y=(0, 6, 4, 2)
        )
        for method in ("nearest", "nearest-exact", "linear", "cubic")
    },
    "upsample, no channels": row(ops.upsample, ones(1, 3, 0), size=7, y=(1, 7, 0)),
    "batch_norm": row(ops.batch_norm, empty(4, 4, 3), ones(3), ones(3), y=(0, 4, 4, 3), **MOMENTS),
    "batch_norm_relu": row(batch_norm_relu, empty(4, 3), ones(3), ones(3), y=(0, 4, 3), **MOMENTS),
    "group_norm": row(ops.group_norm, empty(4, 4, 6), ones(6), ones(6), groups=2, y=(0, 4, 4, 6)),
    "layer_norm": row(ops.layer_norm, empty(4, 3), ones(3), ones(3), y=(0, 4, 3)),
    "local_response_norm": row(ops.local_response_norm, empty(4, 3), size=2, y=(0, 4, 3)),
    "local_response_norm of no channels": row(
        ops.local_response_norm, ones(2, 0), size=2, y=(2, 0)
    ),
    "embedding": row(ops.embedding, ones(4, 3), indices=NO_LABELS, y=(0, 3)),
    "embedding of no numbers": row(ops.embedding, ones(4, 0), indices=np.array([1]), y=(1, 0)),
    "dropout": row(ops.dropout, empty(3), keep=0.5, seed=0, y=(0, 3)),
    "prelu": row(ops.prelu, empty(3), ones(3), y=(0, 3)),
    **{name: row(getattr(ops, name), empty(3), y=(0, 3)) for name in UNARY},
    **{name: row(getattr(ops, name), empty(3), ones(1, 3), y=(0, 3)) for name in BINARY},
    "matmul": row(ops.matmul, empty(2), ones(2, 3), y=(0, 3)),
    "matmul, batches": row(ops.matmul, empty(4, 2), ones(2, 3), y=(0, 4, 3)),
    "matmul, a vector": row(ops.matmul, empty(2), ones(2), y=(0,)),
    "matmul, empty sums": row(ops.matmul, ones(3, 0), empty(2), y=(3, 2)),
    "sum": row(ops.sum, empty(3)),
    "sum over the batch": row(ops.sum, empty(3), axis=0, y=(3,)),
    "sum of each": row(ops.sum, empty(3), axis=1, y=(0,)),
    "mean of each": row(ops.mean, empty(3), axis=1, y=(0,)),
    "max of each": row(ops.max, empty(3), axis=1, y=(0,)),
    "min of each": row(ops.min, empty(3), axis=1, y=(0,)),
    "prod of each": row(ops.prod, empty(3), axis=1, y=(0,)),
    "var of each": row(ops.var, empty(3), axis=1, y=(0,)),
    "std of each": row(ops.std, empty(3), axis=1, y=(0,)),
    "logsumexp of each": row(ops.logsumexp, empty(3), axis=1, y=(0,)),
    "cumsum": row(ops.cumsum, empty(3), y=(0,)),
    "cumsum along the batch": row(ops.cumsum, empty(3), axis=0, y=(0, 3)),
    "where": row(
        lambda a, b, condition: ops.where(condition, a, b),
        empty(3),
        ones(3),
        y=(0, 3),
        condition=np.zeros((0, 1), bool),
    ),
    "einsum": row(lambda a, b: ops.einsum("ij,jk->ik", a, b), empty(2), ones(2, 4), y=(0, 4)),
    "einsum over the batch": row(lambda a: ops.einsum("ij->j", a), empty(2), y=(2,)),
    "flatten": row(ops.flatten, empty(3, 2), start=1, y=(0, 6)),
    "squeeze": row(ops.squeeze, empty(1, 3), y=(0, 3)),
    "expand_dims": row(ops.expand_dims, empty(3), axis=1, y=(0, 1, 3)),
    "stack": row(lambda a, b: ops.stack([a, b]), empty(3), empty(3), y=(2, 0, 3)),
    "split": row(lambda a: ops.split(a, 3, axis=1)[2], empty(3), y=(0, 1)),
    "split of no rows": row(lambda a: ops.split(a, [0])[0], ones(2), y=(0,)),
    "repeat": row(ops.repeat, empty(3), repeats=2, axis=1, y=(0, 6)),
    "repeat no times": row(ops.repeat, ones(2, 3), repeats=0, axis=0, y=(0, 3)),
    "repeat each no times": row(ops.repeat, ones(2, 3), repeats=[0, 0], axis=0, y=(0, 3)),
    "tile": row(ops.tile, empty(3), counts=2, y=(0, 6)),
    "tile no times": row(ops.tile, ones(3), counts=(0, 2), y=(0, 6)),
    "reshape": row(ops.reshape, empty(2, 3), shape=(0, 6), y=(0, 6)),
    "transpose": row(ops.transpose, empty(3), y=(3, 0)),
    "concatenate": row(lambda a, b: ops.concatenate([a, b]), empty(2), empty(2), y=(0, 2)),
    "index": row(ops.index, empty(3), key=slice(2), y=(0, 3)),
    "index of no rows": row(ops.index, ones(2, 3), key=np.zeros(0, int), y=(0, 3)),
    "pad": row(ops.pad, empty(3), width=[(1, 0), (0, 0)], y=(1, 3)),
    "broadcast_to": row(ops.broadcast_to, ones(1, 1), shape=(0, 4), y=(0, 4)),
    "resample": row(ops.resample, empty(3, 3, 2), **NO_POSITIONS, y=(0, 2, 5, 2)),
    "resample at no positions": row(
        ops.resample, ones(1, 3, 3, 2), rows=ones(1, 0, 2), columns=ones(1, 0, 2), y=(1, 0, 2, 2)
    ),
    "cosine_similarity": row(ops.cosine_similarity, empty(3), empty(3), y=(0,)),
    "pairwise_distances": row(ops.pairwise_distances, empty(3), ones(2, 3), y=(0, 2)),
    "pairwise_distances to none": row(ops.pairwise_distances, ones(2, 3), empty(3), y=(2, 0)),
    "gram_matrix": row(losses.gram_matrix, empty(2, 2, 3), y=(0, 3, 3)),
    "gram_loss": row(losses.gram_loss, empty(3, 3), empty(3, 3)),
    "guided_gram_matrix": row(
        losses.guided_gram_matrix, empty(2, 2, 3), guide=empty(2, 2), y=(0, 3, 3)
    ),
    "deviation_loss": row(
        losses.deviation_loss, empty(3), empty(3), target_mean=empty(3), target_deviation=empty(3)
    ),
    **{
        f"style_loss {name}": row(
            losses.style_loss, empty(2, 2, 3), empty(4, 2, 3), normalization=name
        )
        for name in STYLE
        if name != "positions_mean"
    },
    **{
        f"total_variation {name}": row(losses.total_variation, empty(3, 3, 3), normalization=name)
        for name in FORMS
        if name not in ("mean_squares", "nine_point")
    },
    **{
        f"{name}, {reduction}": row(
            getattr(losses, name), empty(3), empty(3), reduction=reduction, y=shape
        )
        for name in ("mse_loss", "l1_loss", "huber_loss", "sigmoid_cross_entropy")
        for reduction, shape in (("sum", ()), ("none", (0, 3)))
    },
    "softmax_cross_entropy, sum": row(
        losses.softmax_cross_entropy, empty(3), labels=NO_LABELS, reduction="sum"
    ),
    "softmax_cross_entropy, none": row(
        losses.softmax_cross_entropy, empty(3), labels=NO_LABELS, reduction="none", y=(0,)
    ),
    "softmax_cross_entropy of probabilities": row(
        losses.softmax_cross_entropy, empty(3), empty(3), reduction="sum"
    ),
    **{
        f"triplet_loss {name}": row(
            losses.triplet_loss, empty(3), empty(3), empty(3), reduction=name
        )
        for name in ("sum", "mean", "mean_active")
    },
}
ARE_REFUSED = {
    "batch_norm": row(ops.batch_norm, empty(4, 4, 3), ones(3), ones(3)),
    "batch_norm_relu": row(batch_norm_relu, empty(3), ones(3), ones(3)),
    "group_norm of no positions": row(ops.group_norm, ones(1, 0, 6), groups=2),
    "layer_norm of no numbers": row(ops.layer_norm, ones(4, 0)),
    "moments": row(ops.normalization.moments, empty(3)),
    "mean": row(ops.mean, empty(3)),
    "mean over the batch": row(ops.mean, empty(3), axis=0),
    "max": row(ops.max, empty(3)),
    "max over the batch": row(ops.max, empty(3), axis=0),
    **{f"{name} over the batch": row(getattr(ops, name), empty(3), axis=0) for name in REDUCTIONS},
    "adaptive_max_pool of no positions": row(ops.adaptive_max_pool, ones(1, 0, 3, 2), size=2),
    "upsample of no positions": row(ops.upsample, ones(1, 0, 3, 2), size=2),
    "resample of no pixels": row(
        ops.resample, ones(1, 0, 3, 2), rows=ones(1, 2, 2), columns=ones(1, 2, 2)
    ),
    **{
        f"content_loss {name}": row(
            losses.content_loss, empty(2, 2, 3), empty(2, 2, 3), normalization=name
        )
        for name in CONTENT
    },
    "gram_matrix of no positions": row(losses.gram_matrix, ones(1, 0, 2, 3)),
    "style_loss": row(
        losses.style_loss, empty(2, 2, 3), empty(2, 2, 3), normalization="positions_mean"
    ),
    **{
        name: row(getattr(losses, name), empty(4, 4, 3), style=empty(4, 4, 3))
        for name in STYLES_OF_FEATURES
    },
    "gaussian_loss": row(
        losses.gaussian_loss, empty(3), empty(3, 3), target_mean=empty(3), target_root=empty(3, 3)
    ),
    "histogram_loss of sorted numbers": row(
        losses.histogram_loss, empty(4, 4, 3), style=empty(9, 3)
    ),
    "total_variation mean_squares": row(
        losses.total_variation, empty(3, 3, 3), normalization="mean_squares"
    ),
    "total_variation nine_point": row(
        losses.total_variation, empty(3, 3, 3), normalization="nine_point"
    ),
    "softmax_cross_entropy": row(losses.softmax_cross_entropy, empty(3), labels=NO_LABELS),
    "softmax_cross_entropy of no classes": row(
        losses.softmax_cross_entropy, ones(2, 0), labels=np.zeros(2, int), reduction="sum"
    ),
    **{
        name: row(getattr(losses, name), empty(3), empty(3))
        for name in ("mse_loss", "l1_loss", "huber_loss", "sigmoid_cross_entropy")
    },
    "siamese_energy_loss": row(losses.siamese_energy_loss, empty(3), empty(3), same=NO_PAIRS),
    "contrastive_loss": row(losses.contrastive_loss, empty(3), empty(3), same=NO_PAIRS),
}


def placed(value):
    """Return the value with its arrays on the current device."""
    if isinstance(value, tuple):
        return tuple(map(placed, value))
    return to_device(value, current_device()) if is_array(value) else value


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", GIVE_EMPTY_OR_0)
def test_empty_batches_give_empty_results_or_0(name, place):
    op, arrays, options, shape = GIVE_EMPTY_OR_0[name]
    with at(place):
        leaves = [Tensor(placed(array), requires_grad=True) for array in arrays]
        y = op(*leaves, **{key: placed(value) for key, value in options.items()})
        assert y.shape == shape
        assert not to_numpy(y.data).any()
        y.backward(y.data + 1)
        for array, leaf in zip(arrays, leaves, strict=True):
            assert leaf.grad.shape == array.shape
            assert not to_numpy(leaf.grad).any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ARE_REFUSED)
def test_undefined_results_of_empty_batches_are_errors(name, place):
    op, arrays, options, _ = ARE_REFUSED[name]
    with at(place):
        arrays = placed(arrays)
        options = {key: placed(value) for key, value in options.items()}
        with pytest.raises(ShapeError):
            op(*arrays, **options)


def test_every_op_and_loss_is_in_the_tables():
    names = {name.split(" ")[0].rstrip(",") for name in (*GIVE_EMPTY_OR_0, *ARE_REFUSED)}
    missing = {*ops.__all__, *losses.__all__} - names
    assert not missing, f"add what an empty batch gives to one of the tables above: {missing}"


def kernel(*shape):
    return np.ones(shape, np.float32)


SEPARABLE = layers.SeparableConvolution(kernel(3, 3, 1, 2), kernel(1, 1, 2, 4), kernel(4))
SEQUENTIAL = layers.Sequential(
    layers.Convolution(kernel(3, 3, 2, 4)), layers.ReLU(), layers.Flatten()
)
LAYERS = [  # (layer, shape of an input, shape of its output)
    (layers.Convolution(kernel(3, 3, 2, 4), padding="same"), (6, 6, 2), (6, 6, 4)),
    (SEPARABLE, (6, 6, 2), (4, 4, 4)),
    (layers.Dense(kernel(3, 5), kernel(5)), (3,), (5,)),
    (layers.BatchNorm(3).train(False), (4, 4, 3), (4, 4, 3)),
    (layers.Dropout(0.5), (3,), (3,)),
    (layers.MaxPool(2), (6, 6, 2), (3, 3, 2)),
    (layers.AvgPool(2), (6, 6, 2), (3, 3, 2)),
    (layers.TransposedConvolution(kernel(2, 2, 3, 2), stride=2), (4, 4, 2), (8, 8, 3)),
    (layers.Pad(1, "reflect"), (4, 4, 2), (6, 6, 2)),
    (layers.Upsample(2), (4, 4, 2), (8, 8, 2)),
    (layers.AdaptiveMaxPool(3), (4, 4, 2), (3, 3, 2)),
    (layers.AdaptiveAvgPool(3), (4, 4, 2), (3, 3, 2)),
    (layers.GlobalMaxPool(), (4, 4, 2), (2,)),
    (layers.GlobalAvgPool(), (4, 4, 2), (2,)),
    (layers.Flatten(), (2, 3), (6,)),
    (layers.ReLU(), (3,), (3,)),
    (layers.LeakyReLU(), (3,), (3,)),
    (layers.PReLU(3), (3,), (3,)),
    (layers.ELU(), (3,), (3,)),
    (layers.Softplus(), (3,), (3,)),
    (layers.SiLU(), (3,), (3,)),
    (layers.GELU(), (3,), (3,)),
    (layers.Sigmoid(), (3,), (3,)),
    (layers.Tanh(), (3,), (3,)),
    (layers.Softmax(), (3,), (3,)),
    (UnitLength(), (3,), (3,)),
    (SEQUENTIAL, (6, 6, 2), (64,)),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("layer", "shape", "wanted"), LAYERS, ids=[type(layer).__name__ for layer, _, _ in LAYERS]
)
def test_layers_accept_an_empty_batch(layer, shape, wanted):
    y = layer(Tensor(np.zeros((0, *shape), np.float32), requires_grad=True))
    assert (y.shape, y.dtype) == ((0, *wanted), np.float32)
    y.sum().backward()


def test_a_verification_head_accepts_no_pairs():
    head = Verification("absolute", 3)
    assert head(empty(3), empty(3)).shape == (0,)


def test_batch_normalization_in_training_says_what_is_missing():
    with pytest.raises(ShapeError, match="at least two numbers of each channel"):
        layers.BatchNorm(3)(empty(3))
