"""Optimisers: first steps by hand, paths compared with PyTorch, float16, and refused arguments."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.errors import ArgumentError, NonFiniteError
from minidl.ops import concatenate
from minidl.optim import LBFGS, SGD, Adagrad, Adam, Nadam, RMSprop


def rosenbrock(x):
    a, b = x[:-1], x[1:]
    return (100 * (b - a * a) ** 2 + (1 - a) ** 2).sum()


def path(make, steps, start=(-1.2, 1.0, 0.5)):
    """Return the points that an optimiser visits on Rosenbrock's function."""
    x = Tensor(np.array(start), requires_grad=True)
    optimizer, points = make([x]), []
    for _ in range(steps):
        loss = rosenbrock(x)
        loss.backward()
        optimizer.step(loss)
        points.append(x.data)
    return np.array(points)


def torch_path(make, steps, start=(-1.2, 1.0, 0.5)):
    torch = pytest.importorskip("torch")
    x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer, points = make(torch.optim, [x]), []
    for _ in range(steps):
        optimizer.zero_grad()
        rosenbrock(x).backward()
        optimizer.step()
        points.append(x.detach().numpy().copy())
    return np.array(points)


def one_step(optimizer, x, gradient, loss=1.0):
    x.grad = np.asarray(gradient, dtype=x.dtype)
    optimizer.step(loss)
    return x.data


def test_sgd_with_momentum_by_hand():
    x = Tensor(np.array([1.0]), requires_grad=True)
    optimizer = SGD([x], 0.1, momentum=0.5)
    np.testing.assert_allclose(one_step(optimizer, x, [2.0]), [0.8])  # v = 2
    np.testing.assert_allclose(one_step(optimizer, x, [2.0]), [0.5])  # v = 3


def test_nesterov_by_hand():
    x = Tensor(np.array([1.0]), requires_grad=True)
    optimizer = SGD([x], 0.1, momentum=0.5, nesterov=True)
    np.testing.assert_allclose(one_step(optimizer, x, [2.0]), [0.7])  # g + v/2 = 3


@pytest.mark.parametrize("form", ["pytorch", "tensorflow"])
def test_adams_first_step_is_as_long_as_the_learning_rate(form):
    x = Tensor(np.array([1.0, 1.0]), requires_grad=True)
    moved = one_step(Adam([x], 0.1, epsilon_form=form), x, [5.0, -1e3])
    np.testing.assert_allclose(moved, [0.9, 1.1], rtol=1e-6)


def test_both_forms_of_adams_epsilon_by_hand():
    """For t = 1 and g = ε, m̂ = ε and v̂ = ε².

    The step of the paper is ε / (ε + ε) = 1/2. The other form is √v / (√v + ε), √v = ε √(1 - β2).
    """
    wanted = {"pytorch": 0.5, "tensorflow": 0.001**0.5 / (0.001**0.5 + 1)}
    for form, step in wanted.items():
        x = Tensor(np.array([1.0]), requires_grad=True)
        optimizer = Adam([x], 1.0, epsilon=1e-3, epsilon_form=form)
        np.testing.assert_allclose(one_step(optimizer, x, [1e-3]), [1 - step])


def test_adagrad_by_hand():
    """For equal gradients, the steps are α / √t."""
    x = Tensor(np.array([1.0]), requires_grad=True)
    optimizer = Adagrad([x], 0.1)
    np.testing.assert_allclose(one_step(optimizer, x, [-4.0]), [1.1])
    np.testing.assert_allclose(one_step(optimizer, x, [-4.0]), [1.1 + 0.1 / 2**0.5])


def test_rmsprop_by_hand():
    """v is 4² (1 - β), and then 4² (1 - β²). The velocity is the last step plus half of the one
    before."""
    first, second = 0.1 / 0.36**0.5, 0.1 / (1 - 0.64**2) ** 0.5
    for momentum in (0.0, 0.5):
        x = Tensor(np.array([1.0]), requires_grad=True)
        optimizer = RMSprop([x], 0.1, beta=0.64, momentum=momentum)
        one_step(optimizer, x, [4.0])
        moved = one_step(optimizer, x, [4.0])
        np.testing.assert_allclose(moved, [1 - first - second - momentum * first])


def test_a_centred_variance_of_equal_gradients_is_not_negative():
    """v and m² are equal up to rounding after many steps. The root of a negative number is NaN."""
    x = Tensor(np.full(100, 1.0, np.float32), requires_grad=True)
    optimizer = RMSprop([x], 1e-6, beta=0.5, centred=True, epsilon=1.0)
    gradient = np.random.default_rng(0).standard_normal(100)
    for _ in range(100):
        one_step(optimizer, x, gradient)
    assert np.isfinite(x.data).all()


def test_the_momentum_of_nadam_grows_and_its_product_vanishes():
    optimizer = Nadam([Tensor([1.0], requires_grad=True)], momentum_decay=1.0)
    assert optimizer._momentum(1) == pytest.approx(0.9 * (1 - 0.48))
    assert optimizer._momentum(500) == pytest.approx(0.9)
    assert optimizer._product(2) == pytest.approx(0.9**2 * (1 - 0.48) * (1 - 0.96**2 / 2))
    assert 1 - optimizer._product(10**9) == 1
    assert len(optimizer._products) < 1000


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda p: SGD(p, 1e-4), lambda o, p: o.SGD(p, 1e-4)),
        (lambda p: SGD(p, 1e-4, momentum=0.9), lambda o, p: o.SGD(p, 1e-4, momentum=0.9)),
        (
            lambda p: SGD(p, 1e-4, 0.9, nesterov=True),
            lambda o, p: o.SGD(p, 1e-4, momentum=0.9, nesterov=True),
        ),
        (lambda p: Adam(p, 0.02), lambda o, p: o.Adam(p, 0.02)),
        (lambda p: Adagrad(p, 0.1), lambda o, p: o.Adagrad(p, 0.1)),
        (lambda p: RMSprop(p, 0.001), lambda o, p: o.RMSprop(p, 0.001)),
    ],
)
def test_paths_equal_pytorchs(ours, theirs):
    np.testing.assert_allclose(path(ours, 50), torch_path(theirs, 50), rtol=1e-9)


def test_the_path_of_lbfgs_equals_pytorchs():
    """With max_iter=1, PyTorch evaluates the loss once per call and takes the same step."""

    def single_steps(optim, parameters):
        no_tolerance = {"tolerance_grad": 0, "tolerance_change": 0}
        optimizer = optim.LBFGS(parameters, lr=0.5, max_iter=1, history_size=5, **no_tolerance)
        step = optimizer.step

        def closure():
            optimizer.zero_grad()
            loss = rosenbrock(parameters[0])
            loss.backward()
            return loss

        optimizer.step = lambda: step(closure)
        return optimizer

    start = (0.9, 0.8, 0.7)  # from here no step is taken back, which PyTorch cannot do
    points = path(lambda p: LBFGS(p, 0.5, history=5, leap=float("inf")), 12, start)
    np.testing.assert_allclose(points, torch_path(single_steps, 12, start), rtol=1e-6)


def test_lbfgs_solves_a_quadratic_and_reports_that_it_converged():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((8, 8))
    A = A @ A.T + np.eye(8)
    x, y = (Tensor(rng.standard_normal(n), requires_grad=True) for n in (5, 3))
    optimizer, scale = LBFGS([x, y], history=20), 1e11  # the size of a loss of style transfer
    for _ in range(200):
        z = concatenate([x, y])
        loss = scale * (1 + z @ A @ z)
        loss.backward()
        if optimizer.converged:
            break
        optimizer.step(loss)
    assert optimizer.converged
    assert abs(np.concatenate([x.data, y.data])).max() < 1e-4
    assert x.shape == (5,) and y.shape == (3,)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_lbfgs_takes_back_a_step_to_a_bad_loss(bad):
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    optimizer = LBFGS([x])
    one_step(optimizer, x, [2.0, 4.0], loss=5.0)
    length = abs(x.data - [1, 2]).max()
    one_step(optimizer, x, [bad, bad], loss=bad)
    assert optimizer.rollbacks == 1
    np.testing.assert_allclose(abs(x.data - [1, 2]).max(), length / 4)
    one_step(optimizer, x, [1.9, 3.8], loss=4.9)
    assert np.isfinite(x.data).all() and optimizer.rollbacks == 1


def test_the_first_step_of_lbfgs_is_not_lost_in_rounding():
    """A step of 1 / Σ|g| for a million pixels would be too small to change a pixel of 128."""
    x = Tensor(np.full(1_000_000, 128, np.float32), requires_grad=True)
    moved = abs(one_step(LBFGS([x]), x, np.full(1_000_000, 50.0)) - 128)
    assert 0.01 < moved.max() < 1


def test_the_steps_of_lbfgs_grow_under_negative_curvature():
    x = Tensor(np.array([1.0]), requires_grad=True)
    optimizer, points = LBFGS([x]), [1.0]
    for _ in range(4):  # loss = -x²
        points.append(one_step(optimizer, x, -2 * x.data, loss=-(float(x.data[0]) ** 2))[0])
    steps = np.diff(points)
    assert not optimizer.pairs
    assert (steps[1:] > 3.9 * steps[:-1]).all()


@pytest.mark.parametrize("make", [LBFGS, Adam, lambda p: SGD(p, 0.1, momentum=0.9)])
def test_a_step_does_not_write_to_the_old_array(make):
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    x.data.flags.writeable = False
    before, copy = x.data, x.data.copy()
    one_step(make([x]), x, [1.0, 1.0])
    np.testing.assert_array_equal(before, copy)


@pytest.mark.parametrize("make", [LBFGS, Adam, lambda p: SGD(p, 0.1)])
def test_float32_stays_float32(make):
    x = Tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    optimizer = make([x])
    for _ in range(3):
        assert one_step(optimizer, x, x.data).dtype == np.float32


@pytest.mark.parametrize(
    "make",
    [
        lambda x: Adam([]),
        lambda x: Adam([np.ones(3)]),
        lambda x: Adam([Tensor([1.0])]),
        lambda x: SGD([x], 0.0),
        lambda x: SGD([x], float("nan")),
        lambda x: SGD([x], 0.1, momentum=1.0),
        lambda x: SGD([x], 0.1, nesterov=True),
        lambda x: Adam([x], epsilon_form="keras"),
        lambda x: Adam([x], beta1=1),
        lambda x: Adam([x], beta2=-0.1),
        lambda x: Adam([x], beta2=float("nan")),
        lambda x: LBFGS([x], history=0),
        lambda x: SGD([x], 0.1).step(),
    ],
)
def test_invalid_arguments_are_refused(make):
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(ArgumentError):
        make(x)


def test_lbfgs_refuses_to_begin_at_a_loss_of_nan():
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(NonFiniteError, match="cannot begin"):
        one_step(LBFGS([x]), x, [1.0], loss=float("nan"))


@pytest.mark.parametrize("size", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize(
    "make",
    [
        lambda p: SGD(p, 0.01),
        lambda p: SGD(p, 0.01, momentum=0.9, nesterov=True, weight_decay=0.1),
        lambda p: Adam(p, 0.01),
        lambda p: Adam(p, 0.01, weight_decay=0.1, decoupled=True),
        lambda p: LBFGS(p, 0.5),
    ],
    ids=["sgd", "nesterov", "adam", "adamw", "lbfgs"],
)
def test_a_step_in_float16_equals_a_step_in_float32_rounded(make, size):
    """In float16, Adam's epsilon and the square of 1e-4 are 0; the square of 1e4 is infinite."""
    gradients = size * np.random.default_rng(0).uniform(0.5, 2, (3, 8))
    start = np.linspace(-1, 1, 8)
    narrow, wide = (
        Tensor(start.astype(dtype), requires_grad=True) for dtype in (np.float16, np.float32)
    )
    optimizers = [make([p]) for p in (narrow, wide)]
    with np.errstate(all="raise", under="ignore"):
        for g in gradients:
            wide.data = narrow.data.astype(np.float32)
            for p, optimizer in zip((narrow, wide), optimizers, strict=True):
                p.grad = g.astype(np.float16).astype(p.dtype)
                optimizer.step(1.0)
            assert narrow.dtype == np.float16
            assert narrow.data.tobytes() == wide.data.astype(np.float16).tobytes()
            state = optimizers[0].state()
            assert all(value.dtype == np.float32 for value in state.values() if np.ndim(value))
            optimizers[0] = make([narrow])
            optimizers[0].restore(state)
