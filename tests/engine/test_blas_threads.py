"""BLAS has one thread within parallel_map, and its former number of threads afterwards."""

import threading
from concurrent.futures import Future

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from minidl.engine import threads as cores
from tests.engine.helpers import on_each_thread

BLAS = ThreadpoolController().select(user_api="blas")


@pytest.fixture(autouse=True)
def two_blas_threads():
    """Set the number of threads of BLAS to two."""
    with threadpool_limits(2, user_api="blas"):
        layers = {library.get("threading_layer") for library in BLAS.info()}
        if not blas_threads() or layers & {"disabled", "unknown"}:
            pytest.skip("this BLAS does not have the number of threads that threadpoolctl sets")
        assert set(blas_threads()) == {2}
        yield


def blas_threads():
    """Return the number of threads of each BLAS library."""
    return [library["num_threads"] for library in BLAS.info()]


def numbers_in(results):
    """Return the set of all numbers in a list of lists."""
    return {count for counts in results for count in counts}


@pytest.mark.parametrize("threads", [1, 3])
def test_blas_has_one_thread_within_and_its_own_number_afterwards(threads):
    for _ in range(2):
        assert numbers_in(on_each_thread(threads, blas_threads)) == {1}
        assert set(blas_threads()) == {2}


def test_the_number_is_restored_after_an_error():
    cores.set_threads(2)
    with pytest.raises(ZeroDivisionError):
        cores.parallel_map(np, lambda item: 1 / item, [1, 0, 1])
    assert set(blas_threads()) == {2}


def test_an_inner_call_does_not_restore_the_number():
    cores.set_threads(2)

    def outer(_):
        cores.parallel_map(np, abs, range(3))
        return blas_threads()

    assert numbers_in(cores.parallel_map(np, outer, range(2))) == {1}
    assert set(blas_threads()) == {2}


# Since version 3.8, threadpoolctl lets only one thread set the number of threads of OpenBLAS: the
# first one that did so, until `with` restores the number or the thread ends. Without `with`, it
# silently ignores what other threads set. _BlasOnOneThread therefore clears this thread itself.
def test_any_thread_can_call_parallel_map():
    cores.set_threads(2)
    results = in_another_thread(lambda: cores.parallel_map(np, lambda _: blas_threads(), range(4)))
    assert numbers_in(results()) == {1}
    assert set(blas_threads()) == {2}


@pytest.mark.parametrize("first", ["this thread", "another"])
def test_the_last_of_several_threads_restores_the_number(first):
    """The call that began first ends first. The other one must still have one BLAS thread."""
    cores.set_threads(1)
    begun, may_end = threading.Event(), threading.Event()

    def other_work(_):
        begun.set()
        may_end.wait(20)
        return blas_threads()

    def other():
        return cores.parallel_map(np, other_work, [0])

    def end_other(_):
        may_end.set()
        result()
        return blas_threads()

    def begin_other(_):
        result = in_another_thread(other)
        begun.wait(20)
        return result

    if first == "another":
        result = in_another_thread(other)
        begun.wait(20)
        [late] = cores.parallel_map(np, end_other, [0])
    else:
        [result] = cores.parallel_map(np, begin_other, [0])
        may_end.set()
        [late] = result()
    assert set(late) == {1}
    assert set(blas_threads()) == {2}


def in_another_thread(function):
    """Start the function in a new thread, and return a function that waits for its result."""
    result = Future()
    threading.Thread(target=lambda: result.set_result(function())).start()
    return lambda: result.result(20)
