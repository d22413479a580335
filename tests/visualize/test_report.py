"""The chapters of a report, for tiny networks."""

import numpy as np
import pytest

from minidl.data import write_image
from minidl.errors import ArgumentError
from minidl.visualize import report
from minidl.visualize.report import Settings, Subject
from minidl.visualize.units import Unit
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


def test_the_verdict_is_the_likeliest_class_and_its_map(subject):
    network = tiny.classifier(24, ("cat", "dog"))
    section = report.verdict(subject(24, 24, network))
    assert section.title == "The verdict" and "The likeliest class is dog: " in section.words
    assert [bar.name for bar in section.bars] == ["dog", "cat"]
    assert sum(bar.probability for bar in section.bars) == pytest.approx(1)
    picture, explained = figures(section)
    assert picture.caption == "a.png" and explained.caption.startswith("what dog depends on\nocc")
    assert explained.scale


def test_a_network_without_classes_has_a_picture_and_a_map(subject):
    section = report.verdict(subject(24, 32))
    assert section.title == "The picture" and not section.bars
    assert "The network has no classes." in section.words
    assert "what the mean of far_relu:" in figures(section)[1].caption
    assert "grad-cam" in figures(section)[1].caption


def test_a_chosen_unit_is_explained(tmp_path):
    example = np.random.default_rng(1).uniform(0, 255, (24, 24, 3)).astype(np.float32)
    network = tiny.classifier(24, ("cat", "dog"))
    chosen = Subject.of(network, tmp_path / "a.png", example, FEW, unit=Unit("scores", 0))
    section = report.verdict(chosen)
    assert "The likeliest class is dog" in section.words and "that cat depends on" in section.words
    assert "that cat depends on" in report.saliency_maps(chosen).words


def test_chosen_layers_are_shown_from_the_shallowest(subject, tmp_path):
    usual = subject(40, 48)
    assert usual.layers == ["near_relu", "far_relu"]
    network, example = usual.network, usual.example
    chosen = Subject.of(network, usual.path, example, FEW, ["far", "pool", "far"])
    assert chosen.layers == ["pool", "far"]
    titles = [row.title.partition(" ")[0] for row in report.activation_maps(chosen).rows]
    assert titles == ["pool", "far"]
    assert [row.title.partition(":")[0] for row in report.distinctive_units(chosen).rows] == titles
    assert [one.caption for one in figures(report.dreams(chosen))][1:] == [
        "for the activations of pool",
        "for the activations of far",
    ]
    classifier = tiny.classifier(24, ("cat", "dog"))
    with pytest.raises(ArgumentError, match="scores has no positions to draw maps of"):
        Subject.of(classifier, usual.path, np.ones((24, 24, 3), np.float32), FEW, ["scores"])


@pytest.mark.parametrize(
    "chapter", [report.saliency_maps, report.distinctive_units, report.inversions, report.dreams]
)
def test_a_chapter_that_is_stopped_has_what_was_computed(subject, chapter):
    """Only two steps are made, and then none."""
    left = iter(range(2))

    def steps(items):
        for item in items:
            if next(left, None) is None:
                return
            yield item

    whole, few = chapter(subject(40, 48)), chapter(subject(40, 48)._replace(steps=steps))
    assert len(figures(few)) < len(figures(whole)) or chapter is report.distinctive_units
    assert all(row.figures for row in few.rows)
    nothing = chapter(subject(40, 48)._replace(steps=lambda items: iter(())))
    assert all(not row.figures for row in nothing.rows)


def test_the_part_with_the_largest_activation_stands_in_its_receptive_field(subject):
    [row] = report.distinctive_units(subject(40, 48)).rows
    _, part, gradient, _ = row.figures
    assert part.picture.shape == gradient.picture.shape == (224, 224, 3)


def test_the_passes_grow_with_the_settings(subject):
    usual = subject(40, 48)
    passes = [
        report.passes(usual._replace(settings=FEW._replace(**{name: 9})))
        for name in ("likes", "inversion", "octaves", "steps")
    ]
    assert min(passes[0], passes[1], passes[3]) > report.passes(usual) > 0
    assert passes[2] == report.passes(usual)  # the picture is too small for more octaves


def test_the_passes_of_chapters_add_up(subject):
    one = subject(40, 48)
    assert report.passes(one) == pytest.approx(sum(report.passes(one, [n]) for n in report.NAMES))
    assert report.passes(one, ["maps"]) == 0 < report.passes(one, ["saliency"])
