"""The networks of signals and of volumes compared with the same networks in torch.nn, in float64.

Outputs, the loss, the gradients of all parameters and ten steps of training must agree.
"""

from operator import attrgetter

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
CASES = {  # name -> (function that makes the network, shape of an example, number of classes)
    "signals": (lambda: signal_network(120, 5, seed=1), (120, 1), 5),
    "volumes": (lambda: volume_network(8, 4, seed=1), (8, 8, 8, 1), 4),
}


def torch_layer(layer, rank):
    """Return the same layer in torch.nn, with the same parameters."""
    nn = torch.nn
    if isinstance(layer, Convolution):
        *size, inputs, outputs = layer.kernel.shape
        options = {name: layer.options[name] for name in ("stride", "padding")}
        conv = getattr(nn, f"Conv{rank}d")(inputs, outputs, size, bias=False, **options)
        conv.weight.data = channels_first(torch.tensor(layer.kernel.data))
        return conv
    if isinstance(layer, BatchNorm):
        options = {"eps": layer.epsilon, "momentum": 1 - layer.momentum}
        return getattr(nn, f"BatchNorm{rank}d")(len(layer.gamma), **options)
    if isinstance(layer, Dense):
        linear = nn.Linear(*layer.kernel.shape)
        linear.weight.data = torch.tensor(layer.kernel.data.T.copy())
        linear.bias.data = torch.tensor(layer.bias.data)
        return linear
    if isinstance(layer, MaxPool | AvgPool):
        return getattr(nn, f"{type(layer).__name__}{rank}d")(layer.size)
    return {ReLU: nn.ReLU, Flatten: nn.Flatten}[type(layer)]()


def channels_first(kernel):
    """Change the axes of a kernel from (*kernel, C, K) to (K, C, *kernel)."""
    return kernel.movedim((-1, -2), (0, 1)).contiguous()


@pytest.fixture(params=CASES)
def pair(request):
    """(minidl's network, PyTorch's, examples with channels last, with channels first, labels)."""
    build, shape, classes = CASES[request.param]
    ours, rng = build(), np.random.default_rng(0)
    for module in ours.named_modules().values():
        for name, value in vars(module).items():
            if isinstance(value, Tensor):
                value.data = value.data.astype(float)
            elif name in module.buffers:
                setattr(module, name, value.astype(float))
    torch_layers = [torch_layer(layer, len(shape) - 1) for layer in ours.layers.values()]
    theirs = torch.nn.Sequential(*torch_layers).double()
    x, labels = rng.standard_normal((12, *shape)), np.arange(12) % classes
    return ours, theirs, x, torch.tensor(x).movedim(-1, 1), labels


def parameters(ours, theirs, of):
    """Yield (name, ours, theirs) of `of`(parameter), its data or its gradient, for each parameter.

    The axes of theirs are in our order.
    """
    for (name, layer), other in zip(ours.layers.items(), theirs, strict=True):
        if isinstance(layer, Convolution):
            yield name, of(layer.kernel), of(other.weight).movedim((0, 1), (-1, -2)).numpy()
        if isinstance(layer, BatchNorm):
            yield f"{name}/gamma", of(layer.gamma), of(other.weight).numpy()
            yield f"{name}/beta", of(layer.beta), of(other.bias).numpy()
        if isinstance(layer, Dense):
            yield f"{name}/kernel", of(layer.kernel), of(other.weight).numpy().T
            yield f"{name}/bias", of(layer.bias), of(other.bias).numpy()


data, gradient = attrgetter("data"), attrgetter("grad")


def must_be_near(ours, theirs, name):
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == np.float64
    assert abs(ours - theirs).max() <= NEAR * max(1, abs(theirs).max()), name


def losses_of_step(ours, theirs, x, x_first, labels):
    """Compute the gradients of both networks and return both losses."""
    for parameter in (*ours.parameters(), *theirs.parameters()):
        parameter.grad = None
    loss = softmax_cross_entropy(ours(x), labels)
    other = torch.nn.functional.cross_entropy(theirs(x_first), torch.tensor(labels))
    loss.backward()
    other.backward()
    return float(loss.data), other.item()


def test_outputs_loss_and_gradients(pair):
    ours, theirs, x, x_first, _ = pair
    assert len(list(parameters(ours, theirs, data))) == len(ours.parameters())
    our_loss, their_loss = losses_of_step(*pair)
    assert our_loss == pytest.approx(their_loss, rel=NEAR)
    for name, dx, wanted in parameters(ours, theirs, gradient):
        assert abs(wanted).max() > 1e-6, name
        must_be_near(dx, wanted, name)
    must_be_near(ours(x).data, theirs(x_first).detach().numpy(), "output in training")
    must_be_near(ours.train(False)(x).data, theirs.eval()(x_first).detach().numpy(), "output")


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
    make_ours, make_theirs = OPTIMIZERS[optimizer]
    our_optimizer, their_optimizer = make_ours(ours), make_theirs(theirs)
    losses = []
    for _ in range(10):
        losses.append(losses_of_step(*pair))
        our_optimizer.step()
        their_optimizer.step()
    our_losses, their_losses = zip(*losses, strict=True)
    assert our_losses[-1] < our_losses[0]
    np.testing.assert_allclose(our_losses, their_losses, rtol=NEAR)
    for name, parameter, wanted in parameters(ours, theirs, data):
        must_be_near(parameter, wanted, name)
    must_be_near(ours.train(False)(x).data, theirs.eval()(x_first).detach().numpy(), "output")
