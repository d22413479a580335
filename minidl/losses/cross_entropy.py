"""Cross-entropies: how surprised a classifier is by the right answer. They take logits, what a
network gives before softmax or sigmoid, since the logarithm of a probability that was rounded to 0
is lost, and that of a logit is not."""

import numpy as np

from minidl import ops
from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ArgumentError, ShapeError, one_of
from minidl.ops.half import summed_in_float32

# The factor before the sum over n terms.
FACTORS = {"mean": lambda n: 1 / n, "sum": lambda n: 1.0}


@summed_in_float32
def softmax_cross_entropy(logits, labels, reduction="mean"):
    """(N, C), (N,) -> one number

    L = 1/N Σ_n -log p[n,l],      p = softmax(z): p[n,c] = e^z[n,c] / Σ_d e^z[n,d],  z: logits,  l = labels[n]

    labels: whole numbers from 0 to C - 1 (on a GPU the loss is NaN for others). reduction: "mean",
    or "sum"
    without the 1/N. The largest z of each row is taken off first, as in softmax:
    -log p[l] = log Σ_d e^(z[d] - m) - (z[l] - m). Of C classes a network that knows nothing scores
    log C.

    Cost: N·C exponentials; reads the logits twice, for the largest and to take it off. The gradient
    does the same again.

    >>> softmax_cross_entropy(np.log([[1., 1., 2.], [1., 1., 2.]]), np.array([2, 2]))        # p = 1/2 each: log 2
    np.float64(0.6931471805599453)
    """
    xp, right, factor = _right_ones(logits, labels, reduction)
    z = logits - logits.real.max(axis=1, keepdims=True)
    z_of_label = xp.where(right.any(axis=1), xp.where(right, z, 0).sum(axis=1), xp.nan)
    return (xp.log(xp.exp(z).sum(axis=1)) - z_of_label).sum() * factor


@summed_in_float32
def softmax_cross_entropy_dlogits(dL, logits, labels, reduction):
    """∂/∂z[c] of log Σ_d e^z[d] is e^z[c] / Σ_d e^z[d] = p[c], and of -z[l] it is -[c = l]:

    ∂L/∂z[n,c] = 1/N (p[n,c] - [c = labels[n]])
    """
    _, right, factor = _right_ones(logits, labels, reduction)
    return dL * factor * (ops.softmax.forward(logits) - right)


softmax_cross_entropy = differentiable(softmax_cross_entropy, dlogits=softmax_cross_entropy_dlogits)


@summed_in_float32
def sigmoid_cross_entropy(logits, targets, reduction="mean"):
    """(..), (..) -> one number

    L = 1/n Σ -t log p - (1 - t) log (1 - p),      p = sigmoid(z) = 1 / (1 + e^-z),  z: logits,  t: targets, from 0 to 1
      = 1/n Σ max(z, 0) - z t + log(1 + e^-|z|),   which does not overflow,  n: numbers in all

    reduction: "mean", or "sum" without the 1/n. Targets of whole numbers or bools will do.

    Cost: an exponential and a logarithm a number.

    >>> sigmoid_cross_entropy(np.array([0., 1000.]), np.array([1., 1.]), "sum")        # p = 1/2 and 1: log 2 + 0
    np.float64(0.6931471805599453)
    """
    xp, t, factor = _targets(logits, targets, reduction)
    negative = logits.real <= 0  # of the real part, for the proof by complex steps
    rest = xp.log1p(xp.exp(xp.where(negative, logits, -logits)))
    return (xp.where(negative, 0, logits) - logits * t + rest).sum() * factor


@summed_in_float32
def sigmoid_cross_entropy_dlogits(dL, logits, targets, reduction):
    """max(z, 0) + log(1 + e^-|z|) = log(1 + e^z), whose slope is e^z / (1 + e^z) = p:  ∂L/∂z = 1/n
    (p - t)"""
    _, t, factor = _targets(logits, targets, reduction)
    return dL * factor * (ops.sigmoid.forward(logits) - t)


@summed_in_float32
def sigmoid_cross_entropy_dtargets(dL, logits, reduction):
    """L is linear in t:  ∂L/∂t = -z/n"""
    return dL * -FACTORS[reduction](logits.size) * logits


sigmoid_cross_entropy = differentiable(
    sigmoid_cross_entropy,
    dlogits=sigmoid_cross_entropy_dlogits,
    dtargets=sigmoid_cross_entropy_dtargets,
)


def _right_ones(logits, labels, reduction):
    """The library, (N, C) bools: which class is each one's label, the factor"""
    xp = array_module(logits, labels)
    must_be_floating("logits", logits)
    one_of("reduction", reduction, FACTORS)
    shape, kind = getattr(labels, "shape", ()), getattr(labels, "dtype", type(labels).__name__)
    if logits.ndim != 2 or shape != logits.shape[:1] or not logits.size:
        raise ShapeError(
            f"softmax_cross_entropy of logits {logits.shape} and labels {shape}; wanted (N, C) and (N,), N and C at least 1"
        )
    if kind.kind not in "iu":
        raise ArgumentError(
            f"the labels are {kind}; wanted whole numbers, the number of each one's class: use .astype(int)"
        )
    classes = logits.shape[1]
    # to look at them would stop a GPU
    if xp is np and not (labels.min() >= 0 and labels.max() < classes):
        raise ArgumentError(
            f"the labels go from {labels.min()} to {labels.max()}; wanted numbers from 0 to {classes - 1}, as there are "
            f"{classes} logits each"
        )
    return xp, labels[:, None] == xp.arange(classes), FACTORS[reduction](len(logits))


def _targets(logits, targets, reduction):
    """The library, the targets as numbers of the logits' kind, the factor"""
    xp = array_module(logits, targets)
    must_be_floating("logits", logits)
    one_of("reduction", reduction, FACTORS)
    shape = getattr(targets, "shape", ())
    if shape != logits.shape or not logits.size:
        raise ShapeError(
            f"sigmoid_cross_entropy of logits {logits.shape} and targets {shape}; wanted the same shape twice, without a 0"
        )
    if targets.dtype.kind not in "fc":
        targets = targets.astype(logits.dtype)
    return xp, targets, FACTORS[reduction](logits.size)
