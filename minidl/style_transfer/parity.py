"""Compare a few steps of style transfer on the CPU and on the GPU, and find whether rounding
explains the differences.

Both compute in float32, but in different orders, so their rounding errors differ. The CPU alone
shows how much that matters: it computes the same steps in float64, and in float32 from pictures to
which a rounding error is added. The GPU may differ from the CPU by MARGIN times the largest of
these differences. The margin is needed because rounding can change the side of its kink on which a
ReLU or a maximum falls, and no formula gives the number of such cases.

Each step begins at the CPU's picture, so that differences do not accumulate. It is a step of plain
gradient descent, because other optimisers turn small differences into large ones.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import current_module, device, to_numpy
from minidl.models import vgg19
from minidl.style_transfer.objective import Objective
from minidl.style_transfer.run import starting_picture
from minidl.style_transfer.settings import Settings
from minidl.typing import Array

MARGIN = 8
LENGTH = 10.0  # the largest change of a pixel (0..255) by the first step
DRAWS = 3  # of rounding errors
# Always allowed, because the drawn rounding errors may happen to have little effect. Winograd's
# algorithm may have the first error. One ReLU whose input is near 0 changes the gradient of a small
# picture by a hundredth.
LEAST, LEAST_OF_GRADIENTS = 1e-5, 1e-2
ROUNDING = {"float32": 2.0**-23, "tf32": 2.0**-10}  # of one number, by arithmetic


class Difference(NamedTuple):
    """The relative difference of one result between GPU and CPU."""

    what: str  # such as "step 1, gradient"
    found: float  # |GPU - CPU| / |CPU|, in the Euclidean norm
    allowed: float  # the difference that the rounding of float32 (or TF32) explains

    @property
    def explained(self) -> bool:
        """Whether rounding explains the difference."""
        return self.found <= self.allowed


def compare(
    content: Array, style: Array, settings: Settings, steps: int, tf32: bool = False
) -> list[Difference]:
    """Return the differences of the features by layer, and of the losses, gradient and picture of
    each step.

    content, style: pictures (H, W, 3), RGB, 0..255. settings: of the objective and the start. tf32:
    whether the GPU computes matrix products in TF32. Raise DeviceError if there is no GPU.
    """
    rounding, pictures = ROUNDING["tf32" if tf32 else "float32"], (content, style)
    with device("cpu"):
        unscaled = replace(settings, optimizer="sgd", learning_rate=1.0)
        steepest = abs(_trace(pictures, unscaled, 1)["step 1, gradient"]).max()
        settings = replace(settings, optimizer="sgd", learning_rate=LENGTH / float(steepest))
        cpu = _trace(pictures, settings, steps)
        path = [cpu[f"step {step}, picture"] for step in range(1, steps)]
        others = [_trace(pictures, settings, steps, path, dtype=np.float64)]
        others += [
            _trace(pictures, settings, steps, path, (rounding, seed)) for seed in range(DRAWS)
        ]
    with device("gpu", tf32=tf32):
        gpu = _trace(pictures, settings, steps, path)
    coarser = rounding / ROUNDING["float32"]
    differences = []
    for what, result in cpu.items():
        farthest = max(_distance(other[what], result) for other in others)
        allowed = max(_least(what) * coarser, MARGIN * farthest)
        differences.append(Difference(what, _distance(gpu[what], result), allowed))
    return differences


def _least(what):
    return LEAST_OF_GRADIENTS if what.endswith(("gradient", "picture")) else LEAST


def _trace(
    pictures: Sequence[Array],
    settings: Settings,
    steps: int,
    path: Sequence[Array] | None = None,
    error: tuple[float, int] | None = None,
    dtype: type = np.float32,
) -> dict[str, Array]:
    """Return {what: array}, in NumPy, of all results that are compared.

    path: the pictures from which all steps but the first continue. error: (relative size, seed) of
    a random error that is added to every number of the pictures.
    """
    model = vgg19(pooling=settings.pooling)
    content, style = (_placed(picture, error, dtype) for picture in pictures)
    layers = [name for name in model.layers if "conv" in name]
    results = {name: to_numpy(array) for name, array in model.features(content, layers).items()}
    start = starting_picture(_placed(pictures[0], None, np.float32), [], model, settings)
    image = Tensor(_placed(to_numpy(start), error, dtype), requires_grad=True)
    objective = Objective(model, content, [style], settings)
    optimizer = settings.make_optimizer([image])
    for step in range(1, steps + 1):
        total, parts = objective(image)
        total.backward(release=True)
        assert image.grad is not None
        losses = [to_numpy(part.data) for part in parts.values()]
        results[f"step {step}, losses"] = np.array(losses)
        results[f"step {step}, gradient"] = to_numpy(image.grad)
        optimizer.step(total.data.item())
        results[f"step {step}, picture"] = to_numpy(image.data)
        if path and step < steps:
            image.data = _placed(path[step - 1], error, dtype)
    return results


def _placed(picture, error, dtype):
    """Return a picture with its error on the current device."""
    if error:
        size, seed = error
        picture = picture * (1 + size * np.random.default_rng(seed).uniform(-1, 1, picture.shape))
    return current_module().asarray(picture, dtype=dtype)


def _distance(a, b):
    return float(np.linalg.norm((a - b).ravel()) / np.linalg.norm(b.ravel()))
