"""The cross-entropy of softmax with whole numbers as labels, in strips of rows that fit the cache,
on all threads.

The target is never built as an array of the size of the logits: it has one number for each label,
and one for each class.
"""

from math import prod

import numpy as np

from minidl.backend import array_module
from minidl.engine.memory import empty, scratch
from minidl.engine.softmax import largest, sums
from minidl.engine.strips import equal_parts, fair_strip
from minidl.engine.threads import parallel_map
from minidl.losses.cross_entropy import like
from minidl.losses.reduction import of_terms


def softmax_cross_entropy(
    logits, labels, reduction="mean", *, smoothing=0.0, weights=None, ignore=None
):
    """L = k Σ_n (A[n] ln Σ_c e^z[n,c] - Σ_c a[n,c] z[n,c]),      A[n] = Σ_c a[n,c]

    With w = 0 for ignored labels l, Σ_c a z = (1 - s) w[l] z[l] + s/C Σ_c w[c] z[c].
    """
    target = _Target(logits, labels, smoothing, weights, ignore)
    rows = _rows(logits)
    terms = np.empty(len(rows), logits.dtype)

    def work(part):
        z = rows[part]
        far = largest(z)
        powers = np.subtract(z, far, out=scratch(np, "powers", z.shape, z.dtype))
        logarithms, far = np.log(sums(np.exp(powers, out=powers)))[:, 0], far[:, 0]
        chosen = z[np.arange(len(z)), target.labels[part]] - far
        terms[part] = target.of_label[part] * (logarithms - chosen)
        if smoothing:
            total = z @ target.weights - target.total * far
            terms[part] += target.of_all[part] * (target.total * logarithms - total)
        if ignore is not None:
            terms[part][~target.counted[part]] = 0

    parallel_map(np, work, _strips(rows))
    if reduction == "none":
        return terms.reshape(labels.shape)
    return terms.sum() / target.Z if reduction == "mean" else terms.sum()


def softmax_cross_entropy_dlogits(dL, logits, labels, reduction, smoothing, weights, ignore):
    """∂L/∂z[n,d] = k (A[n] p[n,d] - a[n,d])"""
    target = _Target(logits, labels, smoothing, weights, ignore)
    rows, dterms = _rows(logits), of_terms(dL, reduction, target.Z + (target.Z == 0))
    dterms = np.broadcast_to(np.asarray(dterms, logits.dtype).reshape(-1), len(rows))
    dz = empty(np, rows.shape, logits.dtype)

    def work(part):
        out, of_label = dz[part], dterms[part] * target.of_label[part]
        np.exp(np.subtract(rows[part], largest(rows[part]), out=out), out=out)
        factors = of_label[:, None]
        if smoothing:
            of_all = (dterms[part] * target.of_all[part])[:, None]
            out *= (factors + of_all * target.total) / sums(out)
            out -= of_all * target.weights
        else:
            out *= factors / sums(out)
        out[np.arange(len(out)), target.labels[part]] -= of_label

    parallel_map(np, work, _strips(rows))
    return dz.reshape(logits.shape)


def has_labels(logits, labels, *others, **options):
    """Return whether softmax_cross_entropy gets floats, and integers as labels, on a CPU."""
    return array_module(logits) is np and logits.dtype.kind == "f" and labels.dtype.kind in "iu"


def is_gradient_of_labels(dL, logits, labels, *others, **options):
    """Return whether the gradient of softmax_cross_entropy gets such arrays."""
    return has_labels(logits, labels)


class _Target:
    """The target of each row, from labels (...).

    labels: (R,), 0 where they are ignored. counted: (R,), whether they are not. of_label: (R,),
    (1 - s) w[l], the part of a that the label has. of_all: (R,), s/C, the factor of w in the part
    that all classes have. weights: (C,), w. total: Σ_c w[c]. Z: Σ_n w[labels[n]].
    """

    def __init__(self, logits, labels, smoothing, weights, ignore):
        classes, dtype = logits.shape[-1], logits.dtype
        labels = labels.reshape(-1)
        self.counted = np.ones(labels.shape, bool) if ignore is None else labels != ignore
        self.labels = labels if ignore is None else np.where(self.counted, labels, 0)
        self.weights = np.ones(classes, dtype) if weights is None else like(weights, logits)
        self.total = self.weights.sum()
        counted = self.counted.astype(dtype)
        of_labels = counted if weights is None else counted * self.weights[self.labels]
        self.Z = of_labels.sum()
        self.of_label = of_labels * dtype.type(1 - smoothing)
        self.of_all = counted * dtype.type(smoothing / classes)


def _rows(x):
    """(..., C) -> (R, C)"""
    return x.reshape(prod(x.shape[:-1]), x.shape[-1])


def _strips(rows):
    """Return slices of the rows (R, C)."""
    return equal_parts(len(rows), max(1, fair_strip(np, rows.size) // rows.shape[1]))
