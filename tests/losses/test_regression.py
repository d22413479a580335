"""Losses of regression: by hand, compared with PyTorch, kinks, and refused arguments."""

import numpy as np
import pytest

from minidl import Tensor, losses, value_and_grad
from minidl.errors import ArgumentError, ShapeError
from minidl.losses import huber_loss, l1_loss, mse_loss

Y, T = np.array([1.0, 5.0, 2.0]), np.array([2.0, 2.0, 2.0])
SHAPES = [(), (6,), (3, 5), (2, 0, 3)]
IN_TORCH = {  # words -> (loss, its options, PyTorch's name and options)
    "mse": (mse_loss, {}, "mse_loss", {}),
    "l1": (l1_loss, {}, "l1_loss", {}),
    "huber": (huber_loss, {}, "huber_loss", {}),
    "huber with delta": (huber_loss, {"delta": 0.3}, "huber_loss", {"delta": 0.3}),
}


def test_the_losses_by_hand():
    assert mse_loss(Y, T) == (1 + 9) / 3
    assert l1_loss(Y, T) == (1 + 3) / 3
    assert huber_loss(Y, T) == (1 / 2 + 3 - 1 / 2) / 3
    assert mse_loss(Y, T, "sum") == 10
    np.testing.assert_array_equal(huber_loss(Y, T, "none", delta=2.0), [1 / 2, 2 * (3 - 1), 0])


def test_the_gradients_by_hand():
    for loss, wanted in ((mse_loss, [-2, 6, 0]), (l1_loss, [-1, 1, 0]), (huber_loss, [-1, 1, 0])):
        _, [dy, dt] = value_and_grad(lambda y, t, loss=loss: loss(y, t, "sum"))(Y, T)
        np.testing.assert_array_equal(dy, wanted)
        np.testing.assert_array_equal(dt, -np.array(wanted, float))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", IN_TORCH)
def test_values_and_gradients_equal_pytorchs(name, shape, reduction):
    torch = pytest.importorskip("torch")
    loss, options, their_name, their_options = IN_TORCH[name]
    if 0 in shape and reduction == "mean":
        with pytest.raises(ShapeError, match="their mean is undefined"):
            loss(np.ones(shape), np.ones(shape))
        return
    arrays = [np.asarray(np.random.default_rng(seed).standard_normal(shape)) for seed in range(2)]
    ours = [Tensor(array, requires_grad=True) for array in arrays]
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    L = loss(*ours, reduction, **options)
    wanted = getattr(torch.nn.functional, their_name)(*theirs, reduction=reduction, **their_options)
    dL = np.asarray(np.random.default_rng(2).standard_normal(L.shape))
    L.backward(dL)
    wanted.backward(torch.tensor(dL))
    np.testing.assert_allclose(L.data, wanted.detach().numpy(), rtol=1e-13)
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(our.grad, their.grad.numpy(), rtol=1e-13)


@pytest.mark.parametrize("beta", [0.3, 2.0])
def test_the_smooth_l1_loss_of_pytorch_is_hubers_divided_by_beta(beta):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.functional.smooth_l1_loss(torch.tensor(Y), torch.tensor(T), beta=beta)
    np.testing.assert_allclose(huber_loss(Y, T, delta=beta) / beta, theirs.item(), rtol=1e-14)


def test_hubers_loss_is_between_the_square_and_the_absolute_value():
    d = np.linspace(-5, 5, 1001)
    zeros = np.zeros_like(d)
    np.testing.assert_allclose(
        huber_loss(d, zeros, "none", delta=10.0), mse_loss(d, zeros, "none") / 2, rtol=1e-13
    )
    small = huber_loss(d, zeros, "none", delta=1e-9) / 1e-9
    np.testing.assert_allclose(small, l1_loss(d, zeros, "none"), atol=1e-9)


def test_a_far_outlier_does_not_overflow_hubers_loss():
    y, t = np.array([3e38], np.float32), np.array([0], np.float32)
    value, [dy, _] = value_and_grad(lambda y, t: huber_loss(y, t))(y, t)
    np.testing.assert_allclose(value, 3e38, rtol=1e-6)
    assert dy == 1


@pytest.mark.parametrize("loss", [mse_loss, l1_loss, huber_loss])
def test_arguments_that_do_not_fit_are_refused(loss):
    shapes = r"predictions \(3,\) and targets \(1,\); wanted the same shape twice"
    with pytest.raises(ShapeError, match=f"{loss.__name__} of {shapes}"):
        loss(Y, T[:1])
    for wrong in (T.astype(int), 2.0, [2.0, 2.0, 2.0]):
        with pytest.raises(ArgumentError, match="targets"):
            loss(Y, wrong)
    with pytest.raises(ArgumentError, match="wanted one of 'mean', 'sum', 'none'"):
        loss(Y, T, "avg")


@pytest.mark.parametrize("delta", [0.0, -1.0, float("nan")])
def test_a_delta_that_is_not_above_0_is_refused(delta):
    with pytest.raises(ArgumentError, match="wanted a number above 0"):
        huber_loss(Y, T, delta=delta)


def test_all_three_are_public():
    assert {"mse_loss", "l1_loss", "huber_loss"} <= {*losses.__all__}
