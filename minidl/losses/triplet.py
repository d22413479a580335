"""The triplet loss compares two distances: that of an anchor to a positive, and that to a negative
(Schroff, Kalenichenko, Philbin 2015, FaceNet, eq. 2, after Weinberger & Saul 2009).

A triplet is an anchor, a positive of the same kind, and a negative of another kind. A hinge loss is
max(z, 0) of a number z. Here it is 0 if the negative is farther from the anchor than the positive,
by at least a margin.

`minidl.recipes.triplets` selects the triplets that are worth training on.
"""

from minidl import ops
from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ArgumentError, ShapeError, one_of
from minidl.ops.directions import inverse, root, square_length
from minidl.ops.masks import masked
from minidl.typing import Operand, Result

# The divisor of the sum of the terms.
DIVISORS = {
    "sum": lambda terms: 1,  # Ng's J
    "mean": lambda terms: max(1, len(terms)),  # most programs
    "mean_active": lambda terms: count(terms),  # Hermans, Beyer, Leibe 2017
}


def triplet_loss(
    anchor: Operand,
    positive: Operand,
    negative: Operand,
    margin: float = 0.2,
    reduction: str = "sum",
    squared: bool = True,
    soft: bool = False,
) -> Result:
    """(N, D), (N, D), (N, D) -> one number

    L = 1/Z Σ_n φ(d(a,p) - d(a,n) + m),      a, p, n: rows of anchor, positive, negative,  m: margin

    d(a,p) = |a - p|² if `squared`, and otherwise |a - p|. φ(z) = ln(1 + e^z) if `soft`, and
    otherwise max(z, 0). The slope of ln(1 + e^z) is never 0; Hermans et al. use it with m = 0.

    reduction: one of

        "sum"          Z = 1              FaceNet, Ng's J
        "mean"         Z = max(1, N)      most programs
        "mean_active"  Z = max(1, P)      P: number of terms above 0 (Hermans et al.)

    L is 0 for N = 0. If all distances are equal, as in a collapsed network, which maps all inputs
    to one point, each term is φ(m).

    Cost: 2·N·D subtractions and as many multiply-adds. Raises ShapeError if the shapes differ, and
    ArgumentError for integers, a negative margin or an unknown reduction.

    >>> a, p, n = np.array([[0., 0.]]), np.array([[1., 0.]]), np.array([[0., 2.]])
    >>> triplet_loss(a, p, n), triplet_loss(a, p, n, margin=4.)           # 1 - 4 + m
    (np.float64(0.0), np.float64(1.0))
    """
    terms = phi(compared(anchor, positive, negative, margin, squared), soft)
    return terms.sum() / DIVISORS[reduction](terms)


def triplet_loss_gradients(
    dL, anchor, positive, negative, margin, reduction, squared, soft, wanted
):
    """(N, D), (N, D), (N, D)

    φ'(z) = sigmoid(z) if `soft`; otherwise φ'(z) is 1 where z > 0, and 0 elsewhere. Z is a
    constant. Let near = a - p and far = a - n. L depends on p only through near, and on n only
    through far:

        ∂L/∂p = -w α near,      ∂L/∂n = w β far,      ∂L/∂a = w (α near - β far),      w = φ'(z) / Z

    If `squared`, α = β = 2, because ∂|near|²/∂a = 2 near. The three gradients are then w times
    2 (p - a), 2 (a - n) and 2 (n - p). Otherwise α = 1/|near| and β = 1/|far|, or 0 where the
    distance is 0. The sum of the three gradients is 0, because moving a triplet as a whole does not
    change L.
    """
    z = compared(anchor, positive, negative, margin, squared)
    slope = ops.sigmoid(z) if soft else ~(z <= 0)
    w = dL / DIVISORS[reduction](phi(z, soft)) * slope
    near, far = anchor - positive, anchor - negative
    alpha, beta = (2, 2) if squared else (inverse(length(near)), inverse(length(far)))
    active = (w != 0)[:, None]  # other triplets have the gradient 0, even if a point is infinite
    dnear = masked((w * alpha)[:, None] * near, active)
    minus_dfar = masked((w * beta)[:, None] * far, active)
    gradients = {"anchor": dnear - minus_dfar, "positive": -dnear, "negative": minus_dfar}
    return {name: gradients[name] for name in wanted}


def compared(anchor, positive, negative, margin, squared):
    """(N,): z = d(a,p) - d(a,n) + m"""
    distance = square_length if squared else length
    return distance(anchor - positive) - distance(anchor - negative) + margin


def phi(z, soft):
    """max(z, 0), or ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|)"""
    xp, negative = array_module(z), z.real <= 0  # the real part, for the proof by complex steps
    hinge = xp.where(negative, 0, z)
    return hinge + xp.log1p(xp.exp(xp.where(negative, z, -z))) if soft else hinge


def count(terms):
    """Return the number of terms above 0, or 1 if there are none."""
    return array_module(terms).maximum((terms.real > 0).sum(dtype=terms.real.dtype), 1)


def length(d):
    """(N, D) -> (N,): |d|"""
    return root(square_length(d))


def check(anchor, positive, negative, margin=0.2, reduction="sum", squared=True, soft=False):
    """Raise an error if the arguments of triplet_loss do not fit."""
    for name, points in (("anchor", anchor), ("positive", positive), ("negative", negative)):
        must_be_floating(name, points)
    one_of("reduction", reduction, DIVISORS)
    if anchor.ndim != 2 or not anchor.shape == positive.shape == negative.shape:
        raise ShapeError(
            f"triplet_loss of anchor {anchor.shape}, positive {positive.shape} and negative "
            f"{negative.shape}; wanted (N, D) three times"
        )
    if not margin >= 0:
        raise ArgumentError(f"margin is {margin}; wanted a number of at least 0")


triplet_loss = differentiable(
    triplet_loss,
    joint={("anchor", "positive", "negative"): triplet_loss_gradients},
    check=check,
)
