"""Some steps are fused with a convolution or a normalization: bias and ReLU after the forward, and
the mask of the ReLU before the gradients. They are applied to a strip while it is in the cache."""

from minidl.backend import array_module
from minidl.engine.masks import masked


class Epilogue:
    """The steps after a convolution. epilogue(y, outputs) adds the bias to y in place. If
    `rectify`, it then applies the ReLU.

    y: a strip (..., k) of the result. outputs: the slice of its k output channels among all K. b:
    the bias (K,), or None.
    """

    def __init__(self, b=None, rectify=False):
        self.b, self.rectify = b, rectify

    def __call__(self, y, outputs):
        if self.b is not None:
            y += self.b[outputs]
        if self.rectify:
            array_module(y).maximum(y, 0, out=y)


class Rectified:
    """An array of dy·[y ≠ 0], the gradient of a ReLU with the output y. Its parts are computed when
    they are read."""

    def __init__(self, dy, y):
        self.dy, self.y = dy, y
        self.shape, self.dtype = dy.shape, dy.dtype

    def __getitem__(self, part):
        return masked(self.dy[part], self.y[part] != 0)

    def reshape(self, *shape):
        """Return dy·[y ≠ 0] in another shape."""
        return Rectified(self.dy.reshape(*shape), self.y.reshape(*shape))

    def __array_namespace__(self):
        return array_module(self.dy, self.y)


def copy_part(dy, part, out):
    """Write dy[part] to `out` and return it.

    dy: an array, or a Rectified; out: an array that shares no memory with dy, of the same or a
    wider dtype.
    """
    if isinstance(dy, Rectified):
        numbers = dy.dy[part].astype(out.dtype, copy=False)
        return masked(numbers, dy.y[part] != 0, out=out)
    out[...] = dy[part]
    return out
