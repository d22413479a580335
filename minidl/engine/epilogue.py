"""What goes along with another op while its numbers are at hand: bias and ReLU after it, a ReLU's
mask before gradients."""

from minidl.backend import array_module
from minidl.engine.masks import masked


class Epilogue:
    """finish(y, outputs): add the bias b to a strip of y, of some output channels, and with
    `rectify` apply the ReLU."""

    def __init__(self, b=None, rectify=False):
        self.b, self.rectify = b, rectify

    def __call__(self, y, outputs):
        if self.b is not None:
            y += self.b[outputs]
        if self.rectify:
            array_module(y).maximum(y, 0, out=y)


class Rectified:
    """dy·[y ≠ 0], the gradient of a ReLU y ≥ 0, as an array of which each part is computed when it
    is read."""

    def __init__(self, dy, y):
        self.dy, self.y = dy, y
        self.shape, self.dtype = dy.shape, dy.dtype

    def __getitem__(self, part):
        return put(self, part, None)

    def reshape(self, *shape):
        return Rectified(self.dy.reshape(*shape), self.y.reshape(*shape))

    def __array_namespace__(self):
        return array_module(self.dy, self.y)


def put(dy, part, out):
    """Write dy[part] to `out`, a separate array whose dtype may be wider. dy: an array, or
    Rectified."""
    if isinstance(dy, Rectified):
        numbers = dy.dy[part] if out is None else dy.dy[part].astype(out.dtype, copy=False)
        return masked(numbers, dy.y[part] != 0, out=out)
    out[...] = dy[part]
    return out
