"""The painting of a picture, from the first evaluation to the last."""

import time
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import current_device, current_module, to_device, to_numpy
from minidl.checkpoints import shipped
from minidl.data.images import fit, read_image, resize, write_image
from minidl.errors import ArgumentError, MinidlError, NonFiniteError
from minidl.memory import release
from minidl.models import vgg19
from minidl.style_transfer.objective import Losses, Objective
from minidl.style_transfer.record import describe, identity
from minidl.style_transfer.settings import Settings


class Step(NamedTuple):
    """One evaluation of the objective. image: the picture that was evaluated, best: the one of the lowest loss so far, both
    (H, W, 3), not yet clipped to 0..255; seconds: since the painting began."""

    number: int
    losses: Losses
    image: Any
    best: Any
    seconds: float


@dataclass(frozen=True)
class Painting:
    """image: (H, W, 3), 0..255; losses: of each step; record: what it takes to paint it again; trouble: the Ctrl-C or the
    error that ended it before its time, or None."""

    image: np.ndarray
    losses: list
    record: dict
    trouble: BaseException | None = None

    @property
    def lowest(self):
        """The loss of the image. (A step that L-BFGS took back may have had none that is a number.)"""
        return min(losses.total for losses in self.losses if isfinite(losses.total))

    def save(self, path, **more):
        """Write a PNG, JPEG or WebP with the record, and more if wanted, inside."""
        done = {"steps_done": len(self.losses), "loss": self.lowest}
        write_image(path, self.image, {**self.record, **done, **more})


def stylize(content, style, settings=None, *, style_weights=None, weights=None, callback=None, **changes):
    """Paint `content` in the style of `style`; returns the Painting of the lowest loss.

    content: the path of a picture or an array (H, W, 3), RGB, 0..255; style: the same, or a list of several with
    style_weights. settings: Settings, by default those of `minidl stylize`; changes: single settings by name. weights: the
    file of VGG19's, by default the shipped one. callback: called with every Step.

    Ctrl-C, a loss that is no number any more, or a MinidlError or OSError of the callback end the painting, and the picture
    of the lowest loss so far is returned with that `trouble`; before the end of the first step they are raised.

    >>> painting = stylize("photo.jpg", "painting.jpg", steps=50)                                 # doctest: +SKIP
    >>> painting.save("painted.png")                                                              # doctest: +SKIP
    """
    settings = replace(settings or Settings(), **changes)
    sources = [content, *(style if isinstance(style, (list, tuple)) else [style])]
    pictures = [_picture(source, settings.size) for source in sources]
    weights = Path(weights) if weights else shipped("vgg19")
    model = vgg19(weights, pooling=settings.pooling)
    record = describe(
        settings, content=identity(content), styles=[identity(source) for source in sources[1:]],
        style_weights=None if style_weights is None else [float(w) for w in style_weights], weights=identity(weights),
    )  # fmt: skip
    losses, step, trouble = [], None, None
    try:
        for step in paint(pictures[0], pictures[1:], settings, style_weights=style_weights, model=model):
            losses.append(step.losses)
            if callback:
                callback(step)
    except (KeyboardInterrupt, MinidlError, OSError) as error:
        if step is None:
            raise
        trouble = error
    return Painting(np.clip(to_numpy(step.best), 0, 255), losses, record, trouble)


def paint(content, styles, settings, *, style_weights=None, model=None):
    """Yield a Step for each evaluation, until settings.steps are done or the loss no longer changes.

    content: (H, W, 3); styles: a list of pictures; model: VGG19, by default the shipped one. Everything is computed on the
    current device. Raises NonFiniteError, naming the step, where the loss is no number any more.
    """
    xp = current_module()
    release(xp)  # what a painting of another size has left
    model = model or vgg19(pooling=settings.pooling)
    content, *styles = (to_device(picture, current_device()).astype(np.float32, copy=False) for picture in (content, *styles))
    image = Tensor(starting_picture(content, styles, model, settings), requires_grad=True)
    objective = Objective(model, content, styles, settings, style_weights)
    optimizer = settings.make_optimizer([image])
    lowest, best, begun = float("inf"), None, time.perf_counter()
    for number in range(1, settings.steps + 1):
        losses = _evaluate(objective, image)
        if losses.total < lowest:
            lowest, best = losses.total, image.data
        if best is None:
            raise NonFiniteError(f"the loss is {losses.total} at step {number}; look at the pictures and weights")
        if not (isfinite(losses.total) or optimizer.takes_back):
            rate = optimizer.learning_rate
            raise NonFiniteError(f"the loss is {losses.total} at step {number}; try a learning rate below {rate:g}")
        yield Step(number, losses, image.data, best, time.perf_counter() - begun)
        if optimizer.converged or number == settings.steps:
            return
        if settings.late_learning_rate and number >= settings.steps - settings.late_steps:
            optimizer.learning_rate = settings.late_learning_rate
        optimizer.step(losses.total)


def _evaluate(objective, image):
    """The Losses, and the gradient in image.grad. The tape ends here, and with it all activations."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found and named by `paint`
        total, parts = objective(image)
        total.backward(release=True)
    return Losses.read(total, parts)


def starting_picture(content, styles, model, settings):
    """(H, W, 3), as large as the content: the content itself, noise, the first style's picture, or one from a file.

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
    picture = to_numpy(styles[0]) if settings.start == "style" else read_image(settings.start)
    return xp.asarray(resize(picture, height, width))


def _picture(source, size):
    if isinstance(source, (str, Path)):
        return read_image(source, size)
    if len(getattr(source, "shape", ())) != 3 or source.shape[-1] != 3:
        found = f"shape {source.shape}" if hasattr(source, "shape") else f"a {type(source).__name__}"
        raise ArgumentError(f"found {found} as a picture; wanted the path of one, or an array (H, W, 3), RGB, 0..255")
    width, height = fit(source.shape[1], source.shape[0], size)
    return source if (height, width) == source.shape[:2] else resize(to_numpy(source), height, width)
