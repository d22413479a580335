"""Losses with one term for each number, in strips, by a few operations in place.

The sum needs no array of all terms, and the gradient no array beside the result.
"""

from math import inf

from minidl.engine.activations import sigmoid_of_strip
from minidl.engine.elementwise import are_floats, in_strips, total_of_strips
from minidl.engine.memory import scratch
from minidl.losses.reduction import of_terms


def huber_loss(predictions, targets, reduction="mean", delta=1.0):
    """L = k Σ m (|d| - m/2),      m = min(|d|, δ),  d = predictions - targets"""
    return _reduced(_huber, reduction, predictions, targets, delta=delta)


def huber_loss_dpredictions(dL, predictions, targets, reduction, delta):
    """∂L/∂predictions = k d, clipped to ±δ"""
    return _gradient(_huber_slope, dL, reduction, predictions, targets, delta=delta)


def _huber(xp, terms, y, t, delta):
    m, half = (scratch(xp, name, y.shape, terms.dtype) for name in ("m", "half"))
    xp.subtract(y, t, out=terms)
    xp.absolute(terms, out=terms)
    xp.clip(terms, 0, delta, out=m)
    terms -= xp.multiply(m, 0.5, out=half)
    terms *= m


def _huber_slope(xp, slope, y, t, delta):
    xp.subtract(y, t, out=slope)
    xp.clip(slope, -delta, delta, out=slope)


def sigmoid_cross_entropy(logits, targets, reduction="mean", *, weights=1.0, positive_weight=1.0):
    """L = k w Σ (max(z, 0) - z t + ln(1 + e^-|z|))"""
    L = _reduced(_cross_entropy, reduction, logits, targets)
    return L if weights == 1 else L * weights


def sigmoid_cross_entropy_dlogits(dL, logits, targets, reduction, weights, positive_weight):
    """∂L/∂z = k w (p - t)"""
    return _gradient(_cross_entropy_slope, dL * weights, reduction, logits, targets)


def sigmoid_cross_entropy_dtargets(dL, logits, reduction, weights, positive_weight):
    """∂L/∂t = -k w z"""
    return _gradient(_minus, dL * weights, reduction, logits)


def is_plain(logits, targets, reduction="mean", *, weights=1.0, positive_weight=1.0):
    """Return whether sigmoid_cross_entropy gets floats, and numbers as weights, that of the answer
    yes being 1."""
    are_numbers = isinstance(weights, (int, float)) and isinstance(positive_weight, (int, float))
    return are_numbers and positive_weight == 1 and are_floats(logits, targets)


def is_plain_gradient(dL, logits, targets, reduction, weights, positive_weight):
    """Return whether the gradient of sigmoid_cross_entropy gets such arguments."""
    return is_plain(logits, targets, weights=weights, positive_weight=positive_weight)


def is_plain_gradient_of_targets(dL, logits, reduction, weights, positive_weight):
    """Return whether the gradient with respect to the targets gets such arguments."""
    return is_plain(logits, logits, weights=weights, positive_weight=positive_weight)


def _cross_entropy(xp, terms, z, t):
    logarithm, product = (scratch(xp, name, z.shape, terms.dtype) for name in ("ln", "zt"))
    xp.absolute(z, out=logarithm)
    xp.negative(logarithm, out=logarithm)
    xp.log1p(xp.exp(logarithm, out=logarithm), out=logarithm)
    xp.clip(z, 0, inf, out=terms)
    terms -= xp.multiply(z, t, out=product)
    terms += logarithm  # last, because it may be much smaller than the others


def _cross_entropy_slope(xp, slope, z, t):
    sigmoid_of_strip(xp, slope, z)
    slope -= t


def _minus(xp, slope, z):
    xp.negative(z, out=slope)


def _reduced(change, reduction, *arrays, **options):
    """Return L, or all terms for the reduction "none"."""
    if reduction == "none":
        return in_strips(change, *arrays, **options)
    total = total_of_strips(change, *arrays, **options)
    return total / arrays[0].size if reduction == "mean" else total


def _gradient(change, dL, reduction, *arrays, **options):
    """Return the slopes of the terms that `change` sets, times those of L."""

    def scaled(xp, slope, dterms, *parts, **options):
        change(xp, slope, *parts, **options)
        slope *= dterms

    if reduction == "none":
        return in_strips(scaled, dL, *arrays, **options)
    dterm = of_terms(dL, reduction, arrays[0].size)
    return in_strips(lambda xp, slope, *parts: scaled(xp, slope, dterm, *parts, **options), *arrays)
