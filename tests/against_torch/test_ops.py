"""The same ops in PyTorch: values and all gradients, on the geometries of the table, as far as
PyTorch has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import Tensor, engine, ops
from minidl.engine.convolution import ALGORITHMS
from minidl.proofs import Shape, fill
from tests.checks import cotangent, worst
from tests.op_table import BY_NAME, Case, HypothesisChooser
from tests.oracles import pairs

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


def channels_first(x):
    return x.movedim(-1, 1)


def channels_last(y):
    return y.movedim(1, -1)


def border(padding):
    """(before, after) per axis in torch's order: the last axis first."""
    return [n for pair in padding[::-1] for n in pair]


def convolution(x, w, b, *, stride, padding, dilation, groups):
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[:-2], strict=True)]
    x = torch.nn.functional.pad(
        channels_first(x), border(pairs(padding, x.shape[1:-1], stride, reach))
    )
    conv = getattr(torch.nn.functional, f"conv{len(stride)}d")
    w = w.movedim((-1, -2), (0, 1)).contiguous()  # PyTorch 2.13 refuses others in some gradients
    return channels_last(conv(x, w, b, stride=stride, dilation=dilation, groups=groups))


def convolution_relu(x, w, b, **geometry):
    return torch.relu(convolution(x, w, b, **geometry))


def max_pool(x, *, window, stride, padding, dilation, ceil):
    pool, both_sides = (
        getattr(torch.nn.functional, f"max_pool{len(window)}d"),
        [before for before, _ in padding],
    )
    return channels_last(
        pool(channels_first(x), window, stride, both_sides, dilation, ceil_mode=ceil)
    )


def avg_pool(x, *, window, stride, padding, ceil, count_padding):
    pool, both_sides = (
        getattr(torch.nn.functional, f"avg_pool{len(window)}d"),
        [before for before, _ in padding],
    )
    return channels_last(
        pool(
            channels_first(x),
            window,
            stride,
            both_sides,
            ceil_mode=ceil,
            count_include_pad=count_padding,
        )
    )


def resample(x, rows, columns):
    """PyTorch counts the places from -1 to 1, from edge to edge, columns first"""
    height, width = x.shape[1:3]
    places = torch.tensor(
        np.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], axis=-1)
    )
    sample = torch.nn.functional.grid_sample
    return channels_last(
        sample(channels_first(x), places, padding_mode="border", align_corners=False)
    )


TWINS = {
    "convolution": convolution,
    "convolution_relu": convolution_relu,
    **{f"convolution[{algorithm}]": convolution for algorithm in ALGORITHMS},
    **{f"convolution_relu[{algorithm}]": convolution_relu for algorithm in ALGORITHMS},
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "relu": torch.relu,
    "leaky_relu": lambda x: torch.nn.functional.leaky_relu(x),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda x, axis: torch.softmax(x, dim=axis),
    "matmul": lambda a, b: a @ b,
    "resample": resample,
}


def as_torch_pads(geometry):
    """PyTorch pools with as much padding before as after, at most half a window, and in 3-D no
    input smaller than a window: where the drawn padding is none of this, widen the input
    instead."""
    if "window" not in geometry:
        return geometry
    batch, *lengths, channels = geometry["x"]
    half = [
        min(before, after, k // 2) if n >= k else 0
        for n, (before, after), k in zip(
            lengths, geometry["padding"], geometry["window"], strict=True
        )
    ]
    lengths = [
        n + sum(pair) - 2 * p for n, pair, p in zip(lengths, geometry["padding"], half, strict=True)
    ]
    return {
        **geometry,
        "x": Shape((batch, *lengths, channels)),
        "padding": tuple((p, p) for p in half),
    }


@pytest.mark.parametrize("name", TWINS)
@given(data=st.data())
def test_value_and_gradients_are_pytorch_s(name, data):
    row = BY_NAME[name]
    geometry, seed = (
        as_torch_pads(row.draw(HypothesisChooser(data.draw))),
        data.draw(st.integers(0, 2**32 - 1)),
    )
    case = Case(row, fill(row, geometry, seed), seed)
    ours = {key: Tensor(case.arguments[key], requires_grad=True) for key in row.kinds}
    theirs = {key: torch.tensor(case.arguments[key], requires_grad=True) for key in row.kinds}
    y, twin = row.op(**{**case.arguments, **ours}), TWINS[name](**{**case.arguments, **theirs})
    dy = cotangent(case, y)
    y.backward(dy)
    twin.backward(torch.tensor(dy))
    near(y.data, twin)
    for key in row.kinds:
        near(ours[key].grad, theirs[key].grad)


def near(mine, theirs):
    theirs = theirs.detach().numpy()
    assert mine.shape == theirs.shape
    assert worst(mine - theirs) <= 1e-12 * max(1, worst(theirs))


def test_the_rows_that_pytorch_is_asked_about_are_public():
    names = {name.split("[")[0] for name in TWINS}
    assert names <= {*ops.__all__, *engine.__all__}


def test_a_tie_goes_where_pytorch_sends_it():
    x = np.random.default_rng(0).integers(0, 2, (2, 6, 6, 3)).astype(float)
    ours, theirs = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    ops.max_pool(ours, 3, stride=2).sum().backward()
    channels_last(torch.nn.functional.max_pool2d(channels_first(theirs), 3, 2)).sum().backward()
    assert np.array_equal(ours.grad, theirs.grad.numpy())
