"""`minidl visualize invert`: a row for each match and a column for each layer."""

import numpy as np
import pytest

from minidl.cli import main
from minidl.data import read_image, read_metadata, write_image
from tests.visualize import tiny


@pytest.fixture
def picture(tmp_path):
    write_image(tmp_path / "a.png", np.random.default_rng(1).uniform(0, 255, (24, 32, 3)))
    return tmp_path / "a.png"


@pytest.fixture
def invert(monkeypatch, picture, capsys):
    monkeypatch.setattr(
        "minidl.cli.visualize.invert.open_network", lambda source: tiny.two_convolutions()
    )

    def run(*options, name="again.png"):
        path = picture.with_name(name)
        code = main(["visualize", "invert", str(picture), "-o", str(path), *map(str, options)])
        return code, path, capsys.readouterr()

    return run


def test_rows_and_columns_and_the_same_bytes_twice(invert):
    options = ("--layer", "near_relu", "far_relu", "--match", "style", "content", "--steps", "4")
    code, path, printed = invert(*options)
    assert code == 0
    assert [line.split(":")[0] for line in printed.out.splitlines()[:4]] == [
        "style of near_relu",
        "style of far_relu",
        "content of near_relu",
        "content of far_relu",
    ]
    height, width, _ = read_image(path).shape
    assert width > 3 * 160 and height > 2 * 120
    record = read_metadata(path)
    assert record["layers"] == ["near_relu", "far_relu"] and record["settings"]["steps"] == 4
    before = path.read_bytes()
    assert invert(*options)[1].read_bytes() == before


def test_the_printed_loss_decreases(invert):
    _, _, printed = invert("--layer", "near", "--steps", "8")
    first, best = (
        float(number) for number in printed.out.split("loss ")[1].split(" in ")[0].split(" -> ")
    )
    assert best < 0.5 * first


def test_the_default_is_the_deepest_layer(invert):
    assert invert("--steps", "1")[2].out.startswith("content of far_relu: ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--layer", "farther"), "the network has no layer 'farther'"),
        (("--steps", 0), "--steps is 0"),
        (("--size", -3), "--size is -3"),
        (("--smoothness", "nan"), "--smoothness is nan"),
        (("--seed", -1), "--seed is -1; wanted a number of at least 0"),
    ],
)
def test_errors_are_one_sentence_and_nothing_is_written(invert, options, message):
    code, path, printed = invert(*options)
    assert code == 2 and message in printed.err and "Traceback" not in printed.err
    assert not path.exists()


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((40, 1), "holds an array (40, 1); wanted a picture"),
        ((1, 9, 3), "the picture is 9x1; wanted at least 2 pixels a side"),
    ],
)
def test_arrays_that_are_not_pictures_are_refused(invert, picture, capsys, shape, message):
    array, output = picture.with_name("a.npy"), picture.with_name("b.png")
    np.save(array, np.zeros(shape))
    assert main(["visualize", "invert", str(array), "-o", str(output)]) == 2
    assert message in capsys.readouterr().err and not output.exists()
