"""Split training data, and make shuffled and augmented batches of it.

A thread makes the batches in advance. The same seed gives the same batches.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from contextvars import copy_context
from typing import Any, TypeVar, overload

import numpy as np

from minidl.backend import is_array
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.shapes import is_int
from minidl.typing import Array

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batches:
    """Iterating yields the remaining batches of the current epoch. A batch is a tuple of `size`
    examples of each array.

    The order of the examples depends only on (seed, epoch), and the random changes of a batch only
    on (seed, epoch, number of the batch). An interrupted training therefore continues with the same
    batches after `restore(state())`.

    arrays     one or more arrays of equal length, whose first axis counts the examples
    size       examples per batch; the last batch of an epoch may be smaller
    shuffle    whether each epoch has a new order; otherwise the order is that of the arrays
    drop_last  whether to omit the last batch if it is smaller
    transform  transform(rng, *arrays) -> tuple of arrays, called for each batch, or None
    prefetch   the number of batches that a thread makes in advance; 0 means none, and no thread

    The attributes `epoch` and `batch` are the numbers of the next batch, counted from 0.

    Raises ArgumentError or ShapeError if an argument is invalid.
    """

    def __init__(
        self,
        arrays: Sequence[Array],
        size: int,
        seed: int,
        shuffle: bool = True,
        drop_last: bool = False,
        transform: Callable[..., Sequence[Array]] | None = None,
        prefetch: int = 2,
    ) -> None:
        is_sequence = isinstance(arrays, tuple | list) and arrays
        if not (is_sequence and all(is_array(array) and array.ndim for array in arrays)):
            raise ArgumentError(
                f"the arrays of the batches are {_kind(arrays)}; wanted a tuple of arrays, such as "
                "(pictures, labels)"
            )
        lengths = {len(array) for array in arrays}
        if len(lengths) != 1 or 0 in lengths:
            raise ShapeError(
                f"the arrays of the batches have lengths {sorted(lengths)}; wanted one length, at "
                "least 1"
            )
        (self._examples,) = lengths
        for name, value, least in ("size", size, 1), ("seed", seed, 0), ("prefetch", prefetch, 0):
            if not (is_int(value) and value >= least):
                raise ArgumentError(
                    f"the {name} of the batches is {brief(value)}; wanted a whole number of at "
                    f"least {least}"
                )
        if drop_last and size > self._examples:
            raise ArgumentError(
                f"{self._examples} examples make no batch of {size}; take smaller batches or more "
                "examples"
            )
        self.arrays = tuple(arrays)
        self.size, self.seed, self.shuffle = int(size), int(seed), shuffle
        self.drop_last, self.transform, self.prefetch = drop_last, transform, prefetch
        self.epoch = self.batch = 0

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return self._examples // self.size if self.drop_last else -(-self._examples // self.size)

    def __iter__(self) -> Generator[tuple[Array, ...], None, None]:
        epoch, numbers = self.epoch, range(self.batch, len(self))
        order = self._order(epoch)

        def make(number):
            batch = tuple(array[order[number]] for array in self.arrays)
            if self.transform is None:
                return batch
            transformed = self.transform(self._random(epoch, number), *batch)
            if not isinstance(transformed, tuple | list):
                raise ArgumentError(
                    f"the transform of the batches returned {type(transformed).__name__}; wanted a "
                    "tuple of arrays"
                )
            return tuple(transformed)

        with closing(ahead(make, numbers, self.prefetch)) as made:
            for number, batch in zip(numbers, made, strict=True):
                is_last = number + 1 == len(self)
                self.epoch, self.batch = (epoch + 1, 0) if is_last else (epoch, number + 1)
                yield batch

    def _order(self, epoch):
        """Return the indices of the examples of each batch of this epoch."""
        if self.shuffle:
            order = self._random(epoch).permutation(self._examples)
        else:
            order = np.arange(self._examples)
        return [order[number * self.size : (number + 1) * self.size] for number in range(len(self))]

    def state(self) -> dict[str, int]:
        """Return the position of the next batch, as a dictionary that JSON can store."""
        return {"epoch": self.epoch, "batch": self.batch}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue at the position that `state()` returned, from the next iteration on. Raises
        ArgumentError if there is no such position."""
        epoch, batch = state.get("epoch", -1), state.get("batch", -1)
        if not (is_int(epoch) and is_int(batch) and epoch >= 0 and 0 <= batch < len(self)):
            raise ArgumentError(
                f"the position {brief(state)} is not among epochs of {len(self)} batches; resume "
                "with the same settings"
            )
        self.epoch, self.batch = int(epoch), int(batch)

    def _random(self, *position):
        # A spawn_key makes all streams different. The seeds [seed, epoch] and [seed, epoch, 0]
        # would give the same stream.
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=position))


def _kind(arrays):
    """Name the type of a value, and the types of its first items."""
    items = arrays[:3] if isinstance(arrays, tuple | list) else ()
    kinds = ", ".join(type(item).__name__ for item in items)
    return f"a {type(arrays).__name__}" + (f" of {kinds}" if kinds else "")


class SideBySide:
    """Iterate over several Batches at the same time, for networks that are trained side by side.

    Each iteration yields one batch of each as a single tuple (x_1, y_1, x_2, y_2, ..). The Batches
    have the same arrays and the same number of batches per epoch. All other attributes are those of
    the first one.
    """

    def __init__(self, batches: Iterable[Batches]):
        self.all = list(batches)

    def __getattr__(self, name):
        return getattr(self.all[0], name)

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return len(self.all[0])

    def __iter__(self) -> Generator[tuple[Array, ...], None, None]:
        with ExitStack() as stack:
            iterators = [stack.enter_context(closing(iter(batches))) for batches in self.all]
            for arrays in zip(*iterators, strict=True):
                yield sum(arrays, ())

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue at the position that `state()` returned."""
        for batches in self.all:
            batches.restore(state)


def ahead(
    work: Callable[[Item], Result], items: Iterable[Item], most: int
) -> Generator[Result, None, None]:
    """Yield work(item) for each item, in order. A thread computes up to `most` results in advance.

    The thread ends with the iteration. If `most` is 0, there is no thread.
    """
    if not most:
        yield from map(work, items)
        return
    worker, context = ThreadPoolExecutor(1, "minidl-batches"), copy_context()
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(worker.submit(context.run, work, item))
            if len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        worker.shutdown(cancel_futures=True)


@overload
def split(
    arrays: tuple[Array, Array], held_out: int, seed: int
) -> tuple[tuple[Array, Array], tuple[Array, Array]]: ...


@overload
def split(
    arrays: Sequence[Array], held_out: int, seed: int
) -> tuple[tuple[Array, ...], tuple[Array, ...]]: ...


def split(
    arrays: Sequence[Array], held_out: int, seed: int
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Return (kept, held): the arrays without and with `held_out` examples drawn at random.

    Both are tuples of one array for each input array, and keep the order of the examples.

    Raises ShapeError if the arrays have different lengths, and ArgumentError if `held_out` is not
    an int from 0 to their length - 1.

    >>> (kept,), (held,) = split([np.arange(10)], held_out=3, seed=0)
    >>> len(kept), len(held), sorted([*kept, *held]) == list(range(10))
    (7, 3, True)
    """
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1:
        raise ShapeError(
            f"the arrays have lengths {sorted(lengths)}; wanted the same number of examples in each"
        )
    (count,) = lengths
    if not (is_int(held_out) and 0 <= held_out < count):
        raise ArgumentError(
            f"{brief(held_out)} examples are to be held out of {count}; wanted a whole number from "
            f"0 to {count - 1}"
        )
    is_held = np.zeros(count, bool)
    is_held[np.random.default_rng(seed).choice(count, held_out, replace=False)] = True
    return tuple(array[~is_held] for array in arrays), tuple(array[is_held] for array in arrays)
