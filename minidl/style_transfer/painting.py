"""The painting of a picture, from the first evaluation to the last."""

import time
from dataclasses import dataclass, replace
from math import isfinite
from typing import NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import current_module, to_numpy
from minidl.data.images import read_image, resize, write_image
from minidl.errors import NonFiniteError
from minidl.models import vgg19
from minidl.style_transfer.objective import Losses, Objective
from minidl.style_transfer.record import describe
from minidl.style_transfer.settings import OPTIMIZERS, Settings


class Step(NamedTuple):
    """One evaluation of the objective. image: the picture that was evaluated, best: the one of the lowest loss so far, both
    (H, W, 3), not yet clipped to 0..255; seconds: since the painting began."""

    number: int
    losses: Losses
    image: np.ndarray
    best: np.ndarray
    seconds: float


@dataclass(frozen=True)
class Painting:
    """image: (H, W, 3), 0..255; losses: of each step; settings: what was asked for."""

    image: np.ndarray
    losses: list
    settings: Settings

    def save(self, path):
        """Write a PNG, JPEG or WebP with the settings inside."""
        write_image(path, self.image, describe(self.settings, [float(losses.total) for losses in self.losses]))


def stylize(content, style, settings=None, *, style_weights=None, callback=None, **changes):
    """Paint `content` in the style of `style`; returns the Painting of the lowest loss.

    content: the path of a picture or an array (H, W, 3), RGB, 0..255; style: the same, or a list of several with
    style_weights. settings: Settings, by default those of `minidl stylize`; changes: single settings by name.
    callback: called with every Step; to stop early, iterate over `paint` instead.

    >>> painting = stylize("photo.jpg", "painting.jpg", steps=50)                                 # doctest: +SKIP
    >>> painting.save("painted.png")                                                              # doctest: +SKIP
    """
    settings = replace(settings or Settings(), **changes)
    styles = style if isinstance(style, (list, tuple)) else [style]
    content, *styles = (_picture(source, settings.size) for source in (content, *styles))
    losses = []
    for step in paint(content, styles, settings, style_weights=style_weights):
        losses.append(step.losses)
        if callback:
            callback(step)
    return Painting(np.clip(to_numpy(step.best), 0, 255), losses, settings)


def paint(content, styles, settings, *, style_weights=None, model=None):
    """Yield a Step for each evaluation, until settings.steps are done or the loss no longer changes.

    content: (H, W, 3); styles: a list of pictures; model: VGG19, by default the shipped one. Everything is computed on the
    current device. Raises NonFiniteError, naming the step, where the loss is no number any more.
    """
    model = model or vgg19(pooling=settings.pooling)
    xp = current_module()
    content, *styles = (xp.asarray(picture, dtype=np.float32) for picture in (content, *styles))
    objective = Objective(model, content, styles, settings, style_weights)
    image = Tensor(starting_picture(content, styles[0], model, settings), requires_grad=True)
    optimizer = OPTIMIZERS[settings.optimizer]([image], settings.learning_rate)
    lowest, best, begun = float("inf"), None, time.perf_counter()
    for number in range(1, settings.steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found and named below
            losses = objective(image)
            losses.total.backward()
        total = float(losses.total)
        if total < lowest:
            lowest, best = total, image.data
        if not isfinite(total) and settings.optimizer != "lbfgs":  # L-BFGS takes such a step back
            raise NonFiniteError(f"the loss is {total} at step {number}; try a learning rate below {settings.learning_rate}")
        if best is None:
            raise NonFiniteError(f"the loss is {total} at the first step; look at the pictures and at the losses' weights")
        yield Step(number, losses, image.data, best, time.perf_counter() - begun)
        if getattr(optimizer, "converged", False):
            return
        if settings.late_learning_rate and number >= settings.steps - settings.late_steps:
            optimizer.learning_rate = settings.late_learning_rate
        optimizer.step(total)


def starting_picture(content, style, model, settings):
    """(H, W, 3), as large as the content: the content itself, noise, the style's picture, or one from a file.

    "noise" is even noise of -20..20 around the mean colour that the model takes off, mixed with the photograph:
    noise·(mean + U(-20, 20)) + (1 - noise)·content, as in Ng's assignment.
    """
    xp = current_module()
    if settings.start == "content":
        return content.copy()
    height, width = content.shape[:2]
    if settings.start == "noise":
        random = np.random.default_rng(settings.seed).uniform(-20, 20, content.shape)
        grey = np.asarray(model.preprocessing.mean_rgb) + random
        return xp.asarray(settings.noise * grey, dtype=np.float32) + (1 - settings.noise) * content
    picture = to_numpy(style) if settings.start == "style" else read_image(settings.start)
    return xp.asarray(resize(picture, height, width))


def _picture(source, size):
    return read_image(source, size) if not hasattr(source, "shape") else source
