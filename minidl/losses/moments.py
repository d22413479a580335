"""The style loss of moments compares the mean and the deviation of each channel (Li, Wang, Liu, Hou
2017, "Demystifying Neural Style Transfer"; they call them the statistics of batch normalization).

The two statistics are made from m, the mean of the features F over the M positions, and q, the mean
of F². The variance is q - m². Means can be added up over the tiles of a large picture.

    m[n,c] = 1/M Σ_p F[n,p,c],      q[n,c] = 1/M Σ_p F[n,p,c]²
"""

from minidl import ops
from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ArgumentError, ShapeError
from minidl.losses.features import constant_style
from minidl.ops.directions import inverse
from minidl.typing import Array, Operand, Result


def deviation_loss(
    m: Operand, q: Operand, target_mean: Array, target_deviation: Array, epsilon: float = 1e-5
) -> Result:
    """(N, C), (N, C), (N, C), (N, C) -> one number

    L = 1/C Σ_{n,c} ((m - m')² + (σ - σ')²),      σ = √(max(q - m², 0) + e)

    target_mean, target_deviation: m', and σ' = deviation(m', q', epsilon). Both are constants and
    have no gradient.

    epsilon: ε. e = ε v bounds the slope of the root for channels that are nearly constant, v: mean
    variance of the target's channels. It is relative to v, so that the same ε suits features of
    every scale.

    Cost: about ten operations for each of the N·C numbers of m. Raises ShapeError if the shapes
    differ, and ArgumentError for integers or a negative epsilon.

    >>> m, q = np.array([[1.]]), np.array([[10.]])                           # σ = 3
    >>> deviation_loss(m, q, np.array([[3.]]), np.array([[2.]]), epsilon=0)  # 2² + 1²
    np.float64(5.0)
    """
    d, s = m - target_mean, root(m, q, target_deviation, epsilon) - target_deviation
    return (d * d + s * s).sum() / m.shape[1]


def deviation_loss_dq(dL, m, q, target_deviation, epsilon):
    """(N, C)

    The root has the slope ∂σ/∂q = 1 / (2 σ), so

        ∂L/∂q = (σ - σ') / (C σ), and 0 where q ≤ m²
    """
    sigma = root(m, q, target_deviation, epsilon)
    slope = dL / m.shape[1] * (sigma - target_deviation) * inverse(sigma)
    return array_module(m).where(q - m * m <= 0, 0, slope)


def deviation_loss_dm(dL, m, q, target_mean, target_deviation, epsilon):
    """(N, C)

    σ depends on q - m² only, and ∂(q - m²)/∂m = -2 m. Hence

        ∂L/∂m = 2/C (m - m') - 2 m ∂L/∂q
    """
    dq = deviation_loss_dq(dL, m, q, target_deviation, epsilon)
    return 2 * dL / m.shape[1] * (m - target_mean) - 2 * m * dq


def root(m, q, target_deviation, epsilon):
    """(N, C): σ. The target's variances contain e = ε v, so their mean is (1 + ε) v."""
    v = (target_deviation * target_deviation).mean(axis=1, keepdims=True) / (1 + epsilon)
    return array_module(m).sqrt(variance(m, q) + epsilon * v)


def variance(m, q):
    """(N, C): max(q - m², 0). Rounding errors may make q - m² negative. A NaN stays NaN."""
    v = q - m * m
    return array_module(v).where(v.real <= 0, 0, v)


def deviation(m: Array, q: Array, epsilon: float = 1e-5) -> Array:
    """(N, C), (N, C) -> (N, C)

    σ' = √(max(q - m², 0) + ε v),      v: the mean variance of the channels

    Raises ShapeError if the shapes differ, and ArgumentError for integers or a negative epsilon.

    >>> deviation(np.array([[1., 0.]]), np.array([[10., 1.]]), epsilon=0)
    array([[3., 1.]])
    """
    check(m, q, m, q, epsilon)
    v = variance(m, q)
    return array_module(v).sqrt(v + epsilon * v.mean(axis=1, keepdims=True))


def check(m, q, target_mean, target_deviation, epsilon=1e-5):
    """Raise an error if the arguments of deviation_loss do not fit."""
    statistics = {
        "m": m, "q": q, "target_mean": target_mean, "target_deviation": target_deviation,
    }  # fmt: skip
    for name, array in statistics.items():
        must_be_floating(name, array)
    shapes = [array.shape for array in statistics.values()]
    if len({*shapes}) > 1 or m.ndim != 2 or not m.shape[1]:
        raise ShapeError(
            f"found statistics of shapes {', '.join(map(str, shapes))}; wanted the same shape "
            "(N, C), C at least 1"
        )
    must_be_epsilon(epsilon)


def must_be_epsilon(epsilon):
    """Raise ArgumentError unless epsilon is at least 0."""
    if not epsilon >= 0:
        raise ArgumentError(f"epsilon is {epsilon}; wanted a number of at least 0")


deviation_loss = differentiable(
    deviation_loss, dm=deviation_loss_dm, dq=deviation_loss_dq, check=check
)


def moments_loss(generated: Operand, style: Operand, epsilon: float = 1e-5) -> Result:
    """(N, H, W, C), (N, H', W', C) -> one number

    L = 1/C Σ_{n,c} ((m - m')² + (σ - σ')²),      F: generated

    It is the deviation_loss of the m and q of two pictures. style: a constant, which has no
    gradient. epsilon: as for deviation_loss. m and q are means over the M positions, so

        ∂L/∂F[n,p,c] = 1/M (∂L/∂m[n,c] + 2 F[n,p,c] ∂L/∂q[n,c])

    Cost: 2·N·M·C multiply-adds, and as many for the gradient. Raises ShapeError if the shapes do
    not fit, and ArgumentError for integers or a negative epsilon.

    >>> generated, style = np.array([-2., 4.]), np.array([1., 5., 1., 5.])      # 1 ± 3 and 3 ± 2
    >>> moments_loss(generated.reshape(1, 1, 2, 1), style.reshape(1, 2, 2, 1), epsilon=0)
    np.float64(5.0)
    """
    m, q = moments(constant_style("moments_loss", generated, style))
    must_be_epsilon(epsilon)
    return deviation_loss(*moments(generated), m, deviation(m, q, epsilon), epsilon)


def moments(features: Operand) -> tuple[Result, Result]:
    """(N, H, W, C) -> (N, C), (N, C): m and q"""
    return ops.mean(features, axis=(1, 2)), ops.mean(features * features, axis=(1, 2))
