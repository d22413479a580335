"""Classify many examples with a network, in parts that need little memory."""

from collections.abc import Iterable, Iterator
from itertools import islice
from math import prod
from typing import NamedTuple

import numpy as np

from minidl import typing
from minidl.autograd import Tensor, no_grad
from minidl.backend import current_device, current_module, to_device, to_numpy
from minidl.engine.threads import parallel_map
from minidl.errors import ArgumentError, FileError, ShapeError
from minidl.ops import relu, softmax
from minidl.visualize.arrays import holds_arrays, read_arrays
from minidl.visualize.network import Network, must_be_finite
from minidl.visualize.opening import read_for

MOST_NUMBERS = 2**24  # in the largest output of a layer, for all examples of a part together
MOST_EXAMPLES = 256  # of a part


class Example(NamedTuple):
    """An example of a file, as the network takes it.

    path: of the file. place: which of the examples of the file it is, such as "[3]"; "" if it is
    the only one.
    """

    path: typing.Path
    place: str
    array: np.ndarray


class Classified(NamedTuple):
    """An example with its scores (K,) and their probabilities (K,), softmax(scores)."""

    example: Example
    scores: np.ndarray
    probabilities: np.ndarray


class Classifier:
    """A network that classifies examples.

    classes: the names of the classes; "0", "1", ... if the network has none.

    Raises ArgumentError if the network gives no row of scores for an example.
    """

    def __init__(self, network: Network) -> None:
        if network.size is None:
            raise ArgumentError(
                "the network takes pictures of any size and gives maps, not a score for each "
                "class; wanted one that ends with a dense layer, such as VGG19 with its top"
            )
        self.network, self.shape = network, (*network.size, network.channels)
        *_, last = sizes = [y.shape[1:] for y in _empty_outputs(network, self.shape)]
        if len(last) != 1:
            raise ArgumentError(
                "the network gives maps, not a score for each class; wanted one that ends with a "
                "dense layer, such as VGG19 with its top"
            )
        self.classes = network.classes or tuple(map(str, range(last[0])))
        largest = max(map(prod, [self.shape, *sizes]))
        self._most = max(1, min(MOST_EXAMPLES, MOST_NUMBERS // largest))

    def examples(self, path: typing.Path) -> list[Example]:
        """Return the examples of a file: of a picture one, of an .npy or .npz file one or several.

        Raises FileError if the file cannot be read, and ShapeError if it does not fit the network.
        """
        if not holds_arrays(path):
            return [Example(path, "", read_for(self.network, path))]
        return [
            Example(path, place, example)
            for name, array in read_arrays(path).items()
            for place, example in self._split(path, name, array)
        ]

    def _split(self, path, name, array):
        """Yield (place, example) of the examples of an array."""
        if array.shape == self.shape:
            yield f":{name}" if name else "", array
            return
        if array.shape[1:] != self.shape:
            raise ShapeError(
                f"{path} holds an array {array.shape}; wanted an example {self.shape}, or several "
                f"of them (N, {', '.join(map(str, self.shape))})"
            )
        for number, example in enumerate(array):
            yield f"{f':{name}' if name else ''}[{number}]", example

    def classify(
        self, paths: Iterable[typing.Path]
    ) -> Iterator["Classified | FileError | ShapeError"]:
        """Yield each example of the files with its scores, or the error of a file that cannot be
        read. Files and examples are read in parts, so that memory does not grow with their number.

        Raises NonFiniteError if a score is NaN or infinite.
        """

        def read(path):
            try:
                return self.examples(path)
            except (FileError, ShapeError) as error:
                return error

        remaining = iter(paths)
        while part := list(islice(remaining, self._most)):
            waiting: list[Example] = []
            for found in parallel_map(np, read, part):
                if isinstance(found, FileError | ShapeError):
                    yield from self._scored(waiting)
                    waiting = []
                    yield found
                else:
                    waiting += found
            yield from self._scored(waiting)

    def _scored(self, examples) -> Iterator[Classified]:
        last = self.network.steps[-1].name
        for start in range(0, len(examples), self._most):
            part = examples[start : start + self._most]
            batch = to_device(np.stack([example.array for example in part]), current_device())
            [scores] = self.network.activations(batch, [last]).values()
            scores = must_be_finite(last, to_numpy(scores))
            yield from map(Classified, part, scores, softmax(scores))


@no_grad()
def _empty_outputs(network, shape):
    """Yield the outputs of all steps for no example at all, which show their shapes."""
    x = network.prepare(Tensor(current_module().zeros((0, *shape), "float32")))
    for step in network.steps:
        x = relu(x) if step.layer is None else step.layer(x)
        yield x
