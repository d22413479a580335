"""The content loss: how far the activations of one layer are from those of the photograph."""

from math import prod

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError, one_of
from minidl.ops.half import summed_in_float32

# The factor before Σ (F - P)²; H, W, C: positions and channels of one picture, n: numbers in all.
FACTORS = {
    "half": lambda H, W, C, n: 1 / 2,  # Gatys, Ecker, Bethge 2015, eq. 1
    "sum": lambda H, W, C, n: 1,  # CS231n
    "mean": lambda H, W, C, n: 1 / n,  # torch-based programs
    "coursera": lambda H, W, C, n: 1 / (4 * H * W * C),  # Ng's assignment
}


@summed_in_float32
def content_loss(generated, content, normalization="half"):
    """(N, H, W, C), (N, H, W, C) -> one number

    L = k Σ (F - P)²,      F: generated, P: content

    normalization: "half" k = 1/2, "sum" k = 1, "mean" k = 1 / (N H W C), "coursera" k = 1 / (4 H W
    C).

    Cost: N·H·W·C multiply-adds; reads both arrays once.

    >>> content_loss(np.array([[[[3., 5.]]]]), np.array([[[[1., 2.]]]]))       # (2² + 3²) / 2
    np.float64(6.5)
    """
    array_module(generated, content)
    must_be_floating("generated", generated)
    must_be_floating("content", content)
    factor = _factor(generated.shape, content.shape, normalization)
    difference = generated - content
    return (difference * difference).sum() * factor


@summed_in_float32
def content_loss_dgenerated(dL, generated, content, normalization):
    """∂L/∂F = 2k (F - P)"""
    return dL * (2 * _factor(generated.shape, content.shape, normalization)) * (generated - content)


@summed_in_float32
def content_loss_dcontent(dL, generated, content, normalization):
    """F and P enter by their difference alone:  ∂L/∂P = -∂L/∂F"""
    return -content_loss_dgenerated(dL, generated, content, normalization)


content_loss = differentiable(
    content_loss, dgenerated=content_loss_dgenerated, dcontent=content_loss_dcontent
)


def _factor(shape, content_shape, normalization):
    one_of("normalization", normalization, FACTORS)
    if shape != content_shape or len(shape) != 4 or not prod(shape):
        raise ShapeError(
            f"content_loss of features {shape} and {content_shape}; wanted the same shape (N, H, W, C) twice, without a 0"
        )
    return FACTORS[normalization](*shape[1:], prod(shape))
