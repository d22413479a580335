"""Pictures and data sets."""

from minidl.data.images import fit, image_size, read_image, read_metadata, resize, shipped_picture, write_image

__all__ = ["fit", "image_size", "read_image", "read_metadata", "resize", "shipped_picture", "write_image"]
