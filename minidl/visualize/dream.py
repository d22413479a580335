"""DeepDream: what a network sees in a picture, painted into it (Mordvintsev, Olah, Tyka 2015,
"Inceptionism").

Whatever fires shall fire more. Gradient ascent on

    F(x) = Σ_l log mean a_l²,      a_l: the activations of layer l,      or of a unit    F(x) = mean z,

z: what the unit says before its ReLU, so that one that does not fire can be woken. The logarithm
makes layers count alike, however strong their activations are; for one layer it changes nothing, as
the step has its length from elsewhere:

    x ← clip(x + rate · g / mean |g|, 0, 255),      g = ∂F/∂x

Large forms come first: the picture is made small, dreamt on, and made larger octave by octave, by a
factor of 1.4. What was dreamt is kept apart from the picture, and it alone is enlarged: each octave
begins with the picture in its own sharpness. Jitter, the picture moved by another amount at each
step, keeps the edges of pooling windows from being painted.
"""

from typing import Any, NamedTuple

import numpy as np

from minidl import ops
from minidl.autograd import Tensor, no_grad
from minidl.backend import array_module, current_device, read_numbers, to_device, to_numpy
from minidl.data import as_picture, resize
from minidl.errors import NonFiniteError, ShapeError

FACTOR = 1.4  # from octave to octave
LEAST = 48  # pixels: in a picture with a shorter side a network sees little
JITTER = 32  # pixels to either side
TINY = 1e-30  # in place of a logarithm's or a quotient's 0


class Step(NamedTuple):
    """octave, number: from 1; picture: (H, W, 3) after the step, as large as the octave, on the
    current device."""

    octave: int
    number: int
    picture: Any


def dream(network, picture, units, octaves=5, steps=10, rate=0.8, seed=0):
    """Yield a Step after each. The last one's picture is the dream, as large as the given one.

    picture: (H, W, 3), RGB, 0..255, floating-point, on the current device; units: a list of layers,
    or of units with a channel. Raises NonFiniteError where the activations or their gradient are
    not finite.
    """
    as_picture(picture)  # raises an error for an invalid picture
    xp, rng, detail = array_module(picture), np.random.default_rng(seed), None
    for octave, size in enumerate(octave_sizes(picture.shape[:2], octaves), start=1):
        plain = _shrunk(picture, size)
        x = plain if detail is None else plain + enlarged(detail, size)
        for number in range(1, steps + 1):
            leaf = Tensor(x, requires_grad=True)
            rows, columns = (_moved(rng, length) for length in size)
            seen = leaf[rows][:, columns].reshape(1, *x.shape)
            excitement = _excitement(strengths(network, seen, units))
            excitement.backward(release=True)
            length = xp.maximum(abs(leaf.grad).mean(), TINY)
            x = xp.clip(x + leaf.grad * (rate / length), 0, 255)
            yield Step(octave, number, x)
        detail = x - plain
        if not np.isfinite(read_numbers(detail.sum(), excitement.data)).all():
            raise NonFiniteError(
                f"the activations or their gradient are not finite in octave {octave}; check the picture and the weights"
            )


def strengths(network, pictures, units):
    """{unit: Tensor of one number}: of a layer mean a², of a unit with a channel mean z. pictures:
    (N, H, W, 3), a Tensor"""
    names = [
        unit.layer if unit.channel is None else network.before_rectifier(unit.layer)
        for unit in units
    ]
    found = network.activations(pictures, names)
    said = {unit: unit.of(found[name]) for unit, name in zip(units, names, strict=True)}
    return {unit: (y * y).mean() if unit.channel is None else y.mean() for unit, y in said.items()}


def measure(network, picture, units):
    """{unit: its strength in a picture (H, W, 3), a float}. Raises ShapeError where the picture is
    too small for its layer."""
    try:
        with no_grad():
            found = strengths(network, Tensor(picture[None]), units)
    except ShapeError as error:
        height, width, _ = picture.shape
        names = " and ".join(str(unit) for unit in units)
        raise ShapeError(
            f"a picture of {width}x{height} is too small for {names}: {error}; take a larger picture or a shallower layer"
        ) from None
    return dict(
        zip(found, read_numbers(*(strength.data for strength in found.values())), strict=True)
    )


def octave_sizes(size, octaves):
    """[(H, W)] from small to large: `size` itself and, while their shorter side has LEAST pixels,
    1/1.4 of it, 1/1.4² ..

    >>> octave_sizes((101, 75), 3)
    [(72, 54), (101, 75)]
    """
    sizes = [tuple(round(length / FACTOR**k) for length in size) for k in range(octaves)]
    return [smaller for smaller in sizes[:0:-1] if min(smaller) >= LEAST] + sizes[:1]


def enlarged(detail, size):
    """(H, W, C) -> (*size, C), bilinearly; the middle of pixel i of n lies at (i + ½) / n of the
    whole

    >>> enlarged(np.array([[[0.], [4.]]]), (1, 4)).ravel()
    array([0., 1., 3., 4.])
    """
    xp = array_module(detail)
    rows, columns = (
        (xp.arange(new) + 0.5) * (old / new) - 0.5
        for new, old in zip(size, detail.shape[:2], strict=True)
    )
    return ops.resample(
        detail[None], *(xp.broadcast_to(at, (1, *size)) for at in (rows[:, None], columns))
    )[0]


def _shrunk(picture, size):
    """Each octave's own copy of the picture, by Lanczos' filter"""
    if size == picture.shape[:2]:
        return picture
    return to_device(resize(to_numpy(picture), *size), current_device())


def _moved(rng, length):
    """Where along an axis the pixels of a view lie, that is moved a little; beyond its borders the
    picture is mirrored"""
    most = min(JITTER, length // 2)
    places = (np.arange(length) + rng.integers(-most, most + 1)) % (2 * length)
    return np.minimum(places, 2 * length - 1 - places)


def _excitement(strengths):
    """F"""
    terms = [
        strength if unit.channel is not None else ops.log(strength + TINY)
        for unit, strength in strengths.items()
    ]
    return sum(terms[1:], start=terms[0])
