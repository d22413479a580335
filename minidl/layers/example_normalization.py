"""These layers normalize each example on its own, and compute the same in training and afterwards.

A call raises the errors of the op that it runs.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minidl import ops
from minidl.autograd import Tensor, plain
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.layers.initializers import constant, zeros
from minidl.layers.module import Module
from minidl.ops.example_normalization import group_moments
from minidl.shapes import is_int
from minidl.typing import Operand, PerAxis, Result, Shape


class _Normalization(Module):
    """γ and β of a shape, or None without `affine`."""

    def __init__(self, shape: int | Shape, epsilon: float, affine: bool, dtype: DTypeLike) -> None:
        self.gamma = Tensor(constant(None, shape, dtype), requires_grad=True) if affine else None
        self.beta = Tensor(zeros(None, shape, dtype), requires_grad=True) if affine else None
        self.epsilon = epsilon


class GroupNorm(_Normalization):
    """y[n,p,c] = γ[c] (x[n,p,c] - μ[n,g]) / √(σ²[n,g] + ε) + β[c]

    μ and σ² are the moments of the group g of channel c at all positions, for each example.

    channels: C. groups: the number of groups, which divides C. epsilon: ε. affine: whether the
    layer has γ and β. dtype: of γ and β.

    Raises the errors of `ops.group_norm`, ArgumentError if `groups` does not divide C, and
    ShapeError if x has other channels, or only one number in a group: the mean of one number is the
    number itself, so y = β for every x.

    >>> layer = GroupNorm(4, groups=2, epsilon=0.)
    >>> layer(np.array([[1., 3., 5., 9.]])).data
    array([[-1.,  1., -1.,  1.]])
    """

    def __init__(
        self,
        channels: int,
        *,
        groups: int,
        epsilon: float = 1e-5,
        affine: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if not is_int(groups) or groups < 1 or channels % groups:
            raise ArgumentError(
                f"a normalization of {channels} channels in {brief(groups)} groups; wanted a "
                "number of groups that divides the channels"
            )
        super().__init__(channels, epsilon, affine, dtype)
        self.channels, self.groups = channels, groups

    def __call__(self, x: Operand) -> Result:
        """(N, *spatial, C) -> (N, *spatial, C)"""
        if x.ndim < 2 or x.shape[-1] != self.channels:
            raise ShapeError(
                f"a normalization of {self.channels} channels found x {x.shape}; wanted "
                f"(N, *spatial, {self.channels})"
            )
        if prod(x.shape[1:]) == self.groups:
            raise ShapeError(
                f"a normalization of {self.groups} groups found x {x.shape}; wanted at least two "
                "numbers in each group: more positions, or fewer groups"
            )
        return ops.group_norm(
            x, self.gamma, self.beta, groups=self.groups, epsilon=self.epsilon,
            given=group_moments(plain(x), self.groups),
        )  # fmt: skip


class InstanceNorm(GroupNorm):
    """y[n,p,c] = γ[c] (x[n,p,c] - μ[n,c]) / √(σ²[n,c] + ε) + β[c]

    μ and σ² are the moments of each channel at all positions, for each example. It removes the
    contrast of a picture. channels, epsilon, affine, dtype: as for `GroupNorm`. As in PyTorch, the
    layer has γ and β only if `affine`.

    Raises the errors of GroupNorm.

    >>> layer = InstanceNorm(2, epsilon=0.)
    >>> layer(np.array([[[1., 5.], [3., 9.]]]))
    array([[[-1., -1.],
            [ 1.,  1.]]])
    """

    def __init__(
        self,
        channels: int,
        *,
        epsilon: float = 1e-5,
        affine: bool = False,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(channels, groups=channels, epsilon=epsilon, affine=affine, dtype=dtype)


class LayerNorm(_Normalization):
    """y[s,i] = γ[i] (x[s,i] - μ[s]) / √(σ²[s] + ε) + β[i]

    μ and σ² are the moments along the last axes, for each place s along the other axes.

    shape: the lengths of the last axes, or an int for one axis. epsilon, affine, dtype: as for
    `GroupNorm`.

    Raises the errors of `ops.layer_norm`, and ShapeError if the last axes of x have other lengths.

    >>> LayerNorm(2, epsilon=0.)(np.array([[1., 3.], [5., 9.]])).data
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    def __init__(
        self,
        shape: PerAxis,
        *,
        epsilon: float = 1e-5,
        affine: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        lengths: Any = (shape,) if is_int(shape) else shape
        are_lengths = isinstance(lengths, (tuple, list)) and all(map(is_int, lengths))
        if not are_lengths or not lengths or min(lengths) < 1:
            raise ArgumentError(
                f"a LayerNorm over {brief(shape)}; wanted the lengths of the last axes: an int of "
                "at least 1, or several"
            )
        self.shape = tuple(lengths)
        super().__init__(self.shape, epsilon, affine, dtype)

    def __call__(self, x: Operand) -> Result:
        """(*others, *shape) -> (*others, *shape)"""
        axes = len(self.shape)
        if x.shape[-axes:] != self.shape:
            raise ShapeError(
                f"a LayerNorm over {self.shape} found x {x.shape}; wanted these lengths of its "
                f"last {axes} axes"
            )
        return ops.layer_norm(x, self.gamma, self.beta, axes, self.epsilon)


class LocalResponseNorm(Module):
    """y = local_response_norm(x, size, alpha, beta, k)

    >>> LocalResponseNorm(3, alpha=3., beta=1.)(np.array([2., 1., 0.]))
    array([0.33333333, 0.16666667, 0.        ])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def __call__(self, x: Operand) -> Result:
        """(..., C) -> (..., C)"""
        return ops.local_response_norm(x, self.size, self.alpha, self.beta, self.k)
