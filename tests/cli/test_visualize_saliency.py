"""`minidl visualize saliency`: a labelled picture, and lines that describe it."""

import numpy as np
import pytest

from minidl.cli import main
from minidl.cli.visualize import saliency as command
from minidl.data import read_image, read_metadata, write_image
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
