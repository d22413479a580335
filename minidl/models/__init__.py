"""Architectures, and the weights that make them networks."""

from minidl.models.vgg19 import VGG19, vgg19

__all__ = ["VGG19", "vgg19"]
