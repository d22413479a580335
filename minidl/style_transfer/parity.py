"""The same few steps on the CPU and on the GPU: how far apart are they, and how far may they be?

Both compute in float32, in another order, and round otherwise. How much that matters, the CPU can tell alone: it takes the
same steps in float64 as well. The GPU may differ from the CPU by MARGIN times as much as the CPU's own two precisions do.
TF32 keeps 13 binary digits less, which makes its errors 2¹³ times as large.
"""

from typing import NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import current_module, device, to_numpy
from minidl.models import vgg19
from minidl.style_transfer.objective import Objective
from minidl.style_transfer.painting import starting_picture

MARGIN, LEAST = 8, 1e-6  # LEAST: so near they need not be, however lucky the CPU was
TF32 = 2.0**13


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

    content, style: pictures (H, W, 3), RGB, 0..255. Raises DeviceError where there is no GPU.
    """
    with device("gpu", tf32=tf32):
        on_gpu = _trace(content, style, settings, steps, np.float32)
    with device("cpu"):
        on_cpu, exact = (_trace(content, style, settings, steps, dtype) for dtype in (np.float32, np.float64))
    worse = TF32 if tf32 else 1.0
    return [
        Difference(what, _distance(on_gpu[what], cpu), worse * max(LEAST, MARGIN * _distance(cpu, exact[what])))
        for what, cpu in on_cpu.items()
    ]


def _trace(content, style, settings, steps, dtype):
    """{what: array}, in NumPy, of all that is compared"""
    xp, model = current_module(), vgg19(pooling=settings.pooling)
    content, style = (xp.asarray(picture, dtype=dtype) for picture in (content, style))
    layers = [name for name in model.layers if "conv" in name]
    found = {name: to_numpy(array) for name, array in model.features(content, layers).items()}
    image = Tensor(starting_picture(content, [style], model, settings).astype(dtype), requires_grad=True)
    objective, optimizer = Objective(model, content, [style], settings), settings.make_optimizer([image])
    for step in range(1, steps + 1):
        total, parts = objective(image)
        total.backward(release=True)
        numbers = np.array([to_numpy(part.data) for part in parts.values()])
        found |= {f"step {step}, losses": numbers, f"step {step}, gradient": to_numpy(image.grad)}
        optimizer.step(total.data.item())
        found[f"step {step}, picture"] = to_numpy(image.data)
    return found


def _distance(a, b):
    return float(np.linalg.norm((a - b).ravel()) / np.linalg.norm(b.ravel()))
