"""In which of many pictures, and where, each channel of some layers fires most strongly: one pass,
some pictures at a time."""

from typing import NamedTuple

import numpy as np

from minidl.backend import array_module, current_device, to_device, to_numpy
from minidl.data.batches import ahead
from minidl.errors import ArgumentError, FileError
from minidl.visualize.network import must_be_finite
from minidl.visualize.scalars import NUMBERS_AT_ONCE

READ_AHEAD = 4  # pictures


class Hit(NamedTuple):
    """value: the activation; picture: (number of the file, number of its part); position: in the
    layer, () if it has none."""

    value: float
    picture: tuple
    position: tuple


class Strongest:
    """Of each channel of a layer the `count` files with the largest activation in any part and at
    any position, one position of each: of equals the first in the order of files, of parts, and of
    positions, row by row, is taken.

    Kept are so many numbers a channel, however many pictures there are. values: (count, C), the
    largest first; sums: (C,), over all parts; seen: parts so far; out: lengths of the layer.
    """

    def __init__(self, count):
        self.count, self.seen, self.out = count, 0, ()
        self.values = self.sums = self._pictures = self._positions = None

    def take(self, activations, pictures):
        """activations: (N, *out, C) of what comes next; pictures: (file, part) of each, in rising
        order"""
        xp, (n, *out, channels) = array_module(activations), activations.shape
        flat = activations.reshape(n, -1, channels)
        values, positions = to_numpy(xp.max(flat, axis=1)), to_numpy(xp.argmax(flat, axis=1))
        numbers = np.broadcast_to(np.asarray(pictures)[:, None], (n, channels, 2))
        self.sums = values.sum(axis=0, dtype=np.float64) + (0 if self.seen == 0 else self.sums)
        if self.seen:
            values = np.concatenate([self.values, values])
            positions = np.concatenate([self._positions, positions])
            numbers = np.concatenate([self._pictures, numbers])
        order = _order(values, numbers[..., 0], self.count)
        self.values, self._positions = (
            np.take_along_axis(each, order, axis=0) for each in (values, positions)
        )
        self._pictures = np.take_along_axis(numbers, order[..., None], axis=0)
        self.seen, self.out = self.seen + n, tuple(out)

    def hits(self, channel):
        """The Hits of a channel that are greater than 0, the strongest first"""
        if not 0 <= channel < self.values.shape[1]:
            raise ArgumentError(
                f"there is no channel {channel} among {self.values.shape[1]}, which are numbered from 0 on"
            )
        return [
            Hit(
                float(value),
                tuple(map(int, picture)),
                tuple(map(int, np.unravel_index(position, self.out))) if self.out else (),
            )
            for value, picture, position in zip(
                self.values[:, channel],
                self._pictures[:, channel],
                self._positions[:, channel],
                strict=True,
            )
            if value > 0
        ]

    def silent(self):
        """The channels that fired in no picture, nowhere"""
        return np.flatnonzero(self.values[0] <= 0).tolist()

    def choosiest(self, number):
        """The channels whose middle picture of those kept is the furthest above the mean over all,
        of equals the earlier"""
        middle = self.values[(len(self.values) - 1) // 2]
        return np.argsort(self.sums / self.seen - middle, kind="stable")[:number].tolist()


def _order(values, files, count):
    """(n, C), (n, C) -> (at most count, C): along the first axis the places of the largest values,
    of equals the earlier, and of the parts of one file the best alone"""
    order = np.argsort(-values, axis=0, kind="stable")
    files = np.take_along_axis(files, order, axis=0)
    beaten = np.stack([(files[:row] == files[row]).any(axis=0) for row in range(len(files))])
    best_first = np.argsort(beaten, axis=0, kind="stable")
    # below count it is the same in all channels: no file was left out yet
    kept = min(count, (~beaten).sum(axis=0).min())
    return np.take_along_axis(order, best_first[:kept], axis=0)


def strongest(network, album, layers, count=9, watch=iter, refuse=None):
    """{layer: Strongest} of an album (albums.py)

    watch(files): gives them on, one by one, and may draw a bar. refuse(error): called for a file
    that is no picture, which is then passed over; None: the error is raised. Raises FileError where
    no file is a picture.
    """
    if count < 1:
        raise ArgumentError(f"{count} patches of a unit are wanted; wanted at least 1")
    found, waiting = {layer: Strongest(count) for layer in layers}, []
    for number, parts in watch(ahead(_reader(album), range(len(album)), READ_AHEAD)):
        if isinstance(parts, FileError):
            if refuse is None:
                raise parts
            refuse(parts)
            continue
        for part, picture in enumerate(parts):
            waiting.append(((number, part), picture))
            if len(waiting) * picture.size >= NUMBERS_AT_ONCE:
                _search(network, waiting, found)
                waiting = []
    if waiting:
        _search(network, waiting, found)
    if not all(each.seen for each in found.values()):
        raise FileError("none of the files is a picture; name a folder that has some")
    return found


def _reader(album):
    def read(number):
        try:
            return number, album.read(number)
        except FileError as error:
            return number, error

    return read


def _search(network, pictures, found):
    numbers, arrays = zip(*pictures, strict=True)
    activations = network.activations(to_device(np.stack(arrays), current_device()), list(found))
    for layer, each in found.items():
        each.take(activations[layer], numbers)
        must_be_finite(layer, each.sums)
