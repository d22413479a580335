"""The number of threads, and parallel_map and parallel_sum."""

import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from minidl import cli
from minidl.engine import threads as cores
from minidl.errors import ArgumentError
from tests.engine.helpers import on_each_thread

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def square(number):
    return number * number


# ---- the number of threads


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "2", None])
def test_the_number_of_threads_is_an_int_of_at_least_1(count):
    cores.set_threads(3)
    message = f"the number of threads is {count!r}; wanted an int of at least 1"
    with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
        cores.set_threads(count)
    assert cores.get_threads() == 3


def set_environment(monkeypatch, variables):
    """Set these variables only, and let the number of threads be read from them again."""
    monkeypatch.setattr(cores._pool, "size", None)
    for name in cores.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


MINIDL, OMP, OPENBLAS, MKL = cores.VARIABLES


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
def test_the_first_variable_that_is_set_counts(variables, count, monkeypatch):
    assert cores.VARIABLES == (
        "MINIDL_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
    )
    set_environment(monkeypatch, variables)
    assert cores.get_threads() == count


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "two", "4 threads"])
def test_an_invalid_number_for_minidl_is_refused(value, monkeypatch):
    set_environment(monkeypatch, {MINIDL: value, OMP: "2"})
    message = f"MINIDL_NUM_THREADS is {value!r}; wanted a number of threads, at least 1"
    for _ in range(2):
        with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
            cores.get_threads()


def test_a_command_prints_the_message_without_a_traceback(monkeypatch, capsys):
    set_environment(monkeypatch, {MINIDL: "two"})
    assert cli.main(["gradcheck", "max_pool", "--cases", "1"]) == 2
    assert (
        capsys.readouterr().err
        == "minidl: MINIDL_NUM_THREADS is 'two'; wanted a number of threads, at least 1\n"
    )


def test_set_threads_overrides_the_variables(monkeypatch):
    set_environment(monkeypatch, {MINIDL: "91"})
    cores.set_threads(2)
    assert cores.get_threads() == 2


# ---- parallel_map


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_results_have_the_order_of_the_items(threads, count):
    cores.set_threads(threads)
    assert cores.parallel_map(np, square, range(count)) == [n * n for n in range(count)]
    assert cores.parallel_map(np, square, iter(range(count))) == [n * n for n in range(count)]


@pytest.mark.parametrize("threads", [2, 5])
def test_as_many_threads_as_were_set_work_at_the_same_time(threads):
    workers = on_each_thread(threads, threading.get_ident)
    assert len(set(workers)) == threads
    assert threading.get_ident() in workers


def test_the_number_of_threads_can_change():
    for threads in (2, 4, 3):
        test_as_many_threads_as_were_set_work_at_the_same_time(threads)


def test_each_item_is_computed_once():
    cores.set_threads(3)
    for _ in range(20):
        items = []
        cores.parallel_map(np, items.append, range(50))
        assert sorted(items) == list(range(50))


def test_a_single_thread_is_the_calling_one():
    cores.set_threads(1)
    threads = cores.parallel_map(np, lambda _: threading.get_ident(), range(5))
    assert set(threads) == {threading.get_ident()}


def test_for_another_library_the_calling_thread_computes_the_items_in_order():
    cores.set_threads(3)
    calls = []

    def work(item):
        time.sleep(0.002)
        calls.append((item, threading.get_ident()))

    cores.parallel_map("another library", work, range(5))
    assert calls == [(item, threading.get_ident()) for item in range(5)]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_calls_can_be_nested(threads):
    cores.set_threads(threads)

    def row(a):
        return cores.parallel_map(
            np, lambda b: cores.parallel_map(np, lambda c: (a, b, c), range(3)), range(4)
        )

    assert cores.parallel_map(np, row, range(5)) == [
        [[(a, b, c) for c in range(3)] for b in range(4)] for a in range(5)
    ]


def test_errstate_holds_in_every_thread():
    for action in ("raise", "ignore", "raise"):
        with np.errstate(divide=action, over="ignore"):
            assert on_each_thread(3, np.geterr) == [np.geterr()] * 3


# ---- errors


class WorkError(Exception):
    pass


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("bad", [0, 1, 2])
def test_the_error_of_an_item_is_raised(threads, bad):
    cores.set_threads(threads)

    def work(item):
        if item == bad:
            raise WorkError(item)

    with pytest.raises(WorkError, match=f"^{bad}$"):
        cores.parallel_map(np, work, range(6))
    assert cores.parallel_map(np, square, range(6)) == [0, 1, 4, 9, 16, 25]


def test_the_error_of_a_worker_is_raised():
    calling = threading.get_ident()

    def fail_in_a_worker():
        if threading.get_ident() != calling:
            raise WorkError

    with pytest.raises(WorkError):
        on_each_thread(2, fail_in_a_worker)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_if_all_items_fail_the_error_of_one_is_raised(threads):
    cores.set_threads(threads)

    def work(item):
        raise WorkError(item)

    with pytest.raises(WorkError):
        cores.parallel_map(np, work, range(6))
    assert cores.parallel_map(np, square, range(6)) == [0, 1, 4, 9, 16, 25]


def test_no_item_is_running_when_an_error_is_raised():
    """The calling thread fails at once, while the workers are still computing."""
    calling, finished = threading.get_ident(), []

    def fail_in_the_calling_thread():
        if threading.get_ident() == calling:
            raise WorkError
        time.sleep(0.01)
        finished.append(threading.get_ident())

    with pytest.raises(WorkError):
        on_each_thread(3, fail_in_the_calling_thread)
    assert len(finished) == 2


# ---- forks

FORKING = """
import os, signal, threading
import numpy as np
from minidl.engine import threads as cores

def works():
    both_started = threading.Barrier(2, timeout=20)
    work = lambda item: (both_started.wait(), item)[1]
    return cores.parallel_map(np, work, range(4)) == [0, 1, 2, 3]

cores.set_threads(2)
assert works()
child = os.fork()
if not child:
    signal.alarm(20)  # ends the child if it hangs
    os._exit(0 if works() else 1)
assert os.waitpid(child, 0)[1] == 0
assert works()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_starts_its_own_workers():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], check=True, timeout=60)


# ---- parallel_sum


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_a_parallel_sum_is_the_sum(threads, count):
    cores.set_threads(threads)
    total = cores.parallel_sum(
        np, lambda n: np.full((2, 3), n, np.float32), range(count), (2, 3), np.float32
    )
    assert total.dtype == np.float32
    assert np.array_equal(total, np.full((2, 3), sum(range(count))))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_parallel_sum_has_the_same_bytes_each_time(threads):
    cores.set_threads(threads)
    terms = np.random.default_rng(0).standard_normal((50, 9)).astype(np.float32)
    sums = {
        cores.parallel_sum(np, lambda n: terms[n], range(50), (9,), np.float32).tobytes()
        for _ in range(100)
    }
    assert len(sums) == 1
    np.testing.assert_allclose(np.frombuffer(sums.pop(), np.float32), terms.sum(axis=0), atol=1e-5)


def test_a_parallel_sum_does_not_change_its_terms():
    cores.set_threads(2)
    terms = np.ones((4, 3))
    cores.parallel_sum(np, lambda n: terms[n], range(4), (3,), float)
    assert np.all(terms == 1)
