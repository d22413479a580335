"""The same input and number of threads give the same bytes, whatever else the computer does."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import settings

from minidl import Tensor, losses, ops
from minidl.engine import convolution_relu, matrices, strips
from minidl.engine import threads as cores
from minidl.engine.convolution import runs, tiles, winograd_runs
from minidl.frozen import frozen_copy
from tests.algorithms import by

ALGORITHMS = ("im2col", "runs", "winograd", "winograd_runs")

# Sizes with which each op has several strips for the threads
SMALL_STRIPS = [
    (strips, "STRIP", 5000),
    (strips, "LEAST", 1),
    (tiles, "LEAST_TILES", 7),
    (tiles, "STRIP", 1),
    (tiles, "BLOCK", 5000),
    (tiles, "SMALL", 72),
    (runs, "STRIP", 5000),
    (winograd_runs, "STRIP", 5000),
    (matrices, "LEAST", 1),
]


def bytes_of(op, *arrays, **options):
    """Return the bytes of y and of all gradients."""
    inputs = [Tensor(array, requires_grad=True) for array in arrays]
    y = op(*inputs, **options)
    y.backward(np.cos(np.arange(y.data.size, dtype=np.float32)).reshape(y.shape))
    return [array.tobytes() for array in (y.data, *(x.grad for x in inputs))]


def results(seed):
    """Return the bytes of the results of all ops that are computed in parallel."""
    rng = np.random.default_rng(seed)
    x, w, b = (
        rng.standard_normal(shape).astype(np.float32)
        for shape in ((4, 17, 15, 7), (3, 3, 7, 5), (5,))
    )
    frozen, of_algorithms = (
        frozen_copy(w),
        (bytes_of(by(a), x, w, b, padding=1) for a in ALGORITHMS),
    )
    return [
        *itertools.chain(*of_algorithms),
        *bytes_of(lambda x: by("winograd")(x, frozen, padding=(2, 0)), x),
        *bytes_of(by("winograd", convolution_relu), x, w, b, padding=1),
        *bytes_of(ops.matmul, x.reshape(-1, 7), w.reshape(7, -1)),
        *bytes_of(ops.max_pool, x, window=3, stride=2, padding=1),
        *bytes_of(ops.avg_pool, x, window=3, stride=2, padding=1),
        *bytes_of(losses.gram_matrix, x),
    ]


def test_other_computations_at_the_same_time_do_not_change_the_bytes(monkeypatch):
    for module, name, size in SMALL_STRIPS:
        monkeypatch.setattr(module, name, size)
    cores.set_threads(3)
    alone, times = [results(seed) for seed in range(5)], settings().max_examples // 2

    def are_same(seed):
        return [results(seed) == alone[seed] for _ in range(times)]

    with ThreadPoolExecutor(5) as executor:
        together = list(executor.map(are_same, range(5)))
    assert together == [[True] * times] * 5
    assert len({result[0] for result in alone}) == 5
