"""A cross-entropy is minus the logarithm of the probability that a classifier assigns to the right
answer.

It takes logits z, the outputs of a network before its softmax or sigmoid. If a small probability p
were rounded to 0, -ln p would be infinite. Computed from the logits, as ln Σ e^z - z, it is finite.

Source: Bridle 1990, "Training Stochastic Model Recognition Algorithms as Networks can lead to
Maximum Mutual Information Estimation of Parameters"; Goodfellow, Bengio, Courville 2016, "Deep
Learning", section 6.2.2.
"""

from minidl import ops
from minidl.autograd import differentiable
from minidl.backend import array_module, device_of, must_be_floating
from minidl.errors import ArgumentError, ShapeError, one_of
from minidl.typing import Array, Operand, Result

# The factor before the sum over n terms.
FACTORS = {"mean": lambda n: 1 / n, "sum": lambda n: 1.0}


def softmax_cross_entropy(logits: Operand, labels: Array, reduction: str = "mean") -> Result:
    """(N, C), (N,) -> one number

    L = k Σ_n -ln p[n,l],      p[n,c] = e^z[n,c] / Σ_d e^z[n,d],  z: logits,  l = labels[n]

    The code computes -ln p[l] = ln Σ_d e^(z[d] - m) - (z[l] - m), where m is the largest logit of
    the row, so that no exponential overflows.

    labels: whole numbers from 0 to C - 1. reduction: "mean" k = 1/N, "sum" k = 1. An untrained
    network with C classes has a mean loss of about ln C.

    Cost: N·C exponentials, and as many again for the gradient. Raises ShapeError if the shapes do
    not fit, and ArgumentError for other labels or reductions. On a GPU labels are not checked, and
    other labels make the loss NaN.

    >>> z = np.log(np.array([[1., 1., 2.], [1., 1., 2.]]))
    >>> softmax_cross_entropy(z, np.array([2, 2]))        # p = 1/2 each, so ln 2
    np.float64(0.6931471805599453)
    """
    xp, is_label = array_module(logits), one_hot(labels, logits.shape[1])
    z = logits - logits.real.max(axis=1, keepdims=True)
    z_of_label = xp.where(is_label.any(axis=1), xp.where(is_label, z, 0).sum(axis=1), xp.nan)
    return (xp.log(xp.exp(z).sum(axis=1)) - z_of_label).sum() * FACTORS[reduction](len(z))


def softmax_cross_entropy_dlogits(dL, logits, labels, reduction):
    """(N, C)

    -ln p[l] = ln Σ_d e^z[d] - z[l]. The derivative of its first term with respect to z[c] is
    e^z[c] / Σ_d e^z[d] = p[c], and that of the second is -[c = l]. Hence

        ∂L/∂z[n,c] = k (p[n,c] - [c = labels[n]])
    """
    is_label = one_hot(labels, logits.shape[1])
    return dL * FACTORS[reduction](len(logits)) * (ops.softmax(logits) - is_label)


def one_hot(labels, classes):
    """(N,) -> (N, C) bools: [c = labels[n]]"""
    return labels[:, None] == array_module(labels).arange(classes)


def must_be_labels(logits, labels, reduction="mean"):
    """Raise an error if the arguments of softmax_cross_entropy do not fit."""
    device = device_of(logits, labels)
    must_be_floating("logits", logits)
    one_of("reduction", reduction, FACTORS)
    shape = getattr(labels, "shape", ())
    if logits.ndim != 2 or shape != logits.shape[:1] or not logits.size:
        raise ShapeError(
            f"softmax_cross_entropy of logits {logits.shape} and labels {shape}; wanted (N, C) and "
            "(N,), N and C at least 1"
        )
    if labels.dtype.kind not in "iu":
        raise ArgumentError(
            f"the labels are {labels.dtype}; wanted integers, the numbers of the classes: use "
            ".astype(int)"
        )
    classes = logits.shape[1]
    # Reading the labels would stall a GPU.
    if device == "cpu" and not (labels.min() >= 0 and labels.max() < classes):
        raise ArgumentError(
            f"the labels go from {labels.min()} to {labels.max()}; wanted numbers from 0 to "
            f"{classes - 1}, because each row has {classes} logits"
        )


softmax_cross_entropy = differentiable(
    softmax_cross_entropy, dlogits=softmax_cross_entropy_dlogits, check=must_be_labels
)


def sigmoid_cross_entropy(logits: Operand, targets: Operand, reduction: str = "mean") -> Result:
    """(...), (...) -> one number

    L = k Σ (-t ln p - (1 - t) ln(1 - p)),      p = 1 / (1 + e^-z),  z: logits,  t: targets

    The code uses another form, which cannot overflow:

        L = k Σ (max(z, 0) - z t + ln(1 + e^-|z|))

    targets: numbers from 0 to 1; integers and bools are converted. reduction: "mean" k = 1/n, where
    n is the number of logits, "sum" k = 1.

    Cost: one exponential and one logarithm per logit. Raises ShapeError if the shapes differ, and
    ArgumentError for logits of integers or an unknown reduction.

    >>> sigmoid_cross_entropy(np.array([0., 1000.]), np.array([1., 1.]), "sum")      # p = 1/2 and 1
    np.float64(0.6931471805599453)
    """
    xp, t = array_module(logits), as_targets(targets, logits)
    negative = logits.real <= 0  # the real part, for the proof by complex steps
    logarithm = xp.log1p(xp.exp(xp.where(negative, logits, -logits)))
    terms = xp.where(negative, 0, logits) - logits * t + logarithm
    return terms.sum() * FACTORS[reduction](logits.size)


def sigmoid_cross_entropy_dlogits(dL, logits, targets, reduction):
    """(...)

    max(z, 0) + ln(1 + e^-|z|) = ln(1 + e^z), and its derivative is e^z / (1 + e^z) = p. Hence

        ∂L/∂z = k (p - t)
    """
    p, t = ops.sigmoid(logits), as_targets(targets, logits)
    return dL * FACTORS[reduction](logits.size) * (p - t)


def sigmoid_cross_entropy_dtargets(dL, logits, reduction):
    """L is linear in t:  ∂L/∂t = -k z"""
    return dL * -FACTORS[reduction](logits.size) * logits


def as_targets(targets, logits):
    """Return the targets as floating-point numbers."""
    return targets if targets.dtype.kind in "fc" else targets.astype(logits.dtype)


def must_be_targets(logits, targets, reduction="mean"):
    """Raise an error if the arguments of sigmoid_cross_entropy do not fit."""
    must_be_floating("logits", logits)
    one_of("reduction", reduction, FACTORS)
    shape = getattr(targets, "shape", ())
    if shape != logits.shape or not logits.size:
        raise ShapeError(
            f"sigmoid_cross_entropy of logits {logits.shape} and targets {shape}; wanted the same "
            "shape twice, without a 0"
        )


sigmoid_cross_entropy = differentiable(
    sigmoid_cross_entropy,
    dlogits=sigmoid_cross_entropy_dlogits,
    dtargets=sigmoid_cross_entropy_dtargets,
    check=must_be_targets,
)
