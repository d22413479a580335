"""The part of the input that the windows or tiles of a strip read. It includes padding: zeros, or
minus infinity for max-pooling."""

from minidl.backend import array_module
from minidl.engine.epilogue import Rectified
from minidl.engine.memory import scratch


def inputs_of_strip(x, images, rows, strip_windows, value=0):
    """(N, *extent, C) -> (n, *read, C): what the windows of a strip read.

    The result is a view of x or, if a window reads padding, a copy with the padding in scratch
    memory.

    images: slice of the n images; rows: slice of the outputs along the first axis; strip_windows:
    the Windows of these outputs; value: the padding.
    """
    geometry = zip(strip_windows.out, strip_windows.stride, strip_windows.reach, strict=True)
    lengths = [(out - 1) * stride + reach for out, stride, reach in geometry]
    top, *others = strip_windows.before
    begin = [rows.start * strip_windows.stride[0] - top, *(-before for before in others)]
    return padded_slice(x, images, begin, lengths, _in_scratch(x), value)


def padded_slice(x, images, begin, lengths, allocate, value=0):
    """(N, *extent, C) -> (n, *lengths, C): x[images, begin : begin + lengths], with `value` where
    this range is outside x.

    The result is a view if x is an array and the range is inside x. Otherwise it is a copy in
    allocate(n, *lengths, C).

    begin, lengths: one int for each spatial axis.
    """
    ends = [first + length for first, length in zip(begin, lengths, strict=True)]
    is_inside = min(begin) >= 0 and all(
        end <= n for end, n in zip(ends, x.shape[1:-1], strict=True)
    )
    if is_inside and not isinstance(x, Rectified):
        return x[(images, *map(slice, begin, ends))]
    patch = allocate(images.stop - images.start, *lengths, x.shape[-1])
    inside, source = [], []
    for axis, (first, length) in enumerate(zip(begin, lengths, strict=True), start=1):
        low = min(max(0, -first), length)
        high = max(low, min(length, x.shape[axis] - first))
        earlier_axes = (slice(None),) * axis
        patch[(*earlier_axes, slice(low))] = value
        patch[(*earlier_axes, slice(high, None))] = value
        inside.append(slice(low, high))
        source.append(slice(first + low, first + high))
    patch[(slice(None), *inside)] = x[(images, *source)]
    return patch


def _in_scratch(x):
    return lambda *shape: scratch(array_module(x), "inputs of a strip", shape, x.dtype)
