"""Losses of regression compare predictions y with targets t, number by number.

They differ in how much a large error d = y - t counts. The square counts it most, and is best for
normally distributed errors: it is minus the logarithm of their density. The absolute value is
little affected by a few wrong targets, but its slope does not become smaller near the right
prediction. Huber's loss is a square near 0 and grows linearly far from it.

There are as many predictions as targets, without broadcasting. L depends only on d, so
∂L/∂t = -∂L/∂y. reduction: "mean" k = 1/n for n numbers, "sum" k = 1, "none" L = l, an array of all
terms l.

Cost: at most five operations per number, and as many for each gradient. Raises ShapeError if the
shapes differ or a mean has no terms, and ArgumentError for integers or an unknown reduction.
"""

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ArgumentError, ShapeError
from minidl.losses.reduction import must_be_reduced, of_terms, reduced
from minidl.typing import Operand, Result


def mse_loss(predictions: Operand, targets: Operand, reduction: str = "mean") -> Result:
    """(...), (...) -> one number, or (...) with the reduction "none"

    L = k Σ (y - t)²,      y: predictions, t: targets

    The best prediction of several targets is their mean. Source: Gauss 1809, "Theoria motus
    corporum coelestium", section 179.

    >>> mse_loss(np.array([1., 5.]), np.array([2., 2.]))            # (1² + 3²) / 2
    np.float64(5.0)
    """
    d = predictions - targets
    return reduced(d * d, reduction, d.size)


def mse_loss_dpredictions(dL, predictions, targets, reduction):
    """∂L/∂y = 2 k (y - t)"""
    d = predictions - targets
    return 2 * of_terms(dL, reduction, d.size) * d


def mse_loss_dtargets(dL, predictions, targets, reduction):
    """∂L/∂t = -∂L/∂y"""
    return -mse_loss_dpredictions(dL, predictions, targets, reduction)


def l1_loss(predictions: Operand, targets: Operand, reduction: str = "mean") -> Result:
    """(...), (...) -> one number, or (...) with the reduction "none"

    L = k Σ |y - t|,      y: predictions, t: targets

    The best prediction of several targets is their median. Source: Koenker & Bassett 1978,
    "Regression Quantiles".

    >>> l1_loss(np.array([1., 5.]), np.array([2., 2.]))             # (1 + 3) / 2
    np.float64(2.0)
    """
    d = predictions - targets
    return reduced(abs(d), reduction, d.size)


def l1_loss_dpredictions(dL, predictions, targets, reduction):
    """∂L/∂y = k sign(y - t), which is 0 at the kink y = t"""
    d = predictions - targets
    return of_terms(dL, reduction, d.size) * array_module(d).sign(d)


def l1_loss_dtargets(dL, predictions, targets, reduction):
    """∂L/∂t = -∂L/∂y"""
    return -l1_loss_dpredictions(dL, predictions, targets, reduction)


def huber_loss(
    predictions: Operand, targets: Operand, reduction: str = "mean", delta: float = 1.0
) -> Result:
    """(...), (...) -> one number, or (...) with the reduction "none"

    L = k Σ l,      l = d²/2 where |d| ≤ δ, and δ (|d| - δ/2) elsewhere

    d = y - t,  y: predictions, t: targets, δ: delta

    The code computes both cases as l = m (|d| - m/2) with m = min(|d|, δ). delta: above 0. Raises
    ArgumentError for others. PyTorch's smooth_l1_loss with `beta` is huber_loss / β with δ = β.

    Source: Huber 1964, "Robust Estimation of a Location Parameter".

    >>> huber_loss(np.array([1., 5.]), np.array([2., 2.]), "none")            # 1²/2 and 3 - 1/2
    array([0.5, 2.5])
    """
    d = predictions - targets
    xp, size = array_module(d), array_module(d).where(d.real < 0, -d, d)  # for complex steps
    m = xp.where(size.real < delta, size, delta)
    return reduced(m * (size - m / 2), reduction, d.size)


def huber_loss_dpredictions(dL, predictions, targets, reduction, delta):
    """∂l/∂y = d where |d| ≤ δ, and δ sign d elsewhere, which is d clipped to ±δ"""
    d = predictions - targets
    return of_terms(dL, reduction, d.size) * d.clip(-delta, delta)


def huber_loss_dtargets(dL, predictions, targets, reduction, delta):
    """∂L/∂t = -∂L/∂y"""
    return -huber_loss_dpredictions(dL, predictions, targets, reduction, delta)


def must_be_comparable(loss, predictions, targets, reduction):
    """Raise an error if the predictions and targets of a loss do not fit."""
    must_be_floating("predictions", predictions)
    must_be_floating("targets", targets)
    shapes = f"predictions {predictions.shape} and targets {targets.shape}"
    if predictions.shape != targets.shape:
        raise ShapeError(f"{loss} of {shapes}; wanted the same shape twice")
    must_be_reduced(loss, shapes, reduction, predictions.size)


def check_mse(predictions, targets, reduction="mean"):
    """Raise an error if the arguments of mse_loss do not fit."""
    must_be_comparable("mse_loss", predictions, targets, reduction)


def check_l1(predictions, targets, reduction="mean"):
    """Raise an error if the arguments of l1_loss do not fit."""
    must_be_comparable("l1_loss", predictions, targets, reduction)


def check_huber(predictions, targets, reduction="mean", delta=1.0):
    """Raise an error if the arguments of huber_loss do not fit."""
    must_be_comparable("huber_loss", predictions, targets, reduction)
    if not delta > 0:
        raise ArgumentError(f"delta is {delta}; wanted a number above 0")


mse_loss = differentiable(
    mse_loss, dpredictions=mse_loss_dpredictions, dtargets=mse_loss_dtargets, check=check_mse
)
l1_loss = differentiable(
    l1_loss, dpredictions=l1_loss_dpredictions, dtargets=l1_loss_dtargets, check=check_l1
)
huber_loss = differentiable(
    huber_loss,
    dpredictions=huber_loss_dpredictions,
    dtargets=huber_loss_dtargets,
    check=check_huber,
)
