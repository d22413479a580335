"""Gram matrices and losses, values and gradients, at VGG19's layers of a 512x512 picture."""

from math import prod

from benchmarks.cases import of_op
from minidl.losses import content_loss, gram_matrix, style_loss, total_variation
from minidl.models.vgg19 import BLOCKS

STYLE, OTHERS = "Gram matrices and style losses", "content and total variation"


def cases(quick):
    """Return the Cases of all losses. quick: of a picture of 32x32."""
    side = 32 if quick else 512
    features = {
        block: (1, side >> (block - 1), side >> (block - 1), channels)
        for block, _, channels in BLOCKS
    }
    return [
        *(_gram(f"Gram matrix, conv{block}_1", shape) for block, shape in features.items()),
        *(_style(f"style loss, conv{block}_1", shape) for block, shape in features.items()),
        _content("content loss, conv4_2", features[4]),
        of_op("total variation", OTHERS, total_variation, variation, {"image": (1, side, side, 3)},
              ["image"], {"normalization": "mean_squares"}),
    ]  # fmt: skip


def _gram(name, shape):
    options, shapes = {"normalization": "positions"}, {"features": shape}
    return of_op(
        name, STYLE, gram_matrix, gram, shapes, ["features"], options, _multiply_adds(shape)
    )


def _style(name, shape):
    options = {"normalization": "positions_mean"}
    shapes = {"generated": shape, "style": (1, shape[-1], shape[-1])}
    return of_op(
        name, STYLE, style_loss, style, shapes, ["generated"], options, _multiply_adds(shape)
    )


def _content(name, shape):
    options, shapes = {"normalization": "mean"}, {"generated": shape, "content": shape}
    return of_op(
        name, OTHERS, content_loss, content, shapes, ["generated"], options, 2 * prod(shape)
    )


def _multiply_adds(shape):
    """The multiply-adds of a Gram matrix and of its gradient, which takes as many."""
    return 2 * prod(shape) * shape[-1]


# PyTorch's functions, with the normalization that is measured.


def gram(functional, features, normalization="positions"):
    """(N, H, W, C) -> (N, C, C)"""
    unrolled = features.flatten(1, 2)
    return unrolled.mT @ unrolled / unrolled.shape[1]


def style(functional, generated, style, normalization="positions_mean"):
    return functional.mse_loss(gram(functional, generated), style)


def content(functional, generated, content, normalization="mean"):
    return functional.mse_loss(generated, content)


def variation(functional, image, normalization="mean_squares"):
    down, right = image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]
    return (down * down).mean() + (right * right).mean()
