"""Sharing work among threads: their number, the order of results, errors, BLAS and forks."""

import itertools
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import Future

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from minidl import cli
from minidl.engine import threads as cores
from minidl.errors import ArgumentError

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
BLAS = ThreadpoolController().select(user_api="blas")


@pytest.fixture(autouse=True)
def restored_threads():
    before = cores.get_threads()
    yield
    cores.set_threads(before)


@pytest.fixture
def two_blas_threads():
    with threadpool_limits(2, user_api="blas"):
        layers = {library.get("threading_layer") for library in BLAS.info()}
        if not layers or layers & {"disabled", "unknown"}:
            pytest.skip("threadpoolctl cannot set the threads of this BLAS")
        assert set(blas_threads()) == {2}
        yield


def blas_threads():
    return [library["num_threads"] for library in BLAS.info()]


def on_each_thread(threads, f):
    """Return the results of f on that many threads, including this one. Each runs f once."""
    cores.set_threads(threads)
    barrier = threading.Barrier(threads, timeout=20)

    def work(_):
        barrier.wait()
        return f()

    return cores.share(np, work, range(threads))


def square(number):
    return number * number


# ---- the number of threads -----------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "2", None])
def test_the_number_of_threads_is_an_int_of_at_least_1(count):
    cores.set_threads(3)
    sentence = f"the number of threads is {count!r}; wanted an int of at least 1"
    with pytest.raises(ArgumentError, match=f"^{re.escape(sentence)}$"):
        cores.set_threads(count)
    assert cores.get_threads() == 3


def start_with(monkeypatch, variables):
    """Forget the number of threads, and set only these environment variables."""
    monkeypatch.setattr(cores._crew, "size", None)
    for name in cores.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


LIBRARIES = ("MINIDL", "OMP", "OPENBLAS", "MKL")
MINIDL, OMP, OPENBLAS, MKL = (f"{library}_NUM_THREADS" for library in LIBRARIES)


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
def test_the_first_valid_variable_gives_the_number_of_threads(variables, count, monkeypatch):
    start_with(monkeypatch, variables)
    assert cores.get_threads() == count


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "two", "4 threads"])
def test_an_invalid_number_for_minidl_is_refused(value, monkeypatch):
    start_with(monkeypatch, {MINIDL: value, OMP: "2"})
    sentence = f"MINIDL_NUM_THREADS is {value!r}; wanted a number of threads, at least 1"
    for _ in range(2):
        with pytest.raises(ArgumentError, match=f"^{re.escape(sentence)}$"):
            cores.get_threads()


def test_the_command_refuses_an_invalid_number_in_one_sentence(monkeypatch, capsys):
    start_with(monkeypatch, {MINIDL: "two"})
    assert cli.main(["gradcheck", "max_pool", "--cases", "1"]) == 2
    sentence = "MINIDL_NUM_THREADS is 'two'; wanted a number of threads, at least 1"
    assert capsys.readouterr().err == f"minidl: {sentence}\n"


def test_set_threads_overrides_the_variables(monkeypatch):
    start_with(monkeypatch, {MINIDL: "91"})
    cores.set_threads(2)
    assert cores.get_threads() == 2


# ---- sharing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_results_are_in_the_order_of_the_items(threads, count):
    cores.set_threads(threads)
    assert cores.share(np, square, range(count)) == [n * n for n in range(count)]
    assert cores.share(np, square, iter(range(count))) == [n * n for n in range(count)]


@pytest.mark.parametrize("threads", [2, 5])
def test_the_set_number_of_threads_works_at_once(threads):
    workers = on_each_thread(threads, threading.get_ident)
    assert len(set(workers)) == threads
    assert threading.get_ident() in workers


def test_the_number_of_threads_may_change():
    for threads in (2, 4, 3):
        test_the_set_number_of_threads_works_at_once(threads)


def test_each_item_is_processed_once():
    cores.set_threads(3)
    for _ in range(20):
        processed = []
        cores.share(np, processed.append, range(50))
        assert sorted(processed) == list(range(50))


def test_a_single_thread_is_the_calling_thread():
    cores.set_threads(1)
    workers = cores.share(np, lambda _: threading.get_ident(), range(5))
    assert set(workers) == {threading.get_ident()}


def test_another_library_processes_the_items_in_order_in_the_calling_thread():
    cores.set_threads(3)
    processed = []

    def work(item):
        time.sleep(0.002)
        processed.append((item, threading.get_ident()))

    cores.share("the module of another library", work, range(5))
    assert processed == [(item, threading.get_ident()) for item in range(5)]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_share_inside_a_share(threads):
    cores.set_threads(threads)

    def row(a):
        return cores.share(np, lambda b: cores.share(np, lambda c: (a, b, c), range(3)), range(4))

    assert cores.share(np, row, range(5)) == [
        [[(a, b, c) for c in range(3)] for b in range(4)] for a in range(5)
    ]


def test_every_thread_has_the_callers_error_state():
    for word in ("raise", "ignore", "raise"):
        with np.errstate(divide=word, over="ignore"):
            assert on_each_thread(3, np.geterr) == [np.geterr()] * 3


# ---- errors --------------------------------------------------------------------------------------


class ItemError(Exception):
    pass


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("bad", [0, 1, 2])
def test_the_error_of_an_item_is_raised(threads, bad):
    cores.set_threads(threads)

    def work(item):
        if item == bad:
            raise ItemError(item)

    with pytest.raises(ItemError, match=f"^{bad}$"):
        cores.share(np, work, range(6))
    assert cores.share(np, square, range(6)) == [0, 1, 4, 9, 16, 25]


def test_the_error_of_another_thread_is_raised():
    caller = threading.get_ident()

    def fail_elsewhere():
        if threading.get_ident() != caller:
            raise ItemError

    with pytest.raises(ItemError):
        on_each_thread(2, fail_elsewhere)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_if_all_items_fail_the_error_of_one_is_raised(threads):
    cores.set_threads(threads)

    def work(item):
        raise ItemError(item)

    with pytest.raises(ItemError):
        cores.share(np, work, range(6))
    assert cores.share(np, square, range(6)) == [0, 1, 4, 9, 16, 25]


def test_no_item_is_still_running_when_an_error_is_raised():
    """The calling thread fails at once, while the other threads still work."""
    caller, finished = threading.get_ident(), []

    def fail_in_caller():
        if threading.get_ident() == caller:
            raise ItemError
        time.sleep(0.01)
        finished.append(threading.get_ident())

    with pytest.raises(ItemError):
        on_each_thread(3, fail_in_caller)
    assert len(finished) == 2


# ---- BLAS ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 3])
def test_blas_has_one_thread_inside_a_share_and_its_own_number_after_it(threads, two_blas_threads):
    for _ in range(2):
        counts = itertools.chain(*on_each_thread(threads, blas_threads))
        assert set(counts) == {1}
        assert set(blas_threads()) == {2}


def test_blas_gets_its_threads_back_after_an_error(two_blas_threads):
    cores.set_threads(2)
    with pytest.raises(ZeroDivisionError):
        cores.share(np, lambda item: 1 / item, [1, 0, 1])
    assert set(blas_threads()) == {2}


def test_blas_stays_with_one_thread_until_an_outer_share_ends(two_blas_threads):
    cores.set_threads(2)

    def outer(_):
        cores.share(np, square, range(3))
        return blas_threads()

    assert set(itertools.chain(*cores.share(np, outer, range(2)))) == {1}
    assert set(blas_threads()) == {2}


# In threadpoolctl 3.8 only one thread at a time can set the threads of OpenBLAS: the first that did
# so, until it ends. Leaving `with` releases this right. _BlasOnOneThread calls limit() without
# `with`, and so other threads set and restore nothing, without an error.
def test_blas_has_one_thread_inside_a_share_of_any_thread(two_blas_threads):
    cores.set_threads(2)
    result = in_another_thread(lambda: cores.share(np, lambda _: blas_threads(), range(4)))
    assert set(itertools.chain(*result())) == {1}
    assert set(blas_threads()) == {2}


@pytest.mark.parametrize("first", ["this thread", "another"])
def test_blas_stays_with_one_thread_until_the_last_of_several_shares_ends(first, two_blas_threads):
    """The share that begins first also ends first."""
    cores.set_threads(1)
    other_began, other_may_end = threading.Event(), threading.Event()

    def other_work(_):
        other_began.set()
        other_may_end.wait(20)
        return blas_threads()

    def other_share():
        return cores.share(np, other_work, [0])

    def outlast_other(_):
        other_may_end.set()
        other_result()
        return blas_threads()

    def start_other(_):
        result = in_another_thread(other_share)
        other_began.wait(20)
        return result

    if first == "another":
        other_result = start_other(None)
        [counts] = cores.share(np, outlast_other, [0])
    else:
        [other_result] = cores.share(np, start_other, [0])
        other_may_end.set()
        [counts] = other_result()
    assert set(counts) == {1}
    assert set(blas_threads()) == {2}


def in_another_thread(f):
    """Start f in a new thread, and return a function that waits for its result."""
    result = Future()
    threading.Thread(target=lambda: result.set_result(f())).start()
    return lambda: result.result(20)


# ---- forks ---------------------------------------------------------------------------------------

FORKING = """
import os, signal, threading
import numpy as np
from minidl.engine import threads as cores

def two_threads_share():
    barrier = threading.Barrier(2, timeout=20)
    return cores.share(np, lambda item: (barrier.wait(), item)[1], range(4)) == [0, 1, 2, 3]

cores.set_threads(2)
assert two_threads_share()
child = os.fork()
if not child:
    signal.alarm(20)  # end the child if it hangs
    os._exit(0 if two_threads_share() else 1)
assert os.waitpid(child, 0)[1] == 0
assert two_threads_share()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_has_its_own_threads():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], check=True, timeout=60)
