"""Errors planted in padding."""

from minidl import ops
from minidl.ops.padding import copies
from tests.planted_errors.plant import FORWARD, GRADIENT, Plant, wrong


def with_source(mode_with_error, source):
    """Return padding whose borders, in one mode, are copies of other numbers.

    source: (position beyond the axis, length of the axis) -> position that is copied
    """

    def forward(x, width, value=0, mode="constant"):
        y = ops.pad.forward(x, width, value, mode)
        if mode == mode_with_error:
            for i, _ in copies(x.shape, width, mode):
                *whole, position = i
                before, length = width[len(whole)][0], x.shape[len(whole)]
                y[i] = y[(*whole, before + source(position - before, length))]
        return y

    return wrong(ops.pad, forward)


def the_end_itself(j, length):
    """numpy.pad calls this mode "symmetric"."""
    return -1 - j if j < 0 else 2 * length - 1 - j


def the_other_end(j, length):
    return length - 1 if j < 0 else 0


def inside(dy, x_shape, width):
    return dy[tuple(slice(b, b + n) for n, (b, _) in zip(x_shape, width, strict=True))]


def without_corners(dy, x_shape, width, mode):
    within = [slice(b, b + n) for n, (b, _) in zip(x_shape, width, strict=True)]
    dx = dy.copy()
    for i, j in copies(x_shape, width, mode):
        before, after = within[: len(i) - 1], within[len(i) :]
        dx[(*before, j[-1], *after)] += dx[(*before, i[-1], *after)]
    return dx[tuple(within)]


def overwritten_by_the_border(dy, x_shape, width, mode):
    dx = dy.copy()
    for i, j in copies(x_shape, width, mode):
        dx[j] = dx[i]
    return inside(dx, x_shape, width)


PADDINGS = [
    Plant("the end repeated by reflect", "pad", with_source("reflect", the_end_itself), FORWARD),
    Plant("the other end replicated", "pad", with_source("replicate", the_other_end), FORWARD),
    Plant("circular mirrored", "pad", with_source("circular", the_end_itself), FORWARD),
    Plant("border left out of dx", "pad", wrong(ops.pad, dx=inside), GRADIENT),
    Plant("corners left out of dx", "pad", wrong(ops.pad, dx=without_corners), GRADIENT),
    Plant("dx overwritten by the border", "pad", wrong(ops.pad, dx=overwritten_by_the_border),
          GRADIENT),
]  # fmt: skip
