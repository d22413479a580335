"""Errors planted in distances, directions and the triplet loss."""

import numpy as np

from minidl import losses, ops
from minidl.ops.arithmetic import unbroadcast
from minidl.ops.directions import inverse
from tests.planted_errors.plant import FORWARD, GRADIENT, Plant, wrong


def lengths(x, axis=-1):
    return np.sqrt((x * x).sum(axis=axis, keepdims=True))


@np.errstate(all="ignore")
def division_by_a_length_of_0(x, axis=-1):
    return x / lengths(x, axis)


def dx_of_constant_length(dy, x, axis):
    return dy * inverse(lengths(x, axis))


def da_of_constant_length(dy, a, b):
    return dy[..., None] * ops.l2_normalize.forward(b) * inverse(lengths(a))


def by_the_gram_matrix(a, b=None, squared=False):
    """|a|² + |b|² - 2 a·b, which for equal points leaves rounding errors."""
    b = a if b is None else b
    s = lengths(a) ** 2 + lengths(b).T ** 2 - 2 * a @ b.T
    return s if squared else np.sqrt(abs(s))


def rows_only(dy, y, a, b, squared):
    """In one set, each pair counts as (i, j) but not as (j, i)."""
    return ops.pairwise_distances.gradients["da"](dy, y, a, a, squared)


def same_sign_for_b(dy, y, a, b, squared):
    return -ops.pairwise_distances.gradients["db"](dy, y, a, b, squared)


def root_without_its_slope(dy, y, a, b, squared):
    return ops.pairwise_distances.gradients["da"](dy, y, a, b, True)


@np.errstate(all="ignore")
def slope_of_a_distance_of_0(dy, y, a, b, squared):
    """Divide by distances of 0."""
    W = 2 * dy if squared else dy / y
    return (W[..., None] * (a[:, None] - b)).sum(axis=1)


def da_of_constant_divisor(dy, a, b, a_shape):
    return unbroadcast(dy * (2 * (a - b) * inverse(a + b)), a_shape)


@np.errstate(all="ignore")
def zero_by_zero(dy, a, b, a_shape):
    return unbroadcast(dy * ((a - b) * (a + 3 * b) / (a + b) ** 2), a_shape)


def triplets_without_hinge(
    anchor, positive, negative, margin=0.2, reduction="sum", squared=True, soft=False
):
    points, large = (anchor, positive, negative), 1e3
    return losses.triplet_loss.forward(*points, margin + large, "mean", squared, soft) - large


def triplets_swapped(
    anchor, positive, negative, margin=0.2, reduction="sum", squared=True, soft=False
):
    return losses.triplet_loss.forward(anchor, negative, positive, margin, reduction, squared, soft)


def all_triplets_counted(
    anchor, positive, negative, margin=0.2, reduction="sum", squared=True, soft=False
):
    reduction = reduction.removesuffix("_active")
    return losses.triplet_loss.forward(anchor, positive, negative, margin, reduction, squared, soft)


def triplet_gradient(name, **other):
    """Return the right gradient, but for other options.

    other: {option: function that changes its value}.
    """

    def gradient(dL, anchor, positive, negative, margin, reduction, squared, soft):
        given = {"margin": margin, "reduction": reduction, "squared": squared, "soft": soft}
        given |= {option: change(given[option]) for option, change in other.items()}
        return losses.triplet_loss.gradients[f"d{name}"](dL, anchor, positive, negative, **given)

    return gradient


def positive_forgotten(dL, anchor, positive, negative, margin, reduction, squared, soft):
    """Only the negative contributes to the anchor's gradient."""
    return -losses.triplet_loss.gradients["dnegative"](
        dL, anchor, positive, negative, margin, reduction, squared, soft
    )


COSINE, PAIRWISE, TRIPLET = "cosine_similarity", "pairwise_distances", "triplet_loss"

without_hinge = triplet_gradient("negative", margin=lambda margin: 1e3)
summed = triplet_gradient("positive", reduction=lambda reduction: "sum")
with_hinge = triplet_gradient("anchor", soft=lambda soft: False)
of_squares = triplet_gradient("anchor", squared=lambda squared: True)

DISTANCES = [
    Plant("a vector of zeros divided by its length", "l2_normalize",
          wrong(ops.l2_normalize, division_by_a_length_of_0), FORWARD),
    Plant("length treated as constant", "l2_normalize",
          wrong(ops.l2_normalize, dx=dx_of_constant_length), GRADIENT),
    Plant("length of a treated as constant", COSINE,
          wrong(ops.cosine_similarity, da=da_of_constant_length), GRADIENT),
    Plant("equal points by the Gram matrix", f"{PAIRWISE}[duplicates]",
          wrong(ops.pairwise_distances, by_the_gram_matrix), FORWARD),
    Plant("each pair counted once", f"{PAIRWISE}[one-set]",
          wrong(ops.pairwise_distances, da=rows_only), GRADIENT),
    Plant("minus missing for b", PAIRWISE, wrong(ops.pairwise_distances, db=same_sign_for_b),
          GRADIENT),
    Plant("root forgotten in the gradient", PAIRWISE,
          wrong(ops.pairwise_distances, da=root_without_its_slope), GRADIENT),
    Plant("slope of a distance of 0", f"{PAIRWISE}[duplicates]",
          wrong(ops.pairwise_distances, da=slope_of_a_distance_of_0), GRADIENT),
    Plant("divisor treated as constant", "chi_square",
          wrong(ops.chi_square, da=da_of_constant_divisor), GRADIENT),
    Plant("0/0 in the gradient", "chi_square", wrong(ops.chi_square, da=zero_by_zero), GRADIENT),
    Plant("hinge missing", TRIPLET, wrong(losses.triplet_loss, triplets_without_hinge), FORWARD),
    Plant("positive and negative swapped", TRIPLET, wrong(losses.triplet_loss, triplets_swapped),
          FORWARD),
    Plant("all triplets counted", TRIPLET, wrong(losses.triplet_loss, all_triplets_counted),
          FORWARD),
    Plant("hinge missing in the gradient", TRIPLET,
          wrong(losses.triplet_loss, dnegative=without_hinge), GRADIENT),
    Plant("triplets summed, not averaged", TRIPLET, wrong(losses.triplet_loss, dpositive=summed),
          GRADIENT),
    Plant("soft form with the gradient of the hinge", TRIPLET,
          wrong(losses.triplet_loss, danchor=with_hinge), GRADIENT),
    Plant("gradient of squares for roots", f"{TRIPLET}[duplicates]",
          wrong(losses.triplet_loss, danchor=of_squares), GRADIENT),
    Plant("positive forgotten", TRIPLET, wrong(losses.triplet_loss, danchor=positive_forgotten),
          GRADIENT),
]  # fmt: skip
