"""DeepDream changes a picture so that it activates some layers or units more (Mordvintsev, Olah,
Tyka 2015, "Inceptionism").

It increases one of two functions by gradient ascent:

    F(x) = Σ_l log(mean(a_l²))      a_l: the activations of layer l
    F(x) = Σ_u mean(z_u)            z_u: the activations of unit u before its ReLU

An inactive unit has a gradient before its ReLU only. The logarithm gives all layers the same
influence, however large their activations are. Each step changes a pixel by `rate` on average:

    x ← clip(x + rate · g / mean(|g|), 0, 255),      g = ∂F/∂x

The ascent goes through octaves, copies of the picture whose sizes grow by a factor of 1.4, so that
large shapes come first. Only the change is enlarged from one octave to the next. It is added to the
octave's own copy of the picture, so the details of the picture stay sharp. In each step the picture
is shifted at random (jitter), because the edges of pooling windows would become visible otherwise.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from minidl import ops
from minidl.autograd import Tensor, no_grad
from minidl.backend import array_module, current_device, read_numbers, to_device, to_numpy
from minidl.data import as_picture, resize
from minidl.errors import ArgumentError, NonFiniteError, ShapeError
from minidl.typing import Array
from minidl.visualize.effort import WITH_GRADIENT
from minidl.visualize.network import Network
from minidl.visualize.scalars import value_and_gradient
from minidl.visualize.units import Unit

FACTOR = 1.4  # between the sizes of two octaves
LEAST = 48  # pixels: the least shorter side of an octave; networks recognise little in smaller ones
JITTER = 32  # pixels: the largest shift
TINY = 1e-30  # added to or in place of a 0 in logarithms and quotients


class Step(NamedTuple):
    """One step of gradient ascent.

    octave, number: of the octave and of the step in it, from 1 on
    picture: (H, W, 3) after the step, in the size of the octave, on the current device
    """

    octave: int
    number: int
    picture: Array


def dream(
    network: Network,
    picture: Array,
    units: Sequence[Unit],
    octaves: int = 5,
    steps: int = 10,
    rate: float = 0.8,
    seed: int = 0,
) -> Iterator[Step]:
    """Yield each Step. The picture of the last one is the result, in the size of the given picture.

    picture: (H, W, 3), RGB, 0..255, floating-point, on the current device
    units: layers (units without a channel) or channels
    octaves: the most octaves; those smaller than LEAST are left out
    steps: steps in each octave
    rate: mean absolute change of a number of the picture in a step
    seed: of the jitter

    Raises ArgumentError if there are fewer than 1 steps, and NonFiniteError if the activations or
    their gradient are not finite.
    """
    if steps < 1:
        raise ArgumentError(f"a dream of {steps} steps; wanted at least 1")
    as_picture(picture)  # raises an error for an invalid picture
    rng, detail = np.random.default_rng(seed), None
    for octave, size in enumerate(octave_sizes(picture.shape[:2], octaves), start=1):
        original = _shrunk(picture, size)
        x = original if detail is None else original + enlarged(detail, size)
        for number in range(1, steps + 1):
            places = [_jittered(rng, length) for length in size]
            objective, x = _ascend(network, x, units, places, rate)
            yield Step(octave, number, x)
        detail = x - original
        if not np.isfinite(read_numbers(detail.sum(), objective)).all():
            raise NonFiniteError(
                f"the activations or their gradient are not finite in octave {octave}; "
                "check the picture and the weights"
            )


def passes(sizes: Sequence[tuple[int, ...]], steps: int) -> float:
    """Return the cost of a dream in forward passes of the whole picture.

    sizes: as `octave_sizes` returns them; steps: in each octave
    """
    pixels = [height * width for height, width in sizes]
    return WITH_GRADIENT * steps * sum(pixels) / pixels[-1]


def in_full_size(picture: Array, dreamt: Array) -> Array:
    """Return a picture (h, w, 3) of an early octave in the size of the given picture (H, W, 3):
    the change is enlarged, and added to the picture."""
    size = picture.shape[:2]
    detail = dreamt - _shrunk(picture, dreamt.shape[:2])
    return (picture + enlarged(detail, size)).clip(0, 255)


def _ascend(network, picture, units, places, rate):
    """Return the objective F of the shifted picture, and the picture after one step."""
    rows, columns = places

    def objective(x):
        view = x[rows][:, columns].reshape(1, *picture.shape)
        return _objective(strengths(network, view, units))

    value, gradient = value_and_gradient(objective, picture)
    xp = array_module(picture)
    length = xp.maximum(abs(gradient).mean(), TINY)
    return value, xp.clip(picture + gradient * (rate / length), 0, 255)


def strengths(network: Network, pictures: Tensor, units: Sequence[Unit]) -> dict[Unit, Tensor]:
    """Return a Tensor of one number for each unit: mean a² for a layer, mean z for a channel.

    pictures: (N, H, W, 3)
    units: layers (units without a channel) or channels
    """
    names = {
        unit: unit.layer if unit.channel is None else network.before_rectifier(unit.layer)
        for unit in units
    }
    activations = network.activations(pictures, names.values())
    ys = {unit: unit.of(activations[name]) for unit, name in names.items()}
    return {unit: (y * y).mean() if unit.channel is None else y.mean() for unit, y in ys.items()}


def measure(network: Network, picture: Array, units: Sequence[Unit]) -> dict[Unit, float]:
    """Return the strength of each of the units for a picture (H, W, 3), as `strengths` defines it.
    Raise ShapeError if the picture is too small for one of the layers."""
    try:
        with no_grad():
            tensors = strengths(network, Tensor(picture[None]), units)
    except ShapeError as error:
        height, width, _ = picture.shape
        names = " and ".join(str(unit) for unit in units)
        raise ShapeError(
            f"a picture of {width}x{height} is too small for {names}: {error}; "
            "take a larger picture or a shallower layer"
        ) from None
    numbers = read_numbers(*(tensor.data for tensor in tensors.values()))
    return dict(zip(tensors, numbers, strict=True))


def octave_sizes(size: tuple[int, int], octaves: int) -> list[tuple[int, ...]]:
    """Return the sizes (H, W) of the octaves in ascending order: `size`, `size` / 1.4, `size` /
    1.4² and so on, as long as the shorter side has LEAST pixels. `size` itself is always there.

    >>> octave_sizes((101, 75), 3)
    [(72, 54), (101, 75)]
    """
    sizes = [tuple(round(length / FACTOR**k) for length in size) for k in range(octaves)]
    return [smaller for smaller in sizes[:0:-1] if min(smaller) >= LEAST] + sizes[:1]


def enlarged(detail: Array, size: tuple[int, ...]) -> Array:
    """Return a detail (H, W, C) enlarged bilinearly to (*size, C). The centre of pixel i of n is at
    (i + ½) / n of the side.

    >>> enlarged(np.array([[[0.], [4.]]]), (1, 4)).ravel()
    array([0., 1., 3., 4.])
    """
    xp = array_module(detail)
    rows, columns = (
        (xp.arange(new) + 0.5) * (old / new) - 0.5
        for new, old in zip(size, detail.shape[:2], strict=True)
    )
    rows, columns = (xp.broadcast_to(axis, (1, *size)) for axis in (rows[:, None], columns))
    return ops.resample(detail[None], rows, columns)[0]


def _shrunk(picture, size):
    """Return the picture (H, W, 3) resized with Lanczos' filter."""
    if size == picture.shape[:2]:
        return picture
    return to_device(resize(to_numpy(picture), *size), current_device())


def _jittered(rng, length):
    """Return the indices of pixels along an axis of a picture that is shifted at random. The
    picture is mirrored at its borders."""
    most = min(JITTER, length // 2)
    indices = (np.arange(length) + rng.integers(-most, most + 1)) % (2 * length)
    return np.minimum(indices, 2 * length - 1 - indices)


def _objective(strengths):
    """F"""
    terms = [
        strength if unit.channel is not None else ops.log(strength + TINY)
        for unit, strength in strengths.items()
    ]
    return sum(terms[1:], start=terms[0])
