"""Upsampling: places by hand and as PyTorch's, and the engine's blocks on sizes that need
several."""

from fractions import Fraction

import numpy as np
import pytest

from minidl import Tensor, ops, textbook
from minidl.backend import current_device, to_device, to_numpy
from tests.devices import GPUS, at
from tests.running import using_threads, worst

rng = np.random.default_rng(0)
METHODS = ("nearest", "nearest-exact", "linear", "cubic")


def signal(*numbers):
    return np.array(numbers, float).reshape(1, -1, 1)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"factor": 2}, [0, 0, 6, 6, 12, 12]),
        ({"factor": 2, "method": "linear"}, [0, 1.5, 4.5, 7.5, 10.5, 12]),
        ({"size": 5, "method": "linear", "align_corners": True}, [0, 3, 6, 9, 12]),
        ({"size": 2}, [0, 6]),
        ({"size": 2, "method": "nearest-exact"}, [0, 12]),
        ({"size": 1, "method": "linear"}, [6]),
        ({"size": 1, "method": "linear", "align_corners": True}, [0]),
        ({"size": 2, "method": "cubic"}, [1.1484375, 10.8515625]),
    ],
)
def test_by_hand(options, wanted):
    np.testing.assert_allclose(ops.upsample(signal(0, 6, 12), **options).ravel(), wanted)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("align_corners", [False, True])
def test_a_factor_of_1_copies(method, align_corners):
    x = rng.standard_normal((2, 4, 3, 2))
    options = {"align_corners": align_corners} if method in ("linear", "cubic") else {}
    for y in (ops.upsample(x, 1, method=method, **options), ops.upsample(x, size=(4, 3))):
        np.testing.assert_allclose(y, x, atol=1e-15)
        assert not np.may_share_memory(x, y)


@pytest.mark.parametrize("factor", [1 / 3, Fraction(1, 3), np.float32(1 / 3), np.float64(1 / 3)])
def test_a_third_is_a_third(factor):
    assert ops.upsample(signal(*range(9)), factor).ravel().tolist() == [0, 3, 6]


def test_a_decimal_factor_is_meant_as_written():
    """33 / 1.1 is 30 in decimals, and a little less in binary numbers."""
    y = ops.upsample(signal(*range(31)), 1.1).ravel()
    assert (len(y), y[33]) == (34, 30)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_the_nearest_pixel_is_that_of_pytorch(mode):
    torch = pytest.importorskip("torch")
    for length in range(1, 14, 3):
        x = signal(*range(length))
        for size in range(1, 30):
            theirs = torch.nn.functional.interpolate(torch.tensor(x).mT, size, mode=mode)
            assert (
                ops.upsample(x, size=size, method=mode).ravel().tolist() == theirs.ravel().tolist()
            )


@pytest.mark.parametrize("method", METHODS)
def test_the_weights_of_each_output_add_up_to_1(method):
    y = ops.upsample(np.ones((1, 7, 5, 1)), size=(16, 3), method=method)
    np.testing.assert_allclose(y, 1, rtol=1e-15)


LARGE = [  # (shape of x, sizes)
    ((2, 21, 17, 9), (50, 33)),
    ((1, 40, 30, 3), (13, 61)),
    ((3, 50, 1), (131,)),
    ((1, 5, 6, 7, 8), (11, 12, 5)),
    ((1, 300, 2), (7,)),
]


@pytest.mark.engine
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("shape", "size"), LARGE, ids=[str(shape) for shape, _ in LARGE])
@pytest.mark.parametrize("place", ["numpy", *GPUS])
def test_several_blocks_equal_the_textbook(shape, size, method, place):
    x = rng.standard_normal(shape)
    dy = rng.standard_normal((shape[0], *size, shape[-1]))
    arguments = shape, None, size, method, False

    def both():
        with at(place):
            on_device = [to_device(array, current_device()) for array in (x, dy)]
            y = ops.upsample(on_device[0], size=size, method=method)
            dx = ops.upsample.gradients["dx"](on_device[1], *arguments)
            return to_numpy(y), to_numpy(dx)

    with textbook():
        wanted = both()
    for result, definition in zip(both(), wanted, strict=True):
        assert worst(result - definition) <= 1e-13 * max(1, worst(definition))


@pytest.mark.engine
@pytest.mark.parametrize("method", METHODS)
def test_threads_do_not_change_the_result(method):
    x = rng.standard_normal((1, 160, 90, 16)).astype(np.float32)
    results = []
    for count in (1, 3):
        with using_threads(count):
            leaf = Tensor(x, requires_grad=True)
            y = ops.upsample(leaf, 1.6, method=method)
            y.backward(y.data)
            results.append((y.data, leaf.grad))
    for one, three in zip(*results, strict=True):
        np.testing.assert_allclose(one, three, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("place", ["numpy", *GPUS])
def test_a_nan_is_copied_to_the_outputs_that_read_it(place):
    x = np.ones((1, 4, 4, 1))
    x[0, 1, 2] = np.nan
    with at(place):
        y = to_numpy(ops.upsample(to_device(x, current_device()), 2))
    assert np.isnan(y[0, 2:4, 4:6]).all()
    assert np.isnan(y).sum() == 4
