"""The engine divides work among the threads of a pool.

`parallel_map` computes the items of a list on a pool of threads. When a thread has finished an
item, it takes the next one. The engine divides every large convolution, pooling, normalization,
matrix product (matrices.py), distance matrix and optimiser step into strips that do not overlap
(strips.py). The strips are the items. All other ops run on the calling thread.

BLAS is limited to one thread while `parallel_map` runs, and during the whole backward pass.
Otherwise each matrix product within an item would start threads on all cores, and they would
compete with the threads of the pool. Within `minidl.textbook()` the engine divides no work, and
BLAS divides each matrix product among its own threads.

The division into strips depends only on the input and the number of threads. The result does not
depend on which thread computes which strip. The same input and number of threads therefore give the
same bytes, even if other programs run at the same time.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from minidl.autograd import tape
from minidl.dispatch import definition_of
from minidl.errors import ArgumentError, brief
from minidl.typing import Array, Shape

VARIABLES = ("MINIDL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Item = TypeVar("Item")
Value = TypeVar("Value")


def set_threads(count: int) -> None:
    """Set the number of threads that minidl uses in this process.

    Without a call, the number is taken from the first of these environment variables that is set:
    MINIDL_NUM_THREADS, OMP_NUM_THREADS, OPENBLAS_NUM_THREADS, MKL_NUM_THREADS. If none is set, it
    is the number of cores that this process may use.

    Raises ArgumentError if the count is not an int of at least 1.

    >>> before = get_threads()
    >>> set_threads(1)
    >>> get_threads()
    1
    >>> set_threads(before)
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ArgumentError(f"the number of threads is {brief(count)}; wanted an int of at least 1")
    _pool.size = count


def get_threads() -> int:
    """Return the number of threads that minidl uses.

    Raises ArgumentError if MINIDL_NUM_THREADS is needed and is not a number of at least 1.
    """
    if _pool.size is None:
        _pool.size = _initial_threads()
    return _pool.size


def _initial_threads():
    for name in VARIABLES:
        # OMP_NUM_THREADS may list one number for each level of nesting. The first one counts.
        value = os.environ.get(name, "").partition(",")[0].strip()
        if value.isdecimal() and len(value) < 10 and int(value):
            return int(value)
        if value and name == "MINIDL_NUM_THREADS":
            raise ArgumentError(f"{name} is {value!r}; wanted a number of threads, at least 1")
    return available()


def available() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parallel_map(xp: Any, work: Callable[[Item], Value], items: Iterable[Item]) -> list[Value]:
    """Return [work(item) for item in items], computed on `get_threads()` threads.

    The calling thread is one of these threads. If it is a worker of the pool, it computes all items
    alone.

    xp: the array library of the items. If it is not NumPy, the calling thread computes all items in
    their order, because each of them already runs in parallel on the GPU.
    work: function of an item. The calls for different items must not write to the same memory.

    If `work` raises an error, this function raises it after all threads have stopped.
    """
    items = list(items)
    if xp is not np:
        return [work(item) for item in items]
    results: list[Any] = [None] * len(items)

    def compute(number):
        results[number] = work(items[number])

    job = _Job(len(items), compute)
    is_worker = getattr(_thread_state, "is_worker", False)
    workers = 0 if is_worker else max(0, min(get_threads(), len(items)) - 1)
    with blas_on_one_thread:
        try:
            _pool.submit(job, workers)
            job.compute_items()
        finally:
            job.finish()
    return results


def parallel_sum(
    xp: Any, work: Callable[[Item], Array], items: Iterable[Item], shape: Shape, dtype: Any
) -> Array:
    """Return Σ work(item) over all items, an array of this shape and dtype.

    T threads compute T partial sums. Partial sum number t adds the items t, t + T, t + 2T, ... The
    partial sums are added in a fixed order, so that the rounding errors do not depend on the
    timing.

    xp, work: as for `parallel_map`. work returns an array of this shape.
    """
    items, threads = list(items), get_threads() if xp is np else 1
    count = max(1, min(threads, len(items)))

    def partial_sum(terms):
        total = xp.zeros(shape, dtype)
        for item in terms:
            total += work(item)
        return total

    parts = [items[first::count] for first in range(count)]
    total, *others = parallel_map(xp, partial_sum, parts)
    for other in others:
        total += other
    return total


_thread_state = threading.local()  # is_worker: whether the thread belongs to the pool


class _Job:
    """One call of `parallel_map`. Its items are identified by their index."""

    def __init__(self, count, compute):
        self._compute: Any = compute  # None after `finish`
        self._waiting = deque(range(count))  # items that no thread has taken
        self._errors: deque[BaseException] = deque()
        self._left: deque[None] = deque()  # one entry for each worker that has left
        self._notices: SimpleQueue[None] = SimpleQueue()  # one for each worker that leaves
        self._joined, self._is_finished, self._lock = 0, False, threading.Lock()

    def compute_items(self):
        """Take and compute items until none is waiting."""
        compute = self._compute
        while self._waiting:
            try:
                number = self._waiting.popleft()
            except IndexError:  # another thread took the last one
                return
            compute(number)

    def join(self):
        """Compute items in a worker. Return False if the job has already finished."""
        with self._lock:
            if self._is_finished:
                return False
            self._joined += 1
        try:
            self.compute_items()
        except BaseException as error:
            self._waiting.clear()
            self._errors.append(error)
        return True

    def leave(self):
        """Record that a worker has dropped its references to the arrays of this job. The worker
        calls it after `join`."""
        self._left.append(None)
        self._notices.put(None)

    def finish(self):
        """Wait until all workers that have joined have left. Then raise an error of a worker, or a
        KeyboardInterrupt that came during the wait."""
        self._waiting.clear()
        with self._lock:
            # A worker that comes later does not join, and finds no reference to the arrays.
            self._is_finished, self._compute = True, None
        while len(self._left) < self._joined:
            try:
                self._notices.get(timeout=1)
            except Empty:
                continue
            except KeyboardInterrupt as interrupt:
                self._errors.appendleft(interrupt)
        for error in self._errors:
            raise error


class _Pool:
    """The worker threads. They start when they are first needed, and again in a forked process.

    size: the number of threads that minidl uses, or None if it has been neither set nor read from
    the environment.
    """

    def __init__(self):
        self.size: int | None = None
        self.reset()

    def reset(self):
        """Forget all workers, because a forked process has none of them."""
        self._jobs: SimpleQueue[Any] = SimpleQueue()
        self._started, self._lock = 0, threading.Lock()

    def submit(self, job, workers):
        """Put a job on the queue, once for each worker. workers: the number of workers that take
        it."""
        with self._lock:
            while self._started < workers:
                threading.Thread(
                    target=self._run, args=[self._jobs], name="minidl", daemon=True
                ).start()
                self._started += 1
        for _ in range(workers):
            self._jobs.put((job, copy_context()))  # the context contains NumPy's errstate

    @staticmethod
    def _run(jobs):
        _thread_state.is_worker = True
        while True:
            job, context = jobs.get()
            if context.run(job.join):
                job.leave()
            del job, context


class _BlasOnOneThread:
    """Context manager that limits BLAS to one thread.

    Several threads may be within it at the same time. The first to enter sets the limit, and the
    last to leave restores the former numbers of threads.
    """

    def __init__(self):
        self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        self._threads = None  # the former number of threads of each library, while limited
        self._users, self._lock = 0, threading.Lock()

    def reset(self):
        """Restore the numbers of threads in a forked process. The threads that would have restored
        them do not exist there."""
        self._users, self._lock = 0, threading.Lock()
        self._restore()

    def __enter__(self):
        with self._lock:
            if not self._users:
                # If a KeyboardInterrupt prevented the last restoration, the former numbers are
                # still stored, and the libraries are still limited.
                if self._threads is None:
                    self._threads = [library.num_threads for library in self._libraries]
                self._set([1] * len(self._libraries))
            self._users += 1

    def __exit__(self, *error):
        with self._lock:
            self._users -= 1
            if not self._users:
                self._restore()

    def _restore(self):
        if self._threads is not None:
            self._set(self._threads)
            self._threads = None

    def _set(self, threads):
        for library, count in zip(self._libraries, threads, strict=True):
            # Since version 3.8, threadpoolctl ignores all threads but the one that first set a
            # limit, until this controlling thread is cleared.
            clear = getattr(library, "clear_controlling_thread", lambda force: None)
            clear(force=True)
            library.set_num_threads(count)
            clear(force=True)


_pool, blas_on_one_thread = _Pool(), _BlasOnOneThread()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: (_pool.reset(), blas_on_one_thread.reset()))


def propagate(source, dy, release):
    """Compute the backward pass with BLAS limited to one thread. The limit is set once and not for
    each op."""
    with blas_on_one_thread:
        return definition_of(tape.propagate)(source, dy, release)
