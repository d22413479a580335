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
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.losses.reduction import REDUCTIONS as REDUCTIONS  # the names that are documented
from minidl.losses.reduction import must_be_reduced, of_terms, reduced
from minidl.ops.masks import masked
from minidl.shapes import is_int
from minidl.typing import Array, Operand, Result


def softmax_cross_entropy(
    logits: Operand,
    labels: Operand,
    reduction: str = "mean",
    *,
    smoothing: float = 0.0,
    weights: Array | None = None,
    ignore: int | None = None,
) -> Result:
    """(..., C), (...) -> one number, or (...) with the reduction "none"

    L = k Σ_n -ln p[n,l],      p[n,c] = e^z[n,c] / Σ_d e^z[n,d],  z: logits,  l = labels[n]

    n stands for the axes in front of the classes: one for the examples of a batch, three for the
    pixels of a batch of pictures. labels: whole numbers (...) from 0 to C - 1. An untrained network
    with C classes has a mean loss of about ln C.

    The label is the special case of a distribution q over the classes, q[n,c] = [c = l], and
    -ln p[n,l] that of a sum over all classes:

        L = k Σ_n Σ_c -a[n,c] ln p[n,c],      a[n,c] = w[c] ((1 - s) q[n,c] + s / C)

    labels: or the probabilities q themselves, floats (..., C). smoothing: s, from 0 to 1. It moves
    a share s of q to all classes alike, so that logits do not grow without end (Szegedy et al.
    2016, section 7). weights: w (C,), such as larger ones for rare classes; by default 1. ignore: a
    label without a class, such as 255 for unknown pixels, whose a is 0.

    reduction: "mean" k = 1/Z, where Z is Σ_n w[labels[n]], or the number of distributions q;
    "sum" k = 1, "none" L[n] = Σ_c -a[n,c] ln p[n,c]. If all labels are ignored, a mean is 0/0 = NaN
    and its gradient 0.

    Cost: C exponentials for each n, and as many again for the gradient; about ten operations per
    logit. Raises ShapeError if the shapes do not fit or a mean has no terms, and ArgumentError for
    other labels, reductions or options. On a GPU labels are not checked, and other labels make the
    loss NaN.

    >>> z = np.log(np.array([[1., 1., 2.], [1., 1., 2.]]))
    >>> softmax_cross_entropy(z, np.array([2, 2]))                         # p = 1/2 each, so ln 2
    np.float64(0.6931471805599453)
    >>> softmax_cross_entropy(z, np.array([2, 0]), "none", ignore=0)
    array([0.69314718, 0.        ])
    """
    a, Z = target(logits, labels, smoothing, weights, ignore)
    minus_log_p = masked(-ops.log_softmax(logits), a != 0)  # 0·ln 0 would be NaN
    return reduced((a * minus_log_p).sum(axis=-1), reduction, Z)


def softmax_cross_entropy_dlogits(dL, logits, labels, reduction, smoothing, weights, ignore):
    """(..., C)

    ln p[c] = z[c] - ln Σ_d e^z[d] has the derivative [c = d] - p[d] with respect to z[d]. Times
    -a[c], and summed over c, it gives

        ∂L/∂z[n,d] = k (p[n,d] Σ_c a[n,c] - a[n,d])

    which is k (p[n,d] - [d = labels[n]]) for plain labels.
    """
    a, Z = target(logits, labels, smoothing, weights, ignore)
    dterms = expanded(of_terms(dL, reduction, Z + (Z == 0)))  # Z is 0 if all labels are ignored
    return dterms * (ops.softmax(logits) * a.sum(axis=-1, keepdims=True) - a)


def softmax_cross_entropy_dlabels(dL, logits, reduction, smoothing, weights):
    """L is linear in probabilities as labels:  ∂L/∂labels[n,c] = -k w[c] (1 - s) ln p[n,c]"""
    w, Z = like(weights, logits), logits.size // logits.shape[-1]
    dterms = expanded(of_terms(dL, reduction, Z))
    return dterms * (-(1 - smoothing) * w * ops.log_softmax(logits))


def target(logits, labels, smoothing, weights, ignore):
    """Return a (..., C) and Z, as softmax_cross_entropy documents them."""
    classes, w = logits.shape[-1], like(weights, logits)
    if labels.ndim == logits.ndim:
        q, counted, Z = labels, 1, logits.size // classes
    else:
        q = one_hot(labels, classes, ignore).astype(logits.real.dtype)
        counted, Z = q.sum(axis=-1, keepdims=True), (w * q).sum()  # counted: 0 where ignored
    return w * ((1 - smoothing) * q + smoothing / classes * counted), Z


def one_hot(labels, classes, ignore):
    """(...) -> (..., C): [c = labels[n]], and 0 where the label is ignored. NaN for any other label
    that is no class."""
    xp, labels = array_module(labels), labels[..., None]
    is_label = labels == xp.arange(classes)
    is_known = is_label.any(axis=-1, keepdims=True)
    if ignore is not None:
        is_ignored = labels == ignore
        is_label, is_known = is_label & ~is_ignored, is_known | is_ignored
    return xp.where(is_known, is_label, xp.nan)


def like(weights, logits):
    """Return weights in the dtype of the logits, or 1 if there are none."""
    return 1 if weights is None else weights.astype(logits.real.dtype)


def expanded(dterms):
    """(...) -> (..., 1), or one number as it is"""
    return dterms[..., None] if getattr(dterms, "ndim", 0) else dterms


def must_be_labels(logits, labels, reduction="mean", *, smoothing=0.0, weights=None, ignore=None):
    """Raise an error if the arguments of softmax_cross_entropy do not fit."""
    device_of(logits, labels, weights)
    must_be_floating("logits", logits)
    shape = getattr(labels, "shape", None)
    shapes = f"logits {logits.shape} and labels {shape or ()}"
    if not logits.ndim or not logits.shape[-1] or shape not in (logits.shape[:-1], logits.shape):
        raise ShapeError(
            f"softmax_cross_entropy of {shapes}; wanted (..., C) and (...), C at least 1, or "
            "(..., C) twice, the labels being probabilities"
        )
    must_be_reduced("softmax_cross_entropy", shapes, reduction, logits.size // logits.shape[-1])
    if not 0 <= smoothing <= 1:
        raise ArgumentError(f"the smoothing is {smoothing}; wanted a number from 0 to 1")
    if weights is not None:
        must_be_floating("weights", weights)
        if weights.shape != logits.shape[-1:]:
            raise ShapeError(
                f"the weights have the shape {weights.shape}; wanted {logits.shape[-1:]}, one for "
                "each class"
            )
    if ignore is not None and not is_int(ignore):
        raise ArgumentError(f"ignore is {brief(ignore)}; wanted an integer, a label")
    if shape == logits.shape:
        must_be_probabilities(labels, ignore)
    else:
        must_be_classes(labels, logits.shape[-1], ignore)


def must_be_probabilities(labels, ignore):
    """Raise ArgumentError unless the labels are floats, of which none are to be ignored."""
    if labels.dtype.kind != "f":
        raise ArgumentError(
            f"the labels have the shape of the logits and are {labels.dtype}; wanted floats, the "
            "probabilities of the classes: use .astype(float)"
        )
    if ignore is not None:
        raise ArgumentError(
            f"ignore is {ignore}, but the labels are probabilities; give probabilities of 0 to the "
            "examples to leave out"
        )


def must_be_classes(labels, classes, ignore):
    """Raise ArgumentError unless the labels are integers and, on a CPU, classes or to be
    ignored."""
    if labels.dtype.kind not in "iu":
        raise ArgumentError(
            f"the labels are {labels.dtype}; wanted integers, the numbers of the classes: use "
            ".astype(int)"
        )
    if device_of(labels) == "gpu":  # Reading the labels would stall it.
        return
    counted = labels if ignore is None else labels[labels != ignore]
    if counted.size and not (counted.min() >= 0 and counted.max() < classes):
        raise ArgumentError(
            f"the labels go from {counted.min()} to {counted.max()}; wanted numbers from 0 to "
            f"{classes - 1}, because each row has {classes} logits"
        )


softmax_cross_entropy = differentiable(
    softmax_cross_entropy,
    dlogits=softmax_cross_entropy_dlogits,
    dlabels=softmax_cross_entropy_dlabels,
    check=must_be_labels,
)
