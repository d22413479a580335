"""`minidl faces` with the shipped networks, on real faces."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from minidl.data import read_image, resize, shipped_picture, write_image
from minidl.data.images import ORIENTATION
from minidl.faces.drawing import BOX
from tests.cli.faces.commands import faces, printed, records
from tests.devices import GPUS, at

NAME = "Eileen Collins"


def test_an_astronaut_is_identified_from_one_picture(capsys, real_reader):
    """The pictures are smaller, mirrored, rotated by EXIF, and a pair of her side by side."""
    path = shipped_picture("astronaut")
    astronaut = read_image(path)
    write_image("small.png", resize(astronaut, 300, 300))
    write_image("mirrored.jpg", astronaut[:, ::-1])
    with Image.open(path) as picture:
        exif = Image.Exif()
        exif[ORIENTATION] = 8
        picture.convert("RGB").rotate(-90, expand=True).save("turned.jpg", exif=exif)
    write_image("twice.png", np.concatenate([astronaut, astronaut[:, ::-1]], axis=1))
    assert faces("enroll", "space.db", NAME, path) == 0
    pictures = ["small.png", "mirrored.jpg", "turned.jpg", "twice.png", path]
    results = records(capsys, "identify", "space.db", *pictures)
    names = [[face["name"] for face in result["faces"]] for result in results]
    assert names == [[NAME], [NAME], [NAME], [NAME, NAME], [NAME]]
    assert results[-1]["faces"][0]["distance"] < 1e-3
    [line], _ = printed(capsys, "identify", "space.db", shipped_picture("chelsea"), code=1)
    assert line.endswith("no face was found")
    lines, _ = printed(capsys, "find", "twice.png", "--output", "drawn")
    assert len(lines) == 3
    assert (read_image("drawn/twice-faces.png") == BOX).all(axis=2).sum() > 500


@pytest.mark.parametrize("place", GPUS)
def test_the_distance_on_a_gpu_is_that_on_the_cpu(capsys, real_reader, place):
    astronaut = read_image(shipped_picture("astronaut"))[50:220, 130:320]
    write_image("near.png", astronaut)
    write_image("mirrored.png", resize(astronaut[:, ::-1], 120, 140))
    [on_cpu] = records(capsys, "compare", "near.png", "mirrored.png")
    with at(place):
        [on_gpu] = records(capsys, "compare", "near.png", "mirrored.png", "--device", "gpu")
    assert on_cpu["same"] and on_gpu["distance"] == pytest.approx(on_cpu["distance"], abs=1e-3)


@pytest.mark.thorough
def test_real_people(capsys, real_reader, minidl_data):
    """Eight people of ORL with four pictures each. The benchmarks measure all forty people, with
    more pictures."""
    for person in range(1, 9):
        os.makedirs(f"orl/s{person}")
        for number in range(1, 5):
            shutil.copy(minidl_data / f"orl/orl_faces/s{person}/{number}.pgm", f"orl/s{person}")
    [rates] = records(capsys, "evaluate", "orl")
    assert rates["pictures"] == 32 and rates["faces_found"] >= 31
    assert rates["equal_error_rate"] <= 0.02 and rates["one_shot"] >= 0.95
    assert rates["strangers_accepted"] <= 0.02
    assert rates["pixel_equal_error_rate"] > 2 * rates["equal_error_rate"]
    assert rates["pixel_one_shot"] < rates["one_shot"]
