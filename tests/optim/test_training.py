"""Optimisers on a small network: PyTorch's paths, groups, weight decay, states and devices."""

from functools import partial

import numpy as np
import pytest

from minidl import Tensor, layers
from minidl.backend import device_of, is_array, to_numpy
from minidl.engine import updates
from minidl.errors import ArgumentError
from minidl.optim import LBFGS, SGD, Adagrad, Adam, Group, Nadam, RMSprop, Steps
from tests.devices import GPUS, at
from tests.optim.problems import START, assert_same_path, network, train, train_in_torch
from tests.running import using_threads

OURS = {  # name -> function of parameters and further options that makes the optimizer
    "sgd": partial(SGD, learning_rate=0.1),
    "momentum": partial(SGD, learning_rate=0.1, momentum=0.9),
    "nesterov": partial(SGD, learning_rate=0.1, momentum=0.9, nesterov=True),
    "adam": partial(Adam, learning_rate=0.1),
    "adamw": partial(Adam, learning_rate=0.1, decoupled=True),
    "adagrad": partial(Adagrad, learning_rate=0.1),
    "rmsprop": partial(RMSprop, learning_rate=0.1, beta=0.9),
    "rmsprop with momentum": partial(RMSprop, learning_rate=0.1, momentum=0.9),
    "centred": partial(RMSprop, learning_rate=0.1, centred=True, epsilon=0.01),
    "centred with momentum": partial(
        RMSprop, learning_rate=0.1, centred=True, momentum=0.9, epsilon=0.01
    ),
    "nadam": partial(Nadam, learning_rate=0.1),
    "nadamw": partial(Nadam, learning_rate=0.1, decoupled=True, momentum_decay=0.3),
    "keras": partial(SGD, learning_rate=0.1, momentum=0.9, momentum_form="keras"),
    "keras' nesterov": partial(
        SGD, learning_rate=0.1, momentum=0.9, nesterov=True, momentum_form="keras"
    ),
    "tensorflow's adam": partial(Adam, learning_rate=0.1, epsilon_form="tensorflow"),
}
IN_TORCH = {  # name -> (name of the class in torch.optim, options)
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {}),
    "adamw": ("AdamW", {"weight_decay": 0}),
    "adagrad": ("Adagrad", {}),
    "rmsprop": ("RMSprop", {"alpha": 0.9}),
    "rmsprop with momentum": ("RMSprop", {"momentum": 0.9}),
    "centred": ("RMSprop", {"centered": True, "eps": 0.01}),
    "centred with momentum": ("RMSprop", {"centered": True, "momentum": 0.9, "eps": 0.01}),
    "nadam": ("NAdam", {}),
    "nadamw": ("NAdam", {"decoupled_weight_decay": True, "momentum_decay": 0.3}),
}


def in_torch(name, optim, parameters, **options):
    class_name, own_options = IN_TORCH[name]
    return getattr(optim, class_name)(parameters, 0.1, **{**own_options, **options})


def halve_learning_rate(optimizer, step):
    if hasattr(optimizer, "param_groups"):
        for group in optimizer.param_groups:
            group["lr"] *= 0.5
    else:
        optimizer.learning_rate *= 0.5


def path(make, steps=3, before=None):
    """Return the parameters of the network after each step of an optimizer."""
    parameters = network()
    return train(parameters, make(parameters), steps, before)


# ---- compared with PyTorch -----------------------------------------------------------------------


@pytest.mark.parametrize("before", [None, halve_learning_rate])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", IN_TORCH)
def test_paths_equal_pytorchs(name, decay, before):
    torch = pytest.importorskip("torch")

    def make_in_torch(optim, parameters):
        return in_torch(name, optim, list(parameters.values()), weight_decay=decay)

    points = path(lambda p: OURS[name](list(p.values()), weight_decay=decay), 10, before)
    assert_same_path(points, train_in_torch(torch, make_in_torch, 10, before), rtol=1e-12)


@pytest.mark.parametrize("name", IN_TORCH)
def test_paths_with_groups_equal_pytorchs(name):
    torch = pytest.importorskip("torch")
    kernels = [key for key in START if key.endswith("kernel")]
    others = [key for key in START if not key.endswith("kernel")]

    def make(p):
        decayed = Group([p[key] for key in kernels], weight_decay=0.2)
        return OURS[name]([decayed, Group({key: p[key] for key in others}, rate=0.3)])

    def make_in_torch(optim, p):
        decayed = {"params": [p[key] for key in kernels], "weight_decay": 0.2}
        return in_torch(name, optim, [decayed, {"params": [p[key] for key in others], "lr": 0.03}])

    assert_same_path(path(make, 10), train_in_torch(torch, make_in_torch, 10), rtol=1e-12)


@pytest.mark.parametrize("name", OURS)
def test_of_named_parameters_only_kernels_decay(name):
    make = OURS[name]

    def make_with_groups(p):
        decays = {key: 0.2 * key.endswith("kernel") for key in p}
        return make([Group({key: p[key]}, weight_decay=decay) for key, decay in decays.items()])

    points, without = path(lambda p: make(p, weight_decay=0.2)), path(make)
    assert_same_path(points, path(make_with_groups), rtol=0)
    assert abs(points[0]["first/kernel"] - without[0]["first/kernel"]).max() > 1e-3
    np.testing.assert_array_equal(points[0]["first/bias"], without[0]["first/bias"])


def test_a_weight_decay_is_twice_the_factor_of_keras_l2():
    """The gradient of λ Σ x² in the loss is a weight decay of 2 λ."""
    x, y = (Tensor(np.array([3.0, -1.0]), requires_grad=True) for _ in range(2))
    g = np.array([0.5, 0.25])
    x.grad, y.grad = g, g + 2 * 0.01 * y.data
    SGD([x], 0.1, weight_decay=0.02).step()
    SGD([y], 0.1).step()
    np.testing.assert_allclose(x.data, y.data, rtol=1e-15)


def test_decoupled_decay_by_hand():
    """For g = 0, Adam's own step is 0, and x shrinks by the factor 1 - learning_rate·λ."""
    x = Tensor(np.array([2.0]), requires_grad=True)
    x.grad = np.array([0.0])
    Adam([x], 0.1, weight_decay=0.5, decoupled=True).step()
    np.testing.assert_allclose(x.data, [2 * (1 - 0.05)], rtol=1e-15)


# ---- the two forms of momentum -------------------------------------------------------------------


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_forms_of_momentum_differ_only_if_the_learning_rate_changes(nesterov):
    def make(form):
        return lambda p: SGD(p, 0.1, 0.9, nesterov, form, weight_decay=0.1)

    assert_same_path(path(make("keras"), 10), path(make("pytorch"), 10), rtol=1e-12)
    in_keras, in_pytorch = (
        path(make(form), 10, halve_learning_rate)[-1]["first/kernel"]
        for form in ("keras", "pytorch")
    )
    assert abs(in_keras - in_pytorch).max() > 1e-2


def test_keras_form_by_hand():
    """The first step is 0.2. At a tenth of the learning rate, the next is 0.5·0.2 + 0.02."""
    x = Tensor(np.array([1.0]), requires_grad=True)
    optimizer, x.grad = SGD([x], 0.1, momentum=0.5, momentum_form="keras"), np.array([2.0])
    optimizer.step()
    np.testing.assert_allclose(x.data, [0.8])
    optimizer.learning_rate = 0.01
    optimizer.step()
    np.testing.assert_allclose(x.data, [0.68])


OPTIONS = [
    (Adagrad, {"epsilon": 0.1}),
    (RMSprop, {"beta": 0.5}),
    (RMSprop, {"epsilon": 0.1}),
    (RMSprop, {"momentum": 0.5}),
    (RMSprop, {"centred": True}),
    (Nadam, {"beta1": 0.5}),
    (Nadam, {"beta2": 0.5}),
    (Nadam, {"epsilon": 0.1}),
    (Nadam, {"momentum_decay": 0.5}),
    (Nadam, {"decoupled": True}),
]


@pytest.mark.parametrize(("make", "option"), OPTIONS)
def test_every_option_has_an_effect_and_is_a_rule_of_a_run(make, option):
    def last(**options):
        return path(lambda p: make(p, 0.1, weight_decay=0.2, **options))[-1]["first/kernel"]

    assert abs(last() - last(**option)).max() > 1e-6
    assert make(network(), 0.1).rules() != make(network(), 0.1, **option).rules()


# ---- states --------------------------------------------------------------------------------------

MAKERS = {**OURS, "lbfgs": lambda p, **o: LBFGS(p, 0.5, history=3, **o)}


def through_a_file(state, folder):
    np.savez(folder / "state.npz", **state)
    with np.load(folder / "state.npz") as file:
        return dict(file)


@pytest.mark.parametrize("steps", [0, 1, 6])
@pytest.mark.parametrize("name", MAKERS)
def test_a_restored_optimizer_continues_with_the_same_bytes(name, steps, tmp_path):
    parameters = network()
    optimizer = MAKERS[name](parameters)
    train(parameters, optimizer, steps)
    optimizer.learning_rate /= 2
    state, arrays = optimizer.state(), {key: p.data for key, p in parameters.items()}
    wanted = train(parameters, optimizer, 5)
    for saved in (state, through_a_file(state, tmp_path)):
        other = network()
        restored = MAKERS[name](other)
        train(other, restored, 2)  # restore replaces the state of these steps
        restored.restore(saved)
        for key, p in other.items():
            p.data = arrays[key]
        assert_same_path(train(other, restored, 5), wanted, rtol=0)


@pytest.mark.parametrize("make", [SGD, Adam, LBFGS])
def test_a_fraction_is_restored_over_an_integer_learning_rate(make):
    optimizer = make(network(), 1)
    optimizer.restore({**optimizer.state(), "learning_rate": 0.5})
    assert optimizer.learning_rate == 0.5


def test_names_of_a_state():
    assert SGD(network(), 0.1).state() == {"learning_rate": 0.1}
    velocities = {f"velocity/{name}" for name in START}
    assert {*SGD(network(), 0.1, 0.9).state()} == {"learning_rate"} | velocities
    moments = {"m/0", "m/1", "v/0", "v/1"}
    assert {*Adam([*network().values()][:2]).state()} == {"learning_rate", "steps"} | moments


@pytest.mark.parametrize("name", ["momentum", "adam", "lbfgs"])
def test_further_steps_do_not_change_a_returned_state(name):
    parameters = network()
    optimizer = MAKERS[name](parameters)
    train(parameters, optimizer, 2)
    state = optimizer.state()
    before = {key: np.array(value) for key, value in state.items()}
    train(parameters, optimizer, 2)
    for key, value in before.items():
        np.testing.assert_array_equal(state[key], value)


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing():
    optimizer = Adam(network())
    state, of_sgd = optimizer.state(), SGD(network(), 0.1, 0.9).state()
    before = optimizer.state()
    of_same = "wanted the state of the same optimiser and parameters"
    other_shape = {**state, "learning_rate": 7.0, "v/second/bias": np.zeros(3)}
    of_bias = (
        "v/second/bias has shape (3,) in the state; wanted (2,): use a state of the same parameters"
    )
    of_steps = "steps has shape (2,) in the state; wanted (): use a state of the same parameters"
    for wrong, message in (
        (of_sgd, f"the state lacks 'm/first/bias' (19 names differ); {of_same}"),
        ({**state, "w": 1}, f"the state has an unknown 'w' (1 names differ); {of_same}"),
        (other_shape, of_bias),
        ({**state, "steps": np.zeros(2)}, of_steps),
    ):
        with pytest.raises(ArgumentError) as caught:
            optimizer.restore(wrong)
        assert str(caught.value) == message
    for key, value in optimizer.state().items():
        np.testing.assert_array_equal(value, before[key])


def test_a_state_that_does_not_fit_lbfgs_is_refused():
    parameters = network()
    optimizer = LBFGS(parameters)
    train(parameters, optimizer, 4)
    state = optimizer.state()
    of_sgd = SGD(network(), 0.1, 0.9).state()
    for wrong in ({**state, "s/0": np.zeros(3)}, {**state, "x": 1.0}, of_sgd):
        with pytest.raises(ArgumentError):
            LBFGS(network()).restore(wrong)


# ---- parameters and groups -----------------------------------------------------------------------


def test_frozen_parameters_of_a_module_are_left_out():
    module = layers.Dense(np.ones((2, 3)), np.zeros(3))
    module.bias.requires_grad = False
    assert SGD(module.named_parameters(), 0.1).names == ["kernel"]
    assert SGD([Group(module.named_parameters())], 0.1).names == ["kernel"]
    with pytest.raises(ArgumentError, match="requires_grad=True"):
        SGD(module.freeze().named_parameters(), 0.1)


X, Y = (Tensor([1.0], requires_grad=True) for _ in range(2))
NAN = float("nan")
TWICE, ONLY_GROUPS = "a parameter, or a name, twice", "wanted only Groups"
NEGATIVE_DECAY = "the weight decay is -0.1; wanted a number of at least 0"
UNKNOWN_FORM = "momentum_form is 'torch'; wanted one of 'pytorch', 'keras'"
INVALID = [  # (function that raises ArgumentError, words of the message)
    (lambda: SGD([X, X], 0.1), TWICE),
    (lambda: SGD({"a": X, "b": X}, 0.1), TWICE),
    (lambda: SGD([Group({"a": X}), Group({"a": Y})], 0.1), TWICE),
    (lambda: SGD([Group([X]), Y], 0.1), ONLY_GROUPS),
    (lambda: SGD([Group([X])], 0.1, weight_decay=0.1), ONLY_GROUPS),
    (lambda: SGD({"a": X}, 0.1, weight_decay=0.1), "no parameter's name ends in 'kernel'"),
    (lambda: SGD([X], 0.1, weight_decay=-0.1), NEGATIVE_DECAY),
    (lambda: SGD([Group([X], weight_decay=NAN)], 0.1), "the weight decay of a group is nan"),
    (lambda: SGD([Group([X], rate=-1)], 0.1), "the rate of a group is -1"),
    (lambda: SGD([Group([])], 0.1), "at least one"),
    (lambda: SGD({}, 0.1), "at least one"),
    (lambda: SGD({"a": 3}, 0.1), "requires_grad=True"),
    (lambda: SGD([X], 0.1, 0.9, momentum_form="torch"), UNKNOWN_FORM),
    (lambda: RMSprop([X], beta=1.0), "RMSprop's beta is 1.0; wanted a number from 0 to below 1"),
    (lambda: RMSprop([X], momentum=-0.1), "RMSprop's momentum is -0.1"),
    (lambda: Nadam([X], beta1=NAN), "Nadam's beta1 is nan"),
    (lambda: Nadam([X], momentum_decay=-1), "Nadam's momentum_decay is -1; wanted a number of"),
    (lambda: Adagrad([X], 0.0), "the learning rate is 0.0; wanted a number above 0"),
    (lambda: LBFGS([Group([X], rate=0.5)]), "without weight decay or rate"),
    (lambda: LBFGS([Group([X], weight_decay=0.5)]), "without weight decay or rate"),
]


@pytest.mark.parametrize(("make", "words"), INVALID)
def test_invalid_arguments_are_refused(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


# ---- memory, threads and devices -----------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
def test_steps_do_not_write_to_old_arrays_and_keep_float32(name):
    parameters = network(np.float32)
    before = {key: p.data for key, p in parameters.items()}
    for array in before.values():
        array.flags.writeable = False
    optimizer = OURS[name](parameters, weight_decay=0.1)
    after_first = train(parameters, optimizer, 1)[0]
    copies = {key: array.copy() for key, array in after_first.items()}
    train(parameters, optimizer, 3)
    for key, array in before.items():
        np.testing.assert_array_equal(array, START[key].astype(np.float32))
        np.testing.assert_array_equal(after_first[key], copies[key])
        assert parameters[key].dtype == np.float32


@pytest.mark.parametrize("name", OURS)
def test_strips_and_threads_change_no_byte(name, monkeypatch):
    def contents_after_training():
        rng = np.random.default_rng(0)

        def normal(shape):
            return np.asarray(rng.standard_normal(shape), np.float32)

        shapes = [(300, 511), (511,), (), (0, 3)]
        tensors = [Tensor(normal(shape), requires_grad=True) for shape in shapes]
        tensors[0].data = np.asfortranarray(tensors[0].data)
        optimizer = OURS[name](tensors, weight_decay=0.1)
        for _ in range(3):
            for p in tensors:
                p.grad = normal(p.shape)
            optimizer.step()
        assert [p.shape for p in tensors] == shapes
        return [p.data.tobytes() for p in tensors]

    wanted = contents_after_training()
    for count, strip in ((1, 1 << 20), (3, 1000)):
        monkeypatch.setattr(updates, "STRIP", strip)
        with using_threads(count):
            assert contents_after_training() == wanted


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("name", MAKERS)
def test_a_gpu_takes_the_same_steps_and_continues_from_a_state_of_the_cpu(name, place):
    decay = {} if name == "lbfgs" else {"weight_decay": 0.1}
    parameters = network()
    optimizer = MAKERS[name](parameters, **decay)
    wanted = train(parameters, optimizer, 4, most=0.5)
    state = optimizer.state()
    with at(place):
        parameters = network()
        optimizer = MAKERS[name](parameters, **decay)
        points = train(parameters, optimizer, 4, most=0.5)
        assert_same_path(points, wanted, rtol=1e-9)
        for key, value in optimizer.state().items():
            if is_array(value):
                assert device_of(value) == "gpu"
                np.testing.assert_allclose(to_numpy(value), state[key], rtol=1e-7, atol=1e-9)
        optimizer.restore(state)
        train(parameters, optimizer, 1)
        assert all(device_of(p.data) == "gpu" for p in parameters.values())


def test_a_schedule_sets_the_learning_rate():
    schedule = Steps(0.1, {2: 0.1})

    def set_learning_rate(optimizer, step):
        optimizer.learning_rate = schedule(step)

    points = path(lambda p: SGD(p, 0.1), 4, set_learning_rate)
    parameters = network()
    first = train(parameters, SGD(parameters, 0.1), 2)
    second = train(parameters, SGD(parameters, 0.01), 2)
    assert_same_path(points, first + second, rtol=1e-14)
