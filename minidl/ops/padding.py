"""The border of the windowed ops: convolution pads with zeros, max-pool with minus infinity."""

from minidl.backend import array_module


def pad_windows(x, windows, value=0):
    """(N, *extent, C) -> (N, *padded, C), the border filled with `value`; x itself where there is no border."""
    if windows.padded == windows.extent:
        return x
    padded = array_module(x).full((x.shape[0], *windows.padded, x.shape[-1]), value, dtype=x.dtype)
    padded[(slice(None), *windows.inside)] = x
    return padded


def unpad_windows(padded, windows):
    """(N, *padded, C) -> (N, *extent, C): drops the border, the adjoint of padding with zeros."""
    if windows.padded == windows.extent:
        return padded
    return padded[(slice(None), *windows.inside)]


def cut(x, images, begin, lengths, room):
    """x[images, begin : begin + lengths], zeros where that lies outside of x; made in room(*shape)."""
    patch = room(images.stop - images.start, *lengths, x.shape[-1])
    inside, source = [], []
    for axis, (first, length) in enumerate(zip(begin, lengths, strict=True), start=1):
        low = min(max(0, -first), length)
        high = max(low, min(length, x.shape[axis] - first))
        ahead = (slice(None),) * axis
        patch[(*ahead, slice(low))] = 0
        patch[(*ahead, slice(high, None))] = 0
        inside.append(slice(low, high))
        source.append(slice(first + low, first + high))
    patch[(slice(None), *inside)] = x[(images, *source)]
    return patch
