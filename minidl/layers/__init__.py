"""Layers: an op together with the parameters that belong to it."""

from minidl.layers.activations import Flatten, ReLU
from minidl.layers.module import Module
from minidl.layers.normalization import BatchNorm, Dropout
from minidl.layers.parametric import Convolution, Dense
from minidl.layers.pooling import AvgPool, MaxPool
from minidl.layers.sequential import Sequential

__all__ = ["AvgPool", "BatchNorm", "Convolution", "Dense", "Dropout", "Flatten", "MaxPool", "Module", "ReLU", "Sequential"]
