"""A small network with batch normalization, and its training in minidl and in PyTorch."""

import numpy as np

from minidl import Tensor, ops
from minidl.backend import current_device, to_device, to_numpy
from minidl.optim import clip_gradients

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
SHAPES = {
    "first/kernel": (3, 5),
    "first/bias": (5,),
    "norm/gamma": (5,),
    "norm/beta": (5,),
    "second/kernel": (5, 2),
    "second/bias": (2,),
}
START = {name: rng.standard_normal(shape) / 2 for name, shape in SHAPES.items()}


def on_device(array):
    return to_device(array, current_device())


def network(dtype=np.float64):
    """Return the parameters by name, with their initial values."""
    return {
        name: Tensor(on_device(array.astype(dtype)), requires_grad=True)
        for name, array in START.items()
    }


def loss_of(p):
    x, y = (on_device(array.astype(p["first/bias"].dtype)) for array in (X, Y))
    hidden = ops.tanh(ops.matmul(x, p["first/kernel"]) + p["first/bias"])
    normalized = ops.batch_norm(hidden, p["norm/gamma"], p["norm/beta"])
    error = normalized @ p["second/kernel"] + p["second/bias"] - y
    return (error * error).mean()


def train(parameters, optimizer, steps, before=None, most=None):
    """Train, and return the parameters after each step as a dict name -> array.

    before(optimizer, step): called before each step. most: clips the gradients to this length.
    """
    points = []
    for step in range(steps):
        if before:
            before(optimizer, step)
        loss = loss_of(parameters)
        loss.backward()
        if most:
            clip_gradients(parameters, most)
        optimizer.step(float(loss))
        points.append({name: to_numpy(p.data) for name, p in parameters.items()})
    return points


def train_in_torch(torch, make, steps, before=None, most=None):
    """Do the same in PyTorch. make(torch.optim, parameters by name): returns the optimizer.

    PyTorch keeps its own factors, such as NAdam's product of momenta, in the default dtype.
    """
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return _train_in_torch(torch, make, steps, before, most)
    finally:
        torch.set_default_dtype(default)


def _train_in_torch(torch, make, steps, before, most):
    p = {name: torch.tensor(array, requires_grad=True) for name, array in START.items()}
    x, y, optimizer, points = torch.tensor(X), torch.tensor(Y), make(torch.optim, p), []
    for step in range(steps):
        if before:
            before(optimizer, step)
        optimizer.zero_grad()
        hidden = torch.tanh(x @ p["first/kernel"] + p["first/bias"])
        normal = torch.nn.functional.batch_norm(
            hidden, None, None, p["norm/gamma"], p["norm/beta"], training=True
        )
        error = normal @ p["second/kernel"] + p["second/bias"] - y
        (error * error).mean().backward()
        if most:
            torch.nn.utils.clip_grad_norm_(p.values(), most)
        optimizer.step()
        points.append({name: tensor.detach().numpy().copy() for name, tensor in p.items()})
    return points


def assert_same_path(points, wanted, rtol):
    assert len(points) == len(wanted)
    for point, wanted_point in zip(points, wanted, strict=True):
        for name, array in point.items():
            limits = {"rtol": rtol, "atol": rtol}
            np.testing.assert_allclose(array, wanted_point[name], **limits, err_msg=name)
