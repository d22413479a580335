"""CUDA kernels that run on the host: arguments, grids, compiler errors and sanitizers."""

import numpy as np
import pytest

from tests.strict import HAS_COMPILER, counts, needed, standing_in
from tests.strict.kernels import NULL, sanitized

KERNELS = """
struct Sizes { int n; float factor; };

static __device__ __forceinline__ int index() { return blockIdx.x * blockDim.x + threadIdx.x; }

extern "C" __global__ void scale(const REAL* __restrict__ x, REAL* __restrict__ y,
                                 const Sizes sizes, const double* shift) {
    const int i = index();
    if (i < sizes.n) y[i] = sizes.factor * x[i] + (shift ? REAL(*shift) : 0);
}

extern "C" __global__ void order(long long* threads, long long* next) {
    threads[(*next)++] = index();
}

extern "C" __global__ void numbers(double* y, long long a, double b, float c, int d) {
    *y = a + b + c + d;
}

extern "C" __global__ void box(int* y) {
    const int z = blockIdx.z * blockDim.z + threadIdx.z, v = blockIdx.y * blockDim.y + threadIdx.y;
    const int row = z * gridDim.y * blockDim.y + v;
    y[row * gridDim.x * blockDim.x + index()] = 100 * z + 10 * v + index();
}
"""
SIZES = np.array([(20, 2)], [("n", "i4"), ("factor", "f4")])


@pytest.fixture
def cupy():
    with standing_in() as module:
        yield module


@pytest.fixture
def kernel(cupy):
    needed(HAS_COMPILER, "g++")
    return cupy.RawModule(code=KERNELS, options=("--std=c++17", "-DREAL=float")).get_function


def test_a_kernel_runs(cupy, kernel):
    x, y, shift = cupy.arange(20, dtype="f4"), cupy.empty(20, "f4"), cupy.asarray(5.0)
    counts.reset()
    kernel("scale")((2,), (16,), (x, y, SIZES, shift))
    assert y.tolist() == [2 * i + 5 for i in range(20)]
    kernel("scale")((2, 1), (16, 1, 1), (x, y, SIZES, NULL))
    assert y.tolist() == [2 * i for i in range(20)]
    assert counts.launches == 2


def test_numbers_are_passed_in_their_own_types(cupy, kernel):
    y = cupy.empty(())
    kernel("numbers")((1,), (1,), (y, 1, 0.5, np.float32(0.25), np.int32(10)))
    assert y.item() == 11.75


def test_grids_and_blocks_have_three_sizes(cupy, kernel):
    y = cupy.empty((4, 6, 6), "i4")
    kernel("box")((2, 3, 1), (3, 2, 4), (y,))
    plane = np.add.outer(10 * np.arange(6), np.arange(6))
    assert (y.get() == np.add.outer(100 * np.arange(4), plane)).all()


def test_threads_run_in_a_scrambled_order(cupy, kernel):
    orders = []
    for _ in range(2):
        threads, count = cupy.empty(1000, "i8"), cupy.zeros(1, "i8")
        kernel("order")((10,), (100,), (threads, count))
        orders.append(threads.tolist())
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == list(range(1000))
    assert not any(b == a + 1 for a, b in zip(orders[0], orders[0][1:], strict=False))


@pytest.mark.parametrize(
    ("args", "words"),
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
    args = eval(args, {"x": x, "y": y, "sizes": SIZES, "NULL": NULL, "np": np})
    with pytest.raises((TypeError, ValueError), match=words):
        kernel("scale")((2,), (16,), args)


WRONG_SIZES = [
    ((0,), (1,)),
    ((1,), (1025,)),
    ((1,), (64, 64)),
    ((1, 65536), (1,)),
    ((1,), (1, 1, 65)),
    ((1, 1, 1, 1), (1,)),
    (1, (1,)),
]


@pytest.mark.parametrize(("grid", "block"), WRONG_SIZES)
def test_wrong_sizes_are_refused(cupy, kernel, grid, block):
    with pytest.raises((TypeError, ValueError), match=r"grid and block|a block has"):
        kernel("order")(grid, block, (cupy.empty(9, "i8"), cupy.empty(1, "i8")))


def test_an_unknown_kernel_is_refused(cupy, kernel):
    with pytest.raises(RuntimeError, match="the kernel unknown does not compile on the host"):
        kernel("unknown")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("*x = y;", "y. was not declared"),
        ("int unused; *x = 1;", "unused variable"),
        ("__shared__ int y[9]; *x = y[0];", "__shared__"),
        ("__syncthreads(); *x = 0;", "__syncthreads"),
    ],
)
def test_source_that_does_not_compile_is_refused_with_the_reason(cupy, kernel, body, words):
    source = f'extern "C" __global__ void f(int* x) {{ {body} }}'
    message = f"the kernel f does not compile on the host(.|\n)*{words}"
    with pytest.raises(RuntimeError, match=message):
        cupy.RawModule(code=source).get_function("f")


# ---- sanitizers ----------------------------------------------------------------------------------

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
    ("step", "report"),
    [
        ("y[i] = x[i]", None),
        ("y[i + 1] = x[i]", "AddressSanitizer: heap-buffer-overflow"),
        ("y[i] = x[i - 1]", "AddressSanitizer: heap-buffer-overflow"),
        ("y[i] = x[i] + (i + 2147483630)", "runtime error: signed integer overflow"),
        ("y[i] = *(const double*)(x + 1)", "runtime error: load of misaligned address"),
    ],
)
def test_the_sanitizers_report_a_planted_error(step, report):
    needed(HAS_COMPILER, "g++")
    result = sanitized(["-c", PLANTED % step])
    assert (result.returncode == 0) == (report is None), result.stderr
    assert (report or "") in result.stderr
