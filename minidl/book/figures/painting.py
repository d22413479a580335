"""A photograph that becomes a painting, step by step, with the losses of each step."""

from collections.abc import Iterator, Sequence

import numpy as np

from minidl.book.figures.canvas import Canvas, number
from minidl.book.figures.figure import Figure, Frame
from minidl.data import read_image, resize, shipped_picture
from minidl.style_transfer import Step, stylize
from minidl.typing import Array

PHOTOGRAPH, STYLE = "chelsea", "van-gogh-cafe-terrace"
SIZE = (80, 120)  # height and width of the painting
STYLE_SIZE = (120, 94)
STEPS = 24
FRAMES = 8
TERMS = {"content": "first", "style": "second", "total_variation": "third"}  # and their colours
SCALE = 3  # units of the drawing for a pixel of the painting
LEFT, BARS = 110, 240  # the beginning of the bars, and the length of the longest


def draw() -> Figure:
    """Return the figure."""
    photograph = resize(read_image(shipped_picture(PHOTOGRAPH)), *SIZE)
    style = resize(read_image(shipped_picture(STYLE)), *STYLE_SIZE)
    return Figure(
        "A painting in the making",
        "The picture starts as the photograph, so its content loss is 0 and its style loss is "
        "large. The optimiser decreases their sum with the total variation. The content loss "
        "grows, because the painted picture is no longer the photograph. Only steps with a lower "
        "loss than all before are shown.",
        {"": [*_frames(photograph, style)]},
        stills=(0, FRAMES // 2, FRAMES - 1),
    )


def paint(photograph: Array, style: Array) -> list[Step]:
    """Return the steps of a painting that have a lower loss than all before."""
    steps: list[Step] = []

    def keep(step: Step) -> None:
        if not steps or step.losses.total < steps[-1].losses.total:
            steps.append(step)

    stylize(photograph, style, size=None, steps=STEPS, callback=keep)
    return steps


def _frames(photograph: Array, style: Array) -> Iterator[Frame]:
    steps = paint(photograph, style)
    for place in np.linspace(0, len(steps) - 1, FRAMES).round().astype(int):
        yield Frame(_drawing(steps[place], steps, style), _words(steps[place]))


def _drawing(step: Step, steps: Sequence[Step], style: Array) -> str:
    height, width = (SCALE * length for length in SIZE)
    canvas = Canvas(width, height + 140)
    canvas.picture(step.image, 0, 0, width, height)
    canvas.picture(style, 0, height + 12, 94, 120)
    longest = max(step.losses.total for step in steps)
    for place, (term, colour) in enumerate(TERMS.items()):
        top = height + 24 + 42 * place
        value, name = getattr(step.losses, term), term.replace("_", " ")
        canvas.text(LEFT, top, f"{name}: {_millions(value)}", colour=colour, size=14)
        canvas.box(LEFT, top + 10, max(BARS * value / longest, 0.5), 12, colour, 0.8)
    return canvas.svg()


def _words(step: Step) -> str:
    losses = step.losses
    return (
        f"Step {step.number} of {step.total}: the content loss is {_millions(losses.content)}, the "
        f"style loss {_millions(losses.style)} and the total {_millions(losses.total)}."
    )


def _millions(loss: float) -> str:
    return f"{number(round(loss / 1e6, 2))} million"
