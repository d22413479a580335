"""Pictures and data sets."""

from minidl.data.images import read_image, read_metadata, resize, shipped_picture, write_image

__all__ = ["read_image", "read_metadata", "resize", "shipped_picture", "write_image"]
