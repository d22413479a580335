"""The stand-in for CuPy: what it refuses, what it allows, and what it does not guarantee."""

import importlib
import operator
import sys
import weakref

import numpy as np
import pytest

from tests.strict import counts, standing_in

NUMBERS = np.arange(24.0).reshape(2, 3, 4)


@pytest.fixture
def cupy():
    with standing_in() as module:
        yield module


def names(cupy):
    """Return the names that the snippets use.

    x, y and mask have one shape, v and i have one dimension, and host is a NumPy array.
    """
    x, y = cupy.asarray(NUMBERS), cupy.asarray(NUMBERS[::-1])
    arrays = {"x": x, "y": y, "mask": x > 5}
    arrays |= {"v": cupy.arange(5.0), "i": cupy.asarray([0, 2, -1]), "host": NUMBERS}
    counts.reset()
    return {**arrays, "cupy": cupy, "np": np, "operator": operator, "importlib": importlib}


HIDDEN = (
    "bool(v[0])", "float(v[0])", "int(v[0])", "complex(v[0])", "operator.index(v[0])", "1.0 in v",
    "v.flat", "np.asarray(x)", "x.__array__()", "np.array(x)", "np.exp(x)", "np.sum(x)",
    "np.add(x, y)", "np.concatenate([x, y])", "x + host", "host + x", "x < host", "x @ host.mT",
    "x + [1.0]", "np.array(2.0) * x", "exec('x += host')", "exec('host += x')", "x[np.array([0])]",
    "x[[0]]", "x[0, [1]]", "x[True]", "x[mask]", "exec('x[...] = host')",
    "exec('v[...] = [1, 2, 3, 4, 5]')", "exec('x[np.array(0)] = 1')", "exec('v[v > 2] = v[:2]')",
    "cupy.nonzero(v)", "v.nonzero()", "cupy.where(mask)", "cupy.argwhere(v)", "cupy.unique(v)",
    "cupy.maximum(x, host)", "cupy.exp([1.0])", "cupy.sum([1.0])", "cupy.sum(host)",
    "cupy.concatenate([x, host])", "cupy.concatenate([host, host])",
    "cupy.einsum('abc,abc->a', x, host)", "cupy.ascontiguousarray(host)", "cupy.zeros_like(host)",
    "cupy.add.at(v, np.array([0]), 1)", "cupy.take(v, [0])", "v.take(np.array([0]))",
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
def test_what_cupy_refuses_is_refused(cupy, snippet):
    errors = (TypeError, AttributeError, IndexError, NotImplementedError)
    with pytest.raises(errors, match=REFUSED[snippet]):
        exec(snippet, names(cupy))


@pytest.mark.parametrize("snippet", ALLOWED)
def test_what_cupy_allows_gives_numpys_result(cupy, snippet):
    x = eval(snippet, names(cupy))
    assert counts.reads == counts.uploads == 0
    np.testing.assert_array_equal(x.get(), ALLOWED[snippet])


# ---- layout, views and new memory ----------------------------------------------------------------

COMPUTED = (
    "x + 1", "-x", "x @ y.mT", "x.sum(0)", "x > 1", "cupy.exp(x)", "cupy.where(mask, x, y)",
    "cupy.stack([v, v, v])", "cupy.pad(x, 1)", "cupy.einsum('abc,abd->dc', x, y)",
    "cupy.concatenate([x, y])", "x[i % 2]", "x.repeat(2, 0)",
)  # fmt: skip
MADE = (
    "cupy.zeros((2, 3))", "cupy.empty((2, 3))", "cupy.full((2, 3), 1.0)", "cupy.asarray(host)",
    "x.T.copy()", "cupy.ascontiguousarray(x.T)", "x.T.reshape(6, 4)",
    "x.T.astype('f4', order='C')", "cupy.array(host)",
)  # fmt: skip
VIEWS = (
    "x[1:]", "x[0, 1, 2]", "x.T", "x.mT", "x.swapaxes(0, 1)", "cupy.moveaxis(x, 0, -1)",
    "x.reshape(6, 4)", "x.real", "cupy.lib.stride_tricks.as_strided(x, (2, 2), (8, 8))",
    "x.transpose(1, 0, 2)", "x.ravel()", "x[None]", "x.view()",
)  # fmt: skip


@pytest.mark.parametrize("snippet", COMPUTED)
def test_a_computed_result_is_in_fortran_order(cupy, snippet):
    result = eval(snippet, names(cupy))
    assert result.ndim > 1
    assert result.flags.f_contiguous
    assert not result.flags.c_contiguous


@pytest.mark.parametrize("snippet", MADE)
def test_a_new_or_copied_array_is_c_contiguous(cupy, snippet):
    assert eval(snippet, names(cupy)).flags.c_contiguous


def test_a_result_without_dimensions_is_an_array(cupy):
    x = cupy.ones(3)
    results = [x[0], x.sum(), cupy.max(x), x[0] + 1, cupy.allclose(x, x), cupy.count_nonzero(x)]
    for result in (*results, cupy.exp(1.0)):
        assert isinstance(result, cupy.ndarray)
        assert result.shape == ()


def test_new_memory_is_poisoned(cupy):
    assert np.isnan(cupy.empty((2, 2)).get()).all()
    assert np.isnan(cupy.ndarray(3, "c8").get().imag).all()
    assert (cupy.empty_like(cupy.zeros(3, "i4")).get() == 2**31 - 1).all()
    assert cupy.empty(3, bool).get().all()


def test_indices_beyond_the_end_wrap_around(cupy):
    v, i = cupy.arange(5), cupy.asarray(np.array([5, -6, 7], "i1"))
    assert v[i].tolist() == v.take(i).tolist() == cupy.take(v, i).tolist() == [0, 4, 2]
    cupy.add.at(v, i, 10)
    v[i[:1]] = -1
    assert v.tolist() == [-1, 1, 12, 3, 14]
    grid = cupy.zeros((2, 3, 4))
    grid[..., cupy.asarray([4]), :] = 1
    assert grid.sum(axis=(0, 2)).tolist() == [0, 8, 0]


@pytest.mark.parametrize("snippet", VIEWS)
def test_a_view_shares_the_memory_of_its_array(cupy, snippet):
    variables = names(cupy)
    view, x = eval(snippet, variables), variables["x"]
    assert view.base is x or view is x
    assert cupy.may_share_memory(view, x)
    view[...] = -7
    # the strided view overlaps itself: its 4 elements are 3 numbers
    assert (x.get() == -7).sum() == (3 if "strided" in snippet else view.size)
    assert counts.launches == 1


def test_a_conversion_that_changes_nothing_returns_the_array_itself(cupy):
    x = cupy.ones((2, 3))
    assert x.astype("f8", copy=False) is x
    assert cupy.ascontiguousarray(x) is x
    assert cupy.asarray(x) is x
    assert cupy.asarray(x, dtype="f8") is x
    assert cupy.array(x) is not x
    assert not cupy.may_share_memory(cupy.array(x), x)


def test_out_keeps_its_layout(cupy):
    x, out = cupy.ones((2, 3)), cupy.empty((2, 3))
    assert cupy.add(x, 1, out=out) is out
    assert cupy.multiply(x, 2, out) is out
    assert cupy.matmul(x, cupy.eye(3), out=out) is out
    assert out.flags.c_contiguous
    before = out
    out += 1
    assert out is before
    assert out.tolist() == [[2, 2, 2]] * 2


def test_an_operand_with_array_ufunc_none_computes_the_operator_itself(cupy):
    class WithoutUfuncs:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "reflected"

    class WithUfuncs:
        __radd__ = WithoutUfuncs.__radd__

    x = cupy.ones(3)
    assert x + WithoutUfuncs() == "reflected"
    with pytest.raises(TypeError, match="found a WithUfuncs"):
        x + WithUfuncs()


def test_every_operation_on_the_device_is_counted(cupy):
    counts.reset()
    x = cupy.asarray(NUMBERS)
    x.set(NUMBERS)
    assert (counts.uploads, counts.launches) == (2, 0)
    y = cupy.exp(x.T[1:] + 1).reshape(-1).view()
    y[0] = y.sum()
    y += 1
    assert counts.launches == 6
    assert y.get().shape == y.shape
    assert y[0].item() == pytest.approx(np.exp(NUMBERS.T[1:] + 1).sum() + 1)
    assert cupy.asnumpy(y).size == y.size
    assert y[1:].tobytes() != b""
    assert counts.reads == 4
    cupy.cuda.get_current_stream().synchronize()
    cupy.cuda.Device().synchronize()
    cupy.get_default_memory_pool().free_all_blocks()
    assert (counts.syncs, counts.pool_releases, counts.uploads) == (2, 1, 2)


def test_events_measure_time(cupy):
    start, end = cupy.cuda.Event(), cupy.cuda.Event()
    start.record()
    end.record()
    end.synchronize()
    assert 0 <= cupy.cuda.get_elapsed_time(start, end) < 1e3


def test_a_compute_type_is_set_for_each_dtype(cupy):
    types = cupy._core._routines_linalg
    before = cupy._core.get_compute_type("f4")
    assert before == types.COMPUTE_TYPE_DEFAULT
    cupy._core.set_compute_type(np.float32, types.COMPUTE_TYPE_TF32)
    assert cupy._core.get_compute_type("f4") == types.COMPUTE_TYPE_TF32
    cupy._core.set_compute_type("f4", before)


def test_an_array_is_freed_with_its_last_reference(cupy):
    x = cupy.ones(3)
    watched, view, y = weakref.ref(x), x[1:], cupy.exp(x) + x
    del x
    assert watched() is view.base
    del view
    assert watched() is None
    assert y.base is None


@pytest.mark.parametrize("before", [{}, {"cupy": None}, {"cupy": "another"}])
def test_the_cupy_module_is_restored_at_exit(monkeypatch, before):
    monkeypatch.setitem(sys.modules, "cupy", "restored by monkeypatch")
    del sys.modules["cupy"]
    sys.modules.update(before)
    with pytest.raises(ZeroDivisionError), standing_in() as cupy:
        assert importlib.import_module("cupy") is cupy
        raise ZeroDivisionError
    assert {name: sys.modules[name] for name in ["cupy"] if name in sys.modules} == before
