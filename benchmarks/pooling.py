"""Pooling and ReLU, forward and gradient: of VGG19 at 512x512, and of ResNets."""

from benchmarks.cases import of_op
from minidl import ops
from minidl.models.vgg19 import BLOCKS


def cases(quick):
    """Return the Cases of pooling and ReLU. quick: of a picture of 32x32."""
    size, batch = (32, 1) if quick else (512, 16)
    blocks = [
        (1, size >> number, size >> number, channels)
        for number, (_, _, channels) in enumerate(BLOCKS)
    ]
    kinds = [("max", ops.max_pool, _max_pool), ("average", ops.avg_pool, _avg_pool)]
    vgg, resnet = {"window": 2, "stride": 2, "padding": 0}, {"window": 3, "stride": 2, "padding": 1}
    return [
        *(_case(f"{kind} 2x2", *maps, shape, vgg) for kind, *maps in kinds for shape in blocks),
        *(
            _case(f"{kind} 3x3, stride 2", *maps, (batch, 56, 56, 64), resnet)
            for kind, *maps in kinds
        ),
        _case("ReLU", ops.relu, _relu, (1, size // 2, size // 2, 128), {}),
    ]


def _case(name, op, twin, shape, options):
    n, height, width, channels = shape
    name = f"{name}, {channels} channels at {height}x{width}" + (f", batch {n}" if n > 1 else "")
    return of_op(name, "pooling and ReLU", op, twin, {"x": shape}, "x", options)


def _max_pool(functional, x, window, stride, padding):
    return functional.max_pool2d(x.movedim(-1, 1), window, stride, padding).movedim(1, -1)


def _avg_pool(functional, x, window, stride, padding):
    return functional.avg_pool2d(x.movedim(-1, 1), window, stride, padding).movedim(1, -1)


def _relu(functional, x):
    return functional.relu(x)
