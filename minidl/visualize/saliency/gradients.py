"""Saliency from gradients at the picture: in which pixels a small change would change a number of
the network most.

    gradient            G = ∂F/∂x                                       Simonyan, Vedaldi, Zisserman 2013, section 3
    gradient x input    G (x - b)                                       Shrikumar et al. 2016, with b = 0
    guided              G with another way back through each ReLU       Springenberg et al. 2015; see rectifiers.py
    SmoothGrad          1/n Σ_k ∂F/∂x at x + ε_k,  ε_k ~ N(0, σ²)       Smilkov et al. 2017

x: picture, b: baseline, the picture that says nothing. All of one picture, (*spatial, C), and of a
`scalar` of scalars.py.
"""

import numpy as np

from minidl import ops
from minidl.backend import array_module
from minidl.errors import ArgumentError
from minidl.visualize.rectifiers import RECTIFIERS
from minidl.visualize.scalars import batches, value_and_gradient


def gradient(scalar, picture, rectifier=ops.relu):
    """(*spatial, C) -> (*spatial, C)

    >>> gradient(lambda x: (x * x).sum(axis=(1, 2, 3)), np.array([[[1., 2., 3.]]]))
    array([[[2., 4., 6.]]])
    """
    _, gradients = value_and_gradient(scalar, picture[None], rectifier)
    return gradients[0]


def gradient_times_input(scalar, picture, baseline):
    """(*spatial, C), (*spatial, C) -> (*spatial, C): for a linear F exactly what each number adds
    to F(x) - F(b)"""
    return gradient(scalar, picture) * (picture - baseline)


def guided_gradient(scalar, picture):
    """(*spatial, C) -> (*spatial, C). scalar: a Scalar of a network, whose ReLUs it goes
    through."""
    return gradient(scalar, picture, RECTIFIERS["guided"])


def smooth_gradient(scalar, picture, samples=16, noise=0.15, seed=0):
    """(*spatial, C) -> (*spatial, C)

    noise: σ as a share of the range of the picture's numbers; Smilkov et al. find 0.1 to 0.2 best,
    and take 50 samples.
    """
    if samples < 1 or not noise >= 0:
        raise ArgumentError(
            f"SmoothGrad of {samples} samples with noise {noise}; wanted at least 1, and noise from 0 on"
        )
    xp, rng = array_module(picture), np.random.default_rng(seed)
    sigma, total = noise * (picture.max() - picture.min()), 0
    for part in batches(samples, picture.size):
        draws = xp.asarray(
            rng.standard_normal((part.stop - part.start, *picture.shape), picture.dtype)
        )
        _, gradients = value_and_gradient(scalar, picture + sigma * draws)
        total = total + gradients.sum(axis=0)
    return total / samples
