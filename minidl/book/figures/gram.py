"""A Gram matrix, position by position, from feature maps of VGG19 of a painting, and
the meaning of its diagonal: how much of each texture the picture contains."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from minidl.book.figures.canvas import Canvas, Cell, number
from minidl.book.figures.figure import Figure, Frame
from minidl.data import read_image, resize, shipped_picture
from minidl.losses import gram_matrix
from minidl.models import vgg19
from minidl.typing import Array

PAINTING, LAYER = "van-gogh-harvest-at-la-crau", "block2_conv1"
SIZE = (84, 100)  # of the picture; the layer halves it
BORDER = 3  # positions of the maps that read the zeros around the picture, which are like an edge
CHANNELS = 6
UNIT = 1000  # of the numbers of G in the drawing

CELL, LEFT, RIGHT = 34, 4, 164  # RIGHT: the left edge of G
UPPER, LOWER = 56, 306  # the tops of G and of the maps
MAP = (116, 95)  # width and height of a map
WIDTH, HEIGHT = 372, 538


class Maps(NamedTuple):
    """A picture (H, W, 3), and its feature maps (H, W, C) of the channels of a layer that have the
    largest numbers on the diagonal of the Gram matrix."""

    picture: Array
    channels: list[int]
    features: Array


def draw() -> Figure:
    """Return the figure."""
    return Figure(
        "A Gram matrix, position by position",
        f"The maps are the {CHANNELS} channels of {LAYER} of VGG19 that are most active in a "
        "painting. The Gram matrix G is a mean here: each position of the maps adds the product "
        "of every channel with every channel, divided by the number of positions. A number on the "
        "diagonal is the mean square of a map. It says how much of its texture the picture "
        "contains. The other numbers say which textures occur at the same places. G does not "
        "contain the places.",
        {"": [*_frames(maps())]},
        stills=(2, 4, 5, 7),
    )


def maps() -> Maps:
    """Compute the Maps of the painting."""
    picture = resize(read_image(shipped_picture(PAINTING)), *SIZE)
    [features] = vgg19().features(picture, [LAYER])[LAYER]
    H, W, _ = features.shape
    inside = (slice(BORDER, H - BORDER), slice(BORDER, W - BORDER))
    channels = np.argsort(-np.diagonal(gram(features[inside])))[:CHANNELS]
    return Maps(resize(picture, H, W)[inside], channels.tolist(), features[inside][..., channels])


def gram(features: Array) -> Array:
    """(H, W, C) -> (C, C): the Gram matrix, as the mean over the positions"""
    return gram_matrix(features[None].astype(np.float64), "positions")[0]


def is_read(features: Array, count: int) -> Array:
    """(H, W, C) -> (H, W, 1): whether a position is among the first `count` in row-major order"""
    H, W, _ = features.shape
    return np.arange(H * W).reshape(H, W, 1) < count


def shuffled(features: Array) -> Array:
    """(H, W, C) -> (H, W, C): the same positions in a random order"""
    H, W, C = features.shape
    return np.random.default_rng(0).permutation(features.reshape(H * W, C)).reshape(H, W, C)


def _frames(found: Maps) -> Iterator[Frame]:
    F, names = found.features, found.channels
    H, W, _ = F.shape
    yield _frame(
        found, F,
        f"Each of the {CHANNELS} maps has {H}x{W} positions; the Gram matrix is still 0.",
        count=0,
    )  # fmt: skip
    for count, what in (
        (W, "the first row of positions"),
        (H * W // 4, "a quarter of the positions"),
        (H * W // 2, "half of the positions"),
        (H * W, f"all {H * W} positions"),
    ):
        so_far = gram(F * is_read(F, count))[0, 0]
        yield _frame(
            found, F,
            f"After {what}, the number of channel {names[0]} with itself is {_in_units(so_far)} "
            "thousand.",
            count=count,
        )  # fmt: skip
    G = gram(F)
    cosine = G / np.sqrt(np.outer(np.diagonal(G), np.diagonal(G)))
    pairs = [(c, d) for c in range(CHANNELS) for d in range(c)]
    for (c, d), words in (
        (max(pairs, key=lambda pair: cosine[pair]), "are active at the same places"),
        (min(pairs, key=lambda pair: cosine[pair]), "are hardly ever active at the same place"),
    ):
        yield _frame(
            found, F,
            f"Channels {names[c]} and {names[d]} {words}: their number is {_in_units(G[c, d])} "
            f"thousand, and their cosine {number(round(cosine[c, d], 2))}.",
            marked={(c, d): "second", (d, c): "second"},
            chosen=(c, d),
        )  # fmt: skip
    diagonal = ", ".join(_in_units(value) for value in np.diagonal(G))
    yield _frame(
        found, F,
        f"The diagonal says how much of each texture there is: {diagonal} thousand.",
        marked={(c, c): "third" for c in range(CHANNELS)},
    )  # fmt: skip
    yield _frame(
        found, shuffled(F),
        "With the positions in a random order the maps show no picture, but the Gram matrix is the "
        "same: it does not say where a texture is.",
    )  # fmt: skip


def _frame(
    found: Maps,
    features: Array,
    words: str,
    *,
    count: int | None = None,
    marked: Mapping[Cell, str] | None = None,
    chosen: tuple[int, ...] = (),
) -> Frame:
    """Return the frame of the Gram matrix of features.

    count: how many positions are read, or None for all; the others are faint. chosen: maps with a
    frame.
    """
    canvas, positions = Canvas(WIDTH, HEIGHT), features[..., 0].size
    read = is_read(features, positions if count is None else count)
    G = gram(features * read)
    width, height = MAP
    canvas.text(LEFT, 12, "The picture", size=13)
    canvas.picture(found.picture, LEFT, UPPER - 24, width, height)
    canvas.text(RIGHT, 12, "G, in thousands", size=13)
    for place, name in enumerate(found.channels):
        middle = (place + 0.5) * CELL
        canvas.text(RIGHT + middle, UPPER - 12, str(name), colour="faint", anchor="middle")
        canvas.text(RIGHT - 6, UPPER + middle, str(name), colour="faint", anchor="end")
    shade = 0.5 * G / gram(found.features).max()
    canvas.cells(np.rint(G / UNIT), RIGHT, UPPER, shade=shade, marked=marked, size=CELL)
    strength = np.where(read, 1, 0.2) * features / features.max(axis=(0, 1))
    for place, name in enumerate(found.channels):
        row, column = divmod(place, 3)
        x, y = LEFT + column * (width + 8), LOWER + row * (height + 28)
        canvas.text(x, y - 10, f"channel {name}", size=13)
        canvas.picture(255 * (1 - strength[..., place]), x, y, width, height)
        if place in chosen:
            canvas.table(
                np.array([[""]]), x, y, width=width, height=height, marked={(0, 0): "second"}
            )
        if count:
            line = y + height * count / positions
            canvas.curve([(x, line), (x + width, line)], "second", 2)
    return Frame(canvas.svg(), words)


def _in_units(value):
    return number(round(value / UNIT))
