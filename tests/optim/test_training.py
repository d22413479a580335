"""Optimisers on a small network: beside PyTorch's; groups and weight decay; going on from a state;
on a GPU."""

import numpy as np
import pytest

from minidl import Tensor, layers, set_threads
from minidl.backend import device_of, is_array, to_numpy
from minidl.cores import get_threads
from minidl.errors import ArgumentError
from minidl.optim import LBFGS, SGD, Adam, Group, Steps, optimizer
from tests.devices import GPUS, at
from tests.optim.problems import START, assert_same_path, network, train, train_in_torch

EVERY = {
    "sgd": (lambda p, **o: SGD(p, 0.1, **o), lambda o, p, **w: o.SGD(p, 0.1, **w)),
    "momentum": (lambda p, **o: SGD(p, 0.1, 0.9, **o), lambda o, p, **w: o.SGD(p, 0.1, 0.9, **w)),
    "nesterov": (
        lambda p, **o: SGD(p, 0.1, 0.9, nesterov=True, **o), lambda o, p, **w: o.SGD(p, 0.1, 0.9, nesterov=True, **w)
    ),
    "adam": (lambda p, **o: Adam(p, 0.1, **o), lambda o, p, **w: o.Adam(p, 0.1, **w)),
    "adamw": (
        lambda p, **o: Adam(p, 0.1, decoupled=True, **o), lambda o, p, **w: o.AdamW(p, 0.1, **{"weight_decay": 0, **w})
    ),
}  # fmt: skip
OTHERS = {
    "keras": lambda p, **o: SGD(p, 0.1, 0.9, momentum_form="keras", **o),
    "keras' nesterov": lambda p, **o: SGD(p, 0.1, 0.9, nesterov=True, momentum_form="keras", **o),
    "tensorflow's adam": lambda p, **o: Adam(p, 0.1, epsilon_form="tensorflow", **o),
}
OURS = {name: ours for name, (ours, _) in EVERY.items()} | OTHERS


def halves(optimizer, step):
    """The learning rate is halved at each step."""
    if hasattr(optimizer, "param_groups"):
        for group in optimizer.param_groups:
            group["lr"] *= 0.5
    else:
        optimizer.learning_rate *= 0.5


def moved(make, steps=3, dtype=np.float64, before=None):
    parameters = network(dtype)
    return train(parameters, make(parameters), steps, before)


# ---- beside PyTorch ------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [None, halves])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", EVERY)
def test_paths_follow_pytorchs(name, decay, before):
    torch = pytest.importorskip("torch")
    ours, theirs = EVERY[name]
    found = moved(lambda p: ours(list(p.values()), weight_decay=decay), 10, before=before)
    wanted = train_in_torch(
        torch, lambda o, p: theirs(o, list(p.values()), weight_decay=decay), 10, before
    )
    assert_same_path(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_groups_follow_pytorchs(name):
    torch = pytest.importorskip("torch")
    ours, theirs = EVERY[name]
    kernels, others = (
        [key for key in START if key.endswith("kernel") == wanted] for wanted in (True, False)
    )
    found = moved(
        lambda p: ours(
            [
                Group([p[k] for k in kernels], weight_decay=0.2),
                Group({k: p[k] for k in others}, rate=0.3),
            ]
        ),
        10,
    )
    wanted = train_in_torch(
        torch,
        lambda o, p: theirs(o, [
            {"params": [p[k] for k in kernels], "weight_decay": 0.2}, {"params": [p[k] for k in others], "lr": 0.03}
        ]),
        10,
    )  # fmt: skip
    assert_same_path(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", OURS)
def test_named_parameters_decay_in_their_kernels_alone(name):
    make = OURS[name]
    found = moved(lambda p: make(p, weight_decay=0.2))
    wanted = moved(lambda p: make([
        Group({key: each}, weight_decay=0.2 * key.endswith("kernel")) for key, each in p.items()]))  # fmt: skip
    assert_same_path(found, wanted, rtol=0)
    without = moved(make)
    assert abs(found[0]["first/kernel"] - without[0]["first/kernel"]).max() > 1e-3
    np.testing.assert_array_equal(found[0]["first/bias"], without[0]["first/bias"])


def test_a_weight_decay_is_half_of_keras_l2():
    """λ Σ x² in the loss, by its gradient, is a weight decay of 2 λ."""
    (x, y), g = (
        [Tensor(np.array([3.0, -1.0]), requires_grad=True) for _ in range(2)],
        np.array([0.5, 0.25]),
    )
    x.grad, y.grad = g, g + 2 * 0.01 * y.data
    SGD([x], 0.1, weight_decay=0.02).step()
    SGD([y], 0.1).step()
    np.testing.assert_allclose(x.data, y.data, rtol=1e-15)


def test_decoupled_decay_by_hand():
    """g = 0: Adam has nothing to do, and x shrinks by learning_rate·λ."""
    x = Tensor(np.array([2.0]), requires_grad=True)
    x.grad = np.array([0.0])
    Adam([x], 0.1, weight_decay=0.5, decoupled=True).step()
    np.testing.assert_allclose(x.data, [2 * (1 - 0.05)], rtol=1e-15)


# ---- the two forms of momentum -------------------------------------------------------------------


@pytest.mark.parametrize("nesterov", [False, True])
def test_forms_of_momentum_differ_where_the_learning_rate_changes(nesterov):
    def make(form):
        return lambda p: SGD(p, 0.1, 0.9, nesterov, form, weight_decay=0.1)

    assert_same_path(moved(make("keras"), 10), moved(make("pytorch"), 10), rtol=1e-12)
    found, wanted = (
        moved(make(form), 10, before=halves)[-1]["first/kernel"] for form in ("keras", "pytorch")
    )
    assert abs(found - wanted).max() > 1e-2


def test_keras_form_by_hand():
    """Steps of 0.2, and, after the learning rate has become a tenth, 0.5·0.2 + 0.02."""
    x = Tensor(np.array([1.0]), requires_grad=True)
    optimizer, x.grad = SGD([x], 0.1, momentum=0.5, momentum_form="keras"), np.array([2.0])
    optimizer.step()
    np.testing.assert_allclose(x.data, [0.8])
    optimizer.learning_rate = 0.01
    optimizer.step()
    np.testing.assert_allclose(x.data, [0.68])


# ---- going on from a state -----------------------------------------------------------------------

MAKERS = {**OURS, "lbfgs": lambda p, **o: LBFGS(p, 0.5, history=3, **o)}


def through_a_file(state, folder):
    np.savez(folder / "state.npz", **state)
    with np.load(folder / "state.npz") as file:
        return dict(file)


@pytest.mark.parametrize("steps", [0, 1, 6])
@pytest.mark.parametrize("name", MAKERS)
def test_a_restored_optimizer_goes_on_to_the_same_bytes(name, steps, tmp_path):
    parameters = network()
    optimizer = MAKERS[name](parameters)
    train(parameters, optimizer, steps)
    optimizer.learning_rate /= 2
    state, there = optimizer.state(), {key: p.data for key, p in parameters.items()}
    wanted = train(parameters, optimizer, 5)
    for kept in (state, through_a_file(state, tmp_path)):
        other = network()
        restored = MAKERS[name](other)
        train(other, restored, 2)  # what it learned before is forgotten
        restored.restore(kept)
        for key, p in other.items():
            p.data = there[key]
        assert_same_path(train(other, restored, 5), wanted, rtol=0)


@pytest.mark.parametrize(
    "make",
    [lambda p, rate: SGD(p, rate), lambda p, rate: Adam(p, rate), lambda p, rate: LBFGS(p, rate)],
)
def test_a_learning_rate_that_was_a_whole_number_is_restored_as_any_other(make):
    optimizer = make(network(), 1)
    optimizer.restore({**optimizer.state(), "learning_rate": 0.5})
    assert optimizer.learning_rate == 0.5


def test_names_of_a_state():
    assert SGD(network(), 0.1).state() == {"learning_rate": 0.1}
    assert {*SGD(network(), 0.1, 0.9).state()} == {
        "learning_rate",
        *(f"velocity/{name}" for name in START),
    }
    assert {*Adam([*network().values()][:2]).state()} == {
        "learning_rate",
        "steps",
        "m/0",
        "m/1",
        "v/0",
        "v/1",
    }


@pytest.mark.parametrize("name", ["momentum", "adam", "lbfgs"])
def test_what_a_state_shows_stays(name):
    parameters = network()
    optimizer = MAKERS[name](parameters)
    train(parameters, optimizer, 2)
    state = optimizer.state()
    before = {key: np.array(value) for key, value in state.items()}
    train(parameters, optimizer, 2)
    for key, value in before.items():
        np.testing.assert_array_equal(state[key], value)


def test_states_that_do_not_fit_are_refused_and_nothing_changes():
    optimizer = Adam(network())
    state, velocity = optimizer.state(), SGD(network(), 0.1, 0.9).state()
    before = optimizer.state()
    bad_shape = {**state, "learning_rate": 7.0, "v/second/bias": np.zeros(3)}
    for wrong, sentence in (
        (
            velocity,
            "the state lacks 'm/first/bias' (19 names differ); wanted that of the same optimiser and parameters",
        ),
        (
            {**state, "w": 1},
            "the state has an unknown 'w' (1 names differ); wanted that of the same optimiser and parameters",
        ),
        (
            bad_shape,
            "v/second/bias has shape (3,) in the state; wanted (2,), that of the same parameters",
        ),
        (
            {**state, "steps": np.zeros(2)},
            "steps has shape (2,) in the state; wanted (), that of the same parameters",
        ),
    ):
        with pytest.raises(ArgumentError) as caught:
            optimizer.restore(wrong)
        assert str(caught.value) == sentence
    for key, value in optimizer.state().items():
        np.testing.assert_array_equal(value, before[key])
    lbfgs, parameters = LBFGS(network()), network()
    other = LBFGS(parameters)
    train(parameters, other, 4)
    for wrong in ({**other.state(), "s/0": np.zeros(3)}, {**other.state(), "x": 1.0}, velocity):
        with pytest.raises(ArgumentError):
            lbfgs.restore(wrong)


# ---- which parameters ----------------------------------------------------------------------------


def test_frozen_ones_of_a_module_are_passed_over():
    module = layers.Dense(np.ones((2, 3)), np.zeros(3))
    module.bias.requires_grad = False
    assert SGD(module.named_parameters(), 0.1).names == ["kernel"]
    assert SGD([Group(module.named_parameters())], 0.1).names == ["kernel"]
    with pytest.raises(ArgumentError, match="requires_grad=True"):
        SGD(module.freeze().named_parameters(), 0.1)


def test_what_makes_no_sense_is_refused():
    x, y = (Tensor([1.0], requires_grad=True) for _ in range(2))
    for make, words in (
        (lambda: SGD([x, x], 0.1), "a parameter, or a name, twice"),
        (lambda: SGD({"a": x, "b": x}, 0.1), "a parameter, or a name, twice"),
        (lambda: SGD([Group({"a": x}), Group({"a": y})], 0.1), "a parameter, or a name, twice"),
        (lambda: SGD([Group([x]), y], 0.1), "wanted Groups alone"),
        (lambda: SGD([Group([x])], 0.1, weight_decay=0.1), "wanted Groups alone"),
        (lambda: SGD({"a": x}, 0.1, weight_decay=0.1), "no parameter's name ends in 'kernel'"),
        (
            lambda: SGD([x], 0.1, weight_decay=-0.1),
            "the weight decay is -0.1; wanted a number of at least 0",
        ),
        (
            lambda: SGD([Group([x], weight_decay=float("nan"))], 0.1),
            "the weight decay of a group is nan",
        ),
        (lambda: SGD([Group([x], rate=-1)], 0.1), "the rate of a group is -1"),
        (lambda: SGD([Group([])], 0.1), "at least one"),
        (lambda: SGD({}, 0.1), "at least one"),
        (lambda: SGD({"a": 3}, 0.1), "requires_grad=True"),
        (
            lambda: SGD([x], 0.1, 0.9, momentum_form="torch"),
            "momentum_form is 'torch'; wanted one of 'pytorch', 'keras'",
        ),
        (lambda: LBFGS([Group([x], rate=0.5)]), "without weight decay or rate"),
        (lambda: LBFGS([Group([x], weight_decay=0.5)]), "without weight decay or rate"),
    ):
        with pytest.raises(ArgumentError, match=words):
            make()


# ---- memory, cores, devices ----------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
def test_old_arrays_are_left_alone_and_float32_stays(name):
    parameters = network(np.float32)
    before = {key: p.data for key, p in parameters.items()}
    for array in before.values():
        array.flags.writeable = False
    optimizer = OURS[name](parameters, weight_decay=0.1)
    kept = train(parameters, optimizer, 1)[0]
    copies = {key: array.copy() for key, array in kept.items()}
    train(parameters, optimizer, 3)
    for key, array in before.items():
        np.testing.assert_array_equal(array, START[key].astype(np.float32))
        np.testing.assert_array_equal(kept[key], copies[key])
        assert parameters[key].dtype == np.float32


@pytest.mark.parametrize("name", OURS)
def test_strips_and_cores_change_no_byte(name, monkeypatch):
    def path():
        rng = np.random.default_rng(0)
        shapes = [(300, 511), (511,), (), (0, 3)]
        tensors = [
            Tensor(np.asarray(rng.standard_normal(shape), np.float32), requires_grad=True)
            for shape in shapes
        ]
        tensors[0].data = np.asfortranarray(tensors[0].data)
        optimizer = OURS[name](tensors, weight_decay=0.1)
        for _ in range(3):
            for p in tensors:
                p.grad = np.asarray(rng.standard_normal(p.shape), np.float32)
            optimizer.step()
        assert [p.shape for p in tensors] == shapes
        return [p.data.tobytes() for p in tensors]

    threads, wanted = get_threads(), path()
    try:
        for count, strip in ((1, 1 << 20), (3, 1000)):
            set_threads(count)
            monkeypatch.setattr(optimizer, "STRIP", strip)
            assert path() == wanted
    finally:
        set_threads(threads)


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("name", MAKERS)
def test_a_gpu_takes_the_same_steps_and_goes_on_with_the_cpu_s_state(name, place):
    decay = {} if name == "lbfgs" else {"weight_decay": 0.1}
    parameters = network()
    optimizer = MAKERS[name](parameters, **decay)
    wanted = train(parameters, optimizer, 4, most=0.5)
    state = optimizer.state()
    with at(place):
        parameters = network()
        optimizer = MAKERS[name](parameters, **decay)
        found = train(parameters, optimizer, 4, most=0.5)
        assert_same_path(found, wanted, rtol=1e-9)
        for key, value in optimizer.state().items():
            if is_array(value):
                assert device_of(value) == "gpu"
                np.testing.assert_allclose(to_numpy(value), state[key], rtol=1e-7, atol=1e-9)
        optimizer.restore(state)
        train(parameters, optimizer, 1)
        assert all(device_of(p.data) == "gpu" for p in parameters.values())


def test_a_schedule_is_the_learning_rate():
    schedule = Steps(0.1, {2: 0.1})
    found = moved(
        lambda p: SGD(p, 0.1), 4, before=lambda o, step: setattr(o, "learning_rate", schedule(step))
    )
    parameters = network()
    first = train(parameters, SGD(parameters, 0.1), 2)
    assert_same_path(found, first + train(parameters, SGD(parameters, 0.01), 2), rtol=1e-14)
