"""Batch normalization, dropout, Sequential and its summary: by hand, and compared with PyTorch."""

from contextlib import nullcontext

import numpy as np
import pytest

from minidl import Tensor, layers, ops
from minidl.backend import device_of, to_numpy
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
        Convolution.new(rng, (3, 3), 2, 4, padding=1, stride=2),
        BatchNorm(4),
        ReLU(),
        MaxPool(2),
        Dropout(0.5),
        Flatten(),
        Dense.new(rng, 16, 3),
    )


@pytest.mark.parametrize("rectified", [False, True])
def test_batch_norm_equals_pytorchs(rectified):
    torch = pytest.importorskip("torch")
    theirs, ours = torch.nn.BatchNorm2d(5, momentum=0.1), BatchNorm(5, momentum=0.9)
    rng = np.random.default_rng(0)
    pairs = (ours.gamma, theirs.weight), (ours.beta, theirs.bias)
    for parameter, torch_parameter in pairs:
        parameter.data = rng.standard_normal(5).astype(np.float32)
        torch_parameter.data = torch.tensor(parameter.data)
    for training in (True, True, False):
        array = rng.standard_normal((3, 4, 6, 5)).astype(np.float32) * 2 + 1
        theirs.train(training).zero_grad()
        ours.train(training)
        x = Tensor(array, requires_grad=True)
        torch_x = torch.tensor(array).movedim(-1, 1).contiguous().requires_grad_()
        y = ours.rectified(x) if rectified else ours(x)
        torch_y = torch.relu(theirs(torch_x)) if rectified else theirs(torch_x)
        np.testing.assert_allclose(y.data, torch_y.detach().movedim(1, -1).numpy(), atol=1e-5)
        dy = rng.standard_normal(y.shape).astype(np.float32)
        y.backward(dy)
        torch_y.backward(torch.tensor(dy).movedim(-1, 1))
        np.testing.assert_allclose(x.grad, torch_x.grad.movedim(1, -1).numpy(), atol=1e-5)
        for parameter, torch_parameter in pairs:
            wanted = torch_parameter.grad.numpy()
            np.testing.assert_allclose(parameter.grad, wanted, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.mean, theirs.running_mean.numpy(), rtol=1e-5)
    np.testing.assert_allclose(ours.variance, theirs.running_var.numpy(), rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 5), (1, 1, 1, 5), (0, 5)])
def test_batch_norm_of_one_number_per_channel_is_refused_in_training(shape):
    layer, x = BatchNorm(5), np.ones(shape, np.float32)
    message = r"wanted at least two numbers of each channel.*drop_last=True"
    for call in (layer, layer.rectified):
        with pytest.raises(ShapeError, match=message):
            call(x)
    assert not layer.mean.any() and (layer.variance == 1).all()
    if x.size:
        assert layer.train(False)(x).shape == shape


def test_dropout_of_integers_is_refused():
    message = "x is an array of int64; wanted an array of floating-point numbers"
    with pytest.raises(ArgumentError, match=message):
        Dropout(0.5)(np.arange(6))


def test_the_seed_and_the_state_determine_the_masks_of_dropout():
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


@pytest.mark.engine
def test_a_relu_after_a_layer_that_can_rectify_is_fused(monkeypatch):
    model, x = small(), np.random.default_rng(1).standard_normal((2, 8, 8, 2)).astype(np.float32)
    wanted = x
    model.train(False)
    for layer in model.layers.values():
        wanted = layer(wanted)
    monkeypatch.setattr(ops, "relu", None)  # a call would fail
    np.testing.assert_allclose(model(x).data, wanted.data, atol=1e-6)


def test_the_summary_by_hand():
    model = small()
    lines = model.summary((8, 8, 2))
    names = "convolution1 batchnorm1 relu1 maxpool1 dropout1 flatten1 dense1"
    assert [line.name for line in lines] == names.split()
    assert [line.shape for line in lines] == [(4, 4, 4)] * 3 + [(2, 2, 4)] * 2 + [(16,), (3,)]
    assert [line.parameters for line in lines] == [3 * 3 * 2 * 4 + 4, 8, 0, 0, 0, 0, 16 * 3 + 3]
    assert [line.multiply_adds for line in lines] == [16 * 72, 0, 0, 0, 0, 0, 48]
    assert [line.receptive_field for line in lines] == [(3, 3)] * 3 + [(5, 5)] * 2 + [()] * 2
    assert model.training
    assert not model.layers["batchnorm1"].mean.any()  # the summary does not train the layers


def test_the_summary_lists_the_layers_of_a_nested_sequential():
    rng = np.random.default_rng(0)
    block = Sequential(Convolution.new(rng, (3, 3), 4, 4, padding=1), ReLU(), MaxPool(2))
    layers = {"first": Convolution.new(rng, (3, 3), 2, 4, padding=1, stride=2), "block": block}
    last = Convolution.new(rng, (3, 3), 4, 1, padding=1, bias=False)
    lines = Sequential({**layers, "last": last}).summary((8, 8, 2))
    names = ["first", "block/convolution1", "block/relu1", "block/maxpool1", "last"]
    assert [line.name for line in lines] == names
    assert [line.multiply_adds for line in lines] == [16 * 72, 16 * 144, 0, 0, 4 * 36]
    assert [line.receptive_field for line in lines] == [(3, 3), (7, 7), (7, 7), (9, 9), (17, 17)]
    assert [line.parameters for line in lines] == [76, 148, 0, 0, 36]


def separable(stride=1, dtype=np.float32):
    rng = np.random.default_rng(0)
    shapes = (3, 3, 1, 4), (1, 1, 4, 6), 6
    arrays = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    return SeparableConvolution(*arrays, stride=stride, padding="same")


def test_a_separable_convolution_equals_one_with_the_product_of_its_kernels():
    layer, x = separable(2, np.float64), np.random.default_rng(1).standard_normal((2, 7, 8, 4))
    kernel = layer.depthwise.data.swapaxes(2, 3) * layer.pointwise.data
    plain = Convolution(kernel, layer.bias.data, stride=2, padding="same")
    np.testing.assert_allclose(layer(x).data, plain(x).data, atol=1e-13)
    np.testing.assert_allclose(layer.rectified(x).data, plain.rectified(x).data, atol=1e-13)
    assert list(layer.named_parameters()) == ["depthwise", "pointwise", "bias"]
    layer(x).sum().backward()
    assert all(parameter.grad.shape == parameter.shape for parameter in layer.parameters())


def test_the_summary_of_a_separable_convolution_by_hand():
    plain = Convolution(np.ones((3, 3, 6, 1)))
    [first, relu, second] = Sequential(separable(2), LeakyReLU(0.1), plain).summary((8, 8, 4))
    assert (first.shape, first.parameters) == ((4, 4, 6), 36 + 24 + 6)
    assert first.multiply_adds == 16 * (36 + 24)
    assert (relu.name, relu.receptive_field) == ("leakyrelu1", (3, 3))
    assert second.receptive_field == (7, 7)


def test_a_leaky_relu_layer():
    np.testing.assert_allclose(LeakyReLU(0.5)(np.array([-2.0, 3.0])), [-1, 3])


def test_a_dense_layer_without_bias():
    layer = Dense(np.array([[1.0], [2.0]]))
    assert list(layer.named_parameters()) == ["kernel"]
    np.testing.assert_allclose(layer(np.array([[3.0, 4.0]])).data, [[11]])


def test_layers_after_a_flatten_see_the_whole_input():
    class Unflatten(layers.Module):
        def __call__(self, x):
            return x.reshape(x.shape[0], 4, 4, 1)

    last = Convolution.new(np.random.default_rng(0), (3, 3), 1, 2)
    lines = Sequential(Flatten(), Unflatten(), last).summary((4, 4, 1))
    assert [line.receptive_field for line in lines] == [()] * 3


def test_a_line_of_the_summary_has_counts_and_the_receptive_field():
    lines = [" ".join(str(line).split()) for line in small().summary((8, 8, 2))]
    assert lines[0] == "convolution1 4x4x4 76 parameters 1,152 multiply-adds field 3x3"
    assert lines[-1] == "dense1 3 51 parameters 48 multiply-adds field all"


@pytest.mark.parametrize("shape", [(8, 8, 2), (8, 8, 3)])
def test_the_summary_does_not_change_the_mode_of_a_layer(shape):
    model = small()
    model.layers["batchnorm1"].train(False)
    with nullcontext() if shape[-1] == 2 else pytest.raises(ShapeError):
        model.summary(shape)
    modules = model.named_modules().items()
    assert [name for name, module in modules if not module.training] == ["batchnorm1/"]


@pytest.mark.parametrize("place", GPUS)
def test_all_arrays_of_a_new_layer_are_on_the_current_device(place):
    with at(place):
        model, x = small(), Tensor(np.ones((2, 8, 8, 2), np.float32)).to("gpu")
        for name, array in model.state().items():
            if name != "dropout1/calls":
                assert device_of(array) == "gpu", name
        assert model(x).device == "gpu"


@pytest.mark.parametrize("place", GPUS)
def test_to_moves_parameters_and_buffers(place):
    model = small()
    wanted = model.state()
    with at(place):
        for name, array in model.to("gpu").state().items():
            if name != "dropout1/calls":
                assert device_of(array) == "gpu", name
                np.testing.assert_array_equal(to_numpy(array), wanted[name])


def test_a_network_can_be_restored_from_the_state_of_another():
    model, other = small(), small()
    model(np.ones((2, 8, 8, 2), np.float32))
    state = model.state()
    assert list(state) == [
        "convolution1/kernel",
        "convolution1/bias",
        "batchnorm1/gamma",
        "batchnorm1/beta",
        "dense1/kernel",
        "dense1/bias",
        "batchnorm1/mean",
        "batchnorm1/variance",
        "dropout1/calls",
    ]
    other.restore(state)
    assert all(np.array_equal(value, other.state()[name]) for name, value in state.items())


def test_a_state_that_does_not_fit_is_refused():
    model, state = small(), small().state()
    lacking = {name: value for name, value in state.items() if name != "convolution1/bias"}
    with pytest.raises(ArgumentError, match="the state lacks 'convolution1/bias'"):
        model.restore(lacking)
    message = r"dropout1/calls has a list in the state; wanted a whole number"
    with pytest.raises(ArgumentError, match=message):
        model.restore({**state, "dropout1/calls": [3]})
    message = r"dense1/bias has the shape \(4,\) in the state; wanted the shape \(3,\)"
    with pytest.raises(ArgumentError, match=message):
        model.restore({**state, "dense1/bias": np.zeros(4)})


def test_the_layers_are_public():
    assert {"BatchNorm", "Dropout", "Flatten", "ReLU", "Sequential"} <= set(layers.__all__)


# ---- fused ReLUs ---------------------------------------------------------------------------------


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
    """A subclass that overrides a helper of both `__call__` and `rectified`."""

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


@pytest.mark.engine
def test_a_relu_is_fused_only_if_rectified_is_consistent_with_call(monkeypatch):
    """It is fused with a layer of minidl, and with a subclass that overrides both methods."""
    x, calls = np.ones((1, 5, 5, 2)), []
    monkeypatch.setattr(ops, "relu", lambda x: calls.append(x) or x)
    for layer in (of_kernel(Convolution), of_kernel(Fused), BatchNorm(2, dtype=np.float64)):
        Sequential(layer, ReLU())(x)
    assert not calls
    for layer in (of_kernel(Doubled), of_kernel(Inherited), DoubledNorm(2, dtype=np.float64)):
        Sequential(layer, ReLU())(x)
    assert len(calls) == 3


@pytest.mark.parametrize("kind", [Convolution, BatchNorm, ReLU])
def test_a_replaced_call_method_is_called(monkeypatch, kind):
    """A profiler or a test may replace the method `__call__` of a class."""
    calls, original_call = [], kind.__call__

    def doubled_call(layer, x):
        calls.append(layer)
        return original_call(layer, x) * 2.0

    monkeypatch.setattr(kind, "__call__", doubled_call)
    x = np.random.default_rng(1).standard_normal((1, 5, 5, 2))
    for layer in (of_kernel(Convolution), BatchNorm(2, dtype=np.float64).train(False)):
        wanted = ReLU()(layer(x)).data
        calls.clear()
        y = Sequential(layer, ReLU())(x).data
        np.testing.assert_allclose(y, wanted, rtol=1e-12, atol=1e-12)
        assert len(calls) == (kind in (type(layer), ReLU))


def test_a_subclass_of_sequential_is_one_line_of_the_summary():
    class Residual(Sequential):
        def __call__(self, x):
            return super().__call__(x) + x

    square = Convolution.new(np.random.default_rng(0), (1, 1), 2, 2)
    model = Sequential({"plain": Sequential(square), "residual": Residual(square)})
    lines = model.summary((4, 4, 2))
    assert [line.name for line in lines] == ["plain/convolution1", "residual"]
