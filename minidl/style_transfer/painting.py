"""Paint a picture: from files or arrays to a Painting, which can be saved."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minidl.autograd import Tensor, no_grad
from minidl.backend import array_module, to_numpy
from minidl.checkpoints import shipped
from minidl.data.images import (
    as_picture,
    as_png,
    fit,
    image_size,
    read_image,
    resize,
    write_image,
)
from minidl.errors import MinidlError, MinidlWarning, ShapeError
from minidl.models import VGG19, vgg19
from minidl.style_transfer.checkpoint import load as load_checkpoint
from minidl.style_transfer.checkpoint import resumed, settings_of
from minidl.style_transfer.checkpoint import save as save_checkpoint
from minidl.style_transfer.objective import Losses
from minidl.style_transfer.record import describe, identity, must_be_identical
from minidl.style_transfer.run import Run, Step, evaluate
from minidl.style_transfer.scales import resampled
from minidl.style_transfer.settings import LEARNING_RATES, Settings
from minidl.typing import Array
from minidl.typing import Path as PathLike

Source = PathLike | Array  # a picture: the path of a file, or an array (H, W, 3), RGB, 0..255


@dataclass(frozen=True)
class Painting:
    """The result of style transfer."""

    image: Array  # (H, W, 3), 0..255, not rounded
    losses: list[list[Losses]]  # of each step of each scale
    record: dict[str, Any]  # what is needed to paint the picture again
    lowest: float  # the loss at the last scale of its picture rounded to 8 bits, as a PNG stores it
    trouble: BaseException | None = None  # the interruption or error that ended the painting early

    @property
    def steps(self) -> int:
        """The number of steps of all scales."""
        return sum(map(len, self.losses))

    @property
    def improved(self) -> bool:
        """Whether a step had a lower loss than the first of its scale."""
        return any(min(steps).total < steps[0].total for steps in self.losses)

    def doubt(self) -> str | None:
        """Return why the saved painting is no better than the start, and what to do, as a sentence.

        Return None if it is better.
        """
        steps, first = self.steps, self.losses[0][0].total
        done = "1 step" if steps == 1 else f"{steps} steps"
        if self.improved:
            lost = f"the changes of {done} were lost in rounding to 8 bits"
            advice = "take more steps or a larger learning rate"
            is_lost = len(self.losses) == 1 and self.lowest >= first
            return f"{lost}; {advice}" if is_lost else None
        rate, optimizer = (self.record["settings"][name] for name in ("learning_rate", "optimizer"))
        if not first:
            advice = "take another start, style or weights"
        elif steps == len(self.losses):
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
        done = {"steps_done": self.steps, "loss": self.lowest}
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
    checkpoint: PathLike | None = None,
    every: int = 10,
    notes: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Painting:
    """Return a Painting of `content` in the style of `style`: the picture with the lowest loss.

    content: the path of a picture, or an array (H, W, 3), RGB, 0..255, as `minidl.data.as_picture`
    accepts it. style: the same, or a list of pictures, mixed with style_weights; a style larger
    than the painting is reduced to its size. settings: by default those of `minidl stylize`.
    changes: single settings by name. weights: the weight file of VGG19, by default the shipped one.
    callback: is called with every Step, whose pictures are copies. checkpoint: a file that is
    written every `every` steps and at the end, from which `resume` continues. notes: further
    entries of the record, which JSON can represent.

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
        **(notes or {}),
    )
    run = Run(model, photograph, styles, settings, style_weights)
    return _painted(run, record, callback, checkpoint, every)


def resume(
    checkpoint: PathLike,
    *,
    weights: PathLike | None = None,
    callback: Callable[[Step], Any] | None = None,
    every: int = 10,
) -> Painting:
    """Continue a painting from a checkpoint of `stylize`, and return what `stylize` would have.

    The pictures are in the checkpoint. weights, callback, every: as for `stylize`. On the machine
    of the first run, with as many threads, the painting has the same bytes as without the
    interruption. Raise FileError if the file is missing or damaged, or if the weights are others.
    """
    state = load_checkpoint(checkpoint)
    record, settings = state["record"], settings_of(state["record"])
    weights = Path(weights) if weights else shipped("vgg19")
    must_be_identical(weights, record["weights"], "the weights")
    run = resumed(state, vgg19(weights, pooling=settings.pooling))
    return _painted(run, record, callback, checkpoint, every)


def _painted(run, record, callback, checkpoint, every):
    """Finish a run and return its Painting."""
    best, trouble = None, None
    try:
        for step in run:
            best, objective = step.best, run.objective
            if checkpoint is not None and (step.number % every == 0 or step.number == step.total):
                save_checkpoint(checkpoint, run, record)
            if callback:
                callback(step._replace(image=step.image.copy(), best=step.best.copy()))
    except (KeyboardInterrupt, MinidlError, OSError) as error:
        if best is None:
            raise
        trouble = error
    if best is None:  # the checkpoint is of a complete run
        best, objective = run.best, run.objective
    lowest, size = _saved_loss(objective, best), run.sizes[-1]
    image = best if best.shape[:2] == size else np.clip(resampled(best, size), 0, 255)
    painting = Painting(to_numpy(image), [*filter(None, run.losses)], record, lowest, trouble)
    doubt = painting.doubt()
    if doubt and not trouble:
        warnings.warn(doubt, MinidlWarning, stacklevel=3)
    return painting


def paint(
    content: Array,
    styles: Sequence[Array],
    settings: Settings,
    *,
    style_weights: Sequence[float] | None = None,
    model: VGG19 | None = None,
) -> Iterator[Step]:
    """Yield a Step for each evaluation, until all steps of all scales are done.

    content: a picture (H, W, 3), RGB, 0..255. styles: pictures (H', W', 3). style_weights: as for
    `stylize`. model: by default VGG19 with the shipped weights. Everything is computed on the
    current device. Raise NonFiniteError, with the number of the step, if the loss is not finite.
    """
    model = model or vgg19(pooling=settings.pooling)
    return iter(Run(model, content, styles, settings, style_weights))


def _saved_loss(objective, picture):
    """Return the loss of a picture rounded to 8 bits."""
    with no_grad():
        return evaluate(objective, Tensor(array_module(picture).rint(picture))).total


def _pictures(sources, settings, model):
    """Return the content and the styles, in the sizes in which the network processes them.

    The longer side of the content is at most settings.size, and that of a style at most that of the
    painting. Raise ShapeError, with the name of the picture, if one is too small for the layers
    that are computed for it.
    """
    pictures, longest = [], settings.size
    style_layers = [
        layer for entry in settings.weighted_style for layer in settings.measure_of(entry)[1]
    ]
    layers = [*settings.weighted_content, *style_layers]
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
        longest, layers = max(pictures[0].shape[:2]), style_layers
    return pictures


def _reduced(picture, longest):
    """Return a picture whose longer side has at most `longest` pixels."""
    width, height = fit(picture.shape[1], picture.shape[0], longest)
    return picture if (height, width) == picture.shape[:2] else resize(picture, height, width)
