"""Paint a picture: from files or arrays to a Painting, which can be saved."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from minidl.autograd import Tensor, no_grad
from minidl.backend import array_module, to_numpy
from minidl.checkpoints import shipped
from minidl.data.images import as_png, write_image
from minidl.errors import ArgumentError, MinidlError, MinidlWarning, listed
from minidl.models import VGG19, vgg19
from minidl.style_transfer.checkpoint import load as load_checkpoint
from minidl.style_transfer.checkpoint import resumed, settings_of
from minidl.style_transfer.checkpoint import save as save_checkpoint
from minidl.style_transfer.inputs import PLAIN, Form, MaskFiles, Source, read_inputs
from minidl.style_transfer.memory import Memory
from minidl.style_transfer.objective import Losses
from minidl.style_transfer.plan import Plan, fitting, plan
from minidl.style_transfer.record import (
    changes,
    circumstances,
    describe,
    identity,
    must_be_identical,
)
from minidl.style_transfer.run import Run, Step, evaluate
from minidl.style_transfer.scales import resampled
from minidl.style_transfer.settings import LEARNING_RATES, Settings
from minidl.typing import Array
from minidl.typing import Path as PathLike


@dataclass(frozen=True)
class Painting:
    """The result of style transfer."""

    image: Array = field(repr=False)  # (H, W, 3), 0..255, not rounded
    losses: list[list[Losses]] = field(repr=False)  # of each step of each scale
    record: dict[str, Any] = field(repr=False)  # what is needed to paint the picture again
    lowest: float  # the loss at the last scale of its picture rounded to 8 bits, as a PNG stores it
    trouble: BaseException | None = None  # the interruption or error that ended the painting early
    form: Form = field(default=PLAIN, repr=False)  # what the file keeps of the photograph's

    @property
    def steps(self) -> int:
        """The number of steps of all scales."""
        return sum(map(len, self.losses))

    @property
    def improved(self) -> bool:
        """Whether a step had a lower loss than the first of its scale."""
        return any(min(s.total for s in steps) < steps[0].total for steps in self.losses)

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
        """Write a PNG, JPEG, WebP or TIFF file that contains the record.

        path: of the file, whose ending is the format. more: further entries of the record. The file
        has the alpha and the colour profile of the photograph, and its 16 bits per channel if the
        format is PNG or TIFF. Raise FileError if the file cannot be written.
        """
        result = {"steps_done": self.steps, "loss": self.lowest, "finished": self.trouble is None}
        record = {**self.record, **result, **more}
        write_image(path, self.image, record, **self.form.options(path))

    def _repr_png_(self) -> bytes:
        """Return the picture as a PNG, which a notebook shows."""
        return as_png(self.image)


def stylize(
    content: Source,
    style: Source | Sequence[Source],
    settings: Settings | None = None,
    *,
    style_weights: Sequence[float] | None = None,
    masks: MaskFiles | None = None,
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
    changes: single settings by name. masks: by default all of each picture counts. weights: the
    weight file of VGG19, by default the shipped one. callback: is called with every Step, whose
    pictures are copies. checkpoint: a file that is written every `every` steps and at the end, from
    which `resume` continues. notes: further entries of the record, which JSON can represent.

    A painting that does not fit into the memory is computed in a way that needs less (see `plan`),
    with a MinidlWarning that says how.

    An interruption with Ctrl-C, a loss that is not finite, or a MinidlError or OSError of the
    callback ends the painting. The picture with the lowest loss is then returned, with the
    exception as its `trouble`. Before the end of the first step the exception is raised. Warn with
    a MinidlWarning if no step improved on the start.

    >>> painting = stylize("photo.jpg", "painting.jpg", steps=50)  # doctest: +SKIP
    >>> painting.save("painted.png")  # doctest: +SKIP
    """
    settings = replace(settings or Settings(), **changes)
    painter = Painter(style, settings, style_weights=style_weights, weights=weights)
    return painter.paint(
        content,
        masks=masks,
        callback=callback,
        checkpoint=checkpoint,
        every=every,
        notes=notes,
    )


class Painter:
    """Paints photographs in one style.

    The network, and the statistics of the styles for each size, are computed once. style, settings,
    style_weights, weights: as for `stylize`.

    >>> painter = Painter("painting.jpg", Settings(size=512))  # doctest: +SKIP
    >>> for photo in ("one.jpg", "two.jpg"):  # doctest: +SKIP
    ...     painter.paint(photo).save(f"painted-{photo}")
    """

    def __init__(
        self,
        style: Source | Sequence[Source],
        settings: Settings,
        *,
        style_weights: Sequence[float] | None = None,
        weights: PathLike | None = None,
    ) -> None:
        self.styles: Sequence[Any] = style if isinstance(style, (list, tuple)) else [style]
        self.settings, self.style_weights = settings, style_weights
        self.weights = Path(weights) if weights else shipped("vgg19")
        self.model = vgg19(self.weights, pooling=settings.pooling)
        self._known: dict[Any, Any] = {}  # measures of the styles, by the shapes of their pictures

    def paint(
        self,
        content: Source,
        *,
        settings: Settings | None = None,
        masks: MaskFiles | None = None,
        callback: Callable[[Step], Any] | None = None,
        checkpoint: PathLike | None = None,
        every: int = 10,
        memory: Memory | None = None,
        notes: Mapping[str, Any] | None = None,
    ) -> Painting:
        """Return the Painting of a photograph, as `stylize` does.

        settings: by default those of the painter. They may differ from those in the start, the
        scales, the steps and the optimizer. memory: how the memory is used, by default in the
        fastest way that fits.
        """
        settings, weights = settings or self.settings, self.style_weights
        inputs = read_inputs(content, self.styles, settings, self.model, weights, masks)
        record = self.record(content, settings, masks, notes)
        pixels, alpha, profile, depth = inputs.content
        shapes = [style.shape for style in inputs.styles]
        # styles that follow the colours or masks of the photograph have other statistics for each
        is_plain = settings.colours == "style" and not (masks and masks.names())
        known = self._known.setdefault(tuple(shapes), {}) if is_plain else None
        if memory is None:
            memory, words = fitting(self.model, pixels.shape, shapes, settings)
            for sentence in words:
                warnings.warn(sentence, MinidlWarning, stacklevel=2)
        record["memory"] = memory._asdict()
        run = Run(
            self.model, pixels, inputs.styles, settings, inputs.weights, inputs.masks, known, memory
        )
        return _painted(run, Form(alpha, profile, depth), record, callback, checkpoint, every)

    def plan(self, content: Source, masks: MaskFiles | None = None) -> Plan:
        """Return the Plan of the painting of a photograph: its memory, arithmetic and time."""
        settings, weights = self.settings, self.style_weights
        inputs = read_inputs(content, self.styles, settings, self.model, weights, masks)
        shapes = [style.shape for style in inputs.styles]
        return plan(self.model, inputs.content.pixels.shape, shapes, settings)

    def record(
        self,
        content: Source,
        settings: Settings | None = None,
        masks: MaskFiles | None = None,
        notes: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the record of the Painting that `paint` returns for the same arguments."""
        weights = self.style_weights
        return describe(
            settings or self.settings,
            content=identity(content),
            style_weights=None if weights is None else list(map(float, weights)),
            masks=None if masks is None else masks.describe(),
            **self._identities,
            **(notes or {}),
        )

    @cached_property
    def _identities(self):
        """What the record says of the styles and of the weights, which are hashed once."""
        styles = [identity(source) for source in self.styles]
        return {"styles": styles, "weights": identity(self.weights)}


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
    interruption. Elsewhere, warn with a MinidlWarning that they may differ. Raise FileError if the
    file is missing or damaged, or if the weights are others.
    """
    state = load_checkpoint(checkpoint)
    record, settings = state["record"], settings_of(state["record"])
    weights = Path(weights) if weights else shipped("vgg19")
    must_be_identical(weights, record["weights"], "the weights")
    if changed := changes(record, circumstances()):
        warnings.warn(
            f"{checkpoint} is of a run with other circumstances; now {listed(changed)}: the "
            "painting may differ in its last digits from that of a run without interruption",
            MinidlWarning,
            stacklevel=2,
        )
    run, form = resumed(state, vgg19(weights, pooling=settings.pooling))
    return _painted(run, form, record, callback, checkpoint, every)


def _painted(run, form, record, callback, checkpoint, every):
    """Finish a run and return its Painting."""
    if every < 1:
        raise ArgumentError(f"every is {every}; wanted a whole number of at least 1")
    best, trouble, losses = None, None, []
    try:
        for step in run:
            best, objective, losses = step.best, run.objective, [*map(list, run.losses)]
            if callback:
                shown = (run.finished(picture.copy()) for picture in (step.image, step.best))
                callback(step._replace(**dict(zip(("image", "best"), shown, strict=True))))
            # after the callback, whose files are then complete up to the step of the checkpoint
            if checkpoint is not None and (step.number % every == 0 or step.number == step.total):
                save_checkpoint(checkpoint, run, form, record)
    except (KeyboardInterrupt, MinidlError, OSError) as error:
        if best is None:
            raise
        trouble = error
    if best is None:  # the checkpoint is of a complete run
        best, objective, losses = run.best, run.objective, run.losses
    lowest, size = _saved_loss(objective, best), run.sizes[-1]
    image = best if best.shape[:2] == size else np.clip(resampled(best, size), 0, 255)
    image = to_numpy(run.finished(image))
    painting = Painting(image, [*filter(None, losses)], record, lowest, trouble, form)
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
