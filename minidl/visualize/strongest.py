"""The pictures of an album, and the positions in them, that activate each channel of some layers
most. The album is read once, in batches."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minidl.backend import array_module, current_device, to_device, to_numpy
from minidl.data.batches import ahead
from minidl.errors import ArgumentError, FileError
from minidl.typing import Array, Shape
from minidl.visualize.albums import Album
from minidl.visualize.network import Network, must_be_finite
from minidl.visualize.scalars import NUMBERS_AT_ONCE

READ_AHEAD = 4  # pictures


class Hit(NamedTuple):
    """One of the strongest activations of a channel.

    value: the activation
    picture: number of the file, and number of its part
    position: position in the layer, () for a layer without positions
    """

    value: float
    picture: tuple[int, int]
    position: Shape


class Strongest:
    """The `count` files with the largest activation of each channel of a layer.

    A file counts once, with its largest activation over all parts and positions. Of equal
    activations the first counts, in the order of files, parts and positions (row by row). The
    memory does not grow with the number of pictures.

    values: (count, C), the largest activations in descending order
    sums: (C,), the sums over all parts of the largest activation of each part
    seen: number of parts so far
    out: spatial size of the layer
    """

    def __init__(self, count: int) -> None:
        self.count, self.seen = count, 0
        self.out: Shape = ()
        self.values, self.sums = np.empty((0, 0)), np.empty(0)
        self._pictures, self._positions = np.empty((0, 0, 2), int), np.empty((0, 0), int)

    def take(self, activations: Array, pictures: Sequence[tuple[int, int]]) -> None:
        """Add the activations (n, *out, C) of the next n parts. pictures: number of the file and
        number of the part, in ascending order."""
        xp, (n, *out, channels) = array_module(activations), activations.shape
        flat = activations.reshape(n, -1, channels)
        values, positions = to_numpy(xp.max(flat, axis=1)), to_numpy(xp.argmax(flat, axis=1))
        numbers = np.broadcast_to(np.asarray(pictures)[:, None], (n, channels, 2))
        sums = values.sum(axis=0, dtype=np.float64)
        if self.seen:
            sums = sums + self.sums
            values = np.concatenate([self.values, values])
            positions = np.concatenate([self._positions, positions])
            numbers = np.concatenate([self._pictures, numbers])
        order = _order(values, numbers[..., 0], self.count)
        self.values = np.take_along_axis(values, order, axis=0)
        self._positions = np.take_along_axis(positions, order, axis=0)
        self._pictures = np.take_along_axis(numbers, order[..., None], axis=0)
        self.sums, self.seen, self.out = sums, self.seen + n, tuple(out)

    def hits(self, channel: int, above: float = 0.0) -> list[Hit]:
        """Return the Hits of a channel with an activation above a number, the strongest first.
        Raise ArgumentError if the layer has no such channel."""
        channels = self.values.shape[1]
        if not 0 <= channel < channels:
            raise ArgumentError(
                f"there is no channel {channel} among {channels}; "
                f"wanted one from 0 to {channels - 1}"
            )
        return [self._hit(row, channel) for row in np.flatnonzero(self.values[:, channel] > above)]

    def _hit(self, row, channel):
        file, part = self._pictures[row, channel].tolist()
        position = np.unravel_index(self._positions[row, channel], self.out) if self.out else ()
        return Hit(float(self.values[row, channel]), (file, part), tuple(map(int, position)))

    def silent(self) -> list[int]:
        """Return the channels that no picture activates above 0."""
        return np.flatnonzero(self.values[0] <= 0).tolist()

    def most_selective(self, number: int) -> list[int]:
        """Return `number` channels, in descending order of the difference between the median of
        their largest activations and their mean over all parts."""
        median = self.values[(len(self.values) - 1) // 2]
        return np.argsort(self.sums / self.seen - median, kind="stable")[:number].tolist()


def _order(values, files, count):
    """Return the rows (at most count, C) of the largest values of each channel, in descending
    order, at most one row for each file.

    values, files: (n, C), in the order in which equal values count
    """
    order = np.argsort(-values, axis=0, kind="stable")
    files = np.take_along_axis(files, order, axis=0)
    repeated = np.stack([(files[:row] == files[row]).any(axis=0) for row in range(len(files))])
    firsts = np.argsort(repeated, axis=0, kind="stable")
    # All channels have the same number of rows while there are fewer than `count` files.
    kept = min(count, (~repeated).sum(axis=0).min())
    return np.take_along_axis(order, firsts[:kept], axis=0)


def strongest(
    network: Network,
    album: Album,
    layers: Iterable[str],
    count: int = 9,
    watch: Callable[[Iterable[Any]], Iterable[Any]] = iter,
    refuse: Callable[[FileError], Any] | None = None,
) -> dict[str, Strongest]:
    """Return the Strongest of each layer over all pictures of an album.

    layers: names of the layers
    count: the number of files for each channel
    watch: wraps the iterator over the files, for example to draw a progress bar
    refuse: called with the error of each unreadable file, which is skipped; None raises the error

    Raises FileError if no file is readable, NonFiniteError if an activation is not finite, and
    ArgumentError if `count` is less than 1.
    """
    if count < 1:
        raise ArgumentError(f"the number of patches of a unit is {count}; wanted at least 1")
    by_layer, waiting = {layer: Strongest(count) for layer in layers}, []
    for number, parts in watch(ahead(_reader(album), range(len(album)), READ_AHEAD)):
        if isinstance(parts, FileError):
            if refuse is None:
                raise parts
            refuse(parts)
            continue
        for part, picture in enumerate(parts):
            waiting.append(((number, part), picture))
            if len(waiting) * picture.size >= NUMBERS_AT_ONCE:
                _search(network, waiting, by_layer)
                waiting = []
    if waiting:
        _search(network, waiting, by_layer)
    if not all(search.seen for search in by_layer.values()):
        raise FileError("none of the files is a picture; name a folder that contains pictures")
    return by_layer


def _reader(album):
    """Return the function that reads file `number`: (number, its parts or the FileError)."""

    def read(number):
        try:
            return number, album.read(number)
        except FileError as error:
            return number, error

    return read


def _search(network, pictures, by_layer):
    numbers, arrays = zip(*pictures, strict=True)
    batch = to_device(np.stack(arrays), current_device())
    activations = network.activations(batch, list(by_layer))
    for layer, search in by_layer.items():
        search.take(activations[layer], numbers)
        must_be_finite(layer, search.sums)
