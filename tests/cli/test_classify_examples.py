"""`minidl classify`: folders, arrays, --top and --json, and networks of every kind."""

import json
import tracemalloc

import numpy as np
import pytest

from minidl.checkpoints import shipped
from minidl.cli import main
from minidl.data import write_image
from minidl.data.signals import SAMPLES
from minidl.layers import Convolution, Dense, Flatten, MaxPool, ReLU, Sequential
from minidl.models import VGG19
from minidl.models.siamese import siamese
from minidl.ops import softmax
from minidl.recipes import signals, volumes
from minidl.training import save, save_model
from minidl.visualize import classifying, opening
from minidl.visualize.opening import open_network
from tests.models.test_vgg19 import RGB, narrow_arrays

RNG = np.random.default_rng(0)
COLOURS = ["red", "green", "blue", "grey"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network whose scores are the mean red, green and blue of a picture, less 100, and 0."""
    path = tmp_path_factory.mktemp("model") / "colours.h5"
    kernel = np.zeros((192, 4), np.float32)
    kernel[:, :3] = np.tile(np.eye(3), (64, 1)) / 64
    network = Sequential(Flatten(), Dense(kernel, np.float32([0, 0, 0, 0])))
    save_model(path, network, (8, 8, 3), classes=COLOURS, mean=100.0, std=10.0)
    return path


def picture(path, *colour):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, np.full((10, 12, 3), colour or (200, 0, 0)))
    return path


def classify(capsys, *words, code=0):
    assert main(["classify", *map(str, words)]) == code
    out, error = capsys.readouterr()
    return out.splitlines(), error


def records(capsys, *words, code=0):
    lines, error = classify(capsys, "--json", *words, code=code)
    return [json.loads(line) for line in lines], error


def test_the_likeliest_classes_are_printed(model, tmp_path, capsys):
    path = picture(tmp_path / "a.png", 120, 110, 100)
    probabilities = softmax(np.array([2.0, 1.0, 0.0, 0.0]))
    names = [f"{name} {p:.1%}" for name, p in zip(COLOURS, probabilities, strict=True)]
    assert classify(capsys, model, path)[0] == [f"{path}: {', '.join(names[:3])}"]
    for top, shown in (1, 1), (2, 2), (4, 4), (99, 4):
        lines, _ = classify(capsys, model, path, "--top", top)
        assert lines == [f"{path}: {', '.join(names[:shown])}"]


def test_json_has_all_facts_of_each_example(model, tmp_path, capsys):
    path = picture(tmp_path / "a.png", 120, 110, 100)
    [record], _ = records(capsys, model, path, "--top", "2")
    assert (record["file"], record["example"]) == (str(path), None)
    first, second = record["classes"]
    assert (first["number"], first["class"], second["class"]) == (0, "red", "green")
    assert first["score"] == pytest.approx(2, abs=1e-5)
    assert first["probability"] == pytest.approx(softmax(np.array([2.0, 1, 0, 0]))[0], rel=1e-5)


def test_a_folder_stands_for_its_pictures(model, tmp_path, capsys):
    folder = tmp_path / "photos"
    for name in ("b10.png", "b9.png", "inner/deep/c.png", ".hidden/d.png", ".e.png"):
        picture(folder / name)
    (folder / "notes.txt").write_text("x")
    lines, error = classify(capsys, model, folder, "--top", "1")
    names = [line.partition(":")[0] for line in lines]
    assert names == [str(folder / name) for name in ("b9.png", "b10.png", "inner/deep/c.png")]
    assert "1 file in" in error and "notes.txt" in error


def test_a_folder_without_pictures_is_an_error(model, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    lines, error = classify(capsys, model, tmp_path / "empty", code=2)
    assert not lines and "has no pictures; name another folder" in error


@pytest.mark.parametrize("most", [1, 2, 256])
def test_thousands_of_pictures_are_read_in_parts(most, model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(classifying, "MOST_EXAMPLES", most)
    sizes, stack = [], np.stack
    monkeypatch.setattr(np, "stack", lambda arrays: sizes.append(len(arrays)) or stack(arrays))
    paths = [picture(tmp_path / f"{number}.png", 40 * number, 0, 0) for number in range(5)]
    paths.insert(2, tmp_path / "missing.png")
    found, error = records(capsys, model, *paths, "--top", "1", code=2)
    assert max(sizes) == min(most, 3)  # before and after the missing one
    assert [record["file"] for record in found] == [str(p) for p in paths if p.exists()]
    scores = [r["classes"][0]["score"] for r in found]
    wanted = [max(0, (40 * number - 100) / 10) for number in range(5)]
    np.testing.assert_allclose(scores, wanted, atol=1e-4)
    assert "missing.png: there is no such picture" in error


def test_the_size_of_the_parts_depends_on_the_network(tmp_path):
    network = Sequential(
        Convolution.new(RNG, (1, 1), 3, 64), ReLU(), MaxPool(64), Flatten(), Dense.new(RNG, 64, 2)
    )
    save_model(tmp_path / "a.h5", network, (64, 64, 3))
    classifier = classifying.Classifier(open_network(tmp_path / "a.h5"))
    assert classifier._most == 2**24 // (64 * 64 * 64)


def test_memory_does_not_grow_with_the_number_of_pictures(model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(classifying, "MOST_EXAMPLES", 8)
    path, peaks = picture(tmp_path / "a.png"), []
    for count in (16, 16, 400):
        tracemalloc.start()
        classify(capsys, model, *[path] * count)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 2**20


@pytest.mark.parametrize("recipe", [signals, volumes], ids=["signals", "volumes"])
def test_signals_and_volumes_are_arrays(recipe, tmp_path, capsys):
    network, settings = recipe.network(), {"network": recipe.NETWORK}
    save(tmp_path / "checkpoint.h5", {"model": network.state(), "settings": settings})
    examples = recipe.RECIPE.generate(16, 5)[0][:3]
    np.save(tmp_path / "one.npy", examples[0])
    np.save(tmp_path / "all.npy", examples)
    np.savez(tmp_path / "named.npz", first=examples[1], both=examples[:2])
    paths = (tmp_path / name for name in ("one.npy", "all.npy", "named.npz"))
    found, _ = records(capsys, tmp_path, *paths)
    assert [record["example"] for record in found] == [
        None, "[0]", "[1]", "[2]", ":first", ":both[0]", ":both[1]",
    ]  # fmt: skip
    scores = network.train(False)(examples).data
    for record, number in zip(found, [0, 0, 1, 2, 1, 0, 1], strict=True):
        best = int(scores[number].argmax())
        first = record["classes"][0]
        assert first["class"] == recipe.RECIPE.classes[best] and first["number"] == best
        assert first["score"] == pytest.approx(scores[number, best], rel=1e-3)


def test_arrays_and_pictures_that_do_not_fit_are_reported(tmp_path, capsys):
    save(
        tmp_path / "checkpoint.h5",
        {"model": signals.network().state(), "settings": {"network": "signals"}},
    )
    np.save(tmp_path / "a.npy", np.zeros((7, 1)))
    np.save(tmp_path / "b.npy", np.full((SAMPLES, 1), np.nan))
    np.save(tmp_path / "c.npy", np.zeros((SAMPLES, 1)))
    np.save(tmp_path / "d.npy", np.array([{}], object), allow_pickle=True)
    paths = [*(tmp_path / f"{name}.npy" for name in "abcd"), picture(tmp_path / "e.png")]
    lines, error = classify(capsys, tmp_path, *paths, code=2)
    assert [line.partition(":")[0] for line in lines] == [str(tmp_path / "c.npy")]
    for words in (
        f"a.npy holds an array (7, 1); wanted an example ({SAMPLES}, 1), or several of them (N, ",
        "b.npy holds NaN, or numbers outside the range of float32; wanted finite ones",
        "d.npy",
        "e.png is no .npy file; the network takes no pictures but arrays",
    ):
        assert words in error
    assert error.count("\n") == 4


def test_vgg19_with_its_top_classifies(tmp_path, capsys, monkeypatch):
    names = tuple(f"animal {number}" for number in range(5))
    model = VGG19(narrow_arrays(5), RGB, pooling="max", top=True, classes=names)
    monkeypatch.setattr(opening, "vgg19", lambda *_, **options: model.freeze())
    monkeypatch.setattr(opening, "_contents", lambda path: (False, True))
    (tmp_path / "vgg19.h5").touch()
    path = picture(tmp_path / "a.png", 10, 120, 200)
    [record], _ = records(capsys, tmp_path / "vgg19.h5", path, "--top", "5")
    wanted = model(np.full((224, 224, 3), (10, 120, 200), np.float32))[0]
    found = {each["class"]: each["probability"] for each in record["classes"]}
    np.testing.assert_allclose([found[name] for name in names], wanted, rtol=1e-4)


def test_vgg19_without_its_top_is_refused(tmp_path, capsys):
    _, error = classify(capsys, shipped("vgg19"), picture(tmp_path / "a.png"), code=2)
    assert "gives maps, not a score for each class; wanted one that ends with a dense" in error


def test_a_network_without_classes_is_refused(tmp_path, capsys):
    save(tmp_path / "checkpoint.h5", {"model": siamese().state(), "settings": {
        "network": "siamese", "keep": 0.6}})  # fmt: skip
    _, error = classify(capsys, tmp_path, picture(tmp_path / "a.png"), code=2)
    assert "holds a network 'siamese', which embeds examples and has no classes" in error


def test_classes_without_names_are_numbers(tmp_path, capsys):
    save_model(tmp_path / "a.h5", Sequential(Flatten(), Dense.new(RNG, 192, 2)), (8, 8, 3))
    [record], _ = records(capsys, tmp_path / "a.h5", picture(tmp_path / "a.png"))
    assert {each["class"] for each in record["classes"]} == {"0", "1"}


def test_a_network_that_gives_maps_is_refused(tmp_path, capsys):
    save_model(tmp_path / "a.h5", Sequential(Convolution.new(RNG, (1, 1), 3, 2)), (8, 8, 3))
    _, error = classify(capsys, tmp_path / "a.h5", picture(tmp_path / "a.png"), code=2)
    assert "the network gives maps, not a score for each class" in error


@pytest.mark.parametrize("value", ["0", "-1", "x"])
def test_an_invalid_top_is_refused(value, model, capsys):
    with pytest.raises(SystemExit):
        main(["classify", str(model), "a.png", "--top", value])
    assert f"found {value!r}; wanted a whole number of at least 1" in capsys.readouterr().err
