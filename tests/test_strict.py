"""The stand-in for CuPy: what it refuses, what it allows, and what it makes hard to get right by
accident."""

import importlib
import operator
import shutil
import sys
import weakref

import numpy as np
import pytest

from tests.strict import counts, needed, standing_in
from tests.strict.kernels import NULL, sanitized

NUMBERS = np.arange(24.0).reshape(2, 3, 4)


@pytest.fixture
def cupy():
    with standing_in() as module:
        yield module


def names(cupy):
    """What the snippets speak of: x, y and a mask of one shape, v and i of one dimension, host in
    NumPy."""
    x = cupy.asarray(NUMBERS)
    made = {
        "x": x,
        "y": cupy.asarray(NUMBERS[::-1]),
        "v": cupy.arange(5.0),
        "i": cupy.asarray([0, 2, -1]),
        "mask": x > 5,
    }
    counts.reset()
    return {
        **made,
        "cupy": cupy,
        "np": np,
        "host": NUMBERS,
        "operator": operator,
        "importlib": importlib,
    }


HIDDEN = (
    "bool(v[0])", "float(v[0])", "int(v[0])", "complex(v[0])", "operator.index(v[0])", "1.0 in v", "v.flat", "np.asarray(x)",
    "x.__array__()", "np.array(x)", "np.exp(x)", "np.sum(x)", "np.add(x, y)", "np.concatenate([x, y])", "x + host", "host + x",
    "x < host", "x @ host.mT", "x + [1.0]", "np.array(2.0) * x", "exec('x += host')", "exec('host += x')", "x[np.array([0])]",
    "x[[0]]", "x[0, [1]]", "x[True]", "x[mask]", "exec('x[...] = host')", "exec('v[...] = [1, 2, 3, 4, 5]')",
    "exec('x[np.array(0)] = 1')", "exec('v[v > 2] = v[:2]')", "cupy.nonzero(v)", "v.nonzero()", "cupy.where(mask)",
    "cupy.argwhere(v)", "cupy.unique(v)", "cupy.maximum(x, host)", "cupy.exp([1.0])", "cupy.sum([1.0])", "cupy.sum(host)",
    "cupy.concatenate([x, host])", "cupy.concatenate([host, host])", "cupy.einsum('abc,abc->a', x, host)",
    "cupy.ascontiguousarray(host)",
    "cupy.zeros_like(host)", "cupy.add.at(v, np.array([0]), 1)", "cupy.take(v, [0])", "v.take(np.array([0]))",
    "cupy.asarray([v, v])", "importlib.import_module('pickle').dumps(x)",
)  # fmt: skip

REFUSED = {
    "hash(x)": "unhashable",
    "{x: 1}": "unhashable",
    "x.foo = 1": "has no",
    "x.flags.writeable": "writeable",
    "x.__array_namespace__": "CuPy 14.2 has no cupy.ndarray.__array_namespace__",
    "x.ctypes": "CuPy 14.2 has no",
    "x.toDlpack()": "the stand-in has no cupy.ndarray.toDlpack",
    "cupy.vecdot": "CuPy 14.2 has no cupy.vecdot",
    "cupy.geomspace": "CuPy 14.2 has no",
    "cupy.insert": "CuPy 14.2 has no",
    "cupy.errstate": "CuPy 14.2 has no",
    "cupy.linalg.multi_dot": "CuPy 14.2 has no cupy.linalg.multi_dot",
    "cupy.fft": "the stand-in has no cupy.fft",
    "cupy.load": "the stand-in has no cupy.load",
    "cupy.cuda.Nothing": "CuPy 14.2 has no cupy.cuda.Nothing",
    "cupy.cuda.Graph": "the stand-in has no cupy.cuda.Graph",
    "cupy.add.outer": "the stand-in has no|has no cupy.add.outer",
    "cupy.multiply.at(v, i, 2.0)": "has no cupy.multiply.at",
    "cupy.sum(x, where=mask)": "where",
    "cupy.sum(x, initial=0)": "initial",
    "x.sum(initial=0)": "initial",
    "x.max(initial=0)": "initial",
    "cupy.maximum(x, y, where=mask)": "where",
    "cupy.maximum(x, y, order='C')": "order",
    "cupy.einsum('abc->a', x, out=v[:2])": "out",
    "cupy.clip(x, min=0)": "min",
    "cupy.take(v, i, mode='clip')": "mode",
    "cupy.zeros(3, device='cpu')": "device",
    "cupy.lib.stride_tricks.as_strided(v, (2,), (8,), writeable=False)": "writeable",
    "cupy.where(True, x, y)": "takes an array as condition",
    "cupy.sum(1.0)": "takes an array as a",
    "x + None": "computes with arrays and numbers",
    "x + 'a'": "computes with arrays and numbers",
    "x[9]": "out of bounds",
    "v.set([1, 2, 3, 4, 5])": "takes a NumPy array",
    "v.set(np.ones(5, 'f4'))": "takes a NumPy array of float64",
    "cupy.asarray(['a'])": "no arrays of",
    "cupy.asarray([None])": "no arrays of",
    "cupy.zeros(3, 'g')": "no arrays of",
    "len(v[0])": "unsized",
}

ALLOWED = {
    "x + 1": NUMBERS + 1,
    "1 - x": 1 - NUMBERS,
    "np.float64(2) * x": NUMBERS * 2,
    "x + y": NUMBERS + NUMBERS[::-1],
    "-x": -NUMBERS,
    "x @ y.mT": NUMBERS @ NUMBERS[::-1].mT,
    "x[0, 1]": NUMBERS[0, 1],
    "x[:, ::-1, None]": NUMBERS[:, ::-1, None],
    "x[..., i]": NUMBERS[..., [0, 2, 3]],
    "x.sum(axis=(0, 2), keepdims=True)": NUMBERS.sum((0, 2), keepdims=True),
    "cupy.max(x, 0)": NUMBERS.max(0),
    "cupy.where(mask, x, 0.0)": np.where(NUMBERS > 5, NUMBERS, 0),
    "cupy.einsum('abc,abd->cd', x, y, optimize=True)": np.einsum(
        "abc,abd->cd", NUMBERS, NUMBERS[::-1]
    ),
    "cupy.concatenate([x, y], axis=1)": np.concatenate([NUMBERS, NUMBERS[::-1]], 1),
    "cupy.stack((x, y))": np.stack([NUMBERS, NUMBERS[::-1]]),
    "cupy.pad(v, ((1, 2),))": [0, 0, 1, 2, 3, 4, 0, 0],
    "cupy.multiply(v, 2, dtype='f4')": [0, 2, 4, 6, 8],
    "cupy.clip(v, 1, 3)": [1, 1, 2, 3, 3],
    "cupy.argmax(x, axis=2)": np.full((2, 3), 3),
    "cupy.isfinite(v)": [True] * 5,
    "cupy.log(v - 1)[:0]": [],  # without a warning
    "cupy.zeros_like(x)": np.zeros((2, 3, 4)),
    "cupy.linalg.inv(2 * cupy.eye(2))": np.eye(2) / 2,
    "cupy.full((2,), 3.0)": [3, 3],
    "x.copy()": NUMBERS,
    "cupy.real(x)": NUMBERS,
    "cupy.exp(0.0)": 1,
    "[row for row in x][1]": NUMBERS[1],
    "importlib.import_module('copy').deepcopy(x)": NUMBERS,
}


@pytest.mark.parametrize("snippet", HIDDEN)
def test_a_hidden_transfer_is_refused(cupy, snippet):
    with pytest.raises(TypeError, match="a hidden transfer"):
        eval(snippet, names(cupy))
    assert counts.reads == counts.uploads == 0


@pytest.mark.parametrize("snippet", REFUSED)
def test_what_cupy_does_not_do_is_refused(cupy, snippet):
    with pytest.raises(
        (TypeError, AttributeError, IndexError, NotImplementedError), match=REFUSED[snippet]
    ):
        exec(snippet, names(cupy))


@pytest.mark.parametrize("snippet", ALLOWED)
def test_what_cupy_does_is_allowed(cupy, snippet):
    x = eval(snippet, names(cupy))
    assert counts.reads == counts.uploads == 0
    np.testing.assert_array_equal(x.get(), ALLOWED[snippet])


# ---- what is made hard
# ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "snippet", ["x + 1", "-x", "x @ y.mT", "x.sum(0)", "x > 1", "cupy.exp(x)", "cupy.where(mask, x, y)",
                "cupy.stack([v, v, v])", "cupy.pad(x, 1)", "cupy.einsum('abc,abd->dc', x, y)",
                "cupy.concatenate([x, y])", "x[i % 2]", "x.repeat(2, 0)"]
)  # fmt: skip
def test_what_is_computed_is_not_c_contiguous(cupy, snippet):
    result = eval(snippet, names(cupy))
    assert result.ndim > 1
    assert result.flags.f_contiguous
    assert not result.flags.c_contiguous


@pytest.mark.parametrize(
    "snippet", ["cupy.zeros((2, 3))", "cupy.empty((2, 3))", "cupy.full((2, 3), 1.0)", "cupy.asarray(host)", "x.T.copy()",
                "cupy.ascontiguousarray(x.T)", "x.T.reshape(6, 4)", "x.T.astype('f4', order='C')", "cupy.array(host)"]
)  # fmt: skip
def test_what_is_made_is_c_contiguous(cupy, snippet):
    assert eval(snippet, names(cupy)).flags.c_contiguous


def test_a_result_of_no_dimensions_is_an_array(cupy):
    x = cupy.ones(3)
    for result in (
        x[0],
        x.sum(),
        cupy.max(x),
        x[0] + 1,
        cupy.allclose(x, x),
        cupy.count_nonzero(x),
        cupy.exp(1.0),
    ):
        assert isinstance(result, cupy.ndarray)
        assert result.shape == ()


def test_new_memory_is_poisoned(cupy):
    assert np.isnan(cupy.empty((2, 2)).get()).all()
    assert np.isnan(cupy.ndarray(3, "c8").get().imag).all()
    assert (cupy.empty_like(cupy.zeros(3, "i4")).get() == 2**31 - 1).all()
    assert cupy.empty(3, bool).get().all()


def test_the_numbers_of_an_index_array_wrap_around(cupy):
    v, i = cupy.arange(5), cupy.asarray(np.array([5, -6, 7], "i1"))
    assert v[i].tolist() == v.take(i).tolist() == cupy.take(v, i).tolist() == [0, 4, 2]
    cupy.add.at(v, i, 10)
    v[i[:1]] = -1
    assert v.tolist() == [-1, 1, 12, 3, 14]
    grid = cupy.zeros((2, 3, 4))
    grid[..., cupy.asarray([4]), :] = 1
    assert grid.sum(axis=(0, 2)).tolist() == [0, 8, 0]


@pytest.mark.parametrize(
    "view", ["x[1:]", "x[0, 1, 2]", "x.T", "x.mT", "x.swapaxes(0, 1)", "cupy.moveaxis(x, 0, -1)", "x.reshape(6, 4)", "x.real",
             "cupy.lib.stride_tricks.as_strided(x, (2, 2), (8, 8))", "x.transpose(1, 0, 2)", "x.ravel()", "x[None]", "x.view()"]
)  # fmt: skip
def test_a_view_is_a_view(cupy, view):
    names_ = names(cupy)
    v, x = eval(view, names_), names_["x"]
    assert v.base is x or v is x
    assert cupy.may_share_memory(v, x)
    v[...] = -7
    assert (x.get() == -7).sum() == len({*range(v.size)} if "strided" not in view else range(3))
    assert counts.launches == 1


def test_what_is_there_already_is_not_copied(cupy):
    x = cupy.ones((2, 3))
    assert (
        x.astype("f8", copy=False)
        is cupy.ascontiguousarray(x)
        is cupy.asarray(x)
        is cupy.asarray(x, dtype="f8")
        is x
    )
    assert cupy.array(x) is not x
    assert not cupy.may_share_memory(cupy.array(x), x)


def test_out_keeps_its_layout(cupy):
    x, out = cupy.ones((2, 3)), cupy.empty((2, 3))
    assert (
        cupy.add(x, 1, out=out)
        is cupy.multiply(x, 2, out)
        is cupy.matmul(x, cupy.eye(3), out=out)
        is out
    )
    assert out.flags.c_contiguous
    before = out
    out += 1
    assert out is before
    assert out.tolist() == [[2, 2, 2]] * 2


def test_an_operator_is_left_to_who_claims_it(cupy):
    class Claims:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "mine"

    class Modest:
        __radd__ = Claims.__radd__

    x = cupy.ones(3)
    assert x + Claims() == "mine"
    with pytest.raises(TypeError, match="found a Modest"):
        x + Modest()


def test_the_counts(cupy):
    counts.reset()
    x = cupy.asarray(NUMBERS)
    x.set(NUMBERS)
    assert (counts.uploads, counts.launches) == (2, 0)
    y = cupy.exp(x.T[1:] + 1).reshape(-1).view()
    y[0] = y.sum()
    y += 1
    assert counts.launches == 6
    assert (y.get().shape, y[0].item(), cupy.asnumpy(y).size, y[1:].tobytes() == b"") == (
        y.shape,
        y[0].item(),
        y.size,
        False,
    )
    assert counts.reads == 5
    cupy.cuda.get_current_stream().synchronize()
    cupy.cuda.Device().synchronize()
    cupy.get_default_memory_pool().free_all_blocks()
    assert (counts.syncs, counts.pool_releases, counts.uploads) == (2, 1, 2)


def test_events_tell_the_time(cupy):
    start, end = cupy.cuda.Event(), cupy.cuda.Event()
    start.record()
    end.record()
    end.synchronize()
    assert 0 <= cupy.cuda.get_elapsed_time(start, end) < 1e3


def test_the_compute_types(cupy):
    types = cupy._core._routines_linalg
    before = cupy._core.get_compute_type("f4")
    assert before == types.COMPUTE_TYPE_DEFAULT
    cupy._core.set_compute_type(np.float32, types.COMPUTE_TYPE_TF32)
    assert cupy._core.get_compute_type("f4") == types.COMPUTE_TYPE_TF32
    cupy._core.set_compute_type("f4", before)


def test_an_array_that_nobody_holds_is_gone(cupy):
    x = cupy.ones(3)
    watched, view, y = weakref.ref(x), x[1:], cupy.exp(x) + x
    del x
    assert watched() is view.base
    del view
    assert watched() is None
    assert y.base is None


@pytest.mark.parametrize("before", [{}, {"cupy": None}, {"cupy": "another"}])
def test_the_module_is_put_back(monkeypatch, before):
    monkeypatch.setitem(sys.modules, "cupy", "to be put back as it was")
    del sys.modules["cupy"]
    sys.modules.update(before)
    with pytest.raises(ZeroDivisionError), standing_in() as cupy:
        assert importlib.import_module("cupy") is cupy
        raise ZeroDivisionError
    assert {name: sys.modules[name] for name in ["cupy"] if name in sys.modules} == before


# ---- kernels
# --------------------------------------------------------------------------------------------------------

KERNELS = """
struct Sizes { int n; float factor; };

static __device__ __forceinline__ int place() { return blockIdx.x * blockDim.x + threadIdx.x; }

extern "C" __global__ void scale(const REAL* __restrict__ x, REAL* __restrict__ y, const Sizes sizes, const double* shift) {
    const int i = place();
    if (i < sizes.n) y[i] = sizes.factor * x[i] + (shift ? REAL(*shift) : 0);
}

extern "C" __global__ void order(long long* places, long long* next) { places[(*next)++] = place(); }

extern "C" __global__ void numbers(double* y, long long a, double b, float c, int d) { *y = a + b + c + d; }

extern "C" __global__ void box(int* y) {
    const int z = blockIdx.z * blockDim.z + threadIdx.z, v = blockIdx.y * blockDim.y + threadIdx.y;
    y[(z * gridDim.y * blockDim.y + v) * gridDim.x * blockDim.x + place()] = 100 * z + 10 * v + place();
}
"""
SIZES = np.dtype([("n", "i4"), ("factor", "f4")])
sizes = np.array([(20, 2)], SIZES)


@pytest.fixture
def kernel(cupy):
    needed(shutil.which("g++"), "g++")
    return cupy.RawModule(code=KERNELS, options=("--std=c++17", "-DREAL=float")).get_function


def test_a_kernel_runs(cupy, kernel):
    x, y, shift = cupy.arange(20, dtype="f4"), cupy.empty(20, "f4"), cupy.asarray(5.0)
    counts.reset()
    kernel("scale")((2,), (16,), (x, y, sizes, shift))
    assert y.tolist() == [2 * i + 5 for i in range(20)]
    kernel("scale")((2, 1), (16, 1, 1), (x, y, sizes, NULL))
    assert y.tolist() == [2 * i for i in range(20)]
    assert counts.launches == 2


def test_numbers_come_in_their_own_types(cupy, kernel):
    y = cupy.empty(())
    kernel("numbers")((1,), (1,), (y, 1, 0.5, np.float32(0.25), np.int32(10)))
    assert y.item() == 11.75


def test_grids_and_blocks_have_three_sizes(cupy, kernel):
    y = cupy.empty((4, 6, 6), "i4")
    kernel("box")((2, 3, 1), (3, 2, 4), (y,))
    assert (
        y.get() == np.add.outer(100 * np.arange(4), np.add.outer(10 * np.arange(6), np.arange(6)))
    ).all()


def test_threads_come_in_a_scrambled_order(cupy, kernel):
    orders = []
    for _ in range(2):
        places, following = cupy.empty(1000, "i8"), cupy.zeros(1, "i8")
        kernel("order")((10,), (100,), (places, following))
        orders.append(places.tolist())
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == list(range(1000))
    assert not any(b == a + 1 for a, b in zip(orders[0], orders[0][1:], strict=False))


@pytest.mark.parametrize(
    "args, words",
    [
        ("x[:, None].repeat(2, 1), y, sizes, NULL", "ignores strides"),
        ("x, y[::2], sizes, NULL", "ignores strides"),
        ("x, x[:10], sizes, NULL", "share memory"),
        ("x, y, sizes", "takes 4 arguments; found 3"),
        ("x.astype('f8'), y, sizes, NULL", "a pointer to f4; found a ndarray of f8"),
        ("x, 1, sizes, NULL", "a pointer to f4; found a int of i8"),
        ("x, y, y, NULL", "one struct"),
        ("x, y, 20, NULL", "takes V8; found a int of i8"),
        ("x, y, sizes.repeat(2), NULL", "one struct"),
        ("x, y, sizes, None", "found a NoneType"),
        ("x, y, sizes, 0", "a pointer to f8"),
        ("x, np.ones(20, 'f4'), sizes, NULL", "one struct"),
    ],
)
def test_wrong_arguments_are_refused(cupy, kernel, args, words):
    x, y = cupy.arange(20, dtype="f4"), cupy.empty(20, "f4")
    args = eval(args, {"x": x, "y": y, "sizes": sizes, "NULL": NULL, "np": np})
    with pytest.raises((TypeError, ValueError), match=words):
        kernel("scale")((2,), (16,), args)


@pytest.mark.parametrize(
    "grid, block", [((0,), (1,)), ((1,), (1025,)), ((1,), (64, 64)), ((1, 65536), (1,)), ((1,), (1, 1, 65)),
                    ((1, 1, 1, 1), (1,)), (1, (1,))]
)  # fmt: skip
def test_wrong_sizes_are_refused(cupy, kernel, grid, block):
    with pytest.raises((TypeError, ValueError), match=r"grid and block|a block has"):
        kernel("order")(grid, block, (cupy.empty(9, "i8"), cupy.empty(1, "i8")))


@pytest.mark.parametrize(
    "text, name, words",
    [
        (KERNELS, "unknown", "unknown"),
        ('extern "C" __global__ void f(int* x) { *x = y; }', "f", "y"),
        ('extern "C" __global__ void f(int* x) { int unused; *x = 1; }', "f", "unused"),
        (
            'extern "C" __global__ void f(int* x) { __shared__ int y[9]; *x = y[0]; }',
            "f",
            "__shared__",
        ),
        ('extern "C" __global__ void f(int* x) { __syncthreads(); *x = 0; }', "f", "__syncthreads"),
    ],
)
def test_a_text_that_does_not_compile_is_refused_with_the_reason(cupy, kernel, text, name, words):
    with pytest.raises(
        RuntimeError, match=f"the kernel {name} does not compile on the host(.|\n)*{words}"
    ):
        cupy.RawModule(code=text, options=("-DREAL=float",)).get_function(name)


# ---- under the sanitizers
# -------------------------------------------------------------------------------------------

PLANTED = '''
import numpy as np
from tests.strict import standing_in
text = """extern "C" __global__ void planted(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) { STEP; }
}"""
with standing_in() as cupy:
    x, y = cupy.arange(20, dtype="f4"), cupy.empty(20, "f4")
    planted = cupy.RawModule(code=text.replace("STEP", "%s")).get_function("planted")
    planted((2,), (16,), (x, y, np.int32(20)))
    assert y.tolist() == list(range(20))
'''


@pytest.mark.parametrize(
    "step, report",
    [
        ("y[i] = x[i]", None),
        ("y[i + 1] = x[i]", "AddressSanitizer: heap-buffer-overflow"),
        ("y[i] = x[i - 1]", "AddressSanitizer: heap-buffer-overflow"),
        ("y[i] = x[i] + (i + 2147483630)", "runtime error: signed integer overflow"),
        ("y[i] = *(const double*)(x + 1)", "runtime error: load of misaligned address"),
    ],
)
def test_the_sanitizers_see_a_wrong_step(step, report):
    needed(shutil.which("g++"), "g++")
    done = sanitized(["-c", PLANTED % step])
    assert (done.returncode == 0) == (report is None), done.stderr
    assert (report or "") in done.stderr
