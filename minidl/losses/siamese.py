"""A loss of pairs compares the two points a and b to which one network maps the two pictures of a
pair. The points are to be near each other if the pictures show the same thing or person, and far
apart otherwise.

In every loss here, `same` is true for the pairs that show the same thing. (In the papers, the label
Y is 1 for the others. Public code uses both conventions.) Let d = a - b. The loss l of a pair is a
function of its distance E = |d|. By the chain rule,

    ∂l/∂a = ∂l/∂E ∂E/∂a = ∂l/∂E d/E,      ∂l/∂b = -∂l/∂a

Where a = b, E has a kink. The gradient there is 0.

Cost: N·D subtractions and as many multiply-adds, and as many again for the gradients.
"""

from math import exp
from typing import NamedTuple

from minidl.autograd import differentiable
from minidl.backend import array_module, device_of, must_be_floating
from minidl.errors import ArgumentError, ShapeError
from minidl.ops.directions import inverse, square_length
from minidl.ops.masks import masked
from minidl.typing import Array, Operand, Result

DECAY = 2.77  # in the exponent of the energy loss (Chopra, Hadsell, LeCun 2005)


def siamese_energy_loss(a: Operand, b: Operand, same: Array, q: float = 5.0) -> Result:
    """(N, D), (N, D), (N,) -> one number

    L = 1/N Σ_n l[n],      E = |a[n] - b[n]|
    l[n] = 2 E² / Q where same[n], and 2 Q e^(-2.77 E / Q) elsewhere

    same: bools, or 0 and 1. q: Q, the upper bound of E in the paper (Chopra, Hadsell, LeCun 2005).
    2.77 is about 4 ln 2, so at E = Q/2 both terms are Q/2, up to a thousandth. Q/2 is therefore a
    good first threshold between same and different pairs. `energy_baselines` returns the loss of a
    network that has learned nothing.

    Raises ShapeError if the shapes do not fit. Raises ArgumentError unless q is above 0, or if
    `same` holds other numbers. On a GPU `same` is not checked, and other numbers make the loss NaN.

    >>> a, b = np.array([[3., 4.], [1., 1.]]), np.array([[0., 0.], [1., 1.]])        # E = 5, 0
    >>> siamese_energy_loss(a, b, np.array([1, 0]))
    np.float64(10.0)
    """
    xp, (d, E) = array_module(a), differences(a, b, same)
    return xp.where(same != 0, 2 / q * square_length(d), 2 * q * xp.exp(-DECAY / q * E)).mean()


def siamese_energy_loss_gradients(dL, a, b, same, q, wanted):
    """(N, D), (N, D)

    For one pair,

        ∂l/∂E = 4 E / Q                      where same[n]
        ∂l/∂E = -5.54 e^(-2.77 E / Q)        elsewhere

        ∂L/∂a = 1/N ∂l/∂E d/E,      ∂L/∂b = -∂L/∂a

    In the first case, ∂l/∂E d/E = 4 d / Q, without a division by 0.
    """
    xp, (d, E) = array_module(a), differences(a, b, same)
    slope = xp.where(same != 0, 4 / q, -2 * DECAY * xp.exp(-DECAY / q * E) * inverse(E))
    return along(dL * slope, d, wanted)


def must_be_pairs_and_q(a, b, same, q=5.0):
    """Raise an error if the arguments of siamese_energy_loss do not fit."""
    must_be_pairs("siamese_energy_loss", a, b, same, "q", q)


siamese_energy_loss = differentiable(
    siamese_energy_loss,
    joint={("a", "b"): siamese_energy_loss_gradients},
    check=must_be_pairs_and_q,
)


def contrastive_loss(a: Operand, b: Operand, same: Array, margin: float = 1.0) -> Result:
    """(N, D), (N, D), (N,) -> one number

    L = 1/N Σ_n l[n],      E = |a[n] - b[n]|,  m: margin
    l[n] = 1/2 E² where same[n], and 1/2 max(0, m - E)² elsewhere

    Source: Hadsell, Chopra, LeCun 2006, "Dimensionality Reduction by Learning an Invariant
    Mapping", eq. 4. same: as for `siamese_energy_loss`. Raises the errors of `siamese_energy_loss`,
    with m in place of Q.

    >>> a, b = np.array([[3., 4.], [0., 2.]]), np.zeros((2, 2))        # E = 5, 2
    >>> contrastive_loss(a, b, np.array([1, 0]), margin=5.)
    np.float64(8.5)
    """
    xp, (d, E) = array_module(a), differences(a, b, same)
    short = xp.where(E.real >= margin, 0, margin - E)
    return xp.where(same != 0, square_length(d), short * short).mean() / 2


def contrastive_loss_gradients(dL, a, b, same, margin, wanted):
    """(N, D), (N, D)

    For one pair,

        ∂l/∂E = E                     where same[n]
        ∂l/∂E = -max(0, m - E)        elsewhere

        ∂L/∂a = 1/N ∂l/∂E d/E,      ∂L/∂b = -∂L/∂a
    """
    xp, (d, E) = array_module(a), differences(a, b, same)
    return along(dL * xp.where(same != 0, 1, -xp.maximum(margin - E, 0) * inverse(E)), d, wanted)


def must_be_pairs_and_margin(a, b, same, margin=1.0):
    """Raise an error if the arguments of contrastive_loss do not fit."""
    must_be_pairs("contrastive_loss", a, b, same, "margin", margin)


contrastive_loss = differentiable(
    contrastive_loss,
    joint={("a", "b"): contrastive_loss_gradients},
    check=must_be_pairs_and_margin,
)


class Baselines(NamedTuple):
    """Values of siamese_energy_loss for networks that have learned nothing.

    collapsed: the loss if all E are 0. constant: the loss if all E are `distance`, which is the
    best constant distance.
    """

    collapsed: float
    constant: float
    distance: float


def energy_baselines(q: float = 5.0, share_same: float = 0.5) -> Baselines:
    """Return siamese_energy_loss of a network that maps everything to one point, and of a network
    that keeps all pairs at the best constant distance. A network with a loss near one of these has
    learned nothing.

    q: as in siamese_energy_loss. share_same: the share s of same pairs. Let e = E/Q. The loss
    f(e) = 2 Q (s e² + (1 - s) e^(-2.77 e)) is least where f'(e) = 0, that is where

        2 s e - 2.77 (1 - s) e^(-2.77 e) = 0

    The left side is increasing and concave, so Newton's steps from e = 0 approach its root from
    below. Raises ArgumentError for q or a share out of range.

    >>> print("{:.4f} {:.4f} {:.4f}".format(*energy_baselines(q=5.0)))
    5.0000 2.4437 2.1290
    """
    if not q > 0 or not 0 < share_same < 1:
        raise ArgumentError(
            f"q is {q} and share_same {share_same}; wanted q above 0 and a share between 0 and 1, "
            "both excluded"
        )
    e, s = 0.0, share_same
    for _ in range(100):
        push = DECAY * (1 - s) * exp(-DECAY * e)
        e -= (2 * s * e - push) / (2 * s + DECAY * push)
    return Baselines(2 * q * (1 - s), 2 * q * (s * e * e + (1 - s) * exp(-DECAY * e)), q * e)


def differences(a, b, same):
    """Return d = a - b (N, D) and E = |d| (N,). On a GPU, d is NaN for the pairs whose `same` is
    neither 0 nor 1."""
    d, xp = a - b, array_module(a)
    if device_of(a) == "gpu":
        d = xp.where(((same == 0) | (same == 1))[:, None], d, xp.nan)
    return d, xp.sqrt(square_length(d))


def along(slope, d, wanted):
    """Return {"a": 1/N slope d, "b": -1/N slope d}, or only the wanted one of these.

    slope: (N,), (∂L/∂E) / E of each pair. Where it is 0, the gradient is 0, even if a point is
    infinite.
    """
    da = masked(slope[:, None] * d, (slope != 0)[:, None]) / len(d)
    return {name: da if name == "a" else -da for name in wanted}


def must_be_pairs(op, a, b, same, name, value):
    """Raise an error if a, b and same do not fit, or the parameter of that name is not above 0."""
    device = device_of(a, b, same)
    must_be_floating("a", a)
    must_be_floating("b", b)
    shape = getattr(same, "shape", ())
    if a.ndim != 2 or a.shape != b.shape or shape != a.shape[:1] or not a.size:
        raise ShapeError(
            f"{op} of a {a.shape}, b {b.shape} and same {shape}; wanted (N, D) twice and (N,), N "
            "and D at least 1"
        )
    if not value > 0:
        raise ArgumentError(f"{name} is {value}; wanted a number above 0")
    # Reading `same` would stall a GPU.
    if device == "cpu" and not ((same == 0) | (same == 1)).all():
        raise ArgumentError(
            "same holds other numbers than 0 and 1; wanted True or 1 for each pair that shows the "
            "same, and False or 0 for each other pair"
        )
