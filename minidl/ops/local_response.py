"""Local response normalization divides a number by a power of the squares in the channels around
it. A channel that responds strongly weakens its neighbours.

Source: Krizhevsky, Sutskever, Hinton 2012, "ImageNet Classification with Deep Convolutional Neural
Networks", section 3.3. Today, batch normalization is used instead.
"""

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.shapes import is_int
from minidl.typing import Operand, Result


def local_response_norm(
    x: Operand, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Result:
    """(..., C) -> (..., C)

    y[c] = x[c] / s[c]^β,      s[c] = k + α/n Σ_{j: c - ⌊n/2⌋ ≤ j ≤ c + ⌊(n-1)/2⌋} x[j]²,  n: size

    The sum is over the n channels around channel c. Channels before the first and after the last
    count as 0. alpha, beta, k: α, β and k. The definition is that of PyTorch. The paper has α
    instead of α/n: its network, with k = 2, n = 5, α = 1e-4 and β = 0.75, has alpha=5e-4 here.

    Cost: n + 1 multiplications and additions and one power per number, and twice as many for the
    gradient. Raises ShapeError if x has no axes, and ArgumentError if x is not floating-point or
    `size` is not an int of at least 1.

    >>> local_response_norm(np.array([2., 1., 0.]), 3, alpha=3., beta=1.)      # s = 6, 6, 2
    array([0.33333333, 0.16666667, 0.        ])
    """
    return x * sums_of_squares(x, size, alpha, k) ** -beta


def local_response_norm_dx(dy, x, size, alpha, beta, k):
    """x[j] is in y[j] directly, and in each s[c] whose window W(c) contains j, with
    ∂s[c]/∂x[j] = 2 α/n x[j]. By the product rule,

        ∂y[c]/∂x[j] = [c = j] s[c]^-β - β x[c] s[c]^(-β-1) 2 α/n x[j] [j in W(c)]

        dx[j] = dy[j] s[j]^-β - 2 α β/n x[j] Σ_{c: j in W(c)} dy[c] x[c] s[c]^(-β-1)

    j is in the windows of the channels from j - ⌊(n-1)/2⌋ to j + ⌊n/2⌋.
    """
    s = sums_of_squares(x, size, alpha, k)
    dx = dy * s**-beta
    return dx - 2 * alpha * beta / size * x * window_sums(dx * x / s, (size - 1) // 2, size // 2)


def sums_of_squares(x, size, alpha, k):
    """(..., C) -> (..., C): s of `local_response_norm`"""
    return k + alpha / size * window_sums(x * x, size // 2, (size - 1) // 2)


def window_sums(x, before, after):
    """(..., C) -> (..., C): Σ_{j: c - before ≤ j ≤ c + after} x[j], where x is 0 outside"""
    before, after = min(before, x.shape[-1]), min(after, x.shape[-1])
    borders = [(0, 0)] * (x.ndim - 1) + [(before, after)]
    padded = array_module(x).pad(x, borders)
    return sum(padded[..., tap : tap + x.shape[-1]] for tap in range(before + after + 1))


def check(x, size, alpha=1e-4, beta=0.75, k=1.0):
    """Raise an error if the arguments of local_response_norm do not fit."""
    must_be_floating("x", x)
    if not x.ndim:
        raise ShapeError("local_response_norm of x (); wanted x (..., C)")
    if not is_int(size) or size < 1:
        raise ArgumentError(
            f"local_response_norm with size {brief(size)}; wanted the number of channels of a "
            "window, at least 1"
        )


local_response_norm = differentiable(local_response_norm, dx=local_response_norm_dx, check=check)
