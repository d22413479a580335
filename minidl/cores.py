"""The processor's cores: how many of them minidl uses, and how they share work.

Large work is cut into strips that do not meet, and each core takes the next one when it is done with its last. BLAS is held
to one thread meanwhile, or every product of every strip would wait for all cores. What a strip is depends on the number of
threads, but not who works on it: the same input and the same number of threads give the same bytes, whatever else runs.
"""

import os
import threading
from collections import deque
from contextvars import copy_context
from queue import SimpleQueue

import numpy as np
from threadpoolctl import ThreadpoolController

from minidl.errors import ArgumentError

VARIABLES = ("MINIDL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def set_threads(count):
    """Use that many threads from here on, in this process.

    At the start it is what the first of MINIDL_NUM_THREADS, OMP_NUM_THREADS, OPENBLAS_NUM_THREADS and MKL_NUM_THREADS says
    that is set, else the number of cores that this process may use.

    >>> before = get_threads()
    >>> set_threads(1)
    >>> get_threads()
    1
    >>> set_threads(before)
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ArgumentError(f"the number of threads is {count!r}; wanted an int of at least 1")
    _crew.size = count


def get_threads():
    """How many threads minidl uses."""
    if _crew.size is None:
        _crew.size = _threads_to_begin_with()
    return _crew.size


def _threads_to_begin_with():
    for name in VARIABLES:
        value = os.environ.get(name, "").partition(",")[0].strip()  # OMP_NUM_THREADS may list one number for each level
        if value.isdecimal() and int(value):
            return int(value)
        if value and name == "MINIDL_NUM_THREADS":
            raise ArgumentError(f"{name} is {value!r}; wanted a number of threads, at least 1")
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(xp, work, items):
    """[work(item) for item in items], on all cores where xp is NumPy; a GPU takes them in their order.

    The items must not write to the same memory. An error that one of them raises is raised here, once none is left running.
    """
    items = list(items)
    if xp is not np:
        return [work(item) for item in items]
    results, turns = [None] * len(items), _Turns(len(items))

    def take_turns():
        while (number := turns.next()) is not None:
            results[number] = work(items[number])

    helpers = 0 if getattr(_here, "is_helper", False) else max(0, min(get_threads(), len(items)) - 1)
    with _blas_on_one_thread:
        _crew.send(lambda: turns.help(take_turns), helpers)
        try:
            take_turns()
        finally:
            turns.end()
    return results


def share_sum(xp, work, items, shape, dtype):
    """Σ work(item), an array of this shape: each core adds up those of its items, and these sums are added in order."""
    items, threads = list(items), get_threads()

    def add_up(some):
        total = xp.zeros(shape, dtype)
        for item in some:
            total += work(item)
        return total

    first, *others = share(xp, add_up, [items[first::threads] for first in range(max(1, min(threads, len(items))))])
    for other in others:
        first += other
    return first


_here = threading.local()


class _Turns:
    """The numbers of the items of one share, to be taken by whoever is free."""

    def __init__(self, count):
        self._waiting, self._done, self._lock = deque(range(count)), SimpleQueue(), threading.Lock()
        self._helping, self._over = 0, False

    def next(self):
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def help(self, take_turns):
        """For a helper, who may come late."""
        with self._lock:
            if self._over:
                return
            self._helping += 1
        error = None
        try:
            take_turns()
        except BaseException as caught:
            error = caught
            self._waiting.clear()
        self._done.put(error)

    def end(self):
        """Wait for those who help, Ctrl-C or not, and raise what one of them or the user has raised."""
        self._waiting.clear()
        with self._lock:
            self._over = True
        errors, helping = [], self._helping
        while helping:
            try:
                errors.append(self._done.get())
                helping -= 1
            except KeyboardInterrupt as interrupt:
                errors.append(interrupt)
        for error in filter(None, errors):
            raise error


class _Crew:
    """The threads that help the one that shares its work. They are hired when first needed, and again after a fork."""

    def __init__(self):
        self.size = None
        self.dismiss()

    def dismiss(self):
        self._tasks, self._hired, self._lock = SimpleQueue(), 0, threading.Lock()

    def send(self, task, copies):
        with self._lock:
            while self._hired < copies:
                threading.Thread(target=self._work, args=[self._tasks], name="minidl", daemon=True).start()
                self._hired += 1
        for _ in range(copies):
            self._tasks.put((copy_context(), task))  # NumPy's errstate is a matter of the context

    @staticmethod
    def _work(tasks):
        _here.is_helper = True
        while True:
            context, task = tasks.get()
            context.run(task)
            del context, task  # or what they hold would live until the next one comes


class _BlasOnOneThread:
    """`with` it, by as many threads at once as like: the first to enter takes BLAS's threads away, the last gives them back."""

    def __init__(self):
        self._blas = ThreadpoolController()
        self.forget_users()

    def forget_users(self):
        self._users, self._lock, self._limit = 0, threading.Lock(), None

    def __enter__(self):
        with self._lock:
            if not self._users:
                self._take_control()
                self._limit = self._blas.limit(limits=1, user_api="blas")
            self._users += 1

    def __exit__(self, *error):
        with self._lock:
            self._users -= 1
            if not self._users:
                self._take_control()
                self._limit.restore_original_limits()
                self._take_control()

    def _take_control(self):
        """From version 3.8 on threadpoolctl listens to one thread alone until that lets go."""
        for library in self._blas.lib_controllers:
            if hasattr(library, "clear_controlling_thread"):
                library.clear_controlling_thread(force=True)


_crew, _blas_on_one_thread = _Crew(), _BlasOnOneThread()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: (_crew.dismiss(), _blas_on_one_thread.forget_users()))
