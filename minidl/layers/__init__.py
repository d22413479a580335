"""Layers: ops together with their parameters.

module.py          Module, the base of all layers: named parameters, state, devices
sequential.py      layers one after another, and a summary of them
parametric.py      convolution and dense layers
embedding.py       a vector for each of several integers
normalization.py   batch normalization
example_normalization.py
                   group, instance and layer normalization, local response normalization
dropout.py         dropout
activations.py     activations, unit length, and the fusion of a ReLU
pooling.py         pooling and Flatten
resizing.py        padding and upsampling
reading.py         which positions of its input each output of a layer reads
verification.py    heads that compare two feature vectors
construction.py    how a layer was made, without the numbers of its arrays
description.py     networks as data, from which they can be made again
initializers.py    the numbers that parameters start from
"""

from minidl.layers.activations import (
    ELU,
    GELU,
    LeakyReLU,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from minidl.layers.dropout import Dropout
from minidl.layers.embedding import Embedding
from minidl.layers.example_normalization import (
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
)
from minidl.layers.module import Module
from minidl.layers.normalization import BatchNorm
from minidl.layers.parametric import (
    Convolution,
    Dense,
    SeparableConvolution,
    TransposedConvolution,
)
from minidl.layers.pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
)
from minidl.layers.resizing import Pad, Upsample
from minidl.layers.sequential import Sequential

__all__ = [
    "ELU", "GELU", "AdaptiveAvgPool", "AdaptiveMaxPool", "AvgPool", "BatchNorm", "Convolution",
    "Dense", "Dropout", "Embedding", "Flatten", "GlobalAvgPool", "GlobalMaxPool", "GroupNorm",
    "InstanceNorm", "LayerNorm", "LeakyReLU", "LocalResponseNorm", "MaxPool", "Module", "PReLU",
    "Pad", "ReLU", "SeparableConvolution", "Sequential", "SiLU", "Sigmoid", "Softmax", "Softplus",
    "Tanh", "TransposedConvolution", "Upsample",
]  # fmt: skip
