"""The cores: how many there are, how they share work, and that who else runs changes no byte."""

import itertools
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import ThreadpoolController, threadpool_limits

from minidl import Tensor, cli, losses, ops
from minidl.engine import convolution_relu, matrices, strips
from minidl.engine import threads as cores
from minidl.engine.convolution import runs, tiles, winograd_runs
from minidl.errors import ArgumentError
from minidl.frozen import frozen_copy
from tests.algorithms import by

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
BLAS = ThreadpoolController().select(user_api="blas")


@pytest.fixture(autouse=True)
def threads_given_back():
    before = cores.get_threads()
    yield
    cores.set_threads(before)


@pytest.fixture
def two_blas_threads():
    with threadpool_limits(2, user_api="blas"):
        if not blas_threads() or {library.get("threading_layer") for library in BLAS.info()} & {
            "disabled",
            "unknown",
        }:
            pytest.skip("this BLAS does not do what threadpoolctl says")
        assert set(blas_threads()) == {2}
        yield


def blas_threads():
    return [library["num_threads"] for library in BLAS.info()]


def on_each_thread(threads, f):
    """The results of f on so many threads, this one among them, each of which takes one item."""
    cores.set_threads(threads)
    all_here = threading.Barrier(threads, timeout=20)
    return cores.parallel_map(np, lambda _: (all_here.wait(), f())[1], range(threads))


def square(number):
    return number * number


# ---- how many
# -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "2", None])
def test_the_number_of_threads_is_an_int_of_at_least_1(count):
    cores.set_threads(3)
    sentence = f"the number of threads is {count!r}; wanted an int of at least 1"
    with pytest.raises(ArgumentError, match=f"^{re.escape(sentence)}$"):
        cores.set_threads(count)
    assert cores.get_threads() == 3


def begin_with(monkeypatch, variables):
    monkeypatch.setattr(cores._pool, "size", None)
    for name in cores.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


MINIDL, OMP, OPENBLAS, MKL = (
    "MINIDL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)


@pytest.mark.parametrize(
    ("variables", "count"),
    [
        ({}, CORES),
        ({MKL: "94"}, 94),
        ({MKL: "94", OPENBLAS: "93"}, 93),
        ({MKL: "94", OPENBLAS: "93", OMP: "92"}, 92),
        ({MKL: "94", OPENBLAS: "93", OMP: "92", MINIDL: "91"}, 91),
        ({OMP: "94,2"}, 94),
        ({OMP: " 94 "}, 94),
        ({OMP: "", MKL: "94"}, 94),
        ({OMP: "0", MKL: "94"}, 94),
        ({OMP: "many", OPENBLAS: "-1"}, CORES),
        ({MINIDL: "", OMP: "94"}, 94),
    ],
)
def test_the_variables_are_asked_in_their_order(variables, count, monkeypatch):
    begin_with(monkeypatch, variables)
    assert cores.get_threads() == count


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "two", "4 threads"])
def test_a_number_for_minidl_that_is_none_is_refused(value, monkeypatch):
    begin_with(monkeypatch, {MINIDL: value, OMP: "2"})
    sentence = f"MINIDL_NUM_THREADS is {value!r}; wanted a number of threads, at least 1"
    for _ in range(2):
        with pytest.raises(ArgumentError, match=f"^{re.escape(sentence)}$"):
            cores.get_threads()


def test_the_command_says_it_in_one_sentence(monkeypatch, capsys):
    begin_with(monkeypatch, {MINIDL: "two"})
    assert cli.main(["gradcheck", "max_pool", "--cases", "1"]) == 2
    assert (
        capsys.readouterr().err
        == "minidl: MINIDL_NUM_THREADS is 'two'; wanted a number of threads, at least 1\n"
    )


def test_what_was_set_outlasts_the_variables(monkeypatch):
    begin_with(monkeypatch, {MINIDL: "91"})
    cores.set_threads(2)
    assert cores.get_threads() == 2


# ---- sharing
# --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_results_come_in_the_order_of_the_items(threads, count):
    cores.set_threads(threads)
    assert cores.parallel_map(np, square, range(count)) == [n * n for n in range(count)]
    assert cores.parallel_map(np, square, iter(range(count))) == [n * n for n in range(count)]


@pytest.mark.parametrize("threads", [2, 5])
def test_as_many_threads_as_were_set_work_at_once(threads):
    workers = on_each_thread(threads, threading.get_ident)
    assert len(set(workers)) == threads
    assert threading.get_ident() in workers


def test_more_threads_than_before_are_found():
    for threads in (2, 4, 3):
        test_as_many_threads_as_were_set_work_at_once(threads)


def test_each_item_is_worked_on_once():
    cores.set_threads(3)
    for _ in range(20):
        seen = []
        cores.parallel_map(np, seen.append, range(50))
        assert sorted(seen) == list(range(50))


def test_one_thread_is_the_one_that_asks():
    cores.set_threads(1)
    assert set(cores.parallel_map(np, lambda _: threading.get_ident(), range(5))) == {
        threading.get_ident()
    }


def test_another_library_takes_the_items_in_order_in_this_thread():
    cores.set_threads(3)
    seen = []
    cores.parallel_map(
        "a GPU's",
        lambda item: (time.sleep(0.002), seen.append((item, threading.get_ident()))),
        range(5),
    )
    assert seen == [(item, threading.get_ident()) for item in range(5)]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_share_inside_a_share(threads):
    cores.set_threads(threads)

    def row(a):
        return cores.parallel_map(
            np, lambda b: cores.parallel_map(np, lambda c: (a, b, c), range(3)), range(4)
        )

    assert cores.parallel_map(np, row, range(5)) == [
        [[(a, b, c) for c in range(3)] for b in range(4)] for a in range(5)
    ]


def test_the_state_of_errors_holds_in_every_thread():
    for word in ("raise", "ignore", "raise"):
        with np.errstate(divide=word, over="ignore"):
            assert on_each_thread(3, np.geterr) == [np.geterr()] * 3


# ---- errors
# ---------------------------------------------------------------------------------------------------------


class Trouble(Exception):
    pass


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("bad", [0, 1, 2])
def test_the_error_of_an_item_is_raised(threads, bad):
    cores.set_threads(threads)

    def work(item):
        if item == bad:
            raise Trouble(item)

    with pytest.raises(Trouble, match=f"^{bad}$"):
        cores.parallel_map(np, work, range(6))
    assert cores.parallel_map(np, square, range(6)) == [0, 1, 4, 9, 16, 25]


def test_the_error_of_a_helper_is_raised():
    here = threading.get_ident()

    def fail_elsewhere():
        if threading.get_ident() != here:
            raise Trouble

    with pytest.raises(Trouble):
        on_each_thread(2, fail_elsewhere)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_where_all_items_fail_the_error_of_one_is_raised(threads):
    cores.set_threads(threads)

    def work(item):
        raise Trouble(item)

    with pytest.raises(Trouble):
        cores.parallel_map(np, work, range(6))
    assert cores.parallel_map(np, square, range(6)) == [0, 1, 4, 9, 16, 25]


def test_no_item_is_left_running_when_an_error_is_raised():
    """This thread fails at once, its helpers have something left to do."""
    here, ended = threading.get_ident(), []

    def fail_here():
        if threading.get_ident() == here:
            raise Trouble
        time.sleep(0.01)
        ended.append(threading.get_ident())

    with pytest.raises(Trouble):
        on_each_thread(3, fail_here)
    assert len(ended) == 2


# ---- BLAS
# -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 3])
def test_blas_has_one_thread_inside_and_its_own_after(threads, two_blas_threads):
    for _ in range(2):
        assert {count for counts in on_each_thread(threads, blas_threads) for count in counts} == {
            1
        }
        assert set(blas_threads()) == {2}


def test_blas_gets_its_threads_back_from_an_error(two_blas_threads):
    cores.set_threads(2)
    with pytest.raises(ZeroDivisionError):
        cores.parallel_map(np, lambda item: 1 / item, [1, 0, 1])
    assert set(blas_threads()) == {2}


def test_blas_stays_with_one_thread_until_an_outer_share_ends(two_blas_threads):
    cores.set_threads(2)

    def outer(_):
        cores.parallel_map(np, square, range(3))
        return blas_threads()

    assert {count for counts in cores.parallel_map(np, outer, range(2)) for count in counts} == {1}
    assert set(blas_threads()) == {2}


# threadpoolctl 3.8 lets one thread alone set OpenBLAS's threads, the first that did so while it
# lives, and `with` gives that back. _BlasOnOneThread calls limit() without `with`: what other
# threads set and restore is silently left undone.
def test_blas_has_one_thread_inside_whichever_thread_shares(two_blas_threads):
    cores.set_threads(2)
    inside = in_another_thread(lambda: cores.parallel_map(np, lambda _: blas_threads(), range(4)))
    assert {count for counts in inside() for count in counts} == {1}
    assert set(blas_threads()) == {2}


@pytest.mark.parametrize("first", ["this thread", "another"])
def test_blas_stays_with_one_thread_until_the_last_of_several_shares_ends(first, two_blas_threads):
    cores.set_threads(1)
    begun, may_end = threading.Event(), threading.Event()

    def other_work(_):
        begun.set()
        may_end.wait(20)
        return blas_threads()

    def other():
        return cores.parallel_map(np, other_work, [0])

    if first == "another":
        of_other = in_another_thread(other)
        begun.wait(20)
        [late] = cores.parallel_map(
            np, lambda _: (may_end.set(), of_other(), blas_threads())[-1], [0]
        )
    else:
        [of_other] = cores.parallel_map(
            np, lambda _: (in_another_thread(other), begun.wait(20))[0], [0]
        )
        may_end.set()
        [late] = of_other()
    assert set(late) == {1}
    assert set(blas_threads()) == {2}


def in_another_thread(f):
    """Starts it; what it returned when that is called."""
    result = Future()
    threading.Thread(target=lambda: result.set_result(f())).start()
    return lambda: result.result(20)


# ---- forks
# ----------------------------------------------------------------------------------------------------------

FORKING = """
import os, signal, threading
import numpy as np
from minidl.engine import threads as cores

def works():
    both_here = threading.Barrier(2, timeout=20)
    return cores.parallel_map(np, lambda item: (both_here.wait(), item)[1], range(4)) == [0, 1, 2, 3]

cores.set_threads(2)
assert works()
child = os.fork()
if not child:
    signal.alarm(20)  # rather than hang
    os._exit(0 if works() else 1)
assert os.waitpid(child, 0)[1] == 0
assert works()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_shares_with_threads_of_its_own():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], check=True, timeout=60)


# ---- sums
# -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_a_shared_sum_is_the_sum(threads, count):
    cores.set_threads(threads)
    total = cores.parallel_sum(
        np, lambda n: np.full((2, 3), n, np.float32), range(count), (2, 3), np.float32
    )
    assert total.dtype == np.float32
    assert np.array_equal(total, np.full((2, 3), sum(range(count))))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_shared_sum_is_the_same_bytes_each_time(threads):
    cores.set_threads(threads)
    terms = np.random.default_rng(0).standard_normal((50, 9)).astype(np.float32)
    sums = {
        cores.parallel_sum(np, lambda n: terms[n], range(50), (9,), np.float32).tobytes()
        for _ in range(100)
    }
    assert len(sums) == 1
    np.testing.assert_allclose(np.frombuffer(sums.pop(), np.float32), terms.sum(axis=0), atol=1e-5)


def test_a_shared_sum_leaves_its_terms_alone():
    cores.set_threads(2)
    terms = np.ones((4, 3))
    cores.parallel_sum(np, lambda n: terms[n], range(4), (3,), float)
    assert np.all(terms == 1)


# ---- the same bytes
# -------------------------------------------------------------------------------------------------


def gradients(op, *arrays, **options):
    """The bytes of y and of all gradients."""
    inputs = [Tensor(array, requires_grad=True) for array in arrays]
    y = op(*inputs, **options)
    y.backward(np.cos(np.arange(y.data.size, dtype=np.float32)).reshape(y.shape))
    return [array.tobytes() for array in (y.data, *(x.grad for x in inputs))]


SHARED = ("im2col", "runs", "winograd", "winograd_runs")


def everything(seed):
    rng = np.random.default_rng(seed)
    x, w, b = (
        rng.standard_normal(shape).astype(np.float32)
        for shape in ((4, 17, 15, 7), (3, 3, 7, 5), (5,))
    )
    frozen = frozen_copy(w)
    return [
        *itertools.chain(*(gradients(by(algorithm), x, w, b, padding=1) for algorithm in SHARED)),
        *gradients(lambda x: by("winograd")(x, frozen, padding=(2, 0)), x),
        *gradients(by("winograd", convolution_relu), x, w, b, padding=1),
        *gradients(ops.matmul, x.reshape(-1, 7), w.reshape(7, -1)),
        *gradients(ops.max_pool, x, window=3, stride=2, padding=1),
        *gradients(ops.avg_pool, x, window=3, stride=2, padding=1),
        *gradients(losses.gram_matrix, x),
    ]


def test_the_same_bytes_whoever_else_computes_at_the_time(monkeypatch):
    for module, name, size in [
        (strips, "STRIP", 5000), (strips, "LEAST", 1),
        (tiles, "LEAST_TILES", 7), (tiles, "STRIP", 1), (tiles, "BLOCK", 5000), (tiles, "SMALL", 72),
        (runs, "STRIP", 5000), (winograd_runs, "STRIP", 5000), (matrices, "LEAST", 1),
    ]:  # fmt: skip
        monkeypatch.setattr(module, name, size)  # so that each op has strips to share
    cores.set_threads(3)
    alone, times = [everything(seed) for seed in range(5)], settings().max_examples // 2
    with ThreadPoolExecutor(5) as others:
        together = list(
            others.map(
                lambda seed: [everything(seed) == alone[seed] for _ in range(times)], range(5)
            )
        )
    assert together == [[True] * times] * 5
    assert len({result[0] for result in alone}) == 5
