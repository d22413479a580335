"""Training data in batches: shuffled, augmented, made ahead by a thread; the same ones again for
the same seed."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context

import numpy as np

from minidl.backend import is_array
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.shapes import is_int


class Batches:
    """Iterating gives what is left of the current epoch: tuples of `size` examples of each array.

    The order follows from (seed, epoch) and what is random in a batch from (seed, epoch, number of
    the batch) alone, so that a run that stopped goes on as if it had not: `restore(state())`.

    arrays     one or more of the same length, along which they are cut
    shuffle    a new order each epoch, or always the arrays' own
    drop_last  leave out the last batch where it is smaller
    transform  transform(rng, *arrays) -> tuple of arrays, called with each batch
    prefetch   how many batches a thread makes ahead; 0: none, and no thread

    epoch, batch: the numbers, from 0 on, of the batch that comes next
    """

    def __init__(
        self, arrays, size, seed, shuffle=True, drop_last=False, transform=None, prefetch=2
    ):
        if not (
            isinstance(arrays, tuple | list)
            and arrays
            and all(is_array(array) and array.ndim for array in arrays)
        ):
            raise ArgumentError(
                f"the arrays of the batches are {_kind(arrays)}; wanted a tuple of arrays, such as (pictures, labels)"
            )
        lengths = {len(array) for array in arrays}
        if len(lengths) != 1 or 0 in lengths:
            raise ShapeError(
                f"the arrays of the batches have lengths {sorted(lengths)}; wanted one length, at least 1"
            )
        (self._examples,) = lengths
        for name, value, least in ("size", size, 1), ("seed", seed, 0), ("prefetch", prefetch, 0):
            if not (is_int(value) and value >= least):
                raise ArgumentError(
                    f"the {name} of the batches is {brief(value)}; wanted a whole number of at least {least}"
                )
        if drop_last and size > self._examples:
            raise ArgumentError(
                f"{self._examples} examples make no batch of {size}; take smaller batches or more examples"
            )
        self.arrays, self.size, self.seed, self.shuffle = (
            tuple(arrays),
            int(size),
            int(seed),
            shuffle,
        )
        self.drop_last, self.transform, self.prefetch = drop_last, transform, prefetch
        self.epoch = self.batch = 0

    def __len__(self):
        """How many batches an epoch has."""
        return self._examples // self.size if self.drop_last else -(-self._examples // self.size)

    def __iter__(self):
        epoch, numbers = self.epoch, range(self.batch, len(self))
        order = self._order(epoch)

        def make(number):
            batch = tuple(array[order[number]] for array in self.arrays)
            if self.transform is None:
                return batch
            batch = self.transform(self._random(epoch, number), *batch)
            if not isinstance(batch, tuple | list):
                raise ArgumentError(
                    f"the transform of the batches returned {type(batch).__name__}; wanted a tuple of arrays"
                )
            return tuple(batch)

        with closing(ahead(make, numbers, self.prefetch)) as made:
            for number, batch in zip(numbers, made, strict=True):
                self.epoch, self.batch = (
                    (epoch, number + 1) if number + 1 < len(self) else (epoch + 1, 0)
                )
                yield batch

    def _order(self, epoch):
        """The places of the examples of each batch of this epoch"""
        order = (
            self._random(epoch).permutation(self._examples)
            if self.shuffle
            else np.arange(self._examples)
        )
        return [order[number * self.size : (number + 1) * self.size] for number in range(len(self))]

    def state(self):
        """The position within the training, for JSON: which batch comes next."""
        return {"epoch": self.epoch, "batch": self.batch}

    def restore(self, state):
        """Go on where `state()` was taken, from the next iteration on."""
        epoch, batch = state.get("epoch"), state.get("batch")
        if not (is_int(epoch) and is_int(batch) and epoch >= 0 and 0 <= batch < len(self)):
            raise ArgumentError(
                f"the position {brief(state)} is not among epochs of {len(self)} batches; resume with the same settings"
            )
        self.epoch, self.batch = int(epoch), int(batch)

    def _random(self, *position):
        # With the position as spawn_key, no two streams are one; plain lists [seed, epoch] and
        # [seed, epoch, 0] give the same.
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=position))


def _kind(arrays):
    """In words"""
    kinds = (
        ", ".join(type(array).__name__ for array in arrays[:3])
        if isinstance(arrays, tuple | list)
        else ""
    )
    return f"a {type(arrays).__name__}" + (f" of {kinds}" if kinds else "")


def ahead(work, items, most):
    """work(item) for each item in turn, up to `most` of them done ahead by a thread, which ends
    with the iteration."""
    if not most:
        yield from map(work, items)
        return
    worker, context, waiting = ThreadPoolExecutor(1, "minidl-batches"), copy_context(), deque()
    try:
        for item in items:
            waiting.append(worker.submit(context.run, work, item))
            if len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        worker.shutdown(cancel_futures=True)
