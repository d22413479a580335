"""Paint the frames of a film, each begun from the painting of the one before."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from minidl.errors import ShapeError
from minidl.style_transfer.frames import levels, next_start
from minidl.style_transfer.inputs import MaskFiles
from minidl.style_transfer.painting import Painter, Painting
from minidl.style_transfer.run import Step
from minidl.typing import Array


def paint_frames(
    painter: Painter,
    frames: Iterable[Array],
    *,
    masks: MaskFiles | None = None,
    callback: Callable[[Step], Any] | None = None,
) -> Iterator[Painting]:
    """Yield the Painting of each frame: (H, W, 3), 0..255, such as those of `Frames`.

    The first one is painted as any photograph. Each later one begins with what `next_start` makes
    of the painting before, and is painted only at its full size, with half of the steps. More steps
    give more flicker, because they go on painting what does not move. Fewer leave more of the
    photograph where something moves. On a film of a still life with noise of 3 levels, 128 pixels
    wide, the mean change of a still part from one painting to the next was

        each frame painted for itself                 9.1 levels
        30, 15, 8, 4 steps of L-BFGS for each frame   4.0, 2.2, 1.4, 0.6 levels

    With Adam, whose first steps are always about as long as its learning rate, the change is about
    that of frames that are painted alone.

    The iteration ends with a painting that ended early. masks, callback: as for `stylize`. Raise
    ShapeError if a frame has another size than the first.
    """
    settings = painter.settings
    before: Any = None
    painted: Any = None
    steps = max(2, settings.steps // 2)  # one step only evaluates the start
    for number, frame in enumerate(frames, start=1):
        if number > 1:
            if frame.shape != before.shape:
                raise ShapeError(
                    f"frame {number} has shape {frame.shape}, and the first {before.shape}; wanted "
                    "frames of one size"
                )
            start = levels(next_start(painted, before, frame))
            settings = replace(painter.settings, scales=1, steps=steps, start=start)
        painting = painter.paint(frame, settings=settings, masks=masks, callback=callback)
        yield painting
        if painting.trouble is not None:
            return
        before, painted = frame, painting.image
