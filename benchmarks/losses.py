"""Gram matrices and losses, value and gradient, at VGG19's layers of a 512x512 picture."""

from math import prod

from benchmarks.cases import of_op
from minidl.losses import content_loss, gram_matrix, style_loss, total_variation
from minidl.models.vgg19 import BLOCKS

GROUP = "Gram matrices and style losses"


def cases(quick):
    """quick: of a picture of 32x32."""
    side = 32 if quick else 512
    features = {
        block: (1, side >> (block - 1), side >> (block - 1), channels)
        for block, _, channels in BLOCKS
    }
    image, rest = (1, side, side, 3), "content and total variation"
    return [
        *(_gram(f"Gram matrix, conv{block}_1", shape) for block, shape in features.items()),
        *(_style(f"style loss, conv{block}_1", shape) for block, shape in features.items()),
        of_op("content loss, conv4_2", rest, content_loss, content, {"generated": features[4], "content": features[4]},
              ["generated"], {"normalization": "mean"}, 2 * prod(features[4])),
        of_op("total variation", rest, total_variation, variation, {"image": image}, ["image"],
              {"normalization": "mean_squares"}),
    ]  # fmt: skip


def _gram(name, shape):
    options = {"normalization": "positions"}
    return of_op(
        name, GROUP, gram_matrix, gram, {"features": shape}, ["features"], options, _products(shape)
    )


def _style(name, shape):
    options, shapes = (
        {"normalization": "positions_mean"},
        {"generated": shape, "style": (1, shape[-1], shape[-1])},
    )
    return of_op(name, GROUP, style_loss, style, shapes, ["generated"], options, _products(shape))


def _products(shape):
    """Multiply-adds of a Gram matrix and, as many, of its gradient"""
    return 2 * prod(shape) * shape[-1]


# PyTorch's side, in the one normalisation that is measured.


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
