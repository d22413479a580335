"""A painting in a notebook: what is displayed, and when."""

import base64
import re
import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from minidl.extras import ExtraError
from minidl.style_transfer import resume, stylize
from minidl.style_transfer.notebook import Inline

pytestmark = pytest.mark.usefixtures("paint_with_the_small_model")


@pytest.fixture
def displayed(monkeypatch):
    """The displays of a notebook: a list of (display, HTML)."""
    pytest.importorskip("matplotlib").use("agg")
    display = pytest.importorskip("IPython.display")
    displays = []

    class Handle(display.DisplayHandle):
        def display(self, obj):
            displays.append(("new", obj.data))

        def update(self, obj):
            displays.append(("updated", obj.data))

    monkeypatch.setattr(display, "DisplayHandle", Handle)
    return displays


def pictures(html):
    """Return the PNG pictures of the HTML as arrays."""
    files = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [np.asarray(Image.open(BytesIO(base64.b64decode(file)))) for file in files]


def test_every_step_updates_one_display(content, style, displayed, monkeypatch):
    monkeypatch.setattr("minidl.style_transfer.notebook.SHARE", 1)
    bests = []
    with Inline() as inline:

        def callback(step):
            bests.append(step.best)
            inline(step)

        stylize(content, style, steps=3, callback=callback)
    assert [kind for kind, _ in displayed] == ["new", "updated", "updated"]
    for (_, html), best in zip(displayed, bests, strict=True):
        picture, curves = pictures(html)
        np.testing.assert_array_equal(picture, np.rint(best))
        assert curves.shape[1] > 400 and curves.std() > 5
    assert "step 3, " in displayed[-1][1]


def test_fast_steps_are_left_out_but_the_last_is_shown(content, style, displayed, monkeypatch):
    monkeypatch.setattr("minidl.style_transfer.notebook.SHARE", 1e-6)
    with Inline() as inline:
        stylize(content, style, steps=5, callback=inline)
    assert ["step 1, " in displayed[0][1], "step 5, " in displayed[1][1]] == [True, True]
    assert len(displayed) == 2


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(ExtraError, match=r"needs IPython, .* pip install 'minidl\[notebook\]'"):
        Inline()


def test_a_notebook_shows_a_painting_as_a_png(content, style):
    painting = stylize(content, style, steps=3)
    shown = Image.open(BytesIO(painting._repr_png_()))
    np.testing.assert_array_equal(shown, np.rint(painting.image))


def test_a_resumed_run_shows_its_own_steps(content, style, displayed, tmp_path):
    def interrupt(step):
        if step.number == 4:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "run.checkpoint"
    options = {"steps": 6, "checkpoint": checkpoint, "every": 2}
    stylize(content, style, callback=interrupt, **options)
    with Inline() as inline:
        resume(checkpoint, callback=inline)
    assert "<p>step 6, " in displayed[-1][1]
