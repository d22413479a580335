"""Winograd's F(4, 3): its matrices, its products, its errors, and the kernels that it keeps."""

import gc
import weakref
from contextlib import contextmanager
from fractions import Fraction
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import Tensor, frozen
from minidl.data import read_image, shipped_picture
from minidl.engine import convolution, using
from minidl.engine import threads as cores
from minidl.engine.convolution import ALGORITHMS, im2col, winograd
from minidl.layers import Convolution
from minidl.models import vgg19
from minidl.models.vgg19 import VGG19
from minidl.style_transfer import Settings
from minidl.style_transfer.objective import Objective
from tests.algorithms import by
from tests.checks import FLOAT32_C, every_second, permuted_strides, reversed_strides
from tests.random_numbers import begun_anew

rng = np.random.default_rng(0)


# The fractions that the floats stand for: whole numbers, and in G parts of 24.
exact = np.vectorize(lambda number: Fraction(number).limit_denominator(24), otypes=[object])
A, B, G = map(exact, (winograd.A, winograd.B, winograd.G))

# ---- the matrices
# ---------------------------------------------------------------------------------------------------


def test_the_matrices_are_those_of_lavin_and_gray():
    """arXiv 1509.09308, equation 14 and those before it, F(4x4, 3x3)."""
    assert B.T.tolist() == [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
    assert (24 * G).tolist() == [
        [6, 0, 0],
        [-4, -4, -4],
        [-4, 4, -4],
        [1, 2, 4],
        [1, -2, 4],
        [0, 0, 24],
    ]
    assert all(
        np.array_equal(x.astype(float), y)
        for x, y in zip((A, B, G), (winograd.A, winograd.B, winograd.G), strict=True)
    )
    assert A.T.tolist() == [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 2, -2, 0],
        [0, 1, 1, 4, 4, 0],
        [0, 1, -1, 8, -8, 1],
    ]


def test_one_dimension_by_hand():
    d, g = np.array([3, 1, 4, 1, 5, 9]), np.array([2, 7, 1])
    y = A.T @ ((B.T @ d) * (G @ g))
    assert (
        y.tolist()
        == np.correlate(d, g, "valid").tolist()
        == [6 + 7 + 4, 2 + 28 + 1, 8 + 7 + 5, 2 + 35 + 9]
    )


def test_one_dimension_is_proven():
    """Both sides are linear in d and in g: what holds for ones at one place each holds for all."""
    for d, g in product(np.eye(6, dtype=int), np.eye(3, dtype=int)):
        assert (A.T @ ((B.T @ d) * (G @ g))).tolist() == np.correlate(d, g, "valid").tolist()


def test_two_dimensions_are_proven():
    for d, g in product(range(36), range(9)):
        d, g = np.eye(36, dtype=int)[d].reshape(6, 6), np.eye(9, dtype=int)[g].reshape(3, 3)
        wanted = [[(d[i : i + 3, j : j + 3] * g).sum() for j in range(4)] for i in range(4)]
        assert (A.T @ ((B.T @ d @ B) * (G @ g @ G.T)) @ A).tolist() == wanted


# ---- the products
# ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extent", "tiles"), [((9,), 3), ((9, 4), 3), ((9, 4, 5), 6)], ids=["1-D", "2-D", "3-D"]
)
@pytest.mark.parametrize("what", ["forward", "dx"])
def test_each_axis_of_a_tile_takes_6_products(extent, tiles, what, monkeypatch):
    """In two dimensions that is 36 tiles C K multiply-adds, where the definition has 144."""
    images, inputs, outputs, rank = 2, 37, 41, len(extent)
    # the sums of the products; those of the maps are short
    long = {"forward": inputs, "dx": outputs}[what]
    multiply_adds, multiply = [], np.matmul

    def count(a, b, out):
        multiply_adds.append(out.size * long if a.shape[-1] == long else 0)
        return multiply(a, b, out=out)

    monkeypatch.setattr(np, "matmul", count)
    x, dy, w = (
        np.ones(shape)
        for shape in ((images, *extent, inputs), (images, *extent, outputs), (3,) * rank + (37, 41))
    )
    if what == "forward":
        by("winograd")(x, w, padding=1)
    else:
        by("winograd").gradients["dx"](dy, w, x.shape, 1, 1, 1, 1)
    assert sum(multiply_adds) == 6**rank * images * tiles * inputs * outputs


# ---- any geometry
# ---------------------------------------------------------------------------------------------------


@st.composite
def geometries(draw):
    """(x's shape, w's shape, padding): pictures down to one pixel, and paddings up to three times
    the kernel."""
    rank = draw(st.integers(1, 3))
    most = {1: 30, 2: 12, 3: 6}[rank]
    extent = draw(st.tuples(*[st.integers(1, most)] * rank))
    borders = [
        draw(
            st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(
                lambda pair, n=n: n + sum(pair) >= 3
            )
        )
        for n in extent
    ]
    images, inputs, outputs = (draw(st.integers(1, 3)) for _ in range(3))
    return (images, *extent, inputs), (*(3,) * rank, inputs, outputs), tuple(borders)


@given(geometry=geometries(), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_any_geometry_gives_what_im2col_gives(geometry, seed, data):
    x_shape, w_shape, padding = geometry
    rng = np.random.default_rng(seed)
    layouts = st.sampled_from([np.asarray, reversed_strides, permuted_strides, every_second])
    x, w = (data.draw(layouts)(rng.standard_normal(shape)) for shape in (x_shape, w_shape))
    out = [
        n + before + after - 2 for n, (before, after) in zip(x_shape[1:-1], padding, strict=True)
    ]
    dy = data.draw(layouts)(rng.standard_normal((x_shape[0], *out, w_shape[-1])))
    with using_threads(data.draw(st.sampled_from([1, 3]))):
        found, wanted = (
            everything(x, w, dy, padding, algorithm) for algorithm in ("winograd", "im2col")
        )
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        assert abs(one - other).max() <= 1e-12 * max(1, abs(other).max())


@contextmanager
def using_threads(count):
    before = cores.get_threads()
    cores.set_threads(count)
    yield
    cores.set_threads(before)


def everything(x, w, dy, padding, algorithm):
    """y, dx and dw"""
    op, options = by(algorithm), (1, padding, 1, 1)
    return (
        op(x, w, padding=padding),
        op.gradients["dx"](dy, w, x.shape, *options),
        op.gradients["dw"](dy, x, w.shape, *options),
    )


@pytest.mark.parametrize("extent", [(8,), (8, 4), (4, 4, 8)])
def test_threads_share_the_channels_of_a_few_whole_tiles(extent):
    x, w = rng.standard_normal((1, *extent, 7)), rng.standard_normal((*(3,) * len(extent), 7, 5))
    dy = rng.standard_normal((1, *extent, 5))
    with using_threads(3):
        found = everything(x, w, dy, 1, "winograd")
    for one, other in zip(found, everything(x, w, dy, 1, "im2col"), strict=True):
        assert abs(one - other).max() <= 1e-12 * abs(other).max()


@pytest.mark.parametrize("padding", [((9, 9), (9, 9)), ((9, 0), (0, 9)), ((0, 3), (9, 1))])
@pytest.mark.parametrize("extent", [(1, 2), (3, 9), (6, 4)])
def test_padding_far_beyond_the_kernel_is_that_of_the_definition(extent, padding):
    x, w = rng.standard_normal((1, *extent, 2)), rng.standard_normal((3, 3, 2, 3))
    out = [
        max(0, n + before + after - 2) for n, (before, after) in zip(extent, padding, strict=True)
    ]
    dy = rng.standard_normal((1, *out, 3))
    found, wanted = (
        everything(x, w, dy, padding, algorithm) for algorithm in ("winograd", "textbook")
    )
    assert all(
        np.allclose(one, other, rtol=1e-12, atol=1e-12)
        for one, other in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize("shape", [(0, 9, 9, 4), (0, 1, 1, 4)])
def test_no_pictures(shape):
    y, dx, dw = everything(
        np.ones(shape), np.ones((3, 3, 4, 5)), np.ones((*shape[:3], 5)), 1, "winograd"
    )
    assert (y.shape, dx.shape, dw.shape) == ((*shape[:3], 5), shape, (3, 3, 4, 5))
    assert not dw.any()


@pytest.mark.parametrize("x", [np.float32, np.float64])
@pytest.mark.parametrize("w", [np.float32, np.float64])
def test_narrow_and_wide_numbers_mix(x, w):
    """The wider of the two, computed as well as the narrower one allows."""
    wide = [
        rng.standard_normal(shape).astype(np.float32)
        for shape in ((2, 9, 7, 5), (3, 3, 5, 6), (2, 9, 7, 6))
    ]
    given = [array.astype(dtype) for array, dtype in zip(wide, (x, w, x), strict=True)]
    wanted = everything(*(array.astype(float) for array in wide), 1, "im2col")
    for one, other in zip(everything(*given, 1, "winograd"), wanted, strict=True):
        # dw is of x and dy alone
        assert one.dtype == (np.result_type(x, w) if one.shape[0] == 2 else x)
        assert (
            abs(one - other).max() <= (1e-13 if x == w == np.float64 else 1e-5) * abs(other).max()
        )


# ---- errors, on the numbers that VGG19 works on
# ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def model():
    return vgg19()


@pytest.fixture(scope="module")
def photograph():
    return read_image(shipped_picture("chelsea"), 64)


def largest_error(found, wanted):
    assert found.dtype == np.float32
    return abs(found - wanted).max() / abs(wanted).max()


@pytest.mark.parametrize("block", [1, 2, 3, 4])
def test_float32_is_within_5e_5_of_float64(block, model, photograph):
    [x] = model.features(photograph, [f"block{block}_conv1"]).values()
    w = model.layers[f"block{block}_conv2"].kernel.data
    dy = (
        np.random.default_rng(block)
        .standard_normal((*x.shape[:-1], w.shape[-1]))
        .astype(np.float32)
    )
    found = everything(x, w, dy, 1, "winograd")
    wanted = everything(*(array.astype(float) for array in (x, w, dy)), 1, "im2col")
    assert [
        largest_error(one, other) <= 5e-5 for one, other in zip(found, wanted, strict=True)
    ] == [True] * 3


def test_float32_is_within_5e_5_of_the_definition(model, photograph):
    [x] = model.features(photograph[:24, :32], ["block4_conv1"]).values()
    w = model.layers["block4_conv2"].kernel.data
    wanted = by("textbook")(x.astype(float), w.astype(float), padding=1)
    assert largest_error(by("winograd")(x, w, padding=1), wanted) <= 5e-5


def test_the_gradient_of_a_style_transfer_is_that_of_im2col_in_float64(
    model, photograph, monkeypatch
):
    """Both are differentiated in the linear piece of the network that float32 found: a ReLU whose
    input is within rounding of 0 may be open in one precision and closed in the other."""
    style = read_image(shipped_picture("van-gogh-cafe-terrace"), 64)
    start = photograph + np.random.default_rng(0).uniform(-40, 40, photograph.shape).astype(
        np.float32
    )

    def gradient(model, dtype):
        pictures = photograph.astype(dtype), [style.astype(dtype)]
        image = Tensor(start.astype(dtype), requires_grad=True)
        Objective(model, *pictures, Settings())(image)[0].backward()
        return image.grad

    calls, masks, rectified = [], [], Convolution.rectified

    def remembering(layer, x):
        y = rectified(layer, x)
        masks.append(y.data > 0)
        return y

    with monkeypatch.context() as patch:
        for name in ("winograd", "winograd_runs"):
            counted = {
                what: lambda *args, f=getattr(ALGORITHMS[name], what), what=what: (
                    calls.append(what) or f(*args)
                )
                for what in ("forward", "dx")
            }
            patch.setitem(ALGORITHMS, name, ALGORITHMS[name]._replace(**counted))
        patch.setattr(Convolution, "rectified", remembering)
        found = gradient(model, np.float32)
    assert min(calls.count("forward"), calls.count("dx")) >= 3, (
        "... or this compares im2col with itself"
    )
    wide = VGG19(
        {name: p.data.astype(float) for name, p in model.named_parameters().items()},
        model.preprocessing,
    ).freeze()
    monkeypatch.setattr(convolution, "choose", lambda problem: im2col.IM2COL)
    monkeypatch.setattr(
        Convolution, "rectified", lambda layer, x: layer(x) * masks.pop(0).astype(float)
    )
    wanted = gradient(wide, np.float64)
    assert found.dtype == np.float32 and wanted.dtype == np.float64
    assert not masks
    # There and back are at most 2 * 13 convolutions, each with a relative error by norm of at most
    # c eps sqrt(9 * 512). Independent errors add up as their squares do.
    layers, longest = 2 * 13, 9 * 512
    tolerance = FLOAT32_C * np.finfo(np.float32).eps * np.sqrt(layers * longest)
    assert np.linalg.norm(found - wanted) <= tolerance * np.linalg.norm(wanted)


# ---- kernels that are kept
# ------------------------------------------------------------------------------------------


@pytest.fixture
def computed(monkeypatch):
    """Grows with every kernel whose form at the points is computed: (its place in memory, whether
    turned)."""
    calls, kernels = [], winograd._kernels
    monkeypatch.setattr(
        winograd,
        "_kernels",
        lambda w, turn, dtype: calls.append((id(w), turn)) or kernels(w, turn, dtype),
    )
    return calls


def freeze(array):
    array.flags.writeable = False
    return array


def layer(x, w):
    """y and dx"""
    x = Tensor(x, requires_grad=True)
    y = by("winograd")(x, w, padding=1)
    y.backward(np.ones(y.shape))
    return y.data, x.grad


picture = rng.standard_normal((1, 6, 7, 4))
begin = begun_anew(rng)


def kernel():
    return rng.standard_normal((3, 3, 4, 5))


def test_a_frozen_kernel_is_computed_once_each_way(computed):
    w = frozen.frozen_copy(kernel())
    first = layer(picture, w)
    assert computed == [(id(w), False), (id(w), True)]
    for _ in range(3):
        assert [array.tobytes() for array in layer(picture, w)] == [
            array.tobytes() for array in first
        ]
    assert len(computed) == 2


def test_each_frozen_kernel_has_its_own(computed):
    kernels = [frozen.frozen_copy(kernel()) for _ in range(4)]
    for w in (*kernels, *kernels):
        y, dx = layer(picture, w)
        dy = np.ones(y.shape)
        wanted = everything(picture, w, dy, 1, "im2col")
        assert np.allclose(y, wanted[0], rtol=1e-12, atol=1e-12) and np.allclose(
            dx, wanted[1], rtol=1e-12, atol=1e-12
        )
    assert len(computed) == 8


def test_a_kernel_that_learns_is_computed_each_time(computed):
    w = kernel()
    y, dx = layer(picture, w)
    w *= 2
    for found, before in zip(layer(picture, w), (y, dx), strict=True):
        assert np.array_equal(found, 2 * before)
    assert len(computed) == 4


VIEWS = {
    "a view": lambda w: w[...],
    "a view of a view": lambda w: freeze(w[...]).reshape(-1).reshape(w.shape),
    "through a memoryview": lambda w: np.asarray(memoryview(w)),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_read_only_view_of_a_kernel_that_learns_is_computed_each_time(view, computed):
    w = kernel()
    read = freeze(VIEWS[view](w))
    y, dx = layer(picture, read)
    w *= 2
    for found, before in zip(layer(picture, read), (y, dx), strict=True):
        assert np.array_equal(found, 2 * before)
    assert len(computed) == 4


@using(convolution="winograd")
def test_a_layer_that_was_frozen_may_learn_again():
    convolution = Convolution(kernel(), padding=1).freeze()
    y = convolution(picture).data
    for factor in (2, 4, 8):
        with pytest.raises(ValueError, match="read-only"):
            convolution.kernel.data *= 2
        convolution.freeze(False)
        convolution.kernel.data *= 2
        assert np.array_equal(convolution(picture).data, factor * y)
        convolution.freeze()
        assert np.array_equal(convolution(picture).data, factor * y)


def test_what_is_kept_dies_with_its_kernel():
    w, other = frozen.frozen_copy(kernel()), frozen.frozen_copy(kernel())
    kept = [
        weakref.ref(winograd._kept_kernels(w, turn, w.dtype))
        for w in (w, other)
        for turn in (False, True)
    ]
    gc.collect()
    assert [at_the_points() is None for at_the_points in kept] == [False] * 4
    del w
    gc.collect()
    assert [at_the_points() is None for at_the_points in kept] == [True, True, False, False]


def test_a_kernel_that_lies_where_another_lay_is_not_taken_for_it():
    places, returned = set(), 0
    for _ in range(1000):  # how soon a place is used again is up to the allocator
        w = frozen.frozen_copy(kernel())
        returned += id(w) in places
        places.add(id(w))
        wanted = by("im2col")(picture, w, padding=1)
        assert np.allclose(layer(picture, w)[0], wanted, rtol=1e-12, atol=1e-12)
        del w
        if returned == 3:
            break
    else:
        pytest.skip("no kernel lay where another had lain")


def test_what_is_kept_is_no_scratch_memory():
    """Another convolution between the two would overwrite it."""
    w = frozen.frozen_copy(kernel())
    first = layer(picture, w)
    layer(10 * picture, kernel())
    assert [array.tobytes() for array in layer(picture, w)] == [array.tobytes() for array in first]


def test_frozen_is_what_nobody_can_write_to():
    w = kernel()
    assert not frozen.is_frozen(w)
    assert not frozen.is_frozen(freeze(w[...]))
    assert not frozen.is_frozen(np.broadcast_to(w, (2, *w.shape)))
    assert not frozen.is_frozen(freeze(np.frombuffer(bytearray(8))))
    assert not frozen.is_frozen(SimpleNamespace(flags=None))
    freeze(w)
    assert not frozen.is_frozen(freeze(w.copy()))
    assert frozen.is_frozen(frozen.frozen_copy(w)) and not frozen.is_frozen(
        frozen.frozen_copy(w)[1:]
    )


def test_the_shipped_kernels_are_frozen(model):
    assert all(frozen.is_frozen(parameter.data) for parameter in model.parameters())


def test_a_picture_that_is_small_keeps_the_kernels_of_a_deep_layer(model, computed):
    """There the kernels are much of the work."""
    w = model.layers["block5_conv1"].kernel.data
    for _ in range(2):
        by("winograd")(np.ones((1, 8, 8, 512), np.float32), w, padding=1)
    assert len(computed) <= 1
