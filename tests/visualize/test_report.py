"""The chapters of a report, for tiny networks."""

import numpy as np
import pytest

from minidl.data import write_image
from minidl.visualize import report
from minidl.visualize.report import Settings, Subject
from tests.visualize import tiny

FEW = Settings(likes=2, inversion=2, octaves=1, steps=1)


@pytest.fixture
def subject(tmp_path):
    def subject_of(height, width, network=None, settings=FEW):
        example = np.random.default_rng(1).uniform(0, 255, (height, width, 3)).astype(np.float32)
        write_image(tmp_path / "a.png", example)
        return Subject.of(network or tiny.two_convolutions(), tmp_path / "a.png", example, settings)

    return subject_of


def figures(section):
    return [figure for row in section.rows for figure in row.figures]


RANDOM = [report.distinctive_units, report.saliency_maps, report.inversions, report.dreams]


@pytest.mark.parametrize("chapter", RANDOM)
def test_pictures_are_reproducible_and_depend_on_the_seed(subject, chapter):
    def pixels(seed):
        section = chapter(subject(40, 48, settings=FEW._replace(seed=seed)))
        return b"".join(np.asarray(figure.picture).tobytes() for figure in figures(section))

    assert pixels(0) == pixels(0) != pixels(1)


def test_distinctive_units_begin_with_the_second_layer(subject):
    [row] = report.distinctive_units(subject(40, 48)).rows
    assert row.title.startswith("far_relu:") and len(row.figures) == 4


def test_each_caption_explains_the_colours_of_its_map(subject):
    section = report.saliency_maps(subject(24, 32))
    captions = [figure.caption.split("\n") for figure in figures(section)]
    colours = {method: last for method, *_, last in captions}
    for method in ("gradient", "guided", "smoothgrad"):
        assert colours[method] == "orange: how much, for or against"
    for method in ("integrated", "occlusion"):
        assert colours[method] == "orange: for, blue: against"
    assert colours["grad-cam"] == "orange: for"
    assert "by 7 methods" in section.words


def test_grad_cam_is_left_out_for_a_network_of_dense_layers(subject):
    section = report.saliency_maps(subject(24, 24, tiny.classifier(24, ("cat", "dog"))))
    assert "by 6 methods" in section.words and len(figures(section)) == 6


def test_inversions_are_smaller_than_the_picture(subject):
    section = report.inversions(subject(100, 200))
    assert {figure.picture.shape for figure in figures(section)} == {
        (report.INVERTED // 2, report.INVERTED, 3)
    }
    assert "in at most 2 steps" in section.words
