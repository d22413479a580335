"""The stand-in for CuPy compared with CuPy's wheel, and minidl's kernels compiled by NVRTC.

These tests need no device: arrays at an address that is never read have shapes and strides, and
NVRTC compiles for any GPU. MINIDL_REQUIRE_GPU_TOOLS=1 makes a missing wheel a failure.
"""

import importlib
import operator
import weakref
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl.engine.kernels import TYPES, Kernels, options_for
from tests.strict import list_cupy, needed, standing_in
from tests.strict.names import LIST, NAMES

FILES = sorted(Path(minidl.__file__).parent.rglob("*.cu"))
GPUS = (
    "sm_90",
    *(pytest.param(name, marks=pytest.mark.thorough) for name in ("sm_80", "sm_100", "sm_120")),
)


@pytest.fixture(scope="module")
def cupy():
    try:
        return importlib.import_module("cupy")
    except ModuleNotFoundError:
        return needed(None, "CuPy")


@pytest.fixture(scope="module")
def compile_(cupy):
    try:
        cupy.cuda.nvrtc.getVersion()
    except (ImportError, OSError, RuntimeError):
        needed(None, "NVRTC")
    return lambda text, gpu, *definitions: compiled(cupy.cuda.nvrtc, text, gpu, definitions)


# ---- the list of names ---------------------------------------------------------------------------


def test_the_list_equals_the_names_of_the_wheel(cupy):
    installed = list_cupy.listed()
    if installed["version"] == LIST["version"]:
        assert installed == LIST
        assert NAMES.read_text() == list_cupy.text_of(installed)
    for namespace, names in LIST["namespaces"].items():
        entries = installed["namespaces"][namespace]
        assert {name: entries.get(name, "missing") for name in names} == names


def test_the_hand_written_names_of_the_stand_in_exist_in_cupy(cupy):
    with standing_in() as stand_in:
        classes = ("cuda.Device", "cuda.Event", "cuda.Stream", "RawModule")
        for path in ("_core", "_core._routines_linalg", "cuda", "cuda.runtime", *classes):
            lookup = operator.attrgetter(path)
            assert public_names(lookup(stand_in)) <= public_names(lookup(cupy))
        assert public_names(stand_in) - {"_core"} <= public_names(cupy)
        pool = stand_in.get_default_memory_pool()
        assert public_names(pool) <= public_names(cupy.cuda.MemoryPool)


def public_names(namespace):
    return {name for name in dir(namespace) if not name.startswith("_")}


# ---- views, attributes and errors ----------------------------------------------------------------

VIEWS = (
    "x", "x[1]", "x[1, 2, 3]", "x[1:3, ::2]", "x[:, ::-1]", "x[5:2]", "x[:0, ::2]",
    "x[None, ..., None]", "x[np.int64(2)]", "x[-1, ..., 1:]", "x.T", "x.mT", "x.T.mT",
    "x.swapaxes(0, 2)", "cupy.swapaxes(x, 0, 1)", "cupy.moveaxis(x, 0, -1)",
    "cupy.moveaxis(x, (0, 1), (1, 2))", "x.transpose(1, 0, 2)", "cupy.transpose(x, (2, 0, 1))",
    "x.reshape(24, 5)", "x.reshape(-1)", "x.ravel()", "x[::2].reshape(2, 30)",
    "x[:, ::2].reshape(4, 3, 5, 1)", "x[:, :3].reshape(4, 15)", "x.T.reshape(30, 4, order='F')",
    "x[:1].reshape(30)", "x[:, :1].squeeze()", "cupy.squeeze(x[:, :1], 1)",
    "cupy.broadcast_to(x[0], (2, 6, 5))", "cupy.broadcast_to(x[:, :1], (4, 6, 5))",
    "cupy.expand_dims(x, 1)", "cupy.flip(x, 1)",
    "cupy.lib.stride_tricks.as_strided(x, (2, 3, 2), (4, 40, 8))", "x.view('i4')",
    "x[..., :4].view('f8')", "x.diagonal(0, 1, 2)", "x[:, :1, :1].T", "x.real", "cupy.real(x)",
    "cupy.rollaxis(x, 2)", "x.astype('f4', copy=False)", "cupy.ascontiguousarray(x)",
    "cupy.asfortranarray(x.T)", "cupy.ascontiguousarray(x[0, 0, 0])", "x.conj()",
    "cupy.matrix_transpose(x)", "x.view()",
)  # fmt: skip

ANSWERS = (
    "x.astype('f4', copy=False) is x", "cupy.ascontiguousarray(x) is x", "x.real is x",
    "x[1:] is x", "x.T.base is x", "len(x)", "x[1:].T[0].base is x", "x.flags.owndata",
    "x.T.flags.owndata", "cupy.may_share_memory(x, x[1:])", "cupy.may_share_memory(x[:2], x[2:])",
    "cupy.may_share_memory(x[..., 0], x[..., 1])", "cupy.result_type(x, 1.0)",
    "cupy.result_type(x, 1j)", "cupy.shape([1, 2])", "cupy.result_type(x, np.float64(1))",
    "cupy.result_type(np.int32, np.float32)", "cupy.shape(x)", "cupy.ndim(x)",
    "cupy.finfo(x.dtype).eps", "cupy.newaxis", "cupy.inf", "cupy.float32 is np.float32", "x.size",
    "x.nbytes", "x.itemsize", "hasattr(x, '__array_namespace__')", "hasattr(x, 'ctypes')",
    "hasattr(x.flags, 'writeable')", "hasattr(x, '__imatmul__')", "hasattr(cupy, 'geomspace')",
    "x.__array_priority__", "x + Claims()", "x @ Claims()", "x == Claims()", "x in [x]",
    "weakref.ref(x)() is x", "cupy._core.get_compute_type('f4')", "x.__hash__",
)  # fmt: skip

FAILURES = (
    "hash(x)", "x.foo", "setattr(x, 'foo', 1)", "np.asarray(x)", "x.__array__()", "x[9]",
    "x[0, 0, 0, 0]", "cupy.sum(x, where=x)", "cupy.sum(x, initial=0)", "x.sum(initial=0)",
    "cupy.lib.stride_tricks.as_strided(x, (2,), (4,), writeable=False)",
    "cupy.zeros(3, device='cpu')", "cupy.sum(1.0)", "cupy.where(True, x, x)",
    "cupy.multiply.at(x, 0, 1)", "x.set([1.0])", "cupy.RawModule(code='', options=['-DX'])",
    "bool(x)", "operator.index(x[0, 0, 0])", "iter(x[0, 0, 0])", "len(x[0, 0, 0])", "cupy.vecdot",
    "cupy.errstate", "x.reshape(7)", "x.view('f8')", "x.swapaxes(0, 7)",
)  # fmt: skip


class Claims:
    """An operand for which CuPy does not compute operators."""

    __array_ufunc__ = None

    def __radd__(self, other):
        return "reflected"

    __rmatmul__ = __eq__ = __radd__


def evaluate(snippet, module):
    """Evaluate a snippet. CuPy's x lies at an address that is never read."""
    if hasattr(module.cuda, "memory"):
        memory = module.cuda.memory.UnownedMemory(0x7F0000000000, 1 << 20, None, 0)
        x = module.ndarray((4, 6, 5), "f4", memptr=module.cuda.memory.MemoryPointer(memory, 0))
    else:
        x = module.ndarray((4, 6, 5), "f4")
    names = {"cupy": module, "x": x, "np": np, "Claims": Claims}
    return eval(snippet, {**names, "weakref": weakref, "operator": operator})


@pytest.fixture
def both(cupy):
    with standing_in() as stand_in:
        yield lambda snippet: (evaluate(snippet, stand_in), evaluate(snippet, cupy))


@pytest.mark.parametrize("snippet", VIEWS)
def test_views_equal_those_of_cupy(both, snippet):
    ours, theirs = both(snippet)
    for name in ("shape", "strides", "dtype", "ndim"):
        assert getattr(ours, name) == getattr(theirs, name)
    for name in ("c_contiguous", "f_contiguous"):
        assert getattr(ours.flags, name) == getattr(theirs.flags, name)


@pytest.mark.parametrize("snippet", ANSWERS)
def test_answers_equal_those_of_cupy(both, snippet):
    ours, theirs = both(snippet)
    assert ours == theirs
    assert type(ours) is type(theirs)


@pytest.mark.parametrize("snippet", FAILURES)
def test_the_stand_in_fails_when_cupy_fails(cupy, snippet):
    errors = (TypeError, ValueError, AttributeError, IndexError, NotImplementedError)
    with standing_in() as stand_in:
        for module in (cupy, stand_in):
            with pytest.raises(errors):
                evaluate(snippet, module)


def test_a_struct_is_passed_by_value(cupy):
    """CuPy passes the address of the struct's bytes to the driver."""
    struct = np.zeros(1, [("n", "i4"), ("factor", "f4")])
    assert cupy.cuda.function.CNumpyArray(struct).ptr == struct.ctypes.data


# ---- the kernels ---------------------------------------------------------------------------------


def compiled(nvrtc, text, gpu, definitions):
    """Return the machine code that NVRTC compiles. Raise RuntimeError with its log on failure."""
    program = nvrtc.createProgram(text, "kernel.cu", [], [])
    try:
        nvrtc.compileProgram(program, (f"--gpu-architecture={gpu}", *definitions))
        return nvrtc.getCUBIN(program)
    except nvrtc.NVRTCError:
        raise RuntimeError(nvrtc.getProgramLog(program)) from None
    finally:
        nvrtc.destroyProgram(program)


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_kernels_compile(compile_, file, gpu, dtype, far):
    options = (*options_for(dtype, far), "-ftz=true")  # CuPy adds -ftz=true
    assert compile_(Kernels(file).source, gpu, *options)


@pytest.mark.parametrize("gpu", GPUS)
def test_a_kernel_compiles(compile_, gpu):
    source = 'extern "C" __global__ void f(REAL* x) { x[threadIdx.x] = 1; }'
    assert compile_(source, gpu, "-DREAL=float").startswith(b"\x7fELF")


def test_a_kernel_with_an_error_does_not_compile(compile_):
    with pytest.raises(RuntimeError, match='identifier "y" is undefined'):
        compile_('extern "C" __global__ void f(REAL* x) { x[0] = y; }', "sm_90", "-DREAL=float")
