"""A training step, that is forward, backward and update, of two widths of VGG19 and of pairs.

VGG19 has batch normalization. The network of pairs is the siamese network.
"""

from functools import partial

import numpy as np

from benchmarks import twins
from benchmarks.cases import Case
from minidl.backend import current_device
from minidl.models.siamese import siamese
from minidl.models.vgg19_bn import vgg19_bn
from minidl.optim import SGD
from minidl.recipes.cifar10 import classification
from minidl.recipes.siamese import energy

# The rate is so small that the weights do not change: every call computes the same.
RATE, MOMENTUM, DECAY = 1e-12, 0.9, 1e-4


def cases(quick):
    """Return the Cases, without dropout, because PyTorch draws other random numbers.

    quick: of a narrow network and few pictures.
    """
    widths, batch, pairs = ((1 / 16,), 8, 4) if quick else ((1.0, 1 / 4), 128, 64)
    return [*(_of_vgg19(width, batch) for width in widths), _of_siamese(pairs)]


def _of_vgg19(width, batch):
    network = partial(vgg19_bn, "512-10", width, keep=1.0)
    ours = partial(_ours, network, classification)
    theirs = partial(_theirs, network, _cross_entropy)
    name = f"VGG19 with batch normalization, width {width:g}, batch {batch}"
    return _case(name, partial(_pictures, batch), ours, theirs)


def _of_siamese(pairs):
    network = partial(siamese, keep=1.0)
    ours, theirs = partial(_ours, network, energy), partial(_theirs, network, _energy)
    return _case(f"siamese network, {pairs} pairs", partial(_pairs, pairs), ours, theirs)


def _case(name, arrays, ours, theirs):
    return Case(name, "a training step", None, arrays, ours, theirs, is_whole=True)


def _pictures(batch):
    rng = np.random.default_rng(0)
    return {
        "x": rng.standard_normal((batch, 32, 32, 3), np.float32),
        "labels": rng.integers(0, 10, batch),
    }


def _pairs(pairs):
    rng = np.random.default_rng(0)
    first, second = rng.random((2, pairs, 28, 28, 1), np.float32)
    return {"first": first, "second": second, "same": rng.random(pairs) < 0.5}


def _ours(network, loss, arrays):
    model = network().to(current_device())
    optimizer = SGD(model.named_parameters(), RATE, MOMENTUM, nesterov=True, weight_decay=DECAY)

    def step():
        value, _ = loss(model, *arrays.values())
        value.backward(release=True)
        optimizer.step()
        return value.data

    return {"step": step}


def _theirs(network, loss, layout, arrays, device):
    torch, model = twins.pytorch(), twins.sequential(network(), layout, device)
    kernels = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [{"params": kernels, "weight_decay": DECAY}, {"params": others}]
    optimizer = torch.optim.SGD(groups, RATE, MOMENTUM, nesterov=True)
    tensors = [twins.pictures(array, layout, device) for array in arrays.values()]

    def step():
        optimizer.zero_grad()
        value = loss(torch, model, *tensors)
        value.backward()
        optimizer.step()
        return value.detach()

    return {"step": step}


def _cross_entropy(torch, model, x, labels):
    return torch.nn.functional.cross_entropy(model(x), labels)


def _energy(torch, model, first, second, same, q=5.0):
    points = model(torch.cat([first, second]))
    distances = (points[: len(first)] - points[len(first) :]).norm(dim=1)
    return torch.where(same, 2 / q * distances**2, 2 * q * torch.exp(-2.77 / q * distances)).mean()
