"""Sequences: where each painting begins, and when they end."""

import numpy as np
import pytest

from minidl.errors import ShapeError
from minidl.style_transfer import Painter, Settings, next_start, paint_frames
from minidl.style_transfer.record import record_of_same

pytestmark = pytest.mark.usefixtures("paint_with_the_small_model")
SETTINGS = Settings(steps=6, optimizer="adam", scales=2)


@pytest.fixture
def painter(style):
    return Painter(style, SETTINGS)


def test_later_frames_begin_with_the_painting_before_and_have_half_of_the_steps(content, painter):
    frames, images = [content, 0.9 * content], []
    first, second = paint_frames(painter, frames, callback=lambda step: images.append(step.image))
    assert first.steps == 6 and second.steps == 3
    np.testing.assert_array_equal(images[6], np.rint(next_start(first.image, *frames)))
    np.testing.assert_array_equal(first.image, painter.paint(content).image)
    assert second.record["settings"]["scales"] == 1


def test_a_painting_that_ended_early_is_the_last(content, painter):
    def stop(step):
        if step.total == 3:
            raise KeyboardInterrupt

    paintings = [*paint_frames(painter, [content] * 4, callback=stop)]
    assert [painting.trouble is None for painting in paintings] == [True, False]


def test_frames_of_another_size_are_refused(content, painter):
    with pytest.raises(
        ShapeError, match=r"frame 2 has shape .20, 20, 3., and the first .20, 28, 3"
    ):
        list(paint_frames(painter, [content, content[:, :20]]))


def test_the_record_tells_whether_a_file_is_of_the_same_painting(content, style, tmp_path):
    path, painter = tmp_path / "a.png", Painter(style, SETTINGS)
    assert record_of_same(path, painter.record(content)) is None
    painter.paint(content).save(path)
    assert record_of_same(path, painter.record(content))["finished"]
    assert record_of_same(path, painter.record(content + 1)) is None
    others = [Painter(style + 1, SETTINGS), Painter(style, Settings(steps=7, optimizer="adam"))]
    others.append(Painter(style, SETTINGS, style_weights=[2]))
    assert not any(record_of_same(path, other.record(content)) for other in others)


def test_dark_frames_are_painted(painter):
    """A picture of floats from 0 to 1 is refused elsewhere, because 1 may be meant as white."""
    dark = np.zeros((20, 28, 3), np.uint8)
    dark[3] = 1
    assert len([*paint_frames(painter, [dark, dark, 0 * dark])]) == 3
