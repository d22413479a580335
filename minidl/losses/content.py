"""The content loss is the squared distance between the activations of one layer for the generated
picture and for the photograph (Gatys, Ecker, Bethge 2015, eq. 1)."""

from collections.abc import Callable
from math import prod

from minidl.autograd import differentiable
from minidl.backend import must_be_floating
from minidl.errors import ShapeError, one_of
from minidl.typing import Operand, Result

# The factor k of Σ (F - P)². H, W, C: lengths of the axes. n: N·H·W·C.
FACTORS: dict[str, Callable[..., float]] = {
    "half": lambda H, W, C, n: 1 / 2,  # Gatys, Ecker, Bethge 2015, eq. 1
    "sum": lambda H, W, C, n: 1,  # CS231n
    "mean": lambda H, W, C, n: 1 / n,  # programs based on PyTorch
    "coursera": lambda H, W, C, n: 1 / (4 * H * W * C),  # Ng's assignment
}


def content_loss(generated: Operand, content: Operand, normalization: str = "half") -> Result:
    """(N, H, W, C), (N, H, W, C) -> one number

    L = k Σ (F - P)²,      F: generated, P: content

    normalization: "half" k = 1/2, "sum" k = 1, "mean" k = 1 / (N H W C), "coursera"
    k = 1 / (4 H W C). FACTORS gives the source of each.

    Cost: N·H·W·C multiply-adds. Raises ShapeError if the shapes differ, and ArgumentError for
    integers or an unknown normalization.

    >>> content_loss(np.array([[[[3., 5.]]]]), np.array([[[[1., 2.]]]]))       # (2² + 3²) / 2
    np.float64(6.5)
    """
    difference = generated - content
    return (difference * difference).sum() * factor(generated.shape, normalization)


def content_loss_dgenerated(dL, generated, content, normalization):
    """∂L/∂F = 2 k (F - P)"""
    return dL * (2 * factor(generated.shape, normalization)) * (generated - content)


def content_loss_dcontent(dL, generated, content, normalization):
    """L depends only on F - P:  ∂L/∂P = -∂L/∂F"""
    return -content_loss_dgenerated(dL, generated, content, normalization)


def factor(shape, normalization):
    """Return k of a normalization, for features of this shape (N, H, W, C)."""
    return FACTORS[normalization](*shape[1:], prod(shape))


def check(generated, content, normalization="half"):
    """Raise an error if the arguments do not fit."""
    must_be_floating("generated", generated)
    must_be_floating("content", content)
    one_of("normalization", normalization, FACTORS)
    shape = generated.shape
    if shape != content.shape or len(shape) != 4 or not prod(shape):
        raise ShapeError(
            f"content_loss of features {shape} and {content.shape}; wanted the same shape "
            "(N, H, W, C) twice, without a 0"
        )


content_loss = differentiable(
    content_loss,
    dgenerated=content_loss_dgenerated,
    dcontent=content_loss_dcontent,
    check=check,
)
