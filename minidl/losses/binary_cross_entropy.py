"""The cross-entropy of questions with two answers, each with one logit z. The probability of the
answer yes is p = 1 / (1 + e^-z).

-ln p and -ln(1 - p) are computed from z, so that they are finite where p rounds to 0 or 1. With
λ = ln(1 + e^-|z|), which cannot overflow,

    -ln p = max(-z, 0) + λ,      -ln(1 - p) = max(z, 0) + λ
"""

from minidl import ops
from minidl.autograd import differentiable
from minidl.backend import array_module, is_array, must_be_floating
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.losses.reduction import REDUCTIONS as REDUCTIONS  # the names that are documented
from minidl.losses.reduction import must_be_reduced, of_terms, reduced
from minidl.shapes import broadcasts_to
from minidl.typing import Array, Operand, Result


def sigmoid_cross_entropy(
    logits: Operand,
    targets: Operand,
    reduction: str = "mean",
    *,
    weights: Array | float = 1.0,
    positive_weight: Array | float = 1.0,
) -> Result:
    """(...), (...) -> one number, or (...) with the reduction "none"

    L = k Σ w (-v t ln p - (1 - t) ln(1 - p)),      p = 1 / (1 + e^-z)

    z: logits, t: targets, w: weights, v: positive_weight. targets: numbers from 0 to 1; integers
    and bools are converted. weights: w, of each term. positive_weight: v, of the answer yes, such
    as the number of negative examples for each positive one. Both are numbers, or arrays that
    broadcast to the shape of the logits. reduction: "mean" k = 1/n, where n is the number of
    logits, "sum" k = 1, "none" L = w (-v t ln p - (1 - t) ln(1 - p)), an array.

    Cost: one exponential, one logarithm and about ten operations per logit. Raises ShapeError if
    the shapes do not fit or a mean has no terms, and ArgumentError for logits of integers or an
    unknown reduction.

    Source: Goodfellow, Bengio, Courville 2016, "Deep Learning", section 6.2.2.2.

    >>> sigmoid_cross_entropy(np.array([0., 1000.]), np.array([1., 1.]), "sum")      # p = 1/2 and 1
    np.float64(0.6931471805599453)
    """
    minus_log_no, minus_log_yes = minus_logarithms(logits)
    w, v, t = factors(logits, weights, positive_weight, targets)
    return reduced(w * (v * t * minus_log_yes + (1 - t) * minus_log_no), reduction, logits.size)


def sigmoid_cross_entropy_dlogits(dL, logits, targets, reduction, weights, positive_weight):
    """(...)

    ∂(-ln p)/∂z = p - 1 and ∂(-ln(1 - p))/∂z = p, because -ln p = ln(1 + e^-z) and
    -ln(1 - p) = z - ln p. Hence

        ∂L/∂z = k w (v t (p - 1) + (1 - t) p)

    which is k (p - t) without weights.
    """
    p = ops.sigmoid(logits)
    w, v, t = factors(logits, weights, positive_weight, targets)
    return of_terms(dL, reduction, logits.size) * (w * (v * t * (p - 1) + (1 - t) * p))


def sigmoid_cross_entropy_dtargets(dL, logits, reduction, weights, positive_weight):
    """L is linear in t:  ∂L/∂t = k w (ln(1 - p) - v ln p), which is -k z without weights"""
    minus_log_no, minus_log_yes = minus_logarithms(logits)
    w, v, _ = factors(logits, weights, positive_weight, logits)
    return of_terms(dL, reduction, logits.size) * (w * (v * minus_log_yes - minus_log_no))


def minus_logarithms(z):
    """Return -ln(1 - p) and -ln p of logits (...)."""
    xp, negative = array_module(z), z.real <= 0  # the real part, for the proof by complex steps
    size = xp.where(negative, -z, z)
    logarithm = xp.log1p(xp.exp(-size))
    return xp.where(negative, 0, size) + logarithm, xp.where(negative, size, 0) + logarithm


def factors(logits, weights, positive_weight, targets):
    """Return w and v in the dtype of the logits, and t as floats."""
    dtype = logits.real.dtype
    w, v = (f.astype(dtype) if is_array(f) else f for f in (weights, positive_weight))
    return w, v, targets if targets.dtype.kind in "fc" else targets.astype(dtype)


def must_be_targets(logits, targets, reduction="mean", *, weights=1.0, positive_weight=1.0):
    """Raise an error if the arguments of sigmoid_cross_entropy do not fit."""
    must_be_floating("logits", logits)
    shape = getattr(targets, "shape", ())
    shapes = f"logits {logits.shape} and targets {shape}"
    if shape != logits.shape or not is_array(targets):
        raise ShapeError(f"sigmoid_cross_entropy of {shapes}; wanted the same shape twice")
    must_be_reduced("sigmoid_cross_entropy", shapes, reduction, logits.size)
    for name, factor in (("weights", weights), ("positive_weight", positive_weight)):
        if not is_array(factor) and not isinstance(factor, (int, float)):
            raise ArgumentError(
                f"{name} is {brief(factor)}; wanted a number, or an array that broadcasts to the "
                f"shape {logits.shape} of the logits"
            )
        own = getattr(factor, "shape", ())
        if not broadcasts_to(own, shape):
            raise ShapeError(
                f"{name} has the shape {own}, which does not broadcast to {shape}, that of the "
                "logits; from the last axis on, lengths must be equal or 1"
            )


sigmoid_cross_entropy = differentiable(
    sigmoid_cross_entropy,
    dlogits=sigmoid_cross_entropy_dlogits,
    dtargets=sigmoid_cross_entropy_dtargets,
    check=must_be_targets,
)
