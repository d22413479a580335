"""Maps of the parts of a picture, a signal or a volume that a scalar of the network depends on, by
seven methods."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from minidl.backend import array_module, to_numpy
from minidl.errors import ArgumentError, one_of
from minidl.typing import Array
from minidl.visualize.choosing import deepest_layer
from minidl.visualize.effort import WITH_GRADIENT
from minidl.visualize.saliency.gradients import (
    grad_cam,
    gradient,
    gradient_times_input,
    guided_gradient,
    integrated_gradients,
    must_weigh,
    smooth_gradient,
)
from minidl.visualize.saliency.occlusion import count_squares, must_cover, occlusion
from minidl.visualize.scalars import Scalar

BASELINES: dict[str, Callable[[Any], Any]] = {
    "grey": lambda picture: array_module(picture).full_like(picture, 127.5),
    "black": lambda picture: array_module(picture).zeros_like(picture),
    "white": lambda picture: array_module(picture).full_like(picture, 255),
    "mean": lambda picture: (
        picture.mean(axis=tuple(range(picture.ndim - 1)))
        + array_module(picture).zeros_like(picture)
    ),
}
OF_PICTURES = "grey", "white"  # baselines that only numbers from 0 to 255 have
WINDOWS = {1: "stretches", 2: "squares", 3: "cubes"}  # by the number of axes


@dataclass(frozen=True)
class Settings:
    """Settings of the methods.

    baseline: picture without information, a key of BASELINES; "mean" is the mean colour; by default
        grey for a picture, and black, which is 0, for a signal or a volume
    samples, noise, seed: of SmoothGrad; noise is a fraction of the range of the picture
    steps: of integrated gradients
    window, stride: of occlusion, in pixels; by default a quarter of the shortest side, or a
        sixteenth of a signal, and half of the window
    layer: of Grad-CAM; by default the deepest ReLU before the unit's layer
    """

    baseline: str | None = None
    samples: int = 16
    noise: float = 0.15
    seed: int = 0
    steps: int = 32
    window: int | None = None
    stride: int | None = None
    layer: str | None = None

    def __post_init__(self) -> None:
        if self.baseline is not None:
            one_of("baseline", self.baseline, BASELINES)


class Map(NamedTuple):
    """The map of one method.

    values: (*spatial), at the pixels of the picture, or for Grad-CAM at the positions of the layer
    colours: what orange and blue mean where the map is laid over the picture (drawing/shades.py)
    note: the settings and the accuracy of the method, for a caption
    layer: of Grad-CAM
    """

    method: str
    values: np.ndarray
    colours: str
    note: str = ""
    layer: str | None = None


def saliency(
    scalar: Scalar,
    picture: Array,
    methods: Iterable[str] | None = None,
    settings: Settings | None = None,
) -> Iterator[Map]:
    """Yield a Map for each method, of a scalar for a picture.

    picture: (*spatial, C), floating-point, on the current device
    methods: keys of METHODS, by default all; see `fitted`
    settings: by default those of `fitted`

    A map of gradients shows the largest absolute value over the colours; a map of contributions
    shows their sum, which can be negative. Raises ArgumentError as `fitted` does.
    """
    methods, settings = fitted(scalar, picture, methods, settings)
    for method in methods:
        values, note = METHODS[method].make(scalar, picture, settings)
        layer = settings.layer if method == "grad-cam" else None
        yield Map(method, to_numpy(values), METHODS[method].colours, note, layer)


def fitted(
    scalar: Scalar,
    picture: Array,
    methods: Iterable[str] | None = None,
    settings: Settings | None = None,
) -> tuple[list[str], Settings]:
    """Return the methods, and the Settings with all defaults filled in for a scalar and a picture
    (*spatial, C).

    methods: by default all; Grad-CAM is then left out if no layer before the unit has positions

    It makes all checks before the first map is computed: raises ArgumentError for an unknown
    method, and for settings that do not fit the picture or the unit.
    """
    if picture.ndim < 2:
        raise ArgumentError(f"the picture has shape {picture.shape}; wanted (*spatial, C)")
    extent, settings = picture.shape[:-1], settings or Settings()
    chosen = list(METHODS if methods is None else methods)
    for method in chosen:
        one_of("method", method, METHODS)
    is_picture = len(extent) == 2
    baseline = settings.baseline or ("grey" if is_picture else "black")
    if baseline in OF_PICTURES and not is_picture:
        raise ArgumentError(
            f"the baseline is {baseline}, a colour, and the example is no picture but an array "
            f"{tuple(picture.shape)}; wanted black, which is 0, or mean"
        )
    window = settings.window or max(1, min(extent) // (16 if len(extent) == 1 else 4))
    stride = settings.stride or max(1, window // 2)
    settings = replace(settings, baseline=baseline, window=window, stride=stride)
    if "occlusion" in chosen:
        must_cover(extent, window, stride)
    if "grad-cam" in chosen:
        try:
            layer = settings.layer or deepest_layer(scalar.network, picture, scalar.unit.layer)
            must_weigh(scalar, extent, layer)
            settings = replace(settings, layer=layer)
        except ArgumentError:
            if methods is not None or settings.layer:
                raise
            chosen.remove("grad-cam")
    return chosen, settings


def passes(method: str, extent: Sequence[int], settings: Settings) -> int:
    """Return the cost of the map of a method in forward passes.

    extent: the spatial size of the picture; settings: those that are `fitted`
    """
    assert settings.window and settings.stride
    if method == "occlusion":
        return 1 + count_squares(extent, settings.window, settings.stride)
    gradients = {"smoothgrad": settings.samples, "integrated": settings.steps + 1}
    return WITH_GRADIENT * gradients.get(method, 1)


def _gradient(scalar, picture, settings):
    return _largest(gradient(scalar, picture)), ""


def _gradient_times_input(scalar, picture, settings):
    products = gradient_times_input(scalar, picture, BASELINES[settings.baseline](picture))
    return products.sum(axis=-1), f"input minus {_named(picture, settings)}"


def _guided(scalar, picture, settings):
    return _largest(guided_gradient(scalar, picture)), ""


def _smooth(scalar, picture, settings):
    mean = smooth_gradient(scalar, picture, settings.samples, settings.noise, settings.seed)
    return _largest(mean), f"{settings.samples} samples, noise {settings.noise:.0%}"


def _integrated(scalar, picture, settings):
    baseline = BASELINES[settings.baseline](picture)
    integrated = integrated_gradients(scalar, picture, baseline, settings.steps)
    note = f"from {_named(picture, settings)}; {integrated.error:.1%} off complete"
    return integrated.attributions.sum(axis=-1), note


def _grad_cam(scalar, picture, settings):
    return grad_cam(scalar, picture, settings.layer), f"maps of {settings.layer}"


def _occlusion(scalar, picture, settings):
    baseline = BASELINES[settings.baseline](picture)
    decreases = occlusion(scalar, picture, baseline, settings.window, settings.stride)
    windows = WINDOWS.get(picture.ndim - 1, "windows")
    return (
        decreases,
        f"{_named(picture, settings)} {windows} of {settings.window}, every {settings.stride}",
    )


def _named(picture, settings):
    """Return the name of the baseline. In arrays that are no pictures, black is zero."""
    is_zero = settings.baseline == "black" and picture.ndim != 3
    return "zero" if is_zero else settings.baseline


def _largest(gradients):
    return abs(gradients).max(axis=-1)


class Method(NamedTuple):
    """A method by name.

    make: (scalar, picture, Settings that are `fitted`) -> (values of the Map, its note)
    colours: as for Map
    """

    make: Callable[[Scalar, Array, Settings], tuple[Array, str]]
    colours: str


SIZE, SIGN = "orange: how much, for or against", "orange: for, blue: against"
METHODS = {
    "gradient": Method(_gradient, SIZE),
    "gradient-x-input": Method(_gradient_times_input, SIGN),
    "guided": Method(_guided, SIZE),
    "smoothgrad": Method(_smooth, SIZE),
    "integrated": Method(_integrated, SIGN),
    "grad-cam": Method(_grad_cam, "orange: for"),
    "occlusion": Method(_occlusion, SIGN),
}
