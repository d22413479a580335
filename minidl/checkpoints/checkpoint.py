"""The contents of a weight file, and the description of the network that they belong to.

Arrays have minidl's names, such as "block1_conv1/kernel" and "block1_conv1/bias". All are float32.
Convolution kernels have the shape (*window, inputs, outputs), dense kernels (inputs, outputs), and
biases (outputs,). A separable convolution has two kernels: "depthwise", (*window, 1, inputs), and
"pointwise", (1, ..., 1, inputs, outputs).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from minidl.errors import ArgumentError, one_of
from minidl.typing import Array, Shape


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the input of a network: input = (picture - mean) / std.

    The picture has values from 0 to 255 and its channels in the order of `channels`. Raises
    ArgumentError if `channels` is neither "RGB" nor "BGR", or if a mean or std is out of range.

    channels  "RGB" or "BGR"
    mean      three numbers from 0 to 255, in the order of `channels`
    std       three positive numbers, in the order of `channels`
    """

    channels: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self):
        one_of("channels", self.channels, ("RGB", "BGR"))
        is_valid = (
            (len(self.mean), len(self.std)) == (3, 3)
            and all(isfinite(number) for number in (*self.mean, *self.std))
            and 0 <= min(self.mean) <= 255
            and min(self.std) > 0
        )
        if not is_valid:
            raise ArgumentError(
                f"{self!r}: wanted three means from 0 to 255 and three stds above 0"
            )

    def __str__(self):
        return f"{self.channels}, mean {self.mean}, std {self.std}"

    @property
    def mean_rgb(self) -> tuple[float, ...]:
        """The mean in the order red, green, blue."""
        return self.mean if self.channels == "RGB" else self.mean[::-1]


@dataclass(frozen=True)
class Landmark:
    """Values of a well-known set of weights, by which `diagnose` and `translate` recognise it.

    lineage  the key of these weights in Architecture.preprocessing
    kernel   the name of the network's first kernel
    colours  {(row, column): (red, green, blue)} of that kernel's first filter
    """

    lineage: str
    kernel: str
    colours: Mapping[tuple[int, int], tuple[float, float, float]]


@dataclass(frozen=True)
class Architecture:
    """The arrays of a network, in the order in which the network applies them.

    shapes         {"layer/kernel": shape, "layer/bias": shape}
    optional       the layers that a file may lack, such as the dense top; it lacks all or none
    landmark       values of the best-known weights, or None if no weights are recognised
    preprocessing  {lineage: Preprocessing} of each known set of weights
    aliases        {name in other programs: layer}
    torch_names    {layer: name in PyTorch's programs}; the others keep their names
    """

    name: str
    shapes: Mapping[str, Shape]
    optional: tuple[str, ...] = ()
    landmark: Landmark | None = None
    preprocessing: Mapping[str, Preprocessing] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    torch_names: Mapping[str, str] = field(default_factory=dict)

    def layers(self, rank: int | None = None) -> list[str]:
        """The names of the layers, in order.

        rank: the number of axes of the layer's kernel (2: dense, 4: 2-D convolution), or None for
        all layers.
        """
        names = [
            name
            for name, shape in self.shapes.items()
            if rank is None or (name.endswith("/kernel") and len(shape) == rank)
        ]
        return list(dict.fromkeys(map(layer_of, names)))


@dataclass(frozen=True)
class Checkpoint:
    """The contents of one weight file.

    arrays         {name: array}, with the names of the file or, after `translate`, minidl's names
    form           the format of the file: "minidl", "run", "keras", "pytorch", "safetensors",
                   "matconvnet", "tfjs" or "npz"
    architecture   the name of the network, or None if the file does not state it
    preprocessing  the preprocessing that the network expects, or None if it is unknown
    provenance     {key: text}: the source of the weights
    classes        the names of the outputs, or None if the file has none
    remarks        what `translate` left out and why, each the second half of a sentence
    """

    arrays: dict[str, Array]
    form: str = "minidl"
    architecture: str | None = None
    preprocessing: Preprocessing | None = None
    provenance: dict[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] | None = None
    remarks: tuple[str, ...] = ()


def layer_of(name: str) -> str:
    """Return the part of an array's name that names its layer.

    >>> layer_of("block1_conv1/kernel")
    'block1_conv1'
    """
    return name.rpartition("/")[0]


def placeholder(shape: Shape, dtype: np.dtype) -> Array:
    """Return zeros of that shape and dtype that take no memory. They replace values that are not
    read."""
    return np.broadcast_to(np.zeros((), dtype), shape)
