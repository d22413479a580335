"""Total variation measures how much neighbouring pixels differ. It keeps generated pictures smooth.

Rudin, Osher, Fatemi 1992, "Nonlinear total variation based noise removal algorithms", introduced
it. Programs use its name for several sums. Each sum is a function φ of the differences D = A x
between neighbours in the image x. A is linear, so the gradient is Aᵀ φ'(D). Each difference is one
pixel minus another; Aᵀ adds its φ' to the first pixel and subtracts it from the second. The
function of a form returns φ and φ' together, so that a reader can compare them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError, one_of
from minidl.typing import Operand, Result

# A step leads from one pixel to a neighbour. Both are given as (row, column) in a square of 2x2
# pixels.
DOWN, RIGHT = ((0, 0), (1, 0)), ((0, 0), (0, 1))
FALLING, RISING = ((0, 0), (1, 1)), ((1, 0), (0, 1))


class Form(NamedTuple):
    """One form of total variation.

    steps: which neighbours are compared. phi: (differences, image) -> (φ, slopes φ'), one array of
    differences and one of slopes for each step. cropped: whether all steps leave out the last row
    and the last column. Otherwise a step leaves out only the pixels that lack this neighbour.
    """

    steps: tuple
    phi: Callable[[list, Any], tuple]
    cropped: bool = False


def _sum_squares(differences, image):
    return sum((d * d).sum() for d in differences), [2 * d for d in differences]


def _half_squares(differences, image):
    return sum((d * d).sum() for d in differences) / 2, differences


def _mean_squares(differences, image):
    return sum((d * d).mean() for d in differences), [2 * d / d.size for d in differences]


def _sum_absolute(differences, image):
    return sum(abs(d).sum() for d in differences), [array_module(d).sign(d) for d in differences]


def _power(differences, image):
    squares = sum(d * d for d in differences)
    return (squares**1.25).sum(), [2.5 * squares**0.25 * d for d in differences]


def _nine_point(differences, image):
    weights = [w / image.size for w in (2 / 3, 2 / 3, 1 / 6, 1 / 6)]
    value = sum(w * (d * d).sum() for w, d in zip(weights, differences, strict=True))
    return value, [2 * w * d for w, d in zip(weights, differences, strict=True)]


FORMS = {
    "sum_squares": Form((DOWN, RIGHT), _sum_squares),  # CS231n
    "half_squares": Form((DOWN, RIGHT), _half_squares, cropped=True),  # jcjohnson's neural-style
    "mean_squares": Form((DOWN, RIGHT), _mean_squares),  # anishathalye's neural-style
    # Rudin, Osher, Fatemi 1992, each axis alone
    "sum_absolute": Form((DOWN, RIGHT), _sum_absolute),
    # Mahendran, Vedaldi 2015, β = 2.5
    "power": Form((DOWN, RIGHT), _power, cropped=True),
    "nine_point": Form((DOWN, RIGHT, FALLING, RISING), _nine_point),
}
MEANS = ("mean_squares", "nine_point")  # forms that divide by the number of pixels


def total_variation(image: Operand, normalization: str = "sum_squares") -> Result:
    """(H, W, C) or (N, H, W, C) -> one number

    L = φ(D),      D = A x: differences between neighbours,  x: image

    normalization: one of the forms below. FORMS gives their sources. ↓ and → are the differences to
    the lower and to the right neighbour, ↘ and ↗ those to the neighbours along the diagonals.

        "sum_squares"   Σ ↓² + Σ →²
        "half_squares"  1/2 Σ (↓² + →²)           without the last row and column
        "mean_squares"  1/(N (H - 1) W C) Σ ↓² + 1/(N H (W - 1) C) Σ →²
        "sum_absolute"  Σ |↓| + Σ |→|             slope 0 at 0
        "power"         Σ (↓² + →²)^1.25          without the last row and column
        "nine_point"    1/(N H W C) (2/3 Σ (↓² + →²) + 1/6 Σ (↘² + ↗²))

    Inside the border, the gradient of "nine_point" is the nine-point Laplacian, divided by
    -3·N·H·W·C. Its weights are 4 along the axes, 1 along the diagonals and -20 at the pixel.

    Cost: one subtraction and one multiply-add for each difference, of which there are two per
    number of the image, or four with the diagonals. Raises ShapeError if the image has fewer than
    two rows or columns, or for a mean over no numbers. Raises ArgumentError for integers or an
    unknown normalization.

    >>> total_variation(np.array([[1., 2.], [4., 2.]]).reshape(2, 2, 1))          # ↓ 3, 0   → 1, -2
    np.float64(14.0)
    """
    value, _ = value_and_slopes(image, normalization)
    return value


def total_variation_dimage(dL, image, normalization):
    """(H, W, C) or (N, H, W, C)

    Each slope is added where its step ends and subtracted where it begins:

        ∂L/∂x = Aᵀ φ'(D)
    """
    form, (_, slopes) = FORMS[normalization], value_and_slopes(image, normalization)
    dimage = array_module(image).zeros_like(image)
    for slope, step in zip(slopes, form.steps, strict=True):
        begin, end = ends(image, step, form.cropped)
        dimage[end] += slope
        dimage[begin] -= slope
    return dL * dimage


def value_and_slopes(image, normalization):
    """Return φ(D), and a list with φ'(D) for each step."""
    form, differences = FORMS[normalization], []
    for step in form.steps:
        begin, end = ends(image, step, form.cropped)
        differences.append(image[end] - image[begin])
    return form.phi(differences, image)


def ends(image, step, cropped):
    """Return the index of all pixels where a step begins, and the index of those where it ends."""
    H, W = image.shape[-3:-1]
    rows = H - (1 if cropped else max(row for row, _ in step))
    columns = W - (1 if cropped else max(column for _, column in step))
    return tuple((..., slice(i, i + rows), slice(j, j + columns), slice(None)) for i, j in step)


def check(image, normalization="sum_squares"):
    """Raise an error if the arguments of total_variation do not fit."""
    must_be_floating("image", image)
    one_of("normalization", normalization, FORMS)
    if image.ndim not in (3, 4) or min(image.shape[-3:-1]) < 2:
        raise ShapeError(
            f"total_variation of shape {image.shape}; wanted (H, W, C) or (N, H, W, C) with H and "
            "W at least 2"
        )
    if normalization in MEANS and not image.size:
        raise ShapeError(
            f"total_variation of shape {image.shape}: the mean of no numbers is undefined; wanted "
            "N and C at least 1"
        )


total_variation = differentiable(total_variation, dimage=total_variation_dimage, check=check)
