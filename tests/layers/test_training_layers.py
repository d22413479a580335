"""Batch normalization, dropout, Sequential: against PyTorch where it has the same, by hand
elsewhere."""

from contextlib import nullcontext

import numpy as np
import pytest

from minidl import Tensor, layers, ops
from minidl.backend import device_of
from minidl.errors import ArgumentError, ShapeError
from minidl.layers import (
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    LeakyReLU,
    MaxPool,
    ReLU,
    SeparableConvolution,
    Sequential,
)
from tests.devices import GPUS, at


def small():
    rng = np.random.default_rng(0)
    return Sequential(
        Convolution.new(rng, (3, 3), 2, 4, padding=1, stride=2), BatchNorm(4), ReLU(), MaxPool(2), Dropout(0.5), Flatten(),
        Dense.new(rng, 16, 3),
    )  # fmt: skip


@pytest.mark.parametrize("rectified", [False, True])
def test_batch_norm_is_pytorchs(rectified):
    torch = pytest.importorskip("torch")
    theirs, ours = torch.nn.BatchNorm2d(5, momentum=0.1), BatchNorm(5, momentum=0.9)
    rng = np.random.default_rng(0)
    for mine, other in ((ours.gamma, theirs.weight), (ours.beta, theirs.bias)):
        mine.data = rng.standard_normal(5).astype(np.float32)
        other.data = torch.tensor(mine.data)
    for training in (True, True, False):
        x = rng.standard_normal((3, 4, 6, 5)).astype(np.float32) * 2 + 1
        theirs.train(training).zero_grad()
        ours.train(training)
        xt = torch.tensor(x).movedim(-1, 1).contiguous().requires_grad_()
        xm = Tensor(x, requires_grad=True)
        y, wanted = (
            (ours.rectified(xm), torch.relu(theirs(xt))) if rectified else (ours(xm), theirs(xt))
        )
        np.testing.assert_allclose(y.data, wanted.detach().movedim(1, -1).numpy(), atol=1e-5)
        dy = rng.standard_normal(y.shape).astype(np.float32)
        y.backward(dy)
        wanted.backward(torch.tensor(dy).movedim(-1, 1))
        np.testing.assert_allclose(xm.grad, xt.grad.movedim(1, -1).numpy(), atol=1e-5)
        np.testing.assert_allclose(
            ours.gamma.grad, theirs.weight.grad.numpy(), rtol=1e-5, atol=1e-5
        )
        np.testing.assert_allclose(ours.beta.grad, theirs.bias.grad.numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.mean, theirs.running_mean.numpy(), rtol=1e-5)
    np.testing.assert_allclose(ours.variance, theirs.running_var.numpy(), rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 5), (1, 1, 1, 5), (0, 5)])
def test_batch_norm_of_one_number_a_channel_is_refused_in_training(shape):
    layer, x = BatchNorm(5), np.ones(shape, np.float32)
    for call in (layer, layer.rectified):
        with pytest.raises(
            ShapeError, match=r"wanted at least two numbers of each channel.*drop_last=True"
        ):
            call(x)
    assert not layer.mean.any() and (layer.variance == 1).all()
    if x.size:
        assert layer.train(False)(x).shape == shape


def test_dropout_of_whole_numbers_is_refused():
    with pytest.raises(
        ArgumentError, match="x is an array of int64; wanted an array of floating-point numbers"
    ):
        Dropout(0.5)(np.arange(6))


def test_dropout_leaves_out_what_its_seed_says():
    layer, x = Dropout(0.25, seed=3), np.ones(10_000)
    first, second = layer(x), layer(x)
    assert set(np.unique(first)) == {0.0, 4.0}
    assert first.mean() == pytest.approx(1, abs=0.05)
    assert not np.array_equal(first, second)
    again = Dropout(0.25, seed=3)
    assert np.array_equal(again(x), first)
    again.restore(layer.state())
    assert np.array_equal(again(x), layer(x))
    assert layer.train(False)(x) is x
    for keep in (0, 1.5):
        with pytest.raises(ArgumentError, match="wanted a number above 0, at most 1"):
            Dropout(keep)


def test_a_relu_goes_along_with_what_can_be_rectified(monkeypatch):
    model, x = small(), np.random.default_rng(1).standard_normal((2, 8, 8, 2)).astype(np.float32)
    wanted = x
    model.train(False)
    for layer in model.layers.values():
        wanted = layer(wanted)
    monkeypatch.setattr(ops, "relu", None)
    np.testing.assert_allclose(model(x).data, wanted.data, atol=1e-6)


def test_the_summary_by_hand():
    model = small()
    lines = model.summary((8, 8, 2))
    assert [line.name for line in lines] == [
        "convolution1", "batchnorm1", "relu1", "maxpool1", "dropout1", "flatten1", "dense1",
    ]  # fmt: skip
    assert [line.shape for line in lines] == [(4, 4, 4)] * 3 + [(2, 2, 4)] * 2 + [(16,), (3,)]
    assert [line.parameters for line in lines] == [3 * 3 * 2 * 4 + 4, 8, 0, 0, 0, 0, 16 * 3 + 3]
    assert [line.multiply_adds for line in lines] == [16 * 72, 0, 0, 0, 0, 0, 48]
    assert [line.receptive_field for line in lines] == [(3, 3)] * 3 + [(5, 5)] * 2 + [()] * 2
    assert model.training
    assert model.layers["batchnorm1"].mean.any() == False  # noqa: E712  the summary has not trained it


def test_a_sequential_inside_is_summed_up_layer_by_layer():
    rng = np.random.default_rng(0)
    block = Sequential(Convolution.new(rng, (3, 3), 4, 4, padding=1), ReLU(), MaxPool(2))
    layers = {"first": Convolution.new(rng, (3, 3), 2, 4, padding=1, stride=2), "block": block}
    last = Convolution.new(rng, (3, 3), 4, 1, padding=1, bias=False)
    lines = Sequential({**layers, "last": last}).summary((8, 8, 2))
    assert [line.name for line in lines] == [
        "first",
        "block/convolution1",
        "block/relu1",
        "block/maxpool1",
        "last",
    ]
    assert [line.multiply_adds for line in lines] == [16 * 72, 16 * 144, 0, 0, 4 * 36]
    assert [line.receptive_field for line in lines] == [(3, 3), (7, 7), (7, 7), (9, 9), (17, 17)]
    assert [line.parameters for line in lines] == [76, 148, 0, 0, 36]


def separable(stride=1, dtype=np.float32):
    rng = np.random.default_rng(0)
    depthwise, pointwise, bias = (
        rng.standard_normal(shape).astype(dtype) for shape in ((3, 3, 1, 4), (1, 1, 4, 6), 6)
    )
    return SeparableConvolution(depthwise, pointwise, bias, stride=stride, padding="same")


def test_a_separable_convolution_is_one_with_products_of_kernels():
    layer, x = separable(2, np.float64), np.random.default_rng(1).standard_normal((2, 7, 8, 4))
    kernel = layer.depthwise.data.swapaxes(2, 3) * layer.pointwise.data
    plain = Convolution(kernel, layer.bias.data, stride=2, padding="same")
    np.testing.assert_allclose(layer(x).data, plain(x).data, atol=1e-13)
    np.testing.assert_allclose(layer.rectified(x).data, plain.rectified(x).data, atol=1e-13)
    assert list(layer.named_parameters()) == ["depthwise", "pointwise", "bias"]
    layer(x).sum().backward()
    assert all(parameter.grad.shape == parameter.shape for parameter in layer.parameters())


def test_the_summary_of_a_separable_convolution_by_hand():
    [first, relu, second] = Sequential(
        separable(stride=2), LeakyReLU(0.1), Convolution(np.ones((3, 3, 6, 1)))
    ).summary((8, 8, 4))
    assert (first.shape, first.parameters, first.multiply_adds) == (
        (4, 4, 6),
        36 + 24 + 6,
        16 * (36 + 24),
    )
    assert (relu.name, relu.receptive_field, second.receptive_field) == (
        "leakyrelu1",
        (3, 3),
        (7, 7),
    )


def test_a_leaky_relu_and_a_dense_layer_without_bias():
    np.testing.assert_allclose(LeakyReLU(0.5)(np.array([-2.0, 3.0])), [-1, 3])
    layer = Dense(np.array([[1.0], [2.0]]))
    assert list(layer.named_parameters()) == ["kernel"]
    np.testing.assert_allclose(layer(np.array([[3.0, 4.0]])).data, [[11]])


def test_what_sees_all_stays_so_behind_a_reshape():
    class Unflatten(layers.Module):
        def __call__(self, x):
            return x.reshape(x.shape[0], 4, 4, 1)

    model = Sequential(
        Flatten(), Unflatten(), Convolution.new(np.random.default_rng(0), (3, 3), 1, 2)
    )
    assert [line.receptive_field for line in model.summary((4, 4, 1))] == [()] * 3


def test_a_line_of_the_summary_has_counts_and_the_receptive_field():
    lines = [" ".join(str(line).split()) for line in small().summary((8, 8, 2))]
    assert lines[0] == "convolution1 4x4x4 76 parameters 1,152 multiply-adds field 3x3"
    assert lines[-1] == "dense1 3 51 parameters 48 multiply-adds field all"


@pytest.mark.parametrize("shape", [(8, 8, 2), (8, 8, 3)])
def test_the_summary_leaves_each_layer_in_or_out_of_training(shape):
    model = small()
    model.layers["batchnorm1"].train(False)
    with nullcontext() if shape[-1] == 2 else pytest.raises(ShapeError):
        model.summary(shape)
    assert [name for name, module in model.named_modules().items() if not module.training] == [
        "batchnorm1/"
    ]


@pytest.mark.parametrize("place", GPUS)
def test_a_new_layer_lies_on_one_device(place):
    with at(place):
        model, x = small(), Tensor(np.ones((2, 8, 8, 2), np.float32)).to("gpu")
        arrays = {name: value for name, value in model.state().items() if name != "dropout1/calls"}
        assert {name: device_of(array) for name, array in arrays.items()} == dict.fromkeys(
            arrays, "gpu"
        )
        assert model(x).device == "gpu"


def test_the_state_goes_from_one_network_to_another():
    one, other = small(), small()
    one(np.ones((2, 8, 8, 2), np.float32))
    assert list(one.state()) == [
        "convolution1/kernel", "convolution1/bias", "batchnorm1/gamma", "batchnorm1/beta", "dense1/kernel", "dense1/bias",
        "batchnorm1/mean", "batchnorm1/variance", "dropout1/calls",
    ]  # fmt: skip
    other.restore(one.state())
    assert all(np.array_equal(value, other.state()[name]) for name, value in one.state().items())
    with pytest.raises(ArgumentError, match="the state lacks 'convolution1/bias'"):
        other.restore(
            {name: value for name, value in one.state().items() if name != "convolution1/bias"}
        )
    with pytest.raises(
        ArgumentError, match=r"dropout1/calls has a list in the state; wanted a whole number"
    ):
        other.restore({**one.state(), "dropout1/calls": [3]})
    with pytest.raises(
        ArgumentError,
        match=r"dense1/bias has the shape \(4,\) in the state; wanted the shape \(3,\)",
    ):
        other.restore({**one.state(), "dense1/bias": np.zeros(4)})


def test_every_layer_of_the_package_is_public():
    assert {"BatchNorm", "Dropout", "Flatten", "ReLU", "Sequential"} <= set(layers.__all__)


# ---- which ReLUs are fused
# ----------------------------------------------------------------------------------------------


class Shifted(ReLU):
    def __call__(self, x):
        return super().__call__(x) + 1.0


class Doubled(Convolution):
    def __call__(self, x):
        return super().__call__(x) * 2.0


class DoubledNorm(BatchNorm):
    def __call__(self, x):
        return super().__call__(x) * 2.0


class DoubledSeparable(SeparableConvolution):
    def __call__(self, x):
        return super().__call__(x) * 2.0


class Inherited(Convolution):
    pass


class Negated(BatchNorm):
    """A helper method that both `__call__` and `rectified` use"""

    def _normalized(self, x, op):
        return super()._normalized(-x, op)


class Fused(Convolution):
    """A subclass that overrides both methods."""

    def __call__(self, x):
        return super().__call__(x) * 2.0

    def rectified(self, x):
        return super().rectified(x) * 2.0


KERNEL = np.random.default_rng(0).standard_normal((3, 3, 2, 4))


def of_kernel(kind):
    return kind(KERNEL, np.full(4, -1.0))


@pytest.mark.parametrize("activation", [ReLU, Shifted])
@pytest.mark.parametrize(
    "make",
    [
        lambda: of_kernel(Convolution),
        lambda: of_kernel(Doubled),
        lambda: of_kernel(Inherited),
        lambda: of_kernel(Fused),
        lambda: BatchNorm(2, dtype=np.float64).train(False),
        lambda: DoubledNorm(2, dtype=np.float64).train(False),
        lambda: Negated(2, dtype=np.float64).train(False),
        lambda: DoubledSeparable(KERNEL[..., :1].swapaxes(-1, -2), KERNEL[:1, :1], np.zeros(4)),
    ],
)
def test_each_layer_of_a_sequential_is_computed_as_if_it_were_called(make, activation):
    layer, last, x = make(), activation(), np.random.default_rng(1).standard_normal((1, 5, 5, 2))
    for model in (
        Sequential(layer, last),
        Sequential(Sequential(layer), last),
        Sequential({"a": layer, "b": last}),
    ):
        np.testing.assert_allclose(model(x).data, last(layer(x)).data, rtol=1e-12, atol=1e-12)


def test_a_known_layer_and_its_relu_are_one_op_and_a_subclass_that_knows_both_ways_too(monkeypatch):
    x, calls = np.ones((1, 5, 5, 2)), []
    monkeypatch.setattr(ops, "relu", lambda x: calls.append(x) or x)
    for layer in (of_kernel(Convolution), of_kernel(Fused), BatchNorm(2, dtype=np.float64)):
        Sequential(layer, ReLU())(x)
    assert not calls
    for layer in (of_kernel(Doubled), of_kernel(Inherited), DoubledNorm(2, dtype=np.float64)):
        Sequential(layer, ReLU())(x)
    assert len(calls) == 3


@pytest.mark.parametrize("kind", [Convolution, BatchNorm, ReLU])
def test_a_call_that_was_put_in_the_place_of_a_layers_own_is_called(monkeypatch, kind):
    """As a profiler or a test does."""
    calls, own = [], kind.__call__
    monkeypatch.setattr(
        kind, "__call__", lambda layer, x: calls.append(layer) or own(layer, x) * 2.0
    )
    x = np.random.default_rng(1).standard_normal((1, 5, 5, 2))
    for layer in (of_kernel(Convolution), BatchNorm(2, dtype=np.float64).train(False)):
        wanted = ReLU()(layer(x)).data
        calls.clear()
        np.testing.assert_allclose(
            Sequential(layer, ReLU())(x).data, wanted, rtol=1e-12, atol=1e-12
        )
        assert len(calls) == (kind in (type(layer), ReLU))


def test_what_a_subclass_of_sequential_computes_is_one_layer_of_the_summary():
    class Residual(Sequential):
        def __call__(self, x):
            return super().__call__(x) + x

    square = Convolution.new(np.random.default_rng(0), (1, 1), 2, 2)
    lines = Sequential({"plain": Sequential(square), "residual": Residual(square)}).summary(
        (4, 4, 2)
    )
    assert [line.name for line in lines] == ["plain/convolution1", "residual"]
