"""Pictures as an optimiser should see them: natural ones near, noise far away.

Whoever moves single pixels uphill finds noise that excites a unit and shows nobody anything. So
what is moved are numbers z from which a picture is made, in two steps that each undo a habit of
natural pictures (Olah, Mordvintsev, Schubert 2017, "Feature Visualization", section
"Preconditioning and Parameterization"):

neighbours are alike     In a natural picture a frequency f has an amplitude of about 1/f. z is a spectrum divided by that: a
                         step as large in all z is one of large, soft shapes first. The waves are
                         cosines,

                             u = Bᵀ (s z) B,      B[k,i] = √(2/n) cos(π k (i + ½) / n),  √(1/n) for k = 0,

                         the discrete cosine transform, so that no picture need repeat itself beyond
                         its border.

colours are alike        Red, green and blue rise and fall together. z has a channel for each axis along which they vary by
                         themselves; M leads back, with M Mᵀ the covariance of colours in natural
                         pictures.

A sigmoid keeps the result within 0..255. All is made of proven ops, so that the gradient for z
comes by itself.
"""

import numpy as np

from minidl import ops
from minidl.backend import current_module

# The mean of the covariances of red, green and blue (0..1) within each of the nine pictures that
# minidl ships, all their pixels counted. The tests measure it again.
COVARIANCE = ((0.0507, 0.0398, 0.0212), (0.0398, 0.0426, 0.0296), (0.0212, 0.0296, 0.0383))
STEEPEST = 4  # 1 / the sigmoid's slope at 0: there u and the colours (0..1) change alike


class Parameterization:
    """Of pictures of a height and width, on the current device in float32."""

    def __init__(self, height, width):
        xp = current_module()
        self.scale, self.down, self.across, self.mixing = (
            xp.asarray(constant, np.float32)
            for constant in (
                amplitudes(height, width),
                waves(height),
                waves(width),
                STEEPEST * mixing().T,
            )
        )

    def __call__(self, z):
        """(N, 3, H, W) -> (N, H, W, 3), RGB, 0..255"""
        spectrum = z * self.scale
        by_channel = ops.matmul(ops.matmul(self.down.T, spectrum), self.across)
        return 255 * ops.sigmoid(ops.matmul(by_channel.transpose(0, 2, 3, 1), self.mixing))

    def noise(self, rng, n, size=0.01):
        """(n, 3, H, W): of nearly grey pictures to begin with"""
        return current_module().asarray(
            size * rng.standard_normal((n, 3, *self.scale.shape)), np.float32
        )


def waves(n):
    """(n, n): B, whose rows are waves of k/2 periods; orthonormal, B Bᵀ = 1 (Ahmed, Natarajan, Rao
    1974)

    >>> waves(2).round(3)
    array([[ 0.707,  0.707],
           [ 0.707, -0.707]])
    """
    k, i = np.arange(n)[:, None], np.arange(n)
    return np.sqrt(np.where(k == 0, 1, 2) / n) * np.cos(np.pi * k * (i + 0.5) / n)


def amplitudes(height, width):
    """(H, W): s[k,l] = 1 / f, f = √((k/2H)² + (l/2W)²) in periods a pixel, that of the mean as that
    of the slowest wave; scaled to a mean square of 1, so that numbers z of variance 1 give pixels
    of variance 1 whatever the size."""
    f = np.hypot(np.arange(height)[:, None] / (2 * height), np.arange(width) / (2 * width))
    s = 1 / np.maximum(f, 1 / (2 * max(height, width)))
    return s / np.sqrt((s * s).mean())


def mixing():
    """(3, 3): M = V √Λ, V the eigenvectors of the covariance and Λ its eigenvalues, so that M Mᵀ =
    V Λ Vᵀ; the last column is the axis that varies most, light and dark"""
    variances, axes = np.linalg.eigh(np.array(COVARIANCE))
    return axes * np.sqrt(variances)
