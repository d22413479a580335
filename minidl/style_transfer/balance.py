"""`balanced_factor` computes a weight of the content that means the same for every picture."""

from copy import copy
from typing import Any

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import current_module, read_numbers
from minidl.style_transfer.gradients import losses_and_gradient
from minidl.style_transfer.objective import Objective
from minidl.typing import Array


def balanced_factor(objective: Objective, ratio: float, photograph: Array) -> float:
    """Return the factor on the content terms with which the first gradient of the content is
    `ratio` times as long as that of the style, or 1 without one of them.

    The first gradient of the style is that at the photograph (H, W, 3), which has nothing of the
    style. There the content has no gradient; its first gradient is that at a picture of noise,
    which has nothing of the content. The lengths of both grow with the size of the picture in about
    the same way, so that a ratio means the same at every size, and for every style objective.
    """
    grey = np.asarray(objective.model.preprocessing.mean_rgb)
    noise = grey + np.random.default_rng(0).uniform(-20, 20, photograph.shape)
    style = _gradient_length(objective, "style", photograph)
    content = _gradient_length(objective, "content", noise)
    return ratio * style / content if content and style else 1.0


def _gradient_length(objective, kind, picture):
    """Return the length of the gradient of the content or the style at a picture."""
    part = copy(objective)
    part.terms = {name: term for name, term in objective.terms.items() if name.startswith(kind)}
    if not part.terms:
        return 0.0
    image = Tensor(current_module().asarray(picture, dtype=np.float32), requires_grad=True)
    losses_and_gradient(part, image, variation=False)
    gradient: Any = image.grad
    [square] = read_numbers((gradient.astype("float64") ** 2).sum())
    return square**0.5
