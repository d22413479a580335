"""Empty batches: N = 0 pictures, points or rows.

Every op and loss gives what NumPy and PyTorch give, an empty array or a sum of 0, with gradients of
0; or it says in one sentence that a mean or maximum of no numbers is undefined.
"""

from contextlib import nullcontext

import numpy as np
import pytest

from minidl import Tensor, layers, losses, ops
from minidl.backend import is_array, to_device, to_numpy
from minidl.engine import batch_norm_relu, convolution_relu
from minidl.engine.convolution import ALGORITHMS
from minidl.errors import ShapeError
from minidl.layers.activations import UnitLength
from minidl.layers.verification import Verification
from minidl.losses.content import FACTORS as CONTENT
from minidl.losses.style import FACTORS as STYLE
from minidl.losses.total_variation import FORMS
from tests.algorithms import by
from tests.devices import GPUS, at

PLACES = ["numpy", *GPUS]
NO_LABELS, NO_PAIRS = np.zeros(0, int), np.zeros(0, bool)


def none(*shape):
    return np.zeros((0, *shape))


def some(*shape):
    return np.ones(shape)


def row(op, *arrays, y=(), **options):
    """y: the shape of the result"""
    return op, arrays, options, y


def convolutions(op):
    for algorithm in ALGORITHMS:
        groups, w = (2, some(3, 3, 1, 2)) if algorithm == "depthwise" else (1, some(3, 3, 2, 2))
        yield (
            f"{op.__name__} {algorithm}",
            row(by(algorithm, op), none(6, 6, 2), w, some(2), y=(0, 4, 4, 2), groups=groups),
        )


MOMENTS = np.zeros(3), np.ones(3)
PLACES_OF_NONE = {"rows": none(2, 5), "columns": none(2, 5)}
GIVE_NOTHING_OR_0 = {
    **dict(convolutions(ops.convolution)),
    **dict(convolutions(convolution_relu)),
    "convolution, 1-D": row(ops.convolution, none(9, 2), some(3, 2, 4), some(4), y=(0, 7, 4)),
    "convolution, large": row(ops.convolution, none(64, 64, 32), some(3, 3, 32, 32), y=(0, 62, 62, 32)),
    "max_pool": row(ops.max_pool, none(6, 6, 2), window=2, y=(0, 3, 3, 2)),
    "max_pool, overlapping": row(ops.max_pool, none(6, 6, 2), window=3, stride=1, y=(0, 4, 4, 2)),
    "max_pool, no channels": row(ops.max_pool, some(1, 6, 6, 0), window=2, y=(1, 3, 3, 0)),
    "avg_pool": row(ops.avg_pool, none(6, 6, 2), window=2, y=(0, 3, 3, 2)),
    "avg_pool, overlapping": row(ops.avg_pool, none(6, 6, 2), window=3, stride=1, ceil=True, y=(0, 4, 4, 2)),
    "batch_norm": row(ops.batch_norm, none(4, 4, 3), some(3), some(3), given=MOMENTS, fixed=True, y=(0, 4, 4, 3)),
    "batch_norm_relu": row(batch_norm_relu, none(4, 3), some(3), some(3), given=MOMENTS, fixed=True, y=(0, 4, 3)),
    "dropout": row(ops.dropout, none(3), keep=0.5, seed=0, y=(0, 3)),
    **{
        name: row(getattr(ops, name), none(3), y=(0, 3))
        for name in (
            "relu", "leaky_relu", "sigmoid", "tanh", "softmax", "negative", "exp", "log", "sqrt", "absolute", "l2_normalize",
        )
    },
    "power": row(ops.power, none(3), exponent=2, y=(0, 3)),
    **{
        name: row(getattr(ops, name), none(3), some(1, 3), y=(0, 3))
        for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum", "chi_square")
    },
    "matmul": row(ops.matmul, none(2), some(2, 3), y=(0, 3)),
    "matmul, batches": row(ops.matmul, none(4, 2), some(2, 3), y=(0, 4, 3)),
    "matmul, a vector": row(ops.matmul, none(2), some(2), y=(0,)),
    "matmul, nothing to add": row(ops.matmul, some(3, 0), none(2), y=(3, 2)),
    "sum": row(ops.sum, none(3)),
    "sum over the batch": row(ops.sum, none(3), axis=0, y=(3,)),
    "sum of each": row(ops.sum, none(3), axis=1, y=(0,)),
    "mean of each": row(ops.mean, none(3), axis=1, y=(0,)),
    "max of each": row(ops.max, none(3), axis=1, y=(0,)),
    "reshape": row(ops.reshape, none(2, 3), shape=(0, 6), y=(0, 6)),
    "transpose": row(ops.transpose, none(3), y=(3, 0)),
    "concatenate": row(lambda a, b: ops.concatenate([a, b]), none(2), none(2), y=(0, 2)),
    "index": row(ops.index, none(3), key=slice(2), y=(0, 3)),
    "index of nothing": row(ops.index, some(2, 3), key=np.zeros(0, int), y=(0, 3)),
    "pad": row(ops.pad, none(3), width=[(1, 0), (0, 0)], y=(1, 3)),
    "broadcast_to": row(ops.broadcast_to, some(1, 1), shape=(0, 4), y=(0, 4)),
    "resample": row(ops.resample, none(3, 3, 2), **PLACES_OF_NONE, y=(0, 2, 5, 2)),
    "resample at no places": row(ops.resample, some(1, 3, 3, 2), rows=some(1, 0, 2), columns=some(1, 0, 2), y=(1, 0, 2, 2)),
    "cosine_similarity": row(ops.cosine_similarity, none(3), none(3), y=(0,)),
    "pairwise_distances": row(ops.pairwise_distances, none(3), some(2, 3), y=(0, 2)),
    "pairwise_distances to none": row(ops.pairwise_distances, some(2, 3), none(3), y=(2, 0)),
    "gram_matrix": row(losses.gram_matrix, none(2, 2, 3), y=(0, 3, 3)),
    "gram_loss": row(losses.gram_loss, none(3, 3), none(3, 3)),
    **{
        f"style_loss {name}": row(losses.style_loss, none(2, 2, 3), none(4, 2, 3), normalization=name)
        for name in STYLE if name != "positions_mean"
    },
    **{
        f"total_variation {name}": row(losses.total_variation, none(3, 3, 3), normalization=name)
        for name in FORMS if name not in ("mean_squares", "nine_point")
    },
    **{
        f"triplet_loss {name}": row(losses.triplet_loss, none(3), none(3), none(3), reduction=name)
        for name in ("sum", "mean", "mean_active")
    },
}  # fmt: skip
ARE_REFUSED = {
    "batch_norm": row(ops.batch_norm, none(4, 4, 3), some(3), some(3)),
    "batch_norm_relu": row(batch_norm_relu, none(3), some(3), some(3)),
    "moments": row(ops.normalization.moments, none(3)),
    "mean": row(ops.mean, none(3)),
    "mean over the batch": row(ops.mean, none(3), axis=0),
    "max": row(ops.max, none(3)),
    "max over the batch": row(ops.max, none(3), axis=0),
    "resample of no pixels": row(
        ops.resample, some(1, 0, 3, 2), rows=some(1, 2, 2), columns=some(1, 2, 2)
    ),
    **{
        f"content_loss {name}": row(
            losses.content_loss, none(2, 2, 3), none(2, 2, 3), normalization=name
        )
        for name in CONTENT
    },
    "gram_matrix of no positions": row(losses.gram_matrix, some(1, 0, 2, 3)),
    "style_loss": row(
        losses.style_loss, none(2, 2, 3), none(2, 2, 3), normalization="positions_mean"
    ),
    "total_variation mean_squares": row(
        losses.total_variation, none(3, 3, 3), normalization="mean_squares"
    ),
    "total_variation nine_point": row(
        losses.total_variation, none(3, 3, 3), normalization="nine_point"
    ),
    "softmax_cross_entropy": row(losses.softmax_cross_entropy, none(3), labels=NO_LABELS),
    "sigmoid_cross_entropy": row(losses.sigmoid_cross_entropy, none(3), none(3)),
    "siamese_energy_loss": row(losses.siamese_energy_loss, none(3), none(3), same=NO_PAIRS),
    "contrastive_loss": row(losses.contrastive_loss, none(3), none(3), same=NO_PAIRS),
}


def placed(value, place):
    if isinstance(value, tuple):
        return tuple(placed(each, place) for each in value)
    return to_device(value, "gpu") if place != "numpy" and is_array(value) else value


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", GIVE_NOTHING_OR_0)
def test_empty_batches_give_empty_results(name, place):
    op, arrays, options, shape = GIVE_NOTHING_OR_0[name]
    with nullcontext() if place == "numpy" else at(place):
        leaves = [Tensor(placed(array, place), requires_grad=True) for array in arrays]
        y = op(*leaves, **{key: placed(value, place) for key, value in options.items()})
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
    with nullcontext() if place == "numpy" else at(place), pytest.raises(ShapeError):
        op(
            *(placed(array, place) for array in arrays),
            **{key: placed(value, place) for key, value in options.items()},
        )


def test_every_op_and_loss_is_covered():
    asked = {name.split(" ")[0].rstrip(",") for name in (*GIVE_NOTHING_OR_0, *ARE_REFUSED)}
    assert asked >= {*ops.__all__, *losses.__all__}


def kernel(*shape):
    return np.ones(shape, np.float32)


LAYERS = [
    (layers.Convolution(kernel(3, 3, 2, 4), padding="same"), (6, 6, 2), (6, 6, 4)),
    (
        layers.SeparableConvolution(kernel(3, 3, 1, 2), kernel(1, 1, 2, 4), kernel(4)),
        (6, 6, 2),
        (4, 4, 4),
    ),
    (layers.Dense(kernel(3, 5), kernel(5)), (3,), (5,)),
    (layers.BatchNorm(3).train(False), (4, 4, 3), (4, 4, 3)),
    (layers.Dropout(0.5), (3,), (3,)),
    (layers.MaxPool(2), (6, 6, 2), (3, 3, 2)),
    (layers.AvgPool(2), (6, 6, 2), (3, 3, 2)),
    (layers.Flatten(), (2, 3), (6,)),
    (layers.ReLU(), (3,), (3,)),
    (layers.LeakyReLU(), (3,), (3,)),
    (UnitLength(), (3,), (3,)),
    (
        layers.Sequential(layers.Convolution(kernel(3, 3, 2, 4)), layers.ReLU(), layers.Flatten()),
        (6, 6, 2),
        (64,),
    ),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("layer", "shape", "wanted"), LAYERS, ids=[type(layer).__name__ for layer, _, _ in LAYERS]
)
def test_layers_take_an_empty_batch(layer, shape, wanted):
    y = layer(Tensor(np.zeros((0, *shape), np.float32), requires_grad=True))
    assert (y.shape, y.dtype) == ((0, *wanted), np.float32)
    y.sum().backward()


def test_a_head_that_verifies_takes_no_pairs():
    head = Verification("absolute", 3)
    assert head(none(3), none(3)).shape == (0,)


def test_batch_normalization_in_training_names_what_is_missing():
    with pytest.raises(ShapeError, match="at least two numbers of each channel"):
        layers.BatchNorm(3)(none(3))
