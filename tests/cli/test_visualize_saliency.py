"""`minidl visualize saliency`: a labelled picture, and lines that describe it."""

import numpy as np
import pytest

from minidl.cli import main
from minidl.cli.visualize import saliency as command
from minidl.data import read_image, read_metadata, write_image
from minidl.layers import Dense, Flatten
from minidl.visualize.saliency.methods import METHODS
from tests.visualize import tiny

FEW = ("--samples", "2", "--steps", "3")


@pytest.fixture
def picture(tmp_path):
    write_image(tmp_path / "a.png", np.random.default_rng(1).uniform(0, 255, (24, 32, 3)))
    return tmp_path / "a.png"


def opens(monkeypatch, network):
    monkeypatch.setattr("minidl.cli.visualize.saliency.open_network", lambda source: network)


@pytest.fixture
def saliency(monkeypatch, picture, capsys):
    opens(monkeypatch, tiny.two_convolutions())

    def run(*options, name="maps.png"):
        path = picture.with_name(name)
        code = main(["visualize", "saliency", str(picture), "-o", str(path), *map(str, options)])
        return code, path, capsys.readouterr()

    return run


def test_all_methods_in_one_picture_and_the_same_bytes_twice(saliency):
    code, path, printed = saliency(*FEW, "--unit", "far_relu:1")
    assert code == 0 and printed.out.startswith("the mean of far_relu:1: ")
    assert "integrated: from grey; " in printed.out and "% off complete" in printed.out
    assert "grad-cam: maps of near_relu" in printed.out and f"the maps are in {path}" in printed.out
    height, width, _ = read_image(path).shape
    assert width > 4 * 160 and height > 4 * 120
    record = read_metadata(path)
    assert record["unit"] == "far_relu:1" and record["settings"]["samples"] == 2
    before = path.read_bytes()
    _, again, _ = saliency(*FEW, "--unit", "far_relu:1", name="maps.png")
    assert again.read_bytes() == before


def test_the_default_unit_is_printed(saliency):
    code, _, printed = saliency("--methods", "gradient", "--over", "max")
    assert code == 0 and printed.out.startswith("the max of far_relu:")


def test_the_default_of_a_classifier_is_the_most_likely_class(monkeypatch, saliency):
    opens(monkeypatch, tiny.classifier(6, ("cat", "dog")))
    code, _, printed = saliency("--methods", "gradient", "occlusion", "--baseline", "black")
    assert code == 0 and printed.out.startswith("dog: ")
    assert "occlusion: black squares of 1, every 1" in printed.out
    assert saliency("--unit", "cat", "--methods", "gradient")[2].out.startswith("cat: ")


def test_the_sanity_check_is_printed_for_each_method(saliency):
    _, _, printed = saliency("--unit", "far_relu:1", "--methods", "gradient", "guided", "--sanity")
    assert (
        printed.out.count("with random weights") == 2 and "guided: rank correlation " in printed.out
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--unit", "far_relu:8"),
            "far_relu has 8 channels; found far_relu:8, wanted one from 0 to 7",
        ),
        (("--unit", "farther"), "the network has no layer 'farther'"),
        (("--unit", "far:x"), "wanted LAYER:CHANNEL"),
        (("--samples", 0), "--samples is 0; wanted a number of at least 1"),
        (("--stride", 0), "--stride is 0"),
        (("--noise", -1), "--noise is -1.0; wanted a number of at least 0"),
        (("--noise", "nan"), "--noise is nan"),
        (("--seed", -1), "--seed is -1"),
        (
            ("--unit", "far_relu:1", "--window", 99, "--methods", "occlusion"),
            "wanted a side from 1 to 24",
        ),
        (
            ("--unit", "near:1", "--methods", "grad-cam"),
            "no layer behind a ReLU has positions before near",
        ),
        (("--unit", "near:1", "--methods", "grad-cam", "--layer", "far"), "which is not behind it"),
        (("--unit", "near:1", "--layer", "far"), "which is not behind it"),
    ],
)
def test_errors_are_one_sentence_and_nothing_is_written(saliency, options, message):
    code, path, printed = saliency(*options)
    assert code == 2 and message in printed.err and "Traceback" not in printed.err
    assert not path.exists()


@pytest.mark.parametrize(
    "options", [("--window", 99), ("--stride", 13, "--window", 12), ("--layer", "far_relu")]
)
def test_settings_that_do_not_fit_are_refused_before_the_first_map(monkeypatch, saliency, options):
    failing = METHODS["gradient"]._replace(make=lambda *_: pytest.fail("a map is made"))
    monkeypatch.setitem(METHODS, "gradient", failing)
    assert saliency("--unit", "far_relu:1", *options)[0] == 2


def test_grad_cam_is_left_out_if_no_layer_precedes_the_unit(saliency):
    code, path, printed = saliency(*FEW, "--unit", "near:1")
    assert code == 0 and path.exists()
    assert "grad-cam: left out, as no layer before near:1 has positions and a ReLU" in printed.out
    assert "occlusion: " in printed.out and "grad-cam: maps" not in printed.out


def test_the_colours_are_explained_below_each_map(monkeypatch, saliency):
    captions = []
    monkeypatch.setattr(
        command, "grid", lambda rows, texts, **options: captions.extend(texts) or rows[0][0]
    )
    assert saliency("--methods", "gradient", "occlusion", "grad-cam")[0] == 0
    assert captions[1][1:] == [
        "orange: how much, for or against",
        "orange: for, blue: against",
        "orange: for",
    ]


@pytest.mark.parametrize("shape", [(64, 1), (8, 8, 8, 1), (24, 24, 1)])
def test_signals_and_volumes_are_refused_before_the_computation(
    monkeypatch, picture, capsys, shape
):
    opens(monkeypatch, tiny.two_convolutions())
    monkeypatch.setattr(command, "unit_for", lambda *_: pytest.fail("the network is run"))
    np.save(picture.with_name("a.npy"), np.ones(shape, np.float32))
    paths = [str(picture.with_name("a.npy")), "-o", str(picture.with_name("b.png"))]
    assert main(["visualize", "saliency", *paths]) == 2
    assert "wanted a picture (H, W, 3)" in capsys.readouterr().err


def test_the_input_is_not_overwritten(picture, capsys):
    before = picture.read_bytes()
    assert main(["visualize", "saliency", str(picture), "-o", str(picture)]) == 2
    assert "would overwrite it" in capsys.readouterr().err and picture.read_bytes() == before


def signals(monkeypatch, folder):
    """The key of a signal of 32 samples is that of the largest sum of a half."""
    halves = np.repeat(np.eye(2, dtype=np.float32), 16, axis=0)
    network = tiny.network(
        {"flatten": Flatten(), "sums": Dense(halves)}, size=(32,), classes=("first", "second")
    )
    examples = np.zeros((3, 32, 1), np.float32)
    examples[2, 20:24] = 1
    opens(monkeypatch, network._replace(prepare=lambda x: x, examples=lambda: examples))
    np.save(folder / "signal.npy", examples[2])


@pytest.mark.parametrize("source", [["signal.npy"], ["--example", "2"]])
def test_a_signal_is_drawn_with_its_class_and_probability(monkeypatch, tmp_path, capsys, source):
    monkeypatch.chdir(tmp_path)
    signals(monkeypatch, tmp_path)
    words = [*source, "--methods", "occlusion,gradient-x-input", "-o", "maps.png"]
    assert main(["visualize", "saliency", *words]) == 0
    out = capsys.readouterr().out
    assert out.startswith("second: 4, probability 98.2%\nsecond 98.2%, first 1.8%\n")
    assert "occlusion: zero stretches of 2, every 1" in out
    assert "gradient-x-input: input minus zero" in out
    assert read_metadata("maps.png")["settings"]["baseline"] == "black"
    assert read_image("maps.png").shape[1] > 3 * 400


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["signal.npy", "--baseline", "grey"], "the baseline is grey, a colour"),
        (["signal.npy", "--size", "9"], "--size would change nothing with an .npy file"),
        (["--example", "3"], "--example is 3; the test set has 3: wanted one from 0 to 2"),
        (["--example", "-1"], "--example is -1"),
        (["other.npy"], "other.npy holds an array (31, 1); the network takes (32, 'channels')"),
        (["signal.npy", "--window", "33"], "wanted a side from 1 to 32"),
    ],
)
def test_errors_about_signals(monkeypatch, tmp_path, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    signals(monkeypatch, tmp_path)
    np.save("other.npy", np.ones((31, 1)))
    assert main(["visualize", "saliency", *options, "-o", "maps.png"]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "maps.png").exists()


def test_the_maps_of_several_units_are_labelled(monkeypatch, saliency):
    labels = []
    monkeypatch.setattr(
        command,
        "grid",
        lambda rows, texts, **options: labels.append(options["labels"]) or rows[0][0],
    )
    code, path, printed = saliency("--units", "far:1,near:2", "--methods", "gradient")
    assert code == 0 and read_metadata(path)["unit"] == "far:1, near:2"
    titles = printed.out.splitlines()[:2]
    assert [title.split(": ")[0] for title in titles] == ["the mean of far:1", "the mean of near:2"]
    assert labels == [[titles[0], None, titles[1], None]]
