"""Trained networks are opened without the program that made them."""

import math
import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import settings as profile

from minidl.errors import ArgumentError, FileError, NonFiniteError
from minidl.layers import BatchNorm, Convolution, Dense, Flatten, MaxPool, Module, ReLU, Sequential
from minidl.training import load, load_model, save, save_model, train
from tests.training.small import small_task, validated_task

SHAPE = (8, 8, 3)
CLASSES = ["cats", "dogs", "mice"]


def network(seed=0):
    rng = np.random.default_rng(seed)
    return Sequential(
        Convolution.new(rng, (3, 3), 3, 4, padding="same"),
        BatchNorm(4),
        ReLU(),
        MaxPool(2),
        Flatten(),
        Dense.new(rng, 64, 3),
    )


def equal(model, other, shape=SHAPE):
    x = np.random.default_rng(1).standard_normal((2, *shape)).astype(np.float32)
    return np.array_equal(model.train(False)(x).data, other.train(False)(x).data)


def test_a_network_is_written_and_read(tmp_path):
    path, model = tmp_path / "a.h5", network()
    save_model(path, model, SHAPE, classes=CLASSES, mean=[1.0, 2.0, 3.0], std=5)
    loaded = load_model(path)
    assert equal(loaded.model, model) and not loaded.model.training
    assert (loaded.shape, loaded.classes) == (SHAPE, tuple(CLASSES)) and loaded.takes_pictures
    assert loaded.mean.tolist() == [1, 2, 3] and loaded.std.tolist() == [5]


def test_the_folder_of_a_run_gives_its_best_network(tmp_path):
    task = validated_task([0.3, 0.4])
    task.settings = {"classes": CLASSES, "mean": 1.5, "std": [2.0]}
    train(task, 2, tmp_path)
    best, last = (load_model(tmp_path / name) for name in ("best.h5", "checkpoint.h5"))
    loaded = load_model(tmp_path)
    assert equal(loaded.model, best.model, (8, 8, 1))
    assert not equal(loaded.model, last.model, (8, 8, 1))
    assert equal(last.model, task.model, (8, 8, 1))
    assert (loaded.shape, loaded.classes) == ((8, 8, 1), tuple(CLASSES))
    assert (loaded.mean, loaded.std) == (1.5, 2.0)


def test_a_resumed_run_says_the_same_about_its_network(tmp_path):
    for folder, stops in ("whole", (3,)), ("run", (1, 3)):
        for epochs in stops:
            train(small_task(), epochs, tmp_path / folder, resume=epochs > stops[0])
    whole, run = (load(tmp_path / folder / "checkpoint.h5") for folder in ("whole", "run"))
    assert whole["input"] == run["input"] and whole["architecture"] == run["architecture"]
    assert whole["input"]["shape"] == [8, 8, 1]


def test_a_network_without_names_of_classes_and_moments_takes_pixels(tmp_path):
    task = small_task()
    task.batches.transform = lambda rng, x, labels: (abs(x) * 100, labels)
    train(task, 1, tmp_path)
    loaded = load_model(tmp_path)
    assert (loaded.classes, loaded.mean, loaded.std) == (None, 0, 1)


def test_a_network_that_does_not_take_pixels_has_to_say_how_they_are_prepared(tmp_path):
    train(small_task(), 1, tmp_path)
    message = (
        r"it takes numbers from -\d\.\d+ to \d\.\d+ and does not say how pixels become such "
        r"numbers; train it with settings=\{'mean': "
    )
    with pytest.raises(FileError, match=message):
        load_model(tmp_path)


class Doubled(Dense):
    pass


def test_a_network_with_layers_of_a_program_trains_but_is_not_opened(tmp_path):
    task = small_task()
    task.model.layers["dense1"].__class__ = Doubled
    train(task, 1, tmp_path)
    with pytest.raises(FileError, match="cannot open by itself: dense1 is a Doubled; wanted a Seq"):
        load_model(tmp_path)
    with pytest.raises(ArgumentError, match="dense1 is a Doubled"):
        save_model(tmp_path / "a.h5", task.model, (8, 8, 1))
    assert not (tmp_path / "a.h5").exists()


def test_a_checkpoint_of_an_earlier_version_is_refused(tmp_path):
    train(small_task(), 1, tmp_path)
    tree = load(tmp_path / "checkpoint.h5")
    del tree["architecture"]
    save(tmp_path / "checkpoint.h5", tree)
    with pytest.raises(FileError, match="an earlier version of minidl wrote it"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": [1.0, 2.0]}, "its mean or std is .*; wanted a number, or one for each of 3 chan"),
        ({"mean": float("nan")}, "its mean or std is nan"),
        ({"std": 0.0}, "its std is 0.0; wanted numbers above 0"),
        ({"std": [1.0, 1.0, -1.0]}, "wanted numbers above 0"),
        ({"classes": [1, 2]}, "its classes are .*; wanted a list of texts"),
        ({"shape": (0, 8, 3)}, "its examples have the shape"),
        ({"shape": ()}, "its examples have the shape"),
    ],
)
def test_invalid_arguments_are_refused(options, message, tmp_path):
    with pytest.raises(ArgumentError, match=message):
        save_model(tmp_path / "a.h5", network(), **{"shape": SHAPE, **options})
    assert not (tmp_path / "a.h5").exists()


@pytest.fixture
def tree(tmp_path):
    save_model(tmp_path / "a.h5", network(), SHAPE, classes=CLASSES, mean=[1.0, 2.0, 3.0], std=5.0)
    return load(tmp_path / "a.h5")


def changed(tree, *path, value):
    """A copy of the tree with another value at a path"""
    if not path:
        return value
    first, *rest = path
    return {**tree, first: changed(tree.get(first, {}), *rest, value=value)}


LAYERS = ("architecture", "layers")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("settings",), 3),
        (("settings", "mean"), "1"),
        (("settings", "std"), [0, 0, 0]),
        (("settings", "classes"), "abc"),
        (("input",), 3),
        (("input", "shape"), [8]),
        (("input", "shape"), [10**9, 10**9, 3]),
        (("architecture",), {"layer": "Dense"}),
        ((*LAYERS, "convolution1", "padding"), 10**6),
        ((*LAYERS, "convolution1", "kernel"), {"shape": [10**6, 10**6, 3, 4], "dtype": "float32"}),
        ((*LAYERS, "maxpool1", "window"), 10**8),
        ((*LAYERS, "maxpool1"), {"layer": "Pad", "width": 10**6}),
        ((*LAYERS, "maxpool1"), {"layer": "os.system", "command": "echo"}),
        ((*LAYERS, "dense1", "kernel"), {"shape": [63, 3], "dtype": "float32"}),
        (("model", "dense1/kernel"), np.zeros((64, 4), np.float32)),
        (("model",), 3),
    ],
)
def test_invalid_values_are_refused_with_one_sentence(path, value, tree, tmp_path):
    save(tmp_path / "a.h5", changed(tree, *path, value=value))
    with pytest.raises(FileError) as caught:
        load_model(tmp_path / "a.h5")
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "a.h5")) and "\n" not in message
    assert len(message) < 1000


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(number, tree, tmp_path):
    kernel = np.full((64, 3), number, np.float32)
    save(tmp_path / "a.h5", changed(tree, "model", "dense1/kernel", value=kernel))
    with pytest.raises(NonFiniteError, match="has NaN or infinite numbers in dense1/kernel"):
        load_model(tmp_path / "a.h5")


VALUES = [None, True, -1, 0, 3, 10**6, 10**30, 1.5, "", "same", "reflect", [], [1, 2], [[1, 1]] * 2]
KINDS = ["Pad", "AvgPool", "Dense", "TransposedConvolution", "Softmax", "LayerNorm", "Embedding"]


def mutated(tree, seed):
    """A copy of the tree with one or two values of its architecture replaced, added or removed"""
    rng, layers = random.Random(seed), dict(tree["architecture"]["layers"])
    for _ in range(rng.choice([1, 2])):
        name = rng.choice(sorted(layers))
        layer = dict(layers[name])
        option = rng.choice([*sorted(layer), "padding", "width", "stride", "dilation", "groups"])
        layer[option] = rng.choice(KINDS if option == "layer" else VALUES)
        layers[name] = layer
    return changed(tree, "architecture", "layers", value=layers)


def test_files_of_unknown_origin_are_opened_or_refused_in_little_memory(tree, tmp_path):
    refused = 0
    for seed in range(20 * profile().max_examples):
        save(tmp_path / "a.h5", mutated(tree, seed))
        tracemalloc.start()
        try:
            assert isinstance(load_model(tmp_path / "a.h5").model, Module)
        except FileError as error:
            refused += 1
            assert "\n" not in str(error), seed
        finally:
            assert tracemalloc.get_traced_memory()[1] < 20 << 20, seed
            tracemalloc.stop()
    assert refused > 0
