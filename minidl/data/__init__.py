"""Read and write pictures, load data sets, and make batches of training data."""

from minidl.data.augmentation import flip, normalize, shift
from minidl.data.batches import Batches, split
from minidl.data.cifar10 import CLASSES as CIFAR10_CLASSES
from minidl.data.cifar10 import cifar10
from minidl.data.fetch import fetch
from minidl.data.folders import picture_folder
from minidl.data.imagenet import imagenet_classes
from minidl.data.images import (
    Picture,
    as_picture,
    fit,
    image_size,
    read_image,
    read_metadata,
    read_picture,
    resize,
    shipped_picture,
    to_size,
    write_image,
)
from minidl.data.mnist import mnist
from minidl.data.pairs import pairing

__all__ = [
    "CIFAR10_CLASSES",
    "Batches",
    "Picture",
    "as_picture",
    "cifar10",
    "fetch",
    "fit",
    "flip",
    "image_size",
    "imagenet_classes",
    "mnist",
    "normalize",
    "pairing",
    "picture_folder",
    "read_image",
    "read_metadata",
    "read_picture",
    "resize",
    "shift",
    "shipped_picture",
    "split",
    "to_size",
    "write_image",
]
