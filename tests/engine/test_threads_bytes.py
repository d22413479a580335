"""Work that threads share gives the same bytes each time, even beside other computations."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import settings

from minidl import Tensor, losses, ops
from minidl.engine import convolution_relu, matrices, strips
from minidl.engine import threads as cores
from minidl.engine.convolution import runs, tiles, winograd_runs
from minidl.frozen import frozen_copy
from tests.algorithms import by


@pytest.fixture(autouse=True)
def restored_threads():
    before = cores.get_threads()
    yield
    cores.set_threads(before)


# ---- sums ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_a_shared_sum_is_the_sum(threads, count):
    cores.set_threads(threads)

    def term(n):
        return np.full((2, 3), n, np.float32)

    total = cores.share_sum(np, term, range(count), (2, 3), np.float32)
    assert total.dtype == np.float32
    assert np.array_equal(total, np.full((2, 3), sum(range(count))))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_shared_sum_has_the_same_bytes_each_time(threads):
    cores.set_threads(threads)
    terms = np.random.default_rng(0).standard_normal((50, 9)).astype(np.float32)

    def total():
        return cores.share_sum(np, lambda n: terms[n], range(50), (9,), np.float32)

    assert len({total().tobytes() for _ in range(100)}) == 1
    np.testing.assert_allclose(total(), terms.sum(axis=0), atol=1e-5)


def test_a_shared_sum_does_not_change_its_terms():
    cores.set_threads(2)
    terms = np.ones((4, 3))
    cores.share_sum(np, lambda n: terms[n], range(4), (3,), float)
    assert np.all(terms == 1)


# ---- ops ------------------------------------------------------------------------------


def gradients(op, *arrays, **options):
    """Return the bytes of y and of all gradients."""
    inputs = [Tensor(array, requires_grad=True) for array in arrays]
    y = op(*inputs, **options)
    y.backward(np.cos(np.arange(y.data.size, dtype=np.float32)).reshape(y.shape))
    return [array.tobytes() for array in (y.data, *(x.grad for x in inputs))]


SHARED = ("im2col", "runs", "winograd", "winograd_runs")


def all_results(seed):
    """Return the bytes of the results and gradients of every op that shares its work."""
    rng = np.random.default_rng(seed)
    shapes = (4, 17, 15, 7), (3, 3, 7, 5), (5,)
    x, w, b = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    frozen = frozen_copy(w)
    results = []
    for name in SHARED:
        results += gradients(by(name), x, w, b, padding=1)
    return [
        *results,
        *gradients(lambda x: by("winograd")(x, frozen, padding=(2, 0)), x),
        *gradients(by("winograd", convolution_relu), x, w, b, padding=1),
        *gradients(ops.matmul, x.reshape(-1, 7), w.reshape(7, -1)),
        *gradients(ops.max_pool, x, window=3, stride=2, padding=1),
        *gradients(ops.avg_pool, x, window=3, stride=2, padding=1),
        *gradients(losses.gram_matrix, x),
    ]


def test_concurrent_computations_give_the_same_bytes(monkeypatch):
    for module, name, size in [
        (strips, "STRIP", 5000),
        (strips, "LEAST", 1),
        (tiles, "LEAST_TILES", 7),
        (tiles, "STRIP", 1),
        (tiles, "BLOCK", 5000),
        (tiles, "SMALL", 72),
        (runs, "STRIP", 5000),
        (winograd_runs, "STRIP", 5000),
        (matrices, "LEAST", 1),
    ]:
        monkeypatch.setattr(module, name, size)  # small strips, so that each op shares its work
    cores.set_threads(3)
    wanted, times = [all_results(seed) for seed in range(5)], settings().max_examples // 2

    def gives_wanted_bytes(seed):
        return [all_results(seed) == wanted[seed] for _ in range(times)]

    with ThreadPoolExecutor(5) as executor:
        assert list(executor.map(gives_wanted_bytes, range(5))) == [[True] * times] * 5
    assert len({results[0] for results in wanted}) == 5
