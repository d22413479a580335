"""What the losses that compare the features of a generated picture with those of a style share."""

from minidl.autograd import constant
from minidl.errors import ShapeError
from minidl.losses.gram import check as must_be_features
from minidl.typing import Array, Operand


def constant_style(loss: str, generated: Operand, style: Operand) -> Array:
    """(N, H, W, C), (N, H', W', C) -> (N, H', W', C): the style as an array

    loss: its name, for the messages. Raises ShapeError if the shapes do not fit, and ArgumentError
    for integers or a style that requires a gradient.
    """
    for features in (generated, style):
        must_be_features(features)
    if generated.shape[0::3] != style.shape[0::3] or not len(generated):
        raise ShapeError(
            f"{loss} of features {generated.shape} and style {style.shape}; wanted (N, H, W, C) "
            "twice, with the same N and C, N at least 1"
        )
    return constant(loss, "style", style)
