"""Networks that use a layer or a parameter twice, trained beside the same networks in torch.nn."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.layers import BatchNorm, Dense, Module, ReLU, Sequential
from minidl.optim import SGD, Adam

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

STEPS, NEAR = 5, 1e-10


def linear(layer):
    """Return the same layer in torch.nn, with the same parameters."""
    other = torch.nn.Linear(*layer.kernel.shape, bias=layer.bias is not None).double()
    other.weight.data = torch.tensor(layer.kernel.data.T.copy())
    if layer.bias is not None:
        other.bias.data = torch.tensor(layer.bias.data)
    return other


def repeated():
    """A network that computes two layers twice. The gradient of a bias would be 0, which Adam
    divides by itself."""
    layer = Dense.new(np.random.default_rng(0), 4, 4, bias=False, dtype=np.float64)
    normalization = BatchNorm(4, dtype=np.float64)
    theirs, their_normalization = linear(layer), torch.nn.BatchNorm1d(4)
    ours = Sequential(layer, normalization, ReLU(), layer, normalization)
    layers = theirs, their_normalization, torch.nn.ReLU(), theirs, their_normalization
    return ours, torch.nn.Sequential(*layers).double()


class Tied(Module):
    """An autoencoder whose decoder has the kernel of its encoder, transposed."""

    def __init__(self):
        self.encoder = Dense.new(np.random.default_rng(0), 4, 3, dtype=np.float64)
        self.kernel, self.bias = self.encoder.kernel, Tensor(np.zeros(4), requires_grad=True)

    def __call__(self, x):
        return self.encoder(x) @ self.kernel.T + self.bias


class TheirTied(torch.nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder, self.weight = encoder, encoder.weight
        self.bias = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))

    def forward(self, x):
        return torch.nn.functional.linear(self.encoder(x), self.weight.T, self.bias)


def tied():
    ours = Tied()
    return ours, TheirTied(linear(ours.encoder))


OPTIMIZERS = {
    "sgd": (lambda p: SGD(p, 0.1, momentum=0.9), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    "adam": (lambda p: Adam(p, 0.01), lambda p: torch.optim.Adam(p, 0.01)),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("build", [repeated, tied])
def test_losses_of_training_are_those_of_pytorch(build, optimizer):
    (ours, theirs), (make_ours, make_theirs) = build(), OPTIMIZERS[optimizer]
    assert sum(p.size for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())
    our_optimizer = make_ours(ours.named_parameters())
    their_optimizer = make_theirs(theirs.parameters())
    x = np.random.default_rng(1).standard_normal((8, 4))
    for _ in range(STEPS):
        loss = ((ours(x) - x) ** 2).mean()
        loss.backward()
        our_optimizer.step()
        their_optimizer.zero_grad()
        their_loss = ((theirs(torch.tensor(x)) - torch.tensor(x)) ** 2).mean()
        their_loss.backward()
        their_optimizer.step()
        assert loss.item() == pytest.approx(their_loss.item(), rel=NEAR)
    y, wanted = ours.train(False)(x), theirs.eval()(torch.tensor(x))
    np.testing.assert_allclose(y.data, wanted.detach().numpy(), rtol=0, atol=NEAR)
