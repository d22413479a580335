"""Layers: an op together with the parameters that belong to it."""

from minidl.layers.module import Module
from minidl.layers.parametric import Convolution, Dense
from minidl.layers.pooling import AvgPool, MaxPool

__all__ = ["AvgPool", "Convolution", "Dense", "MaxPool", "Module"]
