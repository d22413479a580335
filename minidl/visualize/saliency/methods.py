"""Saliency: which parts of a picture a number of the network depends on, by seven methods side by
side."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from minidl.backend import array_module, to_numpy
from minidl.errors import ArgumentError, one_of
from minidl.visualize.choosing import deepest_layer
from minidl.visualize.saliency.gradcam import grad_cam, must_weigh
from minidl.visualize.saliency.gradients import (
    gradient,
    gradient_times_input,
    guided_gradient,
    smooth_gradient,
)
from minidl.visualize.saliency.integrated import integrated_gradients
from minidl.visualize.saliency.occlusion import must_cover, occlusion

BASELINES = {
    "grey": lambda picture: array_module(picture).full_like(picture, 127.5),
    "black": lambda picture: array_module(picture).zeros_like(picture),
    "white": lambda picture: array_module(picture).full_like(picture, 255),
    "mean": lambda picture: picture.mean(axis=(0, 1)) + array_module(picture).zeros_like(picture),
}


@dataclass(frozen=True)
class Settings:
    """baseline: one of BASELINES, what stands for nothing; samples, noise, seed: of SmoothGrad;
    steps: of integrated gradients; window, stride: of occlusion, by default a quarter of the
    shorter side and half of that; layer: whose maps Grad-CAM weighs, by default the deepest behind
    a ReLU before the unit's."""

    baseline: str = "grey"
    samples: int = 16
    noise: float = 0.15
    seed: int = 0
    steps: int = 32
    window: int | None = None
    stride: int | None = None
    layer: str | None = None

    def __post_init__(self):
        one_of("baseline", self.baseline, BASELINES)


class Map(NamedTuple):
    """values: (h, w) in NumPy, of the picture's height and width or, for Grad-CAM, of a layer's;
    colours: what orange and blue say of it, as shades.py lays them over the picture; note: what
    else to know of it."""

    method: str
    values: np.ndarray
    colours: str
    note: str = ""


def saliency(scalar, picture, methods=None, settings=None):
    """Yield a Map for each method, by default for all of METHODS.

    scalar: a Scalar; picture: (H, W, C), an array of floating-point numbers of the current device.
    Of the colours the plain gradients show the largest size, the attributions their sum, which may
    be negative. Raises ArgumentError as `fitted` does.
    """
    methods, settings = fitted(scalar, picture, methods, settings)
    for method in methods:
        values, note = METHODS[method].make(scalar, picture, settings)
        yield Map(method, to_numpy(values), METHODS[method].colours, note)


def fitted(scalar, picture, methods=None, settings=None):
    """(methods, Settings with a window, a stride and Grad-CAM's layer) for a picture (H, W, C)

    What can be refused is refused here, before the first map. methods: by default all; then
    Grad-CAM is left out where no layer before the unit has positions. Raises ArgumentError for an
    unknown method, and where the settings do not fit the picture or the unit.
    """
    if picture.ndim != 3:
        raise ArgumentError(f"the picture has shape {picture.shape}; wanted (H, W, C)")
    extent, settings, chosen = (
        picture.shape[:2],
        settings or Settings(),
        list(METHODS if methods is None else methods),
    )
    for method in chosen:
        one_of("method", method, METHODS)
    window = settings.window or max(1, min(extent) // 4)
    settings = replace(settings, window=window, stride=settings.stride or max(1, window // 2))
    if "occlusion" in chosen:
        must_cover(extent, settings.window, settings.stride)
    if "grad-cam" in chosen:
        try:
            layer = settings.layer or deepest_layer(
                scalar.network, picture, before=scalar.unit.layer
            )
            must_weigh(scalar, extent, layer)
            settings = replace(settings, layer=layer)
        except ArgumentError:
            if methods is not None or settings.layer:
                raise
            chosen.remove("grad-cam")
    return chosen, settings


def _gradient(scalar, picture, settings):
    return _largest(gradient(scalar, picture)), ""


def _gradient_times_input(scalar, picture, settings):
    baseline = BASELINES[settings.baseline](picture)
    return gradient_times_input(scalar, picture, baseline).sum(
        axis=-1
    ), f"input less {settings.baseline}"


def _guided(scalar, picture, settings):
    return _largest(guided_gradient(scalar, picture)), ""


def _smooth(scalar, picture, settings):
    found = smooth_gradient(scalar, picture, settings.samples, settings.noise, settings.seed)
    return _largest(found), f"{settings.samples} samples, noise {settings.noise:.0%}"


def _integrated(scalar, picture, settings):
    found = integrated_gradients(
        scalar, picture, BASELINES[settings.baseline](picture), settings.steps
    )
    return found.attributions.sum(
        axis=-1
    ), f"from {settings.baseline}; {found.error:.1%} off complete"


def _grad_cam(scalar, picture, settings):
    return grad_cam(scalar, picture, settings.layer), f"maps of {settings.layer}"


def _occlusion(scalar, picture, settings):
    found = occlusion(
        scalar, picture, BASELINES[settings.baseline](picture), settings.window, settings.stride
    )
    return found, f"{settings.baseline} squares of {settings.window}, every {settings.stride}"


def _largest(gradients):
    return abs(gradients).max(axis=-1)


class Method(NamedTuple):
    """make: (scalar, picture, Settings that are `fitted`) -> (map, note); colours: as Map has
    them."""

    make: Callable
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
