"""The same few steps on the CPU and on the GPU: how far apart are they, and how far may they be?

Both compute in float32, in another order, and so round otherwise. How much that matters, the CPU
can tell alone: it takes the same steps in float64, and again from numbers that differ by a rounding
error, in float32. The GPU may differ from the CPU by MARGIN times as much as the farthest of these:
a ReLU or a maximum near its kink may fall on either side, and no formula says how many do. Each
step begins at the CPU's picture, so that differences do not add up from step to step, and is one of
plain gradient descent: other optimisers make large steps of small differences.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import current_module, device, to_numpy
from minidl.models import vgg19
from minidl.style_transfer.objective import Objective
from minidl.style_transfer.painting import starting_picture

MARGIN = 8
LENGTH = 10.0  # of 0..255: by which the first step changes a pixel at most
DRAWS = 3  # of rounding errors
# However lucky the draws were: Winograd's algorithm may be off by so much; and one ReLU so near its
# kink that it falls on the other side changes the gradient of a small picture by a hundredth.
LEAST, LEAST_OF_GRADIENTS = 1e-5, 1e-2
ROUNDING = {"float32": 2.0**-23, "tf32": 2.0**-10}  # of one number, by arithmetic


class Difference(NamedTuple):
    """found: |GPU - CPU| / |CPU| by norm, allowed: what float32 (or TF32) explains of it."""

    what: str
    found: float
    allowed: float

    @property
    def explained(self):
        return self.found <= self.allowed


def compare(content, style, settings, steps, tf32=False):
    """[Difference]: the features by layer, and the losses, gradient and picture of each step.

    content, style: pictures (H, W, 3), RGB, 0..255; settings: of the objective and the start.
    Raises DeviceError where there is no GPU.
    """
    arithmetic, pictures = "tf32" if tf32 else "float32", (content, style)
    rounding = ROUNDING[arithmetic]
    with device("cpu"):
        steepest = abs(
            _trace(pictures, replace(settings, optimizer="sgd", learning_rate=1.0), 1)[
                "step 1, gradient"
            ]
        ).max()
        settings = replace(settings, optimizer="sgd", learning_rate=LENGTH / float(steepest))
        cpu = _trace(pictures, settings, steps)
        path = [cpu[f"step {step}, picture"] for step in range(1, steps)]
        others = [_trace(pictures, settings, steps, path, dtype=np.float64)]
        others += [
            _trace(pictures, settings, steps, path, (rounding, seed)) for seed in range(DRAWS)
        ]
    with device("gpu", tf32=tf32):
        gpu = _trace(pictures, settings, steps, path)
    worse = rounding / ROUNDING["float32"]
    return [
        Difference(
            what,
            _distance(gpu[what], found),
            max(_least(what) * worse, MARGIN * _farthest(what, found, others)),
        )
        for what, found in cpu.items()
    ]


def _least(what):
    return LEAST_OF_GRADIENTS if what.endswith(("gradient", "picture")) else LEAST


def _farthest(what, found, others):
    return max(_distance(other[what], found) for other in others)


def _trace(pictures, settings, steps, path=None, error=None, dtype=np.float32):
    """{what: array}, in NumPy, of all that is compared. path: the pictures to go on from after each
    step but the last; error: (relative size, seed) of what is added to every number of a picture
    that is looked at."""
    model = vgg19(pooling=settings.pooling)
    content, style = (_placed(picture, error, dtype) for picture in pictures)
    layers = [name for name in model.layers if "conv" in name]
    found = {name: to_numpy(array) for name, array in model.features(content, layers).items()}
    start = starting_picture(_placed(pictures[0], None, np.float32), [], model, settings)
    image = Tensor(_placed(to_numpy(start), error, dtype), requires_grad=True)
    objective, optimizer = (
        Objective(model, content, [style], settings),
        settings.make_optimizer([image]),
    )
    for step in range(1, steps + 1):
        total, parts = objective(image)
        total.backward(release=True)
        losses = np.array([to_numpy(part.data) for part in parts.values()])
        found |= {f"step {step}, losses": losses, f"step {step}, gradient": to_numpy(image.grad)}
        optimizer.step(total.data.item())
        found[f"step {step}, picture"] = to_numpy(image.data)
        if path and step < steps:
            image.data = _placed(path[step - 1], error, dtype)
    return found


def _placed(picture, error, dtype):
    """The picture on the current device, with its error"""
    if error:
        size, seed = error
        picture = picture * (1 + size * np.random.default_rng(seed).uniform(-1, 1, picture.shape))
    return current_module().asarray(picture, dtype=dtype)


def _distance(a, b):
    return float(np.linalg.norm((a - b).ravel()) / np.linalg.norm(b.ravel()))
