"""Layers: an op together with the parameters that belong to it."""

from minidl.layers.activations import LeakyReLU, ReLU
from minidl.layers.dropout import Dropout
from minidl.layers.module import Module
from minidl.layers.normalization import BatchNorm
from minidl.layers.parametric import Convolution, Dense, SeparableConvolution
from minidl.layers.pooling import AvgPool, MaxPool
from minidl.layers.sequential import Sequential
from minidl.layers.shaping import Flatten

__all__ = [
    "AvgPool", "BatchNorm", "Convolution", "Dense", "Dropout", "Flatten", "LeakyReLU", "MaxPool", "Module", "ReLU",
    "SeparableConvolution", "Sequential",
]  # fmt: skip
