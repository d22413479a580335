"""A small network, with batch normalization, that optimisers are tried on, here and in PyTorch, and
what they do with it."""

import numpy as np

from minidl import Tensor, ops
from minidl.backend import current_device, to_device, to_numpy
from minidl.optim import clip_gradients

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
SHAPES = {
    "first/kernel": (3, 5), "first/bias": (5,), "norm/gamma": (5,), "norm/beta": (5,), "second/kernel": (5, 2),
    "second/bias": (2,),
}  # fmt: skip
START = {name: rng.standard_normal(shape) / 2 for name, shape in SHAPES.items()}


def on_device(array):
    return to_device(array, current_device())


def network(dtype=np.float64):
    """name -> Tensor"""
    return {
        name: Tensor(on_device(array.astype(dtype)), requires_grad=True)
        for name, array in START.items()
    }


def loss_of(p):
    x, y = (on_device(array.astype(p["first/bias"].dtype)) for array in (X, Y))
    hidden = ops.tanh(ops.matmul(x, p["first/kernel"]) + p["first/bias"])
    off = (
        ops.batch_norm(hidden, p["norm/gamma"], p["norm/beta"]) @ p["second/kernel"]
        + p["second/bias"]
        - y
    )
    return (off * off).mean()


def train(parameters, optimizer, steps, before=None, most=None):
    """Points (one dict name -> array each) that it visits. before(optimizer, step): called ahead of
    each step."""
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
        off = normal @ p["second/kernel"] + p["second/bias"] - y
        (off * off).mean().backward()
        if most:
            torch.nn.utils.clip_grad_norm_(p.values(), most)
        optimizer.step()
        points.append({name: each.detach().numpy().copy() for name, each in p.items()})
    return points


def assert_same_path(ours, theirs, rtol):
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        for name, array in one.items():
            np.testing.assert_allclose(array, other[name], rtol=rtol, atol=rtol, err_msg=name)
