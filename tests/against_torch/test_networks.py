"""The networks of signals and of volumes beside the same in torch.nn, in float64: what they say,
their loss, the gradients of all their parameters, and ten steps of training."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.layers import AvgPool, BatchNorm, Convolution, Dense, Flatten, MaxPool, ReLU
from minidl.losses import softmax_cross_entropy
from minidl.models.signals import signal_network
from minidl.models.volumes import volume_network
from minidl.optim import SGD, Adam

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

NEAR = 1e-9
CASES = {  # network -> (it, the shape of an example, classes)
    "signals": (lambda: signal_network(120, 5, seed=1), (120, 1), 5),
    "volumes": (lambda: volume_network(8, 4, seed=1), (8, 8, 8, 1), 4),
}


def twin(layer, rank):
    """The same layer in torch.nn, with the same numbers"""
    nn = torch.nn
    if isinstance(layer, Convolution):
        *size, inputs, outputs = layer.kernel.shape
        stride, padding = layer.options["stride"], layer.options["padding"]
        made = getattr(nn, f"Conv{rank}d")(
            inputs, outputs, size, stride=stride, padding=padding, bias=False
        )
        made.weight.data = channels_first(torch.tensor(layer.kernel.data))
        return made
    if isinstance(layer, BatchNorm):
        return getattr(nn, f"BatchNorm{rank}d")(
            len(layer.gamma), eps=layer.epsilon, momentum=1 - layer.momentum
        )
    if isinstance(layer, Dense):
        made = nn.Linear(*layer.kernel.shape)
        made.weight.data, made.bias.data = (
            torch.tensor(layer.kernel.data.T.copy()),
            torch.tensor(layer.bias.data),
        )
        return made
    if isinstance(layer, MaxPool | AvgPool):
        return getattr(nn, f"{type(layer).__name__}{rank}d")(layer.size)
    return {ReLU: nn.ReLU, Flatten: nn.Flatten}[type(layer)]()


def channels_first(kernel):
    """(*kernel, C, K) -> (K, C, *kernel)"""
    return kernel.movedim((-1, -2), (0, 1)).contiguous()


@pytest.fixture(params=CASES)
def pair(request):
    """(ours, theirs, examples as ours wants them, as theirs does, labels)"""
    build, shape, classes = CASES[request.param]
    ours, rng = build(), np.random.default_rng(0)
    for module in ours.named_modules().values():
        for name, value in vars(module).items():
            if isinstance(value, Tensor):
                value.data = value.data.astype(float)
            elif name in module.buffers:
                setattr(module, name, value.astype(float))
    theirs = torch.nn.Sequential(
        *(twin(layer, len(shape) - 1) for layer in ours.layers.values())
    ).double()
    x, labels = rng.standard_normal((12, *shape)), np.arange(12) % classes
    return ours, theirs, x, torch.tensor(x).movedim(-1, 1), labels


def parameters(ours, theirs, of):
    """(name, ours, theirs with its axes as ours are) of what `of` takes from each parameter: its
    numbers or its gradient"""
    for (name, layer), other in zip(ours.layers.items(), theirs, strict=True):
        if isinstance(layer, Convolution):
            yield name, of(layer.kernel), of(other.weight).movedim((0, 1), (-1, -2)).numpy()
        if isinstance(layer, BatchNorm):
            yield f"{name}/gamma", of(layer.gamma), of(other.weight).numpy()
            yield f"{name}/beta", of(layer.beta), of(other.bias).numpy()
        if isinstance(layer, Dense):
            yield f"{name}/kernel", of(layer.kernel), of(other.weight).numpy().T
            yield f"{name}/bias", of(layer.bias), of(other.bias).numpy()


def numbers(parameter):
    return parameter.data


def gradient(parameter):
    return parameter.grad


def near(mine, theirs, what):
    assert mine.shape == theirs.shape and mine.dtype == theirs.dtype == np.float64
    assert abs(mine - theirs).max() <= NEAR * max(1, abs(theirs).max()), what


def step(ours, theirs, x, x_first, labels):
    """Both losses, after their ways back"""
    for parameter in (*ours.parameters(), *theirs.parameters()):
        parameter.grad = None
    loss = softmax_cross_entropy(ours(x), labels)
    other = torch.nn.functional.cross_entropy(theirs(x_first), torch.tensor(labels))
    loss.backward()
    other.backward()
    return float(loss.data), other.item()


def test_outputs_loss_and_gradients(pair):
    ours, theirs, x, x_first, _ = pair
    assert len(list(parameters(ours, theirs, numbers))) == len(ours.parameters())
    mine, other = step(*pair)
    assert mine == pytest.approx(other, rel=NEAR)
    for name, found, wanted in parameters(ours, theirs, gradient):
        assert abs(wanted).max() > 1e-6, name
        near(found, wanted, name)
    near(ours(x).data, theirs(x_first).detach().numpy(), "in training")
    near(ours.train(False)(x).data, theirs.eval()(x_first).detach().numpy(), "afterwards")


OPTIMIZERS = {
    "sgd": (
        lambda model: SGD(model.named_parameters(), 0.05, momentum=0.9),
        lambda model: torch.optim.SGD(model.parameters(), 0.05, momentum=0.9),
    ),
    "adam": (
        lambda model: Adam(model.named_parameters(), 0.003),
        lambda model: torch.optim.Adam(model.parameters(), 0.003),
    ),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_ten_steps_of_training(pair, optimizer):
    ours, theirs, x, x_first, _ = pair
    mine, other = (
        make(model) for make, model in zip(OPTIMIZERS[optimizer], (ours, theirs), strict=True)
    )
    losses = []
    for _ in range(10):
        losses.append(step(*pair))
        mine.step()
        other.step()
    assert losses[-1][0] < losses[0][0]
    np.testing.assert_allclose(*zip(*losses, strict=True), rtol=NEAR)
    for name, parameter, wanted in parameters(ours, theirs, numbers):
        near(parameter, wanted, name)
    near(ours.train(False)(x).data, theirs.eval()(x_first).detach().numpy(), "afterwards")
