"""The numbers of an exploration: the terms of each add up to it, forward and back."""

import json
from itertools import pairwise

import numpy as np
import pytest

from minidl import ops
from minidl.autograd import Tensor
from minidl.book.network import exploration
from minidl.book.network.arrays import unpacked
from minidl.book.network.passes import MOST_UNITS
from minidl.errors import ArgumentError, NonFiniteError, ShapeError
from minidl.layers import Convolution, Dense, Flatten, LeakyReLU, ReLU, Sequential
from minidl.losses import softmax_cross_entropy
from tests.book.network.networks import (
    CLASSES,
    of_the_shipped_network,
    random_exploration,
    random_network,
)

EXPLORATIONS = [random_exploration, of_the_shipped_network]
MIXING = ("convolution", "dense")


def close(actual, wanted):
    np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=2e-6 * max(1, abs(wanted).max()))


def mixed(layer, x):
    """The sum of the shown terms of a convolution or dense layer, a function of x (1, H, W, C)"""
    (height, width), before = x.shape[1:3], layer["before"]
    padding = []
    for axis, length in enumerate((height, width)):
        out = unpacked(layer["y"]).shape[axis]
        reach = (out - 1) * layer["stride"][axis]
        reach += (layer["size"][axis] - 1) * layer["dilation"][axis] + 1
        padding.append((before[axis], max(0, reach - length - before[axis])))
    return ops.convolution(
        x,
        unpacked(layer["kernel"]),
        stride=tuple(layer["stride"]),
        dilation=tuple(layer["dilation"]),
        padding=tuple(padding),
    )


@pytest.mark.parametrize("explored", EXPLORATIONS)
def test_the_terms_of_each_output_add_up_to_it(explored):
    layers = explored()["layers"]
    for before, layer in pairwise(layers):
        x, y = unpacked(before["y"]), unpacked(layer["y"])
        if layer["kind"] in MIXING:
            total = mixed(layer, x[None])[0]
            total += unpacked(layer["rest"]) if "rest" in layer else 0
            close(total + (unpacked(layer["bias"]) if "bias" in layer else 0), y)
        if layer["kind"] in ("scale", "norm"):
            factor = 1 / unpacked(layer["std"])
            factor = factor * unpacked(layer["gamma"]) if "gamma" in layer else factor
            shift = unpacked(layer["beta"]) if "beta" in layer else 0
            close((x - unpacked(layer["mean"])) * factor + shift, y)
        if layer["kind"] == "relu":
            close(x * (x > 0), y)


@pytest.mark.parametrize("explored", EXPLORATIONS)
@pytest.mark.parametrize("target", [0, 1])
def test_the_terms_of_each_gradient_add_up_to_it(explored, target):
    layers = explored()["layers"]
    for before, layer in pairwise(layers):
        if layer["kind"] not in (*MIXING, "relu"):
            continue
        dx, dy = unpacked(before["dy"][target]), unpacked(layer["dy"][target])
        x = unpacked(before["y"])
        if layer["kind"] == "relu":
            close(dy * (x > 0), dx)
            continue
        leaf = Tensor(x[None], requires_grad=True)
        mixed(layer, leaf).backward(dy[None])
        close(
            leaf.grad[0] + (unpacked(layer["back_rest"][target]) if "back_rest" in layer else 0),
            dx,
        )


@pytest.mark.parametrize("target", ["score", "loss"])
def test_the_gradients_are_those_of_the_network(target):
    explored, model = random_exploration(), random_network().train(False)
    pixels = unpacked(explored["layers"][0]["y"])[None]
    mean, std = (np.array(values, np.float32) for values in ((120, 110, 100), (60, 50, 40)))
    picture = Tensor(pixels, requires_grad=True)
    scores = model((picture - mean) / std)
    chosen = explored["chosen"]
    assert chosen == scores.data.argmax()
    loss = softmax_cross_entropy(scores, np.array([chosen]))
    value = scores[0, chosen] if target == "score" else loss
    value.backward()
    number = ["score", "loss"].index(target)
    assert explored["targets"][number]["value"] == pytest.approx(float(value), rel=1e-5)
    close(unpacked(explored["layers"][0]["dy"][number]), picture.grad[0])
    by_name = {layer["name"]: layer for layer in explored["layers"]}
    own = model.named_parameters()
    norm, scored = by_name["norm"], by_name["scores"]
    close(unpacked(norm["dgamma"][number]), own["norm/gamma"].grad[norm["units"]])
    inputs = by_name["dropout2"]["units"]
    kernel = own["scores/kernel"].grad[inputs][:, scored["units"]]
    close(unpacked(scored["dkernel"][number])[0, 0], kernel)


def test_large_layers_show_their_most_important_units_and_count_the_others():
    layers = random_exploration()["layers"]
    counts = {layer["name"]: (len(layer["units"]), layer["shape"][-1]) for layer in layers}
    assert counts["picture"] == (3, 3)
    assert counts["dilated"] == (MOST_UNITS, 16) and counts["scores"] == (MOST_UNITS, 13)
    by_name = {layer["name"]: layer for layer in layers}
    assert (
        by_name["dilated"]["inputs_left_out"] == 2 and by_name["dilated"]["outputs_left_out"] == 4
    )
    assert by_name["relu1"]["units"] == by_name["strided"]["units"] == by_name["average"]["units"]
    assert random_exploration()["chosen"] in by_name["scores"]["units"]


def test_the_shipped_network_takes_the_picture_for_a_cat():
    explored = of_the_shipped_network()
    assert explored["classes"][explored["chosen"]] == "cat"
    assert not any(layer.get("inputs_left_out") for layer in explored["layers"])


def test_the_data_are_json_and_the_model_is_not_changed():
    model = random_network().freeze()
    state = {name: np.array(value) for name, value in model.state().items()}
    first, second = (exploration(model, np.full((11, 13, 3), 9.0), CLASSES) for _ in range(2))
    assert json.loads(json.dumps(first)) == first == second
    assert model.training and not any(p.requires_grad for p in model.parameters())
    assert all(np.array_equal(state[name], value) for name, value in model.state().items())


def test_a_score_can_be_chosen_and_scores_need_not_be_of_classes():
    picture = np.full((11, 13, 3), 99.0)
    explored = exploration(random_network(), picture, chosen=5)
    assert [target["name"] for target in explored["targets"]] == ["output 5"]
    dy = unpacked(explored["layers"][-1]["dy"][0]).ravel()
    assert [unit for unit, one in zip(explored["layers"][-1]["units"], dy, strict=True) if one] == [
        5
    ]


def network(*layers):
    return Sequential(Convolution(np.ones((3, 3, 3, 2), np.float32)), *layers)


DENSE = Dense(np.ones((6 * 6 * 2, 4), np.float32))


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (network(LeakyReLU(), Flatten(), DENSE), {}, ArgumentError, "leakyrelu1 is a LeakyReLU; "),
        (network(Flatten(), ReLU(), DENSE), {}, ArgumentError, "Flatten without a Dense layer"),
        (network(Flatten()), {}, ArgumentError, "Flatten without a Dense layer"),
        (network(ReLU()), {}, ShapeError, "wanted one number for each class"),
        (network(Flatten(), DENSE), {"chosen": 4}, ArgumentError, "number 4; wanted 0 to 3"),
        (network(Flatten(), DENSE), {"classes": ["a"]}, ArgumentError, "4 scores and 1 name"),
        (network(Flatten(), DENSE), {"std": np.nan}, NonFiniteError, "NaN or infinite"),
        (
            Sequential({"picture": ReLU()}),
            {},
            ArgumentError,
            "a layer named 'picture', as the page names a layer",
        ),
    ],
)
def test_what_the_page_cannot_explain_is_refused(model, options, error, message):
    with pytest.raises(error, match=message):
        exploration(model, np.zeros((8, 8, 3)), **options)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4)])
def test_other_arrays_than_pictures_are_refused(shape):
    with pytest.raises(ShapeError, match=r"wanted \(H, W, 3\) or \(H, W, 1\)"):
        exploration(network(Flatten(), DENSE), np.zeros(shape))
