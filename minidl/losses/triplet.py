"""The triplet loss: an anchor shall be nearer to a positive, of its own kind, than to a negative,
of another, by a margin (Schroff, Kalenichenko, Philbin 2015, FaceNet, eq. 2; Weinberger & Saul 2009
for the idea).

Which triplets are worth training on is the business of `minidl.recipes.triplets`.
"""

from minidl import ops
from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ArgumentError, ShapeError, one_of
from minidl.ops.directions import inverse, root
from minidl.ops.half import summed_in_float32
from minidl.ops.masks import masked

# What the sum of the terms is divided by.
DIVISORS = {
    "sum": lambda terms: 1,  # Ng's J
    "mean": lambda terms: max(1, len(terms)),  # most programs
    "mean_active": lambda terms: _count(terms),  # Hermans, Beyer, Leibe 2017
}


@summed_in_float32
def triplet_loss(anchor, positive, negative, margin=0.2, reduction="sum", squared=True, soft=False):
    """(N, D), (N, D), (N, D) -> one number

    L = 1/Z Σ_n φ(d(a,p) - d(a,n) + m),      a, p, n: row n of anchor, positive and negative,  m: margin

    d(a,p) = |a - p|², or with squared=False its root |a - p|;  φ(z) = max(z, 0), or with `soft`
    log(1 + e^z), which goes on pulling where the hinge rests (Hermans' has m = 0).
    reduction: "sum" Z = 1 (FaceNet, Ng's J), "mean" Z = N, "mean_active" Z = the number of terms
    above 0 (Hermans' "batch all, ≠ 0"), where it is not 0.

    Without triplets (N = 0) L is 0. A collapsed network, all of d = 0, has terms of φ(m), and so
    has any constant distance.

    Cost: N·D subtractions and multiply-adds, twice.

    >>> a, p, n = np.array([[0., 0.]]), np.array([[1., 0.]]), np.array([[0., 2.]])
    >>> triplet_loss(a, p, n), triplet_loss(a, p, n, margin=4.)           # 1 - 4 + m
    (np.float64(0.0), np.float64(1.0))
    """
    _, _, z = _compared(anchor, positive, negative, margin, squared)
    terms = _terms(z, soft)
    return terms.sum() / DIVISORS[one_of("reduction", reduction, DIVISORS)](terms)


@summed_in_float32
def triplet_loss_gradients(
    dL, anchor, positive, negative, margin, reduction, squared, soft, wanted
):
    """φ'(z) is 0 where z ≤ 0 and else 1, or with `soft` sigmoid(z); Z counts and does not move.
    With
    near = a - p and far = a - n, ∂|near|²/∂a = 2 near and ∂|near|/∂a = near / |near|, 0 where near
    is 0;
    p and n enter by near or far alone:

        ∂L/∂p = -w α near,      ∂L/∂n = w β far,      ∂L/∂a = w (α near - β far),      w = φ'(z) / Z

    α = β = 2, or of roots α = 1/|near| and β = 1/|far|. The three add up to 0: moving a triplet as
    a whole changes nothing. Of squared distances they are the familiar 2 (p - a), 2 (a - n) and 2
    (n - p).
    """
    near, far, z = _compared(anchor, positive, negative, margin, squared)
    Z = DIVISORS[reduction](_terms(z, soft))
    w = dL / Z * (ops.sigmoid.forward(z) if soft else ~(z <= 0))
    alpha, beta = (2, 2) if squared else (inverse(root(_squares(each))) for each in (near, far))
    # the gradient of an inactive triplet is 0, even where a point is infinite
    active = (w != 0)[:, None]
    along_near, along_far = (
        masked((w * alpha)[:, None] * near, active),
        masked((w * beta)[:, None] * far, active),
    )
    found = {"anchor": along_near - along_far, "positive": -along_near, "negative": along_far}
    return {name: found[name] for name in wanted}


triplet_loss = differentiable(triplet_loss, danchor_dpositive_dnegative=triplet_loss_gradients)


def _compared(anchor, positive, negative, margin, squared):
    """near = a - p and far = a - n (N, D), z = d(a,p) - d(a,n) + m (N,)"""
    array_module(anchor, positive, negative)
    for name, points in (("anchor", anchor), ("positive", positive), ("negative", negative)):
        must_be_floating(name, points)
    if anchor.ndim != 2 or not anchor.shape == positive.shape == negative.shape:
        raise ShapeError(
            f"triplet_loss of anchor {anchor.shape}, positive {positive.shape} and negative {negative.shape}; wanted (N, D) "
            "three times"
        )
    if not margin >= 0:
        raise ArgumentError(f"margin is {margin}; wanted a number of at least 0")
    near, far = anchor - positive, anchor - negative
    if squared:
        return near, far, _squares(near) - _squares(far) + margin
    return near, far, root(_squares(near)) - root(_squares(far)) + margin


def _count(terms):
    """Of those above 0, at least 1"""
    return array_module(terms).maximum((terms.real > 0).sum(dtype=terms.real.dtype), 1)


def _squares(difference):
    return (difference * difference).sum(axis=1)


def _terms(z, soft):
    xp, rests = array_module(z), z.real <= 0  # of the real part, for the proof by complex steps
    hinge = xp.where(rests, 0, z)
    return hinge + xp.log1p(xp.exp(xp.where(rests, z, -z))) if soft else hinge
