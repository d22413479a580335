"""The inputs that the windows or tiles of a strip read, with their border: zeros, or minus infinity
for max-pooling."""

from minidl.backend import array_module
from minidl.engine.epilogue import Rectified
from minidl.engine.memory import scratch


def seen(x, images, rows, part, value=0):
    """What the windows of a strip read, (n, *from, C): a view of x or, if there is padding at all,
    a copy with it.

    part: the windows of the strip, the `rows` of all along the first axis. The copy is in scratch
    memory.
    """
    lengths = [(o - 1) * s + r for o, s, r in zip(part.out, part.stride, part.reach, strict=True)]
    first = rows.start * part.stride[0]
    (top, _), *others = part.padding
    return cut(
        x, images, [first - top, *(-before for before, _ in others)], lengths, _in_scratch(x), value
    )


def cut(x, images, begin, lengths, room, value=0):
    """x[images, begin : begin + lengths], `value` where that lies outside of x; made in
    room(*shape), or a view of x, if it is an array, where nothing does."""
    ends = [first + length for first, length in zip(begin, lengths, strict=True)]
    is_inside = min(begin) >= 0 and all(
        end <= n for end, n in zip(ends, x.shape[1:-1], strict=True)
    )
    if is_inside and not isinstance(x, Rectified):
        return x[(images, *map(slice, begin, ends))]
    patch = room(images.stop - images.start, *lengths, x.shape[-1])
    inside, source = [], []
    for axis, (first, length) in enumerate(zip(begin, lengths, strict=True), start=1):
        low = min(max(0, -first), length)
        high = max(low, min(length, x.shape[axis] - first))
        ahead = (slice(None),) * axis
        patch[(*ahead, slice(low))] = value
        patch[(*ahead, slice(high, None))] = value
        inside.append(slice(low, high))
        source.append(slice(first + low, first + high))
    patch[(slice(None), *inside)] = x[(images, *source)]
    return patch


def _in_scratch(x):
    return lambda *shape: scratch(array_module(x), "seen", shape, x.dtype)
