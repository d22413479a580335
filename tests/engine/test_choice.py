"""The choice of a convolution algorithm."""

import numpy as np
import pytest

from minidl import ops
from minidl.engine import convolution_relu, using
from minidl.engine.convolution import ALGORITHMS, choice, runs
from minidl.errors import ArgumentError

# What each algorithm takes
OF_WINOGRAD = "kernels of 3 taps on each axis, stride 1, dilation 1, groups 1"
OF_WINOGRAD_RUNS = "kernels of 3 taps on each of two axes or more, stride 1, dilation 1, groups 1"
OF_RUNS = "kernels without dilation along the last axis, groups 1"
OF_DEPTHWISE = "one group for each channel in and out"


def zeros(*shape):
    """Return an array of any size that occupies no memory."""
    return np.broadcast_to(np.float32(0), shape)


@pytest.fixture
def chosen(monkeypatch):
    """Return the function chosen(x_shape, w_shape, algorithm, **options). It returns the names of
    the algorithms that are chosen for forward, dx and dw with two threads."""
    for module in (runs, choice):
        monkeypatch.setattr(module, "get_threads", lambda: 2, raising=False)
    for name, algorithm in ALGORITHMS.items():
        maps = dict.fromkeys(("forward", "dx", "dw"), lambda *_, name=name: name)
        monkeypatch.setitem(ALGORITHMS, name, algorithm._replace(**maps))

    def names(x_shape, w_shape, algorithm="auto", **options):
        options = {"stride": 1, "padding": "same", "dilation": 1, "groups": 1} | options
        x, w = zeros(*x_shape), zeros(*w_shape)
        dy = zeros(x_shape[0], *(-(-n // options["stride"]) for n in x_shape[1:-1]), w_shape[-1])
        dx, dw = (ops.convolution.gradients[name] for name in ("dx", "dw"))
        with using(convolution=algorithm):
            forward = {op.forward(x, w, **options) for op in (ops.convolution, convolution_relu)}
            return forward | {dx(dy, w, x_shape, **options), dw(dy, x, w_shape, **options)}

    return names


# (input channels, output channels, pixels a side) in VGG19 for images of 112 to 1024 pixels
WELL_SUITED = [
    (64, 64, 112), (64, 64, 224), (64, 64, 512), (64, 128, 112), (128, 128, 56), (128, 128, 256),
    (128, 256, 112), (256, 256, 56), (256, 256, 512), (256, 512, 56), (512, 512, 56),
    (512, 512, 112), (512, 512, 512),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "outputs", "pixels"), WELL_SUITED)
def test_auto_chooses_winograd_for_the_layers_of_vgg19(inputs, outputs, pixels, chosen):
    assert chosen((1, pixels, pixels, inputs), (3, 3, inputs, outputs)) == {"winograd"}


@pytest.mark.parametrize(
    ("x", "w", "options"),
    [
        ((1, 224, 224, 256), (1, 1, 256, 256), {}),
        ((1, 224, 224, 256), (5, 5, 256, 256), {}),
        ((1, 224, 224, 256), (1, 3, 256, 256), {}),
        ((1, 224, 224, 256), (3, 3, 256, 256), {"stride": 2}),
        ((1, 224, 224, 256), (3, 3, 256, 256), {"dilation": 2}),
        ((1, 224, 224, 256), (3, 3, 128, 256), {"groups": 2}),
        ((1, 224, 224, 256), (3, 3, 1, 512), {"groups": 256}),
        ((1, 224, 224, 3), (3, 3, 3, 64), {}),
        ((1, 512, 512, 3), (3, 3, 3, 64), {}),
        ((8, 14, 14, 3), (3, 3, 3, 20), {}),
        ((1, 14, 14, 64), (3, 3, 64, 64), {}),
        ((1, 4, 4, 8), (3, 3, 8, 8), {}),
    ],
    ids=lambda value: str(value).replace(" ", ""),
)
def test_auto_chooses_im2col_if_winograd_does_not_apply_or_is_slower(x, w, options, chosen):
    assert chosen(x, w, **options) == {"im2col"}


@pytest.mark.parametrize(
    ("inputs", "outputs", "pixels"),
    [(16, 16, 32), (16, 32, 16), (32, 32, 16), (64, 64, 8), (128, 128, 4)],
)
def test_auto_chooses_winograd_runs_for_networks_with_few_channels(inputs, outputs, pixels, chosen):
    """VGG19 with a quarter of its channels, for CIFAR-10"""
    assert chosen((128, pixels, pixels, inputs), (3, 3, inputs, outputs)) == {"winograd_runs"}


@pytest.mark.parametrize(("inputs", "outputs", "pixels"), [(32, 64, 28), (64, 128, 14)])
def test_auto_chooses_runs_for_batches_with_stride_2(inputs, outputs, pixels, chosen):
    """The siamese network for MNIST"""
    shapes = (128, pixels, pixels, inputs), (3, 3, inputs, outputs)
    assert chosen(*shapes, stride=2) == {"runs"}
    # The threads of runs divide the images, and here there is only one.
    assert chosen((1, *shapes[0][1:]), shapes[1], stride=2) == {"im2col"}


@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"dilation": 2}])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (1, 1)])
def test_auto_chooses_depthwise_for_one_group_per_channel(kernel, options, chosen):
    assert chosen((1, 224, 224, 256), (*kernel, 1, 256), groups=256, **options) == {"depthwise"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_forced_algorithm_is_used(algorithm, chosen):
    assert chosen((1, 4, 4, 1), (3, 3, 1, 1), algorithm=algorithm) == {algorithm}
    if algorithm != "depthwise":
        assert chosen((1, 224, 224, 64), (3, 3, 64, 64), algorithm=algorithm) == {algorithm}
    if algorithm in ("im2col", "depthwise"):
        assert chosen((1, 224, 224, 64), (3, 3, 1, 64), groups=64, algorithm=algorithm) == {
            algorithm
        }


UNIT = {"stride": (1, 1), "dilation": (1, 1), "groups": 1}


@pytest.mark.parametrize(
    ("algorithm", "takes", "w_shape", "options", "used"),
    [
        ("winograd", OF_WINOGRAD, (5, 5, 4, 4), {}, UNIT),
        ("winograd", OF_WINOGRAD, (3, 1, 4, 4), {}, UNIT),
        ("winograd", OF_WINOGRAD, (3, 3, 4, 4), {"stride": (1, 2)}, UNIT | {"stride": (1, 2)}),
        ("winograd", OF_WINOGRAD, (3, 3, 4, 4), {"dilation": 2}, UNIT | {"dilation": (2, 2)}),
        ("winograd", OF_WINOGRAD, (3, 3, 2, 4), {"groups": 2}, UNIT | {"groups": 2}),
        ("winograd_runs", OF_WINOGRAD_RUNS, (3, 1, 4, 4), {}, UNIT),
        ("runs", OF_RUNS, (3, 3, 4, 4), {"dilation": (1, 2)}, UNIT | {"dilation": (1, 2)}),
        ("runs", OF_RUNS, (3, 3, 2, 4), {"groups": 2}, UNIT | {"groups": 2}),
        ("depthwise", OF_DEPTHWISE, (3, 3, 4, 4), {}, UNIT),
        ("depthwise", OF_DEPTHWISE, (3, 3, 2, 4), {"groups": 2}, UNIT | {"groups": 2}),
        ("depthwise", OF_DEPTHWISE, (3, 3, 1, 8), {"groups": 4}, UNIT | {"groups": 4}),
    ],
    ids=lambda value: str(value).replace(" ", ""),
)
@pytest.mark.parametrize("op", [ops.convolution, convolution_relu], ids=lambda op: op.__name__)
def test_the_error_names_what_an_algorithm_takes(op, algorithm, takes, w_shape, options, used):
    with pytest.raises(ArgumentError) as error, using(convolution=algorithm):
        op(np.ones((1, 9, 9, 4)), np.ones(w_shape), **options)
    assert str(error.value) == (
        f"convolution={algorithm!r} takes {takes}; found a kernel {w_shape}, stride "
        f"{used['stride']}, dilation {used['dilation']}, groups {used['groups']}: use "
        "convolution='auto'"
    )


def test_winograd_runs_refuses_a_single_axis():
    with pytest.raises(ArgumentError, match="two axes or more"), using(convolution="winograd_runs"):
        ops.convolution(np.ones((1, 9, 4)), np.ones((3, 4, 4)))
