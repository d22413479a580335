"""The processor's cores: how many of them minidl uses, and how they share work.

Large work is cut into strips that do not meet, and each core takes the next one when it is done
with its last. BLAS is held to one thread meanwhile, or every product of every strip would wait for
all cores. What a strip is depends on the number of threads, but not who works on it: the same input
and the same number of threads give the same bytes, whatever else runs. Convolutions, pooling and
Gram matrices are shared so; single products such as `ops.matmul` go to BLAS and its own threads.
"""

import os
import threading
from collections import deque
from contextvars import copy_context
from queue import Empty, SimpleQueue

import numpy as np
from threadpoolctl import ThreadpoolController

from minidl.autograd import tape
from minidl.errors import ArgumentError, brief

VARIABLES = ("MINIDL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def set_threads(count):
    """Share work among that many threads from here on, in this process.

    At the start it is what the first of MINIDL_NUM_THREADS, OMP_NUM_THREADS, OPENBLAS_NUM_THREADS
    and MKL_NUM_THREADS says that is set, else the number of cores that this process may use.

    >>> before = get_threads()
    >>> set_threads(1)
    >>> get_threads()
    1
    >>> set_threads(before)
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ArgumentError(f"the number of threads is {brief(count)}; wanted an int of at least 1")
    _crew.size = count


def get_threads():
    """How many threads minidl uses."""
    if _crew.size is None:
        _crew.size = _threads_to_begin_with()
    return _crew.size


def _threads_to_begin_with():
    for name in VARIABLES:
        # OMP_NUM_THREADS may list one number for each level
        value = os.environ.get(name, "").partition(",")[0].strip()
        if value.isdecimal() and len(value) < 10 and int(value):
            return int(value)
        if value and name == "MINIDL_NUM_THREADS":
            raise ArgumentError(f"{name} is {value!r}; wanted a number of threads, at least 1")
    return available()


def available():
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(xp, work, items):
    """[work(item) for item in items], on all cores where xp is NumPy; a GPU takes them in their
    order.

    The items must not write to the same memory. An error that one of them raises is raised here,
    once none is left running.
    """
    items = list(items)
    if xp is not np:
        return [work(item) for item in items]
    results = [None] * len(items)

    def work_on(number):
        results[number] = work(items[number])

    turns = _Turns(len(items), work_on)
    helpers = (
        0 if getattr(_here, "is_helper", False) else max(0, min(get_threads(), len(items)) - 1)
    )
    with blas_on_one_thread:
        try:
            _crew.send(turns, helpers)
            turns.take()
        finally:
            turns.end()
    return results


def share_sum(xp, work, items, shape, dtype):
    """Σ work(item), an array of this shape: each core adds up those of its items, and these sums
    are added in order."""
    items, threads = list(items), get_threads() if xp is np else 1

    def add_up(some):
        total = xp.zeros(shape, dtype)
        for item in some:
            total += work(item)
        return total

    first, *others = share(
        xp, add_up, [items[first::threads] for first in range(max(1, min(threads, len(items))))]
    )
    for other in others:
        first += other
    return first


_here = threading.local()


class _Turns:
    """The numbers of the items of one share, to be taken by whoever is free."""

    def __init__(self, count, work_on):
        self._work_on = work_on
        self._waiting, self._errors, self._gone, self._bell = (
            deque(range(count)),
            deque(),
            deque(),
            SimpleQueue(),
        )
        self._helping, self._over, self._lock = 0, False, threading.Lock()

    def take(self):
        work_on = self._work_on
        while self._waiting:
            try:
                number = self._waiting.popleft()
            except IndexError:  # another was faster
                return
            work_on(number)

    def help(self):
        """For a helper: whether it came in time to help."""
        with self._lock:
            if self._over:
                return False
            self._helping += 1
        try:
            self.take()
        except BaseException as error:
            self._waiting.clear()
            self._errors.append(error)
        return True

    def leave(self):
        """For a helper that has helped, when it holds nothing any more."""
        self._gone.append(None)
        self._bell.put(None)

    def end(self):
        """Wait for those who help, and raise an error of theirs, or the Ctrl-C that came
        meanwhile."""
        self._waiting.clear()
        with self._lock:
            # a helper may come late, and shall not find the arrays then
            self._over, self._work_on = True, None
        while len(self._gone) < self._helping:
            try:
                self._bell.get(timeout=1)
            except Empty:
                continue
            except KeyboardInterrupt as interrupt:
                self._errors.appendleft(interrupt)
        for error in self._errors:
            raise error


class _Crew:
    """The threads that help the one that shares its work. They are hired when first needed, and
    again after a fork."""

    def __init__(self):
        self.size = None
        self.dismiss()

    def dismiss(self):
        self._tasks, self._hired, self._lock = SimpleQueue(), 0, threading.Lock()

    def send(self, turns, helpers):
        with self._lock:
            while self._hired < helpers:
                threading.Thread(
                    target=self._work, args=[self._tasks], name="minidl", daemon=True
                ).start()
                self._hired += 1
        for _ in range(helpers):
            self._tasks.put((turns, copy_context()))  # NumPy's errstate is a matter of the context

    @staticmethod
    def _work(tasks):
        _here.is_helper = True
        while True:
            turns, context = tasks.get()
            if context.run(turns.help):
                turns.leave()
            del turns, context


class _BlasOnOneThread:
    """`with` it, by any number of threads at once: the first to enter takes BLAS's threads away,
    the last gives them back."""

    def __init__(self):
        self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        self._threads = None  # of each library, as the user had them, while they are taken away
        self._users, self._lock = 0, threading.Lock()

    def forget_users(self):
        """After a fork, those who used it are not there."""
        self._users, self._lock = 0, threading.Lock()
        self._give_back()

    def __enter__(self):
        with self._lock:
            if not self._users:
                # else a Ctrl-C came between, and they are still taken away
                if self._threads is None:
                    self._threads = [library.num_threads for library in self._libraries]
                self._set([1] * len(self._libraries))
            self._users += 1

    def __exit__(self, *error):
        with self._lock:
            self._users -= 1
            if not self._users:
                self._give_back()

    def _give_back(self):
        if self._threads is not None:
            self._set(self._threads)
            self._threads = None

    def _set(self, threads):
        for library, count in zip(self._libraries, threads, strict=True):
            # From version 3.8 on threadpoolctl listens to one thread alone until that is sent away.
            send_away = getattr(library, "clear_controlling_thread", lambda force: None)
            send_away(force=True)
            library.set_num_threads(count)
            send_away(force=True)


_crew, blas_on_one_thread = _Crew(), _BlasOnOneThread()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: (_crew.dismiss(), blas_on_one_thread.forget_users()))


def propagate(source, dy, release):
    """The backward pass with BLAS on one thread throughout, instead of switching for each op"""
    with blas_on_one_thread:
        return tape.propagate.definition(source, dy, release)
