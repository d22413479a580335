"""The chapters of a report, of tiny networks."""

import numpy as np
import pytest

from minidl.data import write_image
from minidl.visualize import report
from minidl.visualize.report import Settings, Subject
from tests.visualize import tiny

FEW = Settings(likes=2, inversion=2, octaves=1, steps=1)


@pytest.fixture
def subject(tmp_path):
    def of(height, width, network=None, settings=FEW):
        example = np.random.default_rng(1).uniform(0, 255, (height, width, 3)).astype(np.float32)
        write_image(tmp_path / "a.png", example)
        return Subject.of(network or tiny.two_convolutions(), tmp_path / "a.png", example, settings)

    return of


def figures(section):
    return [figure for row in section.rows for figure in row.figures]


@pytest.mark.parametrize(
    "chapter",
    [
        report.what_units_look_for,
        report.what_it_depends_on,
        report.what_layers_keep,
        report.what_it_dreams,
    ],
)
def test_the_seed_decides_what_is_random(subject, chapter):
    first, again, other = (
        b"".join(
            np.asarray(figure.picture).tobytes()
            for figure in figures(chapter(subject(40, 48, settings=settings)))
        )
        for settings in (FEW, FEW, FEW._replace(seed=1))
    )
    assert first == again != other


def test_units_are_looked_at_from_the_second_layer_on(subject):
    [row] = report.what_units_look_for(subject(40, 48)).rows
    assert row.title.startswith("far_relu:") and len(row.figures) == 4


def test_each_map_says_what_its_colours_mean(subject):
    section = report.what_it_depends_on(subject(24, 32))
    told = {
        figure.caption.split("\n")[0]: figure.caption.split("\n")[-1] for figure in figures(section)
    }
    assert (
        told["gradient"]
        == told["guided"]
        == told["smoothgrad"]
        == "orange: how much, for or against"
    )
    assert (
        told["integrated"] == told["occlusion"] == "orange: for, blue: against"
        and told["grad-cam"] == "orange: for"
    )
    assert "by 7 methods" in section.words


def test_a_network_of_dense_layers_is_asked_without_grad_cam(subject):
    section = report.what_it_depends_on(subject(24, 24, tiny.classifier(24, ("cat", "dog"))))
    assert "by 6 methods" in section.words and len(figures(section)) == 6


def test_what_layers_keep_is_looked_for_in_a_smaller_picture(subject):
    section = report.what_layers_keep(subject(100, 200))
    assert {figure.picture.shape for figure in figures(section)} == {
        (report.INVERTED // 2, report.INVERTED, 3)
    }
    assert "as near as 2 steps" in section.words
