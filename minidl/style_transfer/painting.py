"""Paint a picture: minimise the objective step by step."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import Tensor, no_grad
from minidl.backend import array_module, current_device, current_module, to_device, to_numpy
from minidl.checkpoints import shipped
from minidl.data.images import (
    as_picture,
    as_png,
    fit,
    image_size,
    read_at_size,
    read_image,
    resize,
    write_image,
)
from minidl.engine.memory import release
from minidl.errors import MinidlError, MinidlWarning, NonFiniteError, ShapeError
from minidl.models import VGG19, vgg19
from minidl.style_transfer.objective import Losses, Objective, weighted
from minidl.style_transfer.record import describe, identity
from minidl.style_transfer.settings import LEARNING_RATES, Settings
from minidl.typing import Array
from minidl.typing import Path as PathLike

Source = PathLike | Array  # a picture: the path of a file, or an array (H, W, 3), RGB, 0..255


class Step(NamedTuple):
    """One evaluation of the objective. Pictures are (H, W, 3), 0..255, not rounded."""

    number: int  # from 1
    losses: Losses
    image: Array  # the picture that was evaluated
    best: Array  # the picture with the lowest loss until now
    seconds: float  # since the start of the painting


@dataclass(frozen=True)
class Painting:
    """The result of style transfer."""

    image: Array  # (H, W, 3), 0..255, not rounded
    losses: list[Losses]  # of each step
    record: dict[str, Any]  # what is needed to paint the picture again
    lowest: float  # the loss of the image rounded to 8 bits, as a PNG stores it
    trouble: BaseException | None = None  # the interruption or error that ended the painting early

    @property
    def improved(self) -> bool:
        """Whether a step had a lower loss than the start."""
        first, *others = (losses.total for losses in self.losses)
        return any(total < first for total in others)

    def doubt(self) -> str | None:
        """Return why the saved painting is no better than the start, and what to do, as a sentence.

        Return None if it is better.
        """
        steps, first = len(self.losses), self.losses[0].total
        done = "1 step" if steps == 1 else f"{steps} steps"
        if self.improved:
            lost = f"the changes of {done} were lost in rounding to 8 bits"
            advice = "take more steps or a larger learning rate"
            return f"{lost}; {advice}" if self.lowest >= first else None
        rate, optimizer = (self.record["settings"][name] for name in ("learning_rate", "optimizer"))
        if not first:
            advice = "take another start, style or weights"
        elif steps == 1:
            advice = "one step only evaluates the start: take more steps"
        else:
            rate = LEARNING_RATES[optimizer] if rate is None else rate
            advice = f"take a learning rate below {rate:g}, or more steps"
        return f"nothing improved in {done}: the loss is lowest at the start, {first:.4g}; {advice}"

    def save(self, path: PathLike, **more: Any) -> None:
        """Write a PNG, JPEG or WebP file that contains the record.

        path: of the file, whose ending is the format. more: further entries of the record. Raise
        FileError if the file cannot be written.
        """
        done = {"steps_done": len(self.losses), "loss": self.lowest}
        write_image(path, self.image, {**self.record, **done, **more})

    def _repr_png_(self) -> bytes:
        """Return the picture as a PNG, which a notebook shows."""
        return as_png(self.image)


def stylize(
    content: Source,
    style: Source | Sequence[Source],
    settings: Settings | None = None,
    *,
    style_weights: Sequence[float] | None = None,
    weights: PathLike | None = None,
    callback: Callable[[Step], Any] | None = None,
    **changes: Any,
) -> Painting:
    """Return a Painting of `content` in the style of `style`: the picture with the lowest loss.

    content: the path of a picture, or an array (H, W, 3), RGB, 0..255, as `minidl.data.as_picture`
    accepts it. style: the same, or a list of pictures, mixed with style_weights; a style larger
    than the painting is reduced to its size. settings: by default those of `minidl stylize`.
    changes: single settings by name. weights: the weight file of VGG19, by default the shipped one.
    callback: is called with every Step, whose pictures are copies.

    An interruption with Ctrl-C, a loss that is not finite, or a MinidlError or OSError of the
    callback ends the painting. The picture with the lowest loss is then returned, with the
    exception as its `trouble`. Before the end of the first step the exception is raised. Warn with
    a MinidlWarning if no step improved on the start.

    >>> painting = stylize("photo.jpg", "painting.jpg", steps=50)  # doctest: +SKIP
    >>> painting.save("painted.png")  # doctest: +SKIP
    """
    settings = replace(settings or Settings(), **changes)
    sources = [content, *(style if isinstance(style, (list, tuple)) else [style])]
    weights = Path(weights) if weights else shipped("vgg19")
    model = vgg19(weights, pooling=settings.pooling)
    photograph, *styles = _pictures(sources, settings, model)
    record = describe(
        settings,
        content=identity(sources[0]),
        styles=[identity(source) for source in sources[1:]],
        style_weights=None if style_weights is None else list(map(float, style_weights)),
        weights=identity(weights),
    )
    photograph, styles = _placed(photograph, styles)
    objective = Objective(model, photograph, styles, settings, style_weights)
    losses, best, trouble = [], None, None
    try:
        for step in paint(photograph, styles, settings, model=model, objective=objective):
            losses.append(step.losses)
            best = step.best
            if callback:
                callback(step._replace(image=step.image.copy(), best=step.best.copy()))
    except (KeyboardInterrupt, MinidlError, OSError) as error:
        if best is None:
            raise
        trouble = error
    assert best is not None  # `paint` takes at least one step or raises an error
    lowest = _saved_loss(objective, best)
    painting = Painting(to_numpy(best), losses, record, lowest, trouble)
    doubt = painting.doubt()
    if doubt and not trouble:
        warnings.warn(doubt, MinidlWarning, stacklevel=2)
    return painting


def paint(
    content: Array,
    styles: Sequence[Array],
    settings: Settings,
    *,
    style_weights: Sequence[float] | None = None,
    model: VGG19 | None = None,
    objective: Objective | None = None,
) -> Iterator[Step]:
    """Yield a Step for each evaluation, until settings.steps are done or the optimiser has
    converged.

    content: a picture (H, W, 3), RGB, 0..255. styles: pictures (H', W', 3). style_weights: as for
    `stylize`. model: by default VGG19 with the shipped weights. objective: of these arguments, if
    it exists already. Everything is computed on the current device. Raise NonFiniteError, with the
    number of the step, if the loss is not finite.

    The numbers of a picture stay within 0..255 by projection (Bertsekas 1982). After each step,
    numbers outside the interval are set to its nearer end. At an end, a gradient that points
    outwards is set to 0, so that the optimiser does not use it. Every loss is therefore that of a
    picture that can be saved, except for rounding.
    """
    xp = current_module()
    release(xp)  # the memory of a painting of another size
    model = model or vgg19(pooling=settings.pooling)
    content, styles = _placed(content, styles)
    start = starting_picture(content, styles, model, settings)
    image = Tensor(xp.clip(start, 0, 255), requires_grad=True)
    objective = objective or Objective(model, content, styles, settings, style_weights)
    optimizer = settings.make_optimizer([image])
    lowest, best, begun = float("inf"), None, time.perf_counter()
    for number in range(1, settings.steps + 1):
        losses = _evaluate(objective, image)
        if losses.total < lowest:
            lowest, best = losses.total, image.data
        if best is None:
            raise NonFiniteError(
                f"the loss is {losses.total} at step {number}; look at the pictures and weights"
            )
        if not (isfinite(losses.total) or optimizer.takes_back):
            rate = optimizer.learning_rate
            raise NonFiniteError(
                f"the loss is {losses.total} at step {number}; try a learning rate below {rate:g}"
            )
        yield Step(number, losses, image.data, best, time.perf_counter() - begun)
        if optimizer.converged or number == settings.steps:
            return
        if settings.late_learning_rate and number >= settings.steps - settings.late_steps:
            optimizer.learning_rate = settings.late_learning_rate
        image.grad = _inwards(image.data, image.grad)
        optimizer.step(losses.total)
        image.data = xp.clip(image.data, 0, 255)


def _inwards(x, g):
    """Return the gradient g, but 0 where x is at an end of 0..255 and a step along -g would leave
    the interval."""
    xp = array_module(x)
    return xp.where(((x <= 0) & (g > 0)) | ((x >= 255) & (g < 0)), xp.zeros_like(g), g)


def _evaluate(objective, image):
    """Return the Losses, and store the gradient in image.grad. The tape and all activations are
    released."""
    # `paint` raises an error for a loss that is not finite.
    with np.errstate(over="ignore", invalid="ignore"):
        total, parts = objective(image)
        total.backward(release=True)
    return Losses.read(total, parts)


def _saved_loss(objective, picture):
    """Return the loss of a picture rounded to 8 bits."""
    with no_grad(), np.errstate(over="ignore", invalid="ignore"):
        total, parts = objective(Tensor(array_module(picture).rint(picture)))
    return Losses.read(total, parts).total


def starting_picture(
    content: Array, styles: Sequence[Array], model: VGG19, settings: Settings
) -> Array:
    """Return the picture (H, W, 3) with which a painting starts, of the size of the content.

    settings.start chooses the content, noise, the first style's picture, or another picture.
    "noise" is uniform noise of -20..20 around the mean colour that the model subtracts, mixed with
    the content: noise·(mean + U(-20, 20)) + (1 - noise)·content, as in Ng's assignment.
    """
    xp, start = current_module(), settings.start
    size = height, width = content.shape[:2]
    if not isinstance(start, (str, Path)):
        picture = as_picture(start, "the start")
        return xp.asarray(picture if picture.shape[:2] == size else resize(picture, height, width))
    if start == "content":
        return content.copy()
    if start == "noise":
        random = np.random.default_rng(settings.seed).uniform(-20, 20, content.shape)
        grey = np.asarray(model.preprocessing.mean_rgb) + random
        return xp.asarray(settings.noise * grey, dtype=np.float32) + (1 - settings.noise) * content
    if start == "style":
        return xp.asarray(resize(to_numpy(styles[0]), height, width))
    return xp.asarray(read_at_size(start, size, stretch=True))


def _pictures(sources, settings, model):
    """Return the content and the styles, in the sizes in which the network processes them.

    The longer side of the content is at most settings.size, and that of a style at most that of the
    painting. Raise ShapeError, with the name of the picture, if one is too small for the layers
    that are computed for it.
    """
    pictures, longest = [], settings.size
    content_layers = weighted(settings.content_layers, settings.content_weight)
    style_layers = weighted(settings.style_layers, settings.style_weight)
    layers = [*content_layers, *style_layers]
    for number, source in enumerate(sources):
        is_path = isinstance(source, (str, Path))
        name = str(source) if is_path else f"style {number}" if number else "the content"
        if is_path:
            picture = read_image(source, longest)
        else:
            picture = _reduced(as_picture(source, name), longest)
        try:
            model.check_size(picture.shape, layers)
        except ShapeError as error:
            original = image_size(source)[::-1] if is_path else np.shape(source)[:2]
            try:  # whether the picture is large enough in its own size
                model.check_size((*original, 3), layers)
            except ShapeError as unscaled:
                raise ShapeError(f"{name}: {unscaled}") from None
            raise ShapeError(f"{name}: {error}, or a size above {longest}") from None
        pictures.append(picture)
        longest, layers = max(pictures[0].shape[:2]), list(style_layers)
    return pictures


def _reduced(picture, longest):
    """Return a picture whose longer side has at most `longest` pixels."""
    width, height = fit(picture.shape[1], picture.shape[0], longest)
    return picture if (height, width) == picture.shape[:2] else resize(picture, height, width)


def _placed(content, styles):
    """Return the content and the styles on the current device, in float32."""
    content, *styles = (
        to_device(picture, current_device()).astype(np.float32, copy=False)
        for picture in (content, *styles)
    )
    return content, styles
