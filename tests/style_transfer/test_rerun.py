"""Painting again: inputs are found by name and content, and the result is compared."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from minidl.data import read_image, read_metadata, write_image
from minidl.engine.threads import get_threads
from minidl.errors import FileError, MinidlError, NonFiniteError
from minidl.style_transfer import MaskFiles, Memory, stylize
from minidl.style_transfer.record import changes, circumstances
from minidl.style_transfer.rerun import MOST_THREADS, as_recorded, difference, paint_again, recipe

pytestmark = pytest.mark.usefixtures("paint_with_the_small_model")


@pytest.fixture(autouse=True)
def pictures(tmp_path, monkeypatch, content, style):
    """Change to a new folder with pictures and masks in the folder `inputs`."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("inputs")
    write_image("inputs/photo.png", content)
    write_image("inputs/style.png", style)
    write_image("inputs/other.webp", style[::-1])
    left = np.zeros_like(content)
    left[:, :14] = 255
    write_image("inputs/left.png", left)
    write_image("inputs/style-left.png", left.transpose(1, 0, 2)[:24, :18])
    write_image("inputs/part.png", np.full_like(style, 200))


def painted(name="painted.png", **options):
    """Paint a picture and save it."""
    options = {"steps": 4, "content": "inputs/photo.png", "style": "inputs/style.png"} | options
    content, style = options.pop("content"), options.pop("style")
    painting = stylize(content, style, **options)
    painting.save(name)
    return painting


def again(name="painted.png", folders=("inputs",)):
    """Return the difference of the picture that is painted again."""
    return difference(name, paint_again(recipe(name, folders)))


@pytest.mark.parametrize("name", ["painted.png", "painted.jpg", "painted.webp", "painted.tif"])
def test_a_picture_is_painted_again_with_the_same_pixels(name):
    painted(name, start="noise", seed=3)
    assert again(name) == (0, 0)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "options",
    [
        {"start": "inputs/other.webp"},
        {"style": ["inputs/style.png", "inputs/other.webp"], "style_weights": [1, 3]},
        {"masks": MaskFiles("inputs/left.png", ["inputs/left.png"], ["inputs/part.png"], None, 2)},
        {"masks": MaskFiles(regions=[None, "inputs/left.png"]), "style": ["inputs/style.png"] * 2},
        {"masks": MaskFiles(maps=("inputs/left.png", "inputs/style-left.png"))},
        {"colours": "luminance", "style_scale": (1.0, 0.9), "size": 26},
        {"style_layers": {"moments:conv2_1": 1.0, "conv1_1+conv2_1": 2.0}, "content_weight": 3.0},
        {"optimizer": "adam", "late_learning_rate": 1.0, "late_steps": 1, "pooling": "max"},
    ],
    ids=["start", "styles", "masks", "a mask of two", "maps", "colours", "layers", "adam"],
)
def test_everything_that_is_recorded_is_repeated(options):
    painting = painted(**options)
    plain = stylize("inputs/photo.png", "inputs/style.png", steps=4)
    assert plain.image.shape != painting.image.shape or (plain.image != painting.image).any()
    assert again() == (0, 0)


def test_an_interrupted_painting_is_repeated_until_the_same_step():
    def stop(step):
        if step.number == 3:
            raise KeyboardInterrupt

    painting = painted(steps=9, callback=stop)
    assert painting.steps == 3
    steps = []
    repeated = paint_again(recipe("painted.png", ["inputs"]), callback=steps.append)
    assert [step.number for step in steps] == [1, 2, 3] and repeated.trouble is None
    assert difference("painted.png", repeated) == (0, 0)


def test_a_step_that_an_interruption_leaves_unfinished_does_not_count(monkeypatch):
    """The interruption comes after the evaluation of step 3, while the picture is moved."""
    from minidl.style_transfer.run import Run

    move = Run._move

    def interrupt(run, losses):
        if run.done == 3:
            raise KeyboardInterrupt
        move(run, losses)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "_move", interrupt)
        assert painted(steps=9).steps == 2
    assert read_metadata("painted.png")["steps_done"] == 2 and again() == (0, 0)


def test_an_error_before_the_last_step_is_raised():
    painted()
    made_from = recipe("painted.png", ["inputs"])

    def fail(step):
        raise NonFiniteError("the loss is nan")

    with pytest.raises(NonFiniteError):
        paint_again(made_from, callback=fail)


def test_another_picture_differs():
    painting = painted()
    worse = painting.image.copy()
    worse[0, 0, 0] += 30 if worse[0, 0, 0] < 128 else -30
    replace(painting, image=worse).save("painted.png")
    found = again()
    assert found.largest == pytest.approx(30, abs=0.5)
    assert found.mean == pytest.approx(30 / (20 * 28 * 4), rel=0.02)
    replace(painting, image=painting.image[:-1]).save("painted.png")
    assert again() is None


def test_inputs_are_found_by_name_and_content(content):
    painted("inputs/painted.png")
    found = recipe("inputs/painted.png")  # in the folder of the picture
    assert [str(path) for path in found.names()[:2]] == ["inputs/photo.png", "inputs/style.png"]
    os.rename("inputs/painted.png", "painted.png")
    with pytest.raises(FileError, match=r"the photograph, photo\.png, is in none of the folders"):
        recipe("painted.png")
    os.mkdir("wrong")
    write_image("wrong/photo.png", content[::-1])
    with pytest.raises(FileError, match=r"wrong/photo\.png is another file than the photograph"):
        recipe("painted.png", ["wrong"])
    assert recipe("painted.png", ["wrong", "inputs"]).content.parent.name == "inputs"
    os.rename("inputs/style.png", "style.png")  # in the current folder
    assert str(recipe("painted.png", ["inputs"]).styles[0]) == "style.png"


def test_each_input_is_named_if_it_is_missing():
    painted(start="inputs/other.webp", masks=MaskFiles("inputs/left.png"))
    roles = {
        "photo.png": "the photograph",
        "style.png": "style 1",
        "other.webp": "the start picture",
        "left.png": "a mask",
    }
    for name, role in roles.items():
        os.rename(f"inputs/{name}", "away")
        with pytest.raises(FileError, match=f"^{role}, {name}, is in none of the folders; name"):
            recipe("painted.png", ["inputs"])
        os.rename("away", f"inputs/{name}")


@pytest.mark.parametrize("role", ["content", "style", "start"])
def test_arrays_without_files_cannot_be_found(content, style, role):
    painted(**{role: style if role == "style" else content})
    with pytest.raises(FileError, match="was an array, such as a frame of --sequence, and has no"):
        recipe("painted.png", ["inputs"])


def test_other_weights_are_refused():
    painted()
    with pytest.raises(FileError, match=r"the weights of the first run were vgg19\.h5"):
        recipe("painted.png", ["inputs"], "inputs/photo.png")


def with_record(record):
    """Write a PNG with any record as its metadata."""
    info = PngInfo()
    info.add_itxt("minidl", json.dumps(record))
    Image.new("RGB", (30, 30)).save("other.png", pnginfo=info)
    return "other.png"


DAMAGES = [
    (path, value)
    for path in (
        ["settings"],
        ["settings", "size"],
        ["settings", "style_layers"],
        ["settings", "start"],
        ["content"],
        ["content", "name"],
        ["content", "sha256"],
        ["styles"],
        ["styles", 0],
        ["style_weights"],
        ["masks"],
        ["masks", "regions"],
        ["start_picture"],
        ["weights"],
        ["versions"],
        ["memory"],
        ["memory", "history"],
        ["memory", "side"],
        ["steps_done"],
    )
    for value in (7, "x", [1], {"a": 1}, [{"name": 3}])
]


def test_the_memory_is_used_as_the_first_time(monkeypatch):
    """Two pairs of L-BFGS give another painting than ten."""
    few = Memory(2, blocks=True)
    with monkeypatch.context() as patch:
        patch.setattr("minidl.style_transfer.painting.fitting", lambda *arguments: (few, ()))
        painted(steps=8)
    assert recipe("painted.png", ["inputs"]).memory == few and again() == (0, 0)
    many = stylize("inputs/photo.png", "inputs/style.png", steps=8).image
    assert (np.rint(many) != read_image("painted.png")).any()


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_a_damaged_record_is_refused_in_a_sentence(change):
    painted(masks=MaskFiles("inputs/left.png"))
    whole = json.dumps(read_metadata("painted.png"))
    for (*outer, last), value in DAMAGES:
        record = inner = json.loads(whole)
        for name in outer:
            inner = inner[name]
        if change == "replaced":
            inner[last] = value
        else:
            del inner[last]
        try:
            recipe(with_record(record), ["inputs"])  # some of the values are valid
        except MinidlError as error:
            assert len(str(error)) < 300


@pytest.mark.parametrize("record", [None, 3, [], {}, {"settings": {}}])
def test_a_picture_without_a_record_is_refused(record):
    with pytest.raises(FileError, match="holds no complete record of a painting"):
        recipe(with_record(record))


@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_painting_of_another_version_is_refused(change):
    painted()
    record = read_metadata("painted.png")
    if change == "added":
        record["settings"]["sharpness"] = 2
    else:
        record["settings"]["sharpness"] = record["settings"].pop("scales")
    with pytest.raises(FileError, match=r"only one of both has .*sharpness"):
        recipe(with_record(record), ["inputs"])


def test_the_first_run_is_computed_in_the_same_way():
    before = get_threads()
    with as_recorded({"threads": 3, "implementation": "textbook", "device": "cpu"}):
        inside = circumstances()
    assert inside["threads"] == 3 and inside["implementation"] == "textbook"
    assert get_threads() == before and circumstances()["implementation"] != "textbook"
    for invalid in (0, "x", None, MOST_THREADS + 1):
        with as_recorded({"threads": invalid}):
            assert get_threads() == before


def test_changed_circumstances_are_named():
    now = circumstances()
    assert changes(now, now) == []
    then = now | {"threads": 5, "blas": "\x1b[31m", "versions": now["versions"] | {"numpy": "1.0"}}
    found = ", ".join(changes(then, now))
    assert f"threads {now['threads']} instead of 5" in found and "?[31m" in found
    assert f"numpy {np.__version__} instead of 1.0" in found
    del then["threads"]  # of an earlier version of minidl
    assert "threads" not in ", ".join(changes(then, now))


def test_the_record_names_what_decides_the_last_digits():
    painted()
    assert circumstances().items() <= read_metadata("painted.png").items()
