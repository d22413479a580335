"""What a weight file holds, and what a network wants of it.

Arrays go by minidl's names, "block1_conv1/kernel" and "block1_conv1/bias": convolution kernels are
(*window, inputs, outputs), dense kernels (inputs, outputs), biases (outputs,), all float32. A
separable convolution has the kernels "depthwise", (*window, 1, inputs), and "pointwise".
"""

from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from minidl.errors import ArgumentError, one_of


@dataclass(frozen=True)
class Preprocessing:
    """What a network wants to see: input = (image in the order of `channels` - mean) / std, image
    in 0..255."""

    channels: str  # "RGB" or "BGR"
    mean: tuple  # of each channel, in that order
    std: tuple

    def __post_init__(self):
        one_of("channels", self.channels, ("RGB", "BGR"))
        finite = all(isfinite(number) for number in (*self.mean, *self.std))
        if (
            len(self.mean) != 3
            or len(self.std) != 3
            or not finite
            or min(self.std) <= 0
            or not 0 <= min(self.mean) <= 255
        ):
            raise ArgumentError(f"{self}: wanted three means from 0 to 255 and three stds above 0")

    @property
    def mean_rgb(self):
        """The mean colour, as red, green, blue."""
        return self.mean if self.channels == "RGB" else self.mean[::-1]


@dataclass(frozen=True)
class Landmark:
    """A few numbers by which one training of a network is known: filter 0 of its first kernel."""

    lineage: str  # the key of that training in Architecture.preprocessing
    kernel: str
    colours: dict  # {(row, column): (red, green, blue)}


@dataclass(frozen=True)
class Architecture:
    """The arrays that a network is made of, in the order in which they are applied.

    shapes         {"layer/kernel": shape, "layer/bias": shape}
    optional       layers that a file may lack, all together: the dense top
    landmark       tells the best-known training, its colour order and its axes by a few values; None: cannot be told
    preprocessing  {lineage: Preprocessing}: what each known training was fed with
    """

    name: str
    shapes: dict
    optional: tuple = ()
    landmark: Landmark | None = None
    preprocessing: dict = field(default_factory=dict)

    def layers(self, rank=None):
        """Names of the layers, in order; or of those whose "kernel" has `rank` axes (2: dense, 4:
        2-D convolution)."""
        names = [
            name
            for name in self.shapes
            if rank is None or (name.endswith("/kernel") and len(self.shapes[name]) == rank)
        ]
        return list(dict.fromkeys(map(layer_of, names)))


@dataclass(frozen=True)
class Checkpoint:
    """The contents of one weight file.

    arrays         {name: array}, by the names of the file, or by minidl's once translated
    form           how it was stored: "minidl", "keras", "pytorch", "tfjs" or "npz"
    architecture   the network's name, where the file tells it
    preprocessing  what the network was fed with, where that is known
    provenance     {what: text}: where the numbers come from
    """

    arrays: dict
    form: str = "minidl"
    architecture: str | None = None
    preprocessing: Preprocessing | None = None
    provenance: dict = field(default_factory=dict)


def layer_of(name):
    """
    >>> layer_of("block1_conv1/kernel")
    'block1_conv1'
    """
    return name.rpartition("/")[0]


def numberless(shape, dtype):
    """An array of zeros of that shape and dtype that takes no memory. It stands for an array whose
    numbers are not read."""
    return np.broadcast_to(np.zeros((), dtype), shape)
