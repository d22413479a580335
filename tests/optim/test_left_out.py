"""Parameters that a step does not change: frozen ones, and those that the loss does not reach."""

import warnings

import numpy as np
import pytest

from minidl import Tensor
from minidl.errors import ArgumentError, MinidlWarning
from minidl.layers import Dense, ReLU, Sequential
from minidl.optim import LBFGS, SGD, Adagrad, Adam, Nadam, RMSprop, clip_gradients
from tests.devices import GPUS, at

MAKERS = {
    "sgd": lambda p: SGD(p, 0.1),
    "decay": lambda p: SGD(p, 0.1, weight_decay=0.5),
    "momentum": lambda p: SGD(p, 0.1, 0.9, weight_decay=0.5),
    "nesterov": lambda p: SGD(p, 0.1, 0.9, nesterov=True),
    "keras": lambda p: SGD(p, 0.1, 0.9, momentum_form="keras"),
    "adam": lambda p: Adam(p, 0.1, weight_decay=0.5),
    "adamw": lambda p: Adam(p, 0.1, weight_decay=0.5, decoupled=True),
    "tensorflow": lambda p: Adam(p, 0.1, epsilon_form="tensorflow"),
    "adagrad": lambda p: Adagrad(p, 0.1, weight_decay=0.5),
    "rmsprop": lambda p: RMSprop(p, 0.1, momentum=0.9, centred=True),
    "nadam": lambda p: Nadam(p, 0.1, weight_decay=0.5),
    "lbfgs": lambda p: LBFGS(p, 0.1),
}
X = np.random.default_rng(1).standard_normal((6, 3))


def network():
    rng = np.random.default_rng(0)
    double = {"dtype": np.float64}
    return Sequential(Dense.new(rng, 3, 4, **double), ReLU(), Dense.new(rng, 4, 2, **double))


def step(model, optimizer):
    y = model(X)
    loss = ((y - 1.0) ** 2).mean()
    loss.backward()
    optimizer.step(loss)


def contents(model):
    return {name: p.data.tobytes() for name, p in model.named_parameters().items()}


@pytest.mark.parametrize("name", MAKERS)
def test_a_layer_that_is_frozen_after_the_optimizer_was_made_does_not_change(name):
    model = network()
    optimizer = MAKERS[name](model.named_parameters())
    for _ in range(2):
        step(model, optimizer)
    model.layers["dense1"].freeze()
    before, state = contents(model), optimizer.state()
    for _ in range(3):
        step(model, optimizer)
    after = contents(model)
    for key, bytes_before in before.items():
        assert (after[key] == bytes_before) == key.startswith("dense1/"), key
    if name != "lbfgs":  # the state of LBFGS has no arrays of single parameters
        for key, value in optimizer.state().items():
            if "/dense1/" in key and not key.startswith("idle/"):
                np.testing.assert_array_equal(value, state[key])
    model.layers["dense1"].freeze(False)
    before = contents(model)
    step(model, optimizer)
    assert all(contents(model)[key] != bytes_before for key, bytes_before in before.items())
    assert all(np.isfinite(p.data).all() for p in model.parameters())


@pytest.mark.parametrize("name", MAKERS)
def test_a_gradient_from_before_freezing_changes_nothing(name):
    model = network()
    optimizer = MAKERS[name](model.named_parameters())
    ((model(X) - 1.0) ** 2).mean().backward()
    kernel = model.layers["dense1"].kernel
    kernel.requires_grad = False  # freeze() would also delete the gradient
    before = kernel.data
    optimizer.step(1.0)
    assert kernel.data is before and kernel.grad is not None
    model.freeze()
    before = contents(model)
    optimizer.step(1.0)
    assert contents(model) == before
    assert all(p.grad is None for p in model.parameters())


def test_a_frozen_array_stays_read_only_in_the_steps_of_others():
    model = network()
    optimizer = LBFGS(model.named_parameters())
    model.layers["dense1"].freeze()
    for _ in range(3):
        step(model, optimizer)
    assert not model.layers["dense1"].kernel.data.flags.writeable


def test_steps_while_frozen_do_not_count_in_adams_corrections():
    """The first step of a parameter is as long as the learning rate, whenever it is taken.

    This holds also after a state was restored.
    """
    trained, frozen = (Tensor(np.array([1.0]), requires_grad=True) for _ in range(2))
    optimizer = Adam([trained, frozen], 0.1)
    frozen.requires_grad = False
    for _ in range(2000):
        trained.grad = np.array([3.0])
        optimizer.step()
    assert optimizer.state()["idle/1"] == 2000 and "idle/0" not in optimizer.state()
    thawed = Tensor(np.array([1.0]), requires_grad=True)
    restored = Adam([trained, thawed], 0.1)
    restored.restore(optimizer.state())
    trained.grad = thawed.grad = np.array([3.0])
    restored.step()
    np.testing.assert_allclose(thawed.data, [0.9], rtol=1e-6)
    message = r"idle/1 is .* in the state; wanted a whole number of its steps"
    for wrong in (-1, 0.5, 2001, float("nan"), np.zeros(2)):
        with pytest.raises(ArgumentError, match=message):
            restored.restore({**optimizer.state(), "idle/1": wrong})


def test_parameters_may_have_the_names_of_adams_numbers():
    x, steps = (Tensor(np.array([1.0]), requires_grad=True) for _ in range(2))
    optimizer = Adam({"x": x, "steps": steps})
    steps.requires_grad = False
    x.grad = np.array([3.0])
    optimizer.step()
    state = optimizer.state()
    assert state["idle/steps"] == state["steps"] == 1
    steps.requires_grad = True
    restored = Adam({"x": x, "steps": steps})
    restored.restore(state)
    np.testing.assert_equal(restored.state(), state)


@pytest.mark.parametrize("make", [lambda p: SGD(p, 0.1, 0.9), Adam, LBFGS])
def test_a_parameter_that_the_loss_does_not_reach_is_named_once(make):
    x, unused, y = (Tensor(np.array([value]), requires_grad=True) for value in (1.0, 2.0, 3.0))
    optimizer = make({"x": x, "unused/kernel": unused, "y": y})
    message = "does not depend on 1 of 3 parameters, which stay as they are: unused/kernel$"
    with pytest.warns(MinidlWarning, match=message):
        (x * x + y).backward()
        optimizer.step(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (x * x + y).backward()
        optimizer.step(0.9)
        assert unused.data == 2 and x.data < 1 and y.data < 3
        (unused * unused + x + y).backward()
        optimizer.step(0.9)
    assert unused.data != 2
    x.grad = unused.grad = y.grad = None
    message = "none of 3 parameters has a gradient; call backward before step"
    with pytest.raises(ArgumentError, match=message):
        optimizer.step(1.0)


def test_lbfgs_with_a_frozen_parameter_takes_the_steps_of_lbfgs_without_it():
    def path(parameters, frozen=()):
        optimizer, points = LBFGS(parameters, 0.3), []
        for p in frozen:
            p.requires_grad = False
        for _ in range(6):
            loss = (parameters[0] ** 4).sum() + (parameters[0] * np.array([1.0, 2.0])).sum()
            loss.backward()
            optimizer.step(loss)
            points.append(parameters[0].data)
        return np.array(points)

    def start():
        return Tensor(np.array([1.0, -2.0]), requires_grad=True)

    other = Tensor(np.ones(3), requires_grad=True)
    np.testing.assert_allclose(path([start(), other], frozen=[other]), path([start()]), rtol=1e-12)


def test_a_frozen_gradient_does_not_count_in_the_length():
    x, y = (Tensor(np.array([0.0]), requires_grad=True) for _ in range(2))
    x.grad, y.grad, y.requires_grad = np.array([3.0]), np.array([4.0]), False
    assert clip_gradients([x, y], most=1.0) == 3
    assert (x.grad, y.grad) == (1, 4)


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("name", ["momentum", "adam", "lbfgs"])
def test_frozen_parameters_on_a_gpu(name, place):
    with at(place):
        x, y = (Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
        optimizer = MAKERS[name]({"x/kernel": x, "y/kernel": y})
        for frozen in (False, True):
            y.requires_grad = not frozen
            before = y.data
            ((x * x).sum() + (y * y).sum()).backward()
            optimizer.step(1.0)
            assert (y.data is before) == frozen


@pytest.mark.filterwarnings("ignore:the loss does not depend on")
@pytest.mark.parametrize("name", MAKERS)
def test_a_gradient_of_an_earlier_step_is_not_used_again(name):
    """Train two heads in turn. A step of one head does not change the other."""
    heads = [Tensor(np.ones(3), requires_grad=True) for _ in range(2)]
    optimizer = MAKERS[name](heads)
    for turn in (0, 1, 0, 0, 1):
        before = [head.data for head in heads]
        loss = (heads[turn] * heads[turn]).sum()
        loss.backward()
        optimizer.step(float(loss))
        pairs = zip(heads, before, strict=True)
        moved = [not np.array_equal(head.data, data) for head, data in pairs]
        assert moved == [turn == 0, turn == 1]


def test_a_step_may_be_repeated_with_the_same_gradients():
    x = Tensor(np.ones(3), requires_grad=True)
    (x * x).sum().backward()
    optimizer = SGD([x], 0.1)
    optimizer.step()
    optimizer.step()
    np.testing.assert_allclose(x.data, 1 - 2 * 0.2)
