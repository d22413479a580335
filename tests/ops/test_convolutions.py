"""Convolution: known results, the algorithms against each other, and strips of any size."""

from contextlib import contextmanager
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import Tensor, ops, textbook
from minidl.engine import strips, threads, using
from minidl.engine.convolution import ALGORITHMS, im2col, runs, tiles, winograd, winograd_runs
from minidl.proofs import RandomChooser, fill
from minidl.shapes import windows_over
from tests.algorithms import by
from tests.checks import (
    cotangent,
    differentiate,
    forward_equals_the_oracle,
    strides_do_not_matter,
    worst,
)
from tests.op_table import BY_NAME, Case, cases, drawn
from tests.oracles import convolution_oracle
from tests.running import using_threads

ROW = BY_NAME["convolution"]
OPTIONS = "stride", "padding", "output_padding", "dilation", "groups"
GENERAL = ["textbook", "im2col"]  # the others take some geometries only


@pytest.mark.parametrize("algorithm", ["auto", *GENERAL])
@pytest.mark.parametrize(
    ("x", "w", "y"),
    [
        ((1, 14, 14, 3), (5, 5, 3, 20), (1, 10, 10, 20)),
        ((1, 14, 1), (5, 1, 16), (1, 10, 16)),
        ((1, 14, 14, 14, 1), (5, 5, 5, 1, 16), (1, 10, 10, 10, 16)),
    ],
    ids=["2-D", "1-D", "3-D"],
)
def test_shapes_of_the_courses(algorithm, x, w, y):
    assert by(algorithm)(np.zeros(x), np.zeros(w)).shape == y


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_edge_detector_by_hand(algorithm):
    """Ng's example: an image that is bright on the left and dark on the right, and a kernel of
    three rows [1, 0, -1]."""
    picture = np.repeat([[10.0, 10, 10, 0, 0, 0]], 6, axis=0).reshape(1, 6, 6, 1)
    edge = np.repeat([[1.0, 0, -1]], 3, axis=0).reshape(3, 3, 1, 1)
    assert by(algorithm)(picture, edge)[0, ..., 0].tolist() == [[0, 30, 30, 0]] * 4


@pytest.mark.parametrize("algorithm", GENERAL)
def test_the_kernel_is_not_flipped(algorithm):
    impulse = np.zeros((1, 5, 1))
    impulse[0, 2] = 1
    y = by(algorithm)(impulse, np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1))
    assert y.reshape(3).tolist() == [3.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("length", "stride", "padding"),
    [(6, 2, (0, 1)), (5, 2, (1, 1)), (5, 1, (1, 1)), (7, 3, (1, 1)), (2, 3, (0, 1))],
)
def test_same_pads_as_in_keras(length, stride, padding):
    """An odd position of padding is after the input: an image of even length at stride 2 is padded
    at its end only."""
    x, w = np.random.default_rng(0).standard_normal((1, length, 1)), np.ones((3, 1, 1))
    same = ops.convolution(x, w, stride=stride, padding="same")
    assert same.shape[1] == -(-length // stride)
    assert np.array_equal(same, ops.convolution(x, w, stride=stride, padding=(padding,)))


def test_a_depthwise_convolution_does_not_mix_channels():
    x, w = np.random.default_rng(0).standard_normal((2, 5, 3)), np.array([[[1.0, 10.0, 100.0]]])
    assert np.array_equal(ops.convolution(x, w, groups=3), x * [1.0, 10.0, 100.0])


@pytest.mark.parametrize("algorithm", GENERAL)
def test_positions_that_no_window_reads_have_a_gradient_of_exactly_0(algorithm):
    x = Tensor(np.ones((1, 6, 1)), requires_grad=True)
    by(algorithm)(x, np.ones((2, 1, 1)), stride=3).sum().backward()
    assert x.grad.reshape(6).tolist() == [1, 1, 0, 1, 1, 0]


@pytest.mark.parametrize("algorithm", GENERAL)
def test_a_transposed_convolution_adds_a_multiple_of_the_kernel_for_each_input(algorithm):
    x, w = np.array([[[1.0], [10.0]]]), np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1)
    op = by(algorithm, ops.transposed_convolution)
    y = op(x, w, np.array([100.0]), stride=2, output_padding=1)
    assert y.ravel().tolist() == [101, 102, 103 + 10, 120, 130, 100]
    assert op(x, w, stride=2, padding="same").ravel().tolist() == [1, 2, 3 + 10, 20]


@pytest.mark.engine
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_transposed_convolution_and_its_gradients_are_those_of_the_other_direction(name):
    row = BY_NAME[f"convolution[{name}]"]
    forward, back = ops.convolution, ops.transposed_convolution
    for number in range(20):
        case = drawn(row, number)
        x, w, stride, padding, dilation, groups = (
            case.arguments[key] for key in ("x", "w", "stride", "padding", "dilation", "groups")
        )
        windows = windows_over(x.shape[1:-1], w.shape[:-2], stride, padding, dilation)
        read = [(n - 1) * s + r for n, s, r in zip(windows.out, stride, windows.reach, strict=True)]
        unread = [n - r for n, r in zip(windows.padded, read, strict=True)]
        over = stride, windows.padding, dilation, groups
        onto = stride, windows.padding, unread, dilation, groups
        options = dict(zip(OPTIONS, onto, strict=True))
        with textbook():
            y = forward(x, w, stride=stride, padding=padding, dilation=dilation, groups=groups)
            dy = cotangent(case, Tensor(y))
            dx = forward.gradients["dx"](dy, w, x.shape, *over)
            dw = forward.gradients["dw"](dy, x, w.shape, *over)
        with using(convolution=name):
            near(back(dy, w, **options), dx)
            near(back.gradients["dx"](x, w, dy.shape, *onto), y)
            near(back.gradients["dw"](x, dy, w.shape, *onto), dw)


def near(result, wanted):
    assert result.shape == wanted.shape
    assert worst(result - wanted) <= 1e-11 * max(1, worst(wanted))


SMALL_STRIPS = [
    (strips, "STRIP", 1),
    (strips, "STRIP", 60),
    (tiles, "LEAST_TILES", 1),
    (tiles, "BLOCK", 1),
    (runs, "STRIP", 1),
    (winograd_runs, "STRIP", 1),
]


@contextmanager
def cut_small(module, name, size):
    """Make strips small within a block, because the images that are drawn would fit in one, and
    share them among three threads."""
    with pytest.MonkeyPatch.context() as patch, using_threads(3):
        patch.setattr(strips, "LEAST", 1)
        patch.setattr(tiles, "STRIP", 1)
        patch.setattr(tiles, "SMALL", 72)
        patch.setattr(module, name, size)
        yield patch


@pytest.mark.parametrize(
    "row",
    [
        "convolution[im2col]", "convolution_relu[winograd]", "convolution[depthwise]",
        "convolution_relu[runs]", "convolution[winograd_runs]", "max_pool", "avg_pool",
        "gram_matrix",
    ],
)  # fmt: skip
@pytest.mark.parametrize("small", SMALL_STRIPS, ids=lambda small: f"{small[1]}-{small[2]}")
@given(data=st.data())
def test_strips_of_any_size_give_the_same_result(row, small, data):
    case = data.draw(cases(BY_NAME[row]))
    y, dy, gradients = differentiate(case)
    with cut_small(*small):
        stripped_y, _, stripped = differentiate(case, dy)
    pairs = [(stripped_y, y), *((stripped[name], gradients[name]) for name in gradients)]
    for result, wanted in pairs:
        size = max(1, abs(wanted).max())
        assert np.allclose(result, wanted, rtol=1e-12, atol=1e-12 * size)


@pytest.mark.engine
@pytest.mark.parametrize("small", SMALL_STRIPS[1:3], ids=lambda small: small[1])
def test_small_strips_are_several(small):
    """Otherwise the test above would test one strip only."""
    counts = []

    def counting_map(xp, work, items):
        counts.append(len(items))
        return threads.parallel_map(xp, work, items)

    with cut_small(*small) as patch:
        for algorithm in (im2col, winograd, runs, winograd_runs):
            counts.clear()
            patch.setattr(algorithm, "parallel_map", counting_map)
            name = algorithm.__name__.split(".")[-1]
            by(name)(np.ones((7, 12, 9, 16)), np.ones((3, 3, 16, 16)))
            assert max(counts) >= 3, name


def test_an_empty_batch_has_no_outputs_and_a_gradient_of_zeros():
    x, w, dy = np.zeros((0, 6, 2)), np.ones((3, 2, 1)), np.zeros((0, 4, 1))
    assert ops.convolution(x, w).shape == (0, 4, 1)
    dw = by("im2col").gradients["dw"](dy, x, w.shape, 1, 0, 1, 1)
    assert dw.tolist() == np.zeros((3, 2, 1)).tolist()


def test_four_spatial_axes():
    rng, ones = np.random.default_rng(0), (1, 1, 1, 1)
    shapes = (1, 3, 3, 4, 3, 2), (2, 2, 3, 1, 2, 3), (3,)
    x, w, b = (rng.standard_normal(shape) for shape in shapes)
    wanted = convolution_oracle(x, w, b, stride=ones, padding="same", dilation=ones, groups=1)
    assert np.allclose(ops.convolution(x, w, b, padding="same"), wanted, rtol=1e-13, atol=1e-13)


def test_the_geometries_that_are_drawn_include_every_special_case():
    drawn = [fill(ROW, ROW.draw(RandomChooser(seed)), seed) for seed in range(300)]
    assert {g["x"].ndim for g in drawn} == {3, 4, 5}
    padded = [g for g in drawn if g["padding"] != "same"]
    assert 10 < len(padded) < 290
    for is_special in (
        lambda g: g["groups"] > 1,
        lambda g: any(before != after for before, after in g["padding"]),
        lambda g: max(g["stride"]) > max(g["w"].shape[:-2]),
        lambda g: max(g["dilation"]) > 1,
        lambda g: len({*g["stride"]}) > 1,
    ):
        assert sum(map(is_special, padded)) > 10


@pytest.mark.parametrize("algorithm", ["textbook", "im2col", "runs"])
@pytest.mark.parametrize(
    ("x", "w", "padding"),
    [
        ((1, 0, 1), (3, 1, 2), 3),
        ((2, 1, 0, 3), (1, 3, 3, 2), (0, 2)),
        ((2, 1, 6, 0, 2), (1, 3, 3, 2, 2), 2),
    ],
)
def test_windows_over_padding_only_give_the_bias(algorithm, x, w, padding):
    arrays = np.ones(x), np.ones(w), np.arange(1.0, 3.0)
    x, w, b = (Tensor(array, requires_grad=True) for array in arrays)
    y = by(algorithm)(x, w, b, padding=padding)
    y.backward(np.ones(y.shape))
    assert (y.data == b.data).all() and y.data.size
    assert x.grad.shape == x.shape
    assert not w.grad.any()
    np.testing.assert_array_equal(b.grad, y.data.size / 2)


@pytest.mark.parametrize("algorithm", ["runs", "im2col", "textbook"])
def test_any_memory_layout_of_axes_of_length_1(algorithm):
    """NumPy allows any strides for an axis of length 1, and a gradient may be a view of every
    second number."""
    row, rng = replace(BY_NAME["convolution"], op=by(algorithm)), np.random.default_rng(0)
    sizes = product((1, 3), (1, 2), (1, 2), (2, 3), (1, 2), (1, 2))
    for width, outputs, channels, taps, stride, padding in sizes:
        shapes = (1, width, channels), (taps, channels, outputs), (outputs,)
        x, w, b = (rng.standard_normal(shape) for shape in shapes)
        geometry = {"stride": (stride,), "padding": ((padding, padding),)}
        arguments = {"x": x, "w": w, "b": b, **geometry, "dilation": (1,), "groups": 1}
        case = Case(row, arguments, seed=0)
        strides_do_not_matter(case)
        forward_equals_the_oracle(case)
