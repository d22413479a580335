"""Pictures as a function of variables z, in which gradient ascent finds natural pictures.

Gradient ascent on single pixels finds noise that activates a unit but shows nothing. With z, a step
has the statistics of natural pictures (Olah, Mordvintsev, Schubert 2017, "Feature Visualization",
section "Preconditioning and Parameterization"):

Adjacent pixels are similar. The amplitude of a frequency f is about proportional to 1/f. z is a
    spectrum divided by such amplitudes s. A step of equal size in all z therefore changes large,
    smooth shapes most. The transform is the discrete cosine transform, which does not make the
    picture periodic:

        u = Bᵀ (s z) B,      B[k,i] = √(2/n) cos(π k (i + ½) / n),  √(1/n) for k = 0

Red, green and blue are correlated. z has one channel for each principal axis of the colours, along
    which they vary independently. M maps these axes to colours; M Mᵀ is the covariance of the
    colours in natural pictures.

A sigmoid keeps the result within 0..255. All steps are ops, so their gradients are known.
"""

import numpy as np

from minidl import ops
from minidl.backend import current_module
from minidl.typing import Array, Operand

# Mean of the covariances of red, green and blue (0..1) within each of the nine pictures that minidl
# ships. The tests compute it again.
COVARIANCE = ((0.0507, 0.0398, 0.0212), (0.0398, 0.0426, 0.0296), (0.0212, 0.0296, 0.0383))
STEEPEST = 4  # 1 / (slope of the sigmoid at 0): near grey, u and the colours (0..1) change alike


class Parameterization:
    """Pictures (height, width, 3) as a function of z, on the current device, in float32."""

    def __init__(self, height: int, width: int) -> None:
        xp = current_module()
        self.scale = xp.asarray(amplitudes(height, width), np.float32)
        self.down = xp.asarray(waves(height), np.float32)
        self.across = xp.asarray(waves(width), np.float32)
        self.mixing = xp.asarray(STEEPEST * mixing().T, np.float32)

    def __call__(self, z: Operand) -> Operand:
        """Return pictures (N, H, W, 3), RGB, 0..255, for z (N, 3, H, W)."""
        spectrum = z * self.scale
        by_channel = ops.matmul(ops.matmul(self.down.T, spectrum), self.across)
        return 255 * ops.sigmoid(ops.matmul(by_channel.transpose(0, 2, 3, 1), self.mixing))

    def noise(self, rng: np.random.Generator, n: int, size: float = 0.01) -> Array:
        """Return a random z (n, 3, H, W), drawn by `rng`, to start from. size: standard deviation;
        the default gives nearly grey pictures."""
        z = size * rng.standard_normal((n, 3, *self.scale.shape))
        return current_module().asarray(z, np.float32)


def waves(n: int) -> np.ndarray:
    """Return B (n, n), whose row k is a cosine of k/2 periods. B is orthonormal: B Bᵀ = 1 (Ahmed,
    Natarajan, Rao 1974).

    >>> waves(2).round(3)
    array([[ 0.707,  0.707],
           [ 0.707, -0.707]])
    """
    k, i = np.arange(n)[:, None], np.arange(n)
    return np.sqrt(np.where(k == 0, 1, 2) / n) * np.cos(np.pi * k * (i + 0.5) / n)


def amplitudes(height: int, width: int) -> np.ndarray:
    """Return s (H, W):  s[k,l] = 1 / f,  f = √((k/2H)² + (l/2W)²)  in periods per pixel, with H the
    height and W the width.

    The constant term has the amplitude of the slowest wave. s is scaled to a mean square of 1, so
    that z of variance 1 gives pixels of variance 1 for every size.
    """
    f = np.hypot(np.arange(height)[:, None] / (2 * height), np.arange(width) / (2 * width))
    s = 1 / np.maximum(f, 1 / (2 * max(height, width)))
    return s / np.sqrt((s * s).mean())


def mixing() -> np.ndarray:
    """Return M = V √Λ (3, 3), where COVARIANCE = V Λ Vᵀ, so that M Mᵀ = COVARIANCE. The last column
    is the axis of the largest variance, which is the lightness."""
    variances, axes = np.linalg.eigh(np.array(COVARIANCE))
    return axes * np.sqrt(variances)
