"""The Wasserstein style loss measures how far the features of one picture have to move until they
have the mean and the covariance of those of another.

Two Gaussians with the means m, m' and the covariances S, S' have the squared Wasserstein-2 distance
(Dowson, Landau 1982; Olkin, Pukelsheim 1982)

    W = |m - m'|² + tr(S + S' - 2 (A S A)^(1/2)),      A = S'^(1/2)

The cheapest map of the first onto the second is x → m' + K (x - m), with

    K = A (A S A)^(-1/2) A,      K S K = S'

The trace of a function f of a symmetric matrix B has the differential d tr f(B) = tr(f'(B) dB).
With f the square root and B = A S A,

    d tr (A S A)^(1/2) = 1/2 tr((A S A)^(-1/2) A dS A) = 1/2 tr(K dS),      so      ∂W/∂S = I - K

For a position x = F[n,p] of M, the gradient of W by the chain rule through m and S is
2 (x - m' - K (x - m)) / M. A step against it moves x towards its image under the cheapest map.
"""

from minidl import ops
from minidl.autograd import constant, differentiable, plain
from minidl.backend import array_module, must_be_floating
from minidl.dispatch import replaceable
from minidl.errors import ShapeError
from minidl.losses.features import constant_style
from minidl.losses.gram import gram_matrix
from minidl.losses.moments import must_be_epsilon
from minidl.ops.directions import inverse
from minidl.typing import Array, Operand, Result


def gaussian_loss(
    m: Operand, G: Operand, target_mean: Array, target_root: Array, epsilon: float = 1e-3
) -> Result:
    """(N, C), (N, C, C), (N, C), (N, C, C) -> one number

    L = 1/C Σ_n (|m - m'|² + tr(S + S' - 2 (A S A)^(1/2))),      S = G - m mᵀ + e I

    By the derivation at the head of this file, and because S contains -m mᵀ,

        ∂L/∂G = 1/C (I - K),      ∂L/∂m = 2/C (K m - m')

    m: mean of the features over the positions. G: gram_matrix(features, "positions"); only its
    symmetric part counts. target_mean: m'. target_root: A = covariance_root(m', G', epsilon), whose
    square is S'. Both are constants and have no gradient.

    epsilon: ε. e = ε v, v: mean variance of the target's channels. The features of few positions
    have no variance in many directions. e I adds variance in every direction, so that K is at most
    √(λ/e), λ: largest eigenvalue of S'. e is relative to v, so that the same ε suits features of
    every scale.

    Cost: C³ multiply-adds about ten times, for one eigendecomposition, which value and gradient
    share. It is computed in float64, because K divides by the roots of the eigenvalues of A S A,
    which are at least e. Raises ShapeError if the shapes do not fit, and ArgumentError for
    integers or a negative epsilon.

    >>> m, G = np.array([[1.]]), np.array([[[10.]]])                             # S = 9
    >>> gaussian_loss(m, G, np.array([[3.]]), np.array([[[2.]]]), epsilon=0)     # 2² + (3 - 2)²
    np.float64(5.0)
    """
    check(m, G, target_mean, target_root, epsilon)
    m_t = constant("gaussian_loss", "target_mean", target_mean)
    A = constant("gaussian_loss", "target_root", target_root)
    K, fidelity = transport(plain(m), plain(G), A, epsilon)
    return tangent(m, G, m_t, A, K, fidelity, epsilon)


def tangent(m, G, target_mean, target_root, K, fidelity, epsilon):
    """(N, C), (N, C, C), (N, C), (N, C, C), (N, C, C), (N,) -> one number

    L = 1/C Σ_n (|m - m'|² + tr S + tr S' - tr(K S) - f),      f = tr (A S A)^(1/2): fidelity

    K and f are computed before and are constants here. tr(K S) = tr (A S A)^(1/2) = f, so L is the
    distance. As a function of S it is the tangent to the distance, so the gradients are equal too.
    """
    A, C = target_root.astype("float64"), m.shape[1]
    S = covariance(m, G) + added(A, epsilon)
    d, traces = m - target_mean, S.trace(axis1=1, axis2=2) + (A * A).sum(axis=(1, 2))
    W = (d * d).sum(axis=1) + traces - (K * S).sum(axis=(1, 2)) - fidelity
    return (W.sum() / C).astype(m.dtype)


def tangent_dG(dL, K):  # noqa: N802  G is its name in the papers
    """(N, C, C): ∂L/∂G = ∂L/∂S = 1/C (I - K)"""
    C = K.shape[1]
    return ((array_module(K).eye(C) - K) / C).astype(dL.dtype) * dL


def tangent_dm(dL, m, target_mean, K):
    """(N, C)

    S contains -m mᵀ, and K is symmetric, so

        ∂L/∂m = 2/C ((m - m') - (I - K) m) = 2/C (K m - m')
    """
    K_m = (K @ m[..., None])[..., 0]
    return (2 / m.shape[1] * (K_m - target_mean)).astype(dL.dtype) * dL


tangent = differentiable(tangent, dm=tangent_dm, dG=tangent_dG)


def transport(m, G, target_root, epsilon):
    """(N, C), (N, C, C), (N, C, C) -> (N, C, C), (N,): K and tr (A S A)^(1/2), in float64

    With the eigenvalues λ and eigenvectors U of A S A,  K = (A U) λ^(-1/2) (A U)ᵀ.
    S and A² are at least e I, so that λ ≥ e². Smaller eigenvalues are rounding errors.
    """
    xp, A = array_module(m), target_root.astype("float64")
    eI = added(A, epsilon)
    values, U = eigenvectors(A @ (covariance(m, G) + eI) @ A)
    roots, AU = xp.sqrt(xp.maximum(values, eI[:, 0, :1] ** 2)), A @ U
    return AU * inverse(roots)[:, None] @ AU.mT, roots.sum(axis=1)


def covariance(m, G):
    """(N, C), (N, C, C) -> (N, C, C): the symmetric part of G, minus m mᵀ, in float64"""
    m, G = m.astype("float64"), G.astype("float64")
    return (G + G.mT) / 2 - m[:, :, None] * m[:, None]


@replaceable
def eigenvectors(B):
    """(N, C, C) -> (N, C), (N, C, C): the eigenvalues and eigenvectors of symmetric matrices

    Each matrix is decomposed alone, because CuPy's method for several is made for small ones. If
    one contains NaN or infinity, NumPy may raise an error; here its eigenvalues are NaN.
    """
    xp = array_module(B)
    finite = xp.isfinite(B).all(axis=(1, 2), keepdims=True)
    values, U = zip(*map(xp.linalg.eigh, xp.where(finite, B, 0)), strict=True)
    return xp.where(finite[:, 0], xp.stack(values), xp.nan), xp.stack(U)


def added(A, epsilon):
    """(N, C, C): e I, e = ε v. A² contains it, so that tr A² = (1 + ε) C v."""
    C = A.shape[1]
    v = (A * A).sum(axis=(1, 2)) / (C * (1 + epsilon))
    return epsilon * v[:, None, None] * array_module(A).eye(C)


def covariance_root(m: Array, G: Array, epsilon: float = 1e-3) -> Array:
    """(N, C), (N, C, C) -> (N, C, C)

    A = (G - m mᵀ + ε v I)^(1/2),      v: mean variance of the channels

    m, G, epsilon: as for gaussian_loss. Raises ShapeError if the shapes do not fit, and
    ArgumentError for integers or a negative epsilon.

    >>> covariance_root(np.array([[1., 0.]]), np.array([[[10., 0.], [0., 4.]]]), epsilon=0)
    array([[[3., 0.],
            [0., 2.]]])
    """
    check(m, G, m, G, epsilon)
    xp, S = array_module(m, G), covariance(m, G)
    values, U = eigenvectors(S)
    values = xp.maximum(values, 0)
    roots = xp.sqrt(values + epsilon * values.mean(axis=1, keepdims=True))
    return (U * roots[:, None] @ U.mT).astype(G.dtype)


def check(m, G, target_mean, target_root, epsilon):
    """Raise an error if the arguments of gaussian_loss do not fit."""
    statistics = {"m": m, "G": G, "target_mean": target_mean, "target_root": target_root}
    for name, array in statistics.items():
        must_be_floating(name, array)
    must_be_epsilon(epsilon)
    vectors, matrices = (m.shape, target_mean.shape), (G.shape, target_root.shape)
    fit = m.ndim == 2 and 0 not in m.shape and {*vectors} == {m.shape}
    if not fit or {*matrices} != {(*m.shape, m.shape[1])}:
        shapes = ", ".join(str(array.shape) for array in statistics.values())
        raise ShapeError(
            f"found statistics of shapes {shapes}; wanted (N, C), (N, C, C), (N, C), (N, C, C), N "
            "and C at least 1"
        )


def wasserstein_loss(generated: Operand, style: Operand, epsilon: float = 1e-3) -> Result:
    """(N, H, W, C), (N, H', W', C) -> one number

    L = 1/C Σ_n W[n],      W: squared distance of the Gaussians of both pictures,  F: generated

    It is the gaussian_loss of their means and Gram matrices. style: a constant, which has no
    gradient. Let x = F[n,p], the numbers of a position. By the chain rule through m and G,

        ∂L/∂F[n,p] = 2/(C M) (x - m' - K (x - m))

    epsilon: as for gaussian_loss.

    Cost: N·(M + M')·C² multiply-adds for the Gram matrices, and two eigendecompositions. Raises
    ShapeError if the shapes do not fit, and ArgumentError for integers or a negative epsilon.

    >>> generated, style = np.array([-2., 4.]), np.array([1., 5., 1., 5.])      # 1 ± 3 and 3 ± 2
    >>> loss = wasserstein_loss(generated.reshape(1, 1, 2, 1), style.reshape(1, 2, 2, 1), epsilon=0)
    >>> loss.round(9)
    np.float64(5.0)
    """
    m, G = mean_and_gram(constant_style("wasserstein_loss", generated, style))
    must_be_epsilon(epsilon)
    return gaussian_loss(*mean_and_gram(generated), m, covariance_root(m, G, epsilon), epsilon)


def mean_and_gram(features: Operand) -> tuple[Result, Result]:
    """(N, H, W, C) -> (N, C), (N, C, C): m and G"""
    return ops.mean(features, axis=(1, 2)), gram_matrix(features, "positions")
