"""The cache of frozen kernels at the points of Winograd's algorithm."""

import gc
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from minidl import Tensor, frozen
from minidl.engine import using
from minidl.engine.convolution import winograd
from minidl.layers import Convolution
from minidl.models import vgg19
from tests.algorithms import by
from tests.engine.helpers import three_maps
from tests.random_numbers import begun_anew

rng = np.random.default_rng(0)
image = rng.standard_normal((1, 6, 7, 4))
begin = begun_anew(rng)


def kernel():
    return rng.standard_normal((3, 3, 4, 5))


def read_only(array):
    array.flags.writeable = False
    return array


def y_and_dx(x, w):
    x = Tensor(x, requires_grad=True)
    y = by("winograd")(x, w, padding=1)
    y.backward(np.ones(y.shape))
    return y.data, x.grad


def is_close(a, b):
    return np.allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.fixture(scope="module")
def model():
    return vgg19()


@pytest.fixture
def computed(monkeypatch):
    """Record each kernel that is computed at the points, as (id, whether it is rotated)."""
    calls, kernels = [], winograd._kernels

    def recording(w, turn, dtype):
        calls.append((id(w), turn))
        return kernels(w, turn, dtype)

    monkeypatch.setattr(winograd, "_kernels", recording)
    return calls


def test_a_frozen_kernel_is_computed_once_for_forward_and_once_for_dx(computed):
    w = frozen.frozen_copy(kernel())
    first = [array.tobytes() for array in y_and_dx(image, w)]
    assert computed == [(id(w), False), (id(w), True)]
    for _ in range(3):
        assert [array.tobytes() for array in y_and_dx(image, w)] == first
    assert len(computed) == 2


def test_each_frozen_kernel_has_its_own_results(computed):
    kernels = [frozen.frozen_copy(kernel()) for _ in range(4)]
    for w in (*kernels, *kernels):
        y, dx = y_and_dx(image, w)
        expected_y, expected_dx, _ = three_maps(image, w, np.ones(y.shape), 1, "im2col")
        assert is_close(y, expected_y) and is_close(dx, expected_dx)
    assert len(computed) == 8


def test_a_trainable_kernel_is_computed_each_time(computed):
    w = kernel()
    before = y_and_dx(image, w)
    w *= 2
    for result, single in zip(y_and_dx(image, w), before, strict=True):
        assert np.array_equal(result, 2 * single)
    assert len(computed) == 4


VIEWS = {
    "a view": lambda w: w[...],
    "a view of a view": lambda w: read_only(w[...]).reshape(-1).reshape(w.shape),
    "a memoryview": lambda w: np.asarray(memoryview(w)),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_read_only_view_of_a_trainable_kernel_is_computed_each_time(view, computed):
    w = kernel()
    viewed = read_only(VIEWS[view](w))
    before = y_and_dx(image, viewed)
    w *= 2
    for result, single in zip(y_and_dx(image, viewed), before, strict=True):
        assert np.array_equal(result, 2 * single)
    assert len(computed) == 4


@using(convolution="winograd")
def test_a_frozen_layer_can_become_trainable_again():
    convolution = Convolution(kernel(), padding=1).freeze()
    y = convolution(image).data
    for factor in (2, 4, 8):
        with pytest.raises(ValueError, match="read-only"):
            convolution.kernel.data *= 2
        convolution.freeze(False)
        convolution.kernel.data *= 2
        assert np.array_equal(convolution(image).data, factor * y)
        convolution.freeze()
        assert np.array_equal(convolution(image).data, factor * y)


def test_cached_results_are_deleted_with_their_kernel():
    w, other = frozen.frozen_copy(kernel()), frozen.frozen_copy(kernel())
    cached = [
        weakref.ref(winograd._kept_kernels(kernels, turn, w.dtype))
        for kernels in (w, other)
        for turn in (False, True)
    ]
    gc.collect()
    assert [reference() is None for reference in cached] == [False] * 4
    del w
    gc.collect()
    assert [reference() is None for reference in cached] == [True, True, False, False]


def test_a_kernel_with_the_id_of_a_deleted_one_has_its_own_results():
    ids, reused = set(), 0
    for _ in range(1000):  # the allocator determines when an id is used again
        w = frozen.frozen_copy(kernel())
        reused += id(w) in ids
        ids.add(id(w))
        expected = by("im2col")(image, w, padding=1)
        assert is_close(y_and_dx(image, w)[0], expected)
        del w
        if reused == 3:
            break
    else:
        pytest.skip("no kernel had the id of a deleted one")


def test_cached_results_are_not_in_scratch_memory():
    """Another convolution between the two calls would overwrite it."""
    w = frozen.frozen_copy(kernel())
    first = [array.tobytes() for array in y_and_dx(image, w)]
    y_and_dx(10 * image, kernel())
    assert [array.tobytes() for array in y_and_dx(image, w)] == first


def test_an_array_is_frozen_if_no_writable_array_shares_its_memory():
    w = kernel()
    assert not frozen.is_frozen(w)
    assert not frozen.is_frozen(read_only(w[...]))
    assert not frozen.is_frozen(np.broadcast_to(w, (2, *w.shape)))
    assert not frozen.is_frozen(read_only(np.frombuffer(bytearray(8))))
    assert not frozen.is_frozen(SimpleNamespace(flags=None))
    read_only(w)
    assert not frozen.is_frozen(read_only(w.copy()))
    assert frozen.is_frozen(frozen.frozen_copy(w))
    assert not frozen.is_frozen(frozen.frozen_copy(w)[1:])


def test_the_shipped_kernels_are_frozen(model):
    assert all(frozen.is_frozen(parameter.data) for parameter in model.parameters())


def test_the_kernels_of_a_deep_layer_are_cached_for_small_images(model, computed):
    """For small images, computing the kernels is a large part of the work."""
    w = model.layers["block5_conv1"].kernel.data
    for _ in range(2):
        by("winograd")(np.ones((1, 8, 8, 512), np.float32), w, padding=1)
    assert len(computed) <= 1
