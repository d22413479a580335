"""`minidl stylize`: many photographs in one command."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from minidl.cli.stylize.monitor import Monitor
from minidl.data import read_image, read_metadata, shipped_picture, write_image
from minidl.errors import LackOfMemoryError
from minidl.models import vgg19
from minidl.style_transfer import Objective, painting
from tests.cli.stylize.commands import QUICK, refused, stylize, stylize_line

LINE = "photos painting.jpg --size 32 --steps 2 -o painted"
NAMES = ["2.png", "10.png", "b.png"]


@pytest.fixture(autouse=True)
def photos():
    """Make the folder `photos` with three photographs, of two longer sides."""
    os.makedirs("photos/more")
    rng = np.random.default_rng(1)
    for name, shape in {"10.png": (20, 32), "2.png": (32, 24), "b.jpg": (30, 20)}.items():
        write_image(f"photos/{name}", rng.uniform(0, 255, (*shape, 3)))
    shutil.copy("photo.png", "photos/more/inside.png")
    shutil.copy("photo.png", "photos/.hidden.png")


def interrupt_at(monkeypatch, number):
    """Let the callback raise KeyboardInterrupt after so many steps of all photographs."""
    calls, call = [], Monitor.__call__

    def stop(self, step):
        call(self, step)
        calls.append(step)
        if len(calls) == number:
            raise KeyboardInterrupt

    monkeypatch.setattr(Monitor, "__call__", stop)


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in Path(folder).iterdir()}


def test_the_photographs_of_a_folder_are_painted_into_a_folder(capsys):
    for name in ("notes.txt", "raw.cr2"):
        Path("photos", name).touch()
    assert stylize_line(f"{LINE}/new") == 0
    out, error = capsys.readouterr()
    assert error.count("skipped") == 1 and "skipped: notes.txt, raw.cr2\n" in error
    assert [out.index(name) for name in NAMES] == sorted(out.index(name) for name in NAMES)
    assert "1 of 3: 2.png (24x32)" in out and "done: painted/new has 3 paintings" in out
    assert sorted(os.listdir("painted/new")) == sorted(NAMES)
    assert read_image("painted/new/b.png").shape == (30, 20, 3)
    assert read_metadata("painted/new/b.png")["content"]["name"] == "b.jpg"


def test_each_painting_is_as_if_it_were_painted_alone():
    assert stylize_line(LINE) == 0
    for photo, name in {"10.png": "10.png", "b.jpg": "b.png"}.items():
        assert stylize("-o", "alone.png", pictures=(f"photos/{photo}", "painting.jpg")) == 0
        np.testing.assert_array_equal(read_image("alone.png"), read_image(f"painted/{name}"))


def test_the_network_and_the_styles_are_computed_once_for_each_size(monkeypatch):
    networks, sizes, measures = [], [], Objective._measures

    def load(*arguments, **options):
        networks.append(arguments)
        return vgg19(*arguments, **options)

    def measure(self, group):
        sizes.append([style.shape for style, *_ in group])
        return measures(self, group)

    monkeypatch.setattr("minidl.style_transfer.painting.vgg19", load)
    monkeypatch.setattr(Objective, "_measures", measure)
    assert stylize_line(f"{LINE} -q") == 0
    assert len(networks) == 1
    assert sizes == [[(32, 19, 3)], [(30, 18, 3)]]


def test_a_list_of_photographs_and_folders():
    more = ("--more", "photos/b.jpg", "--more", "photos/more")
    assert stylize(*more) == 0
    assert sorted(os.listdir("photo-as-painting")) == ["b.png", "inside.png", "photo.png"]


def test_the_default_folder_has_the_name_of_the_photographs_folder(monkeypatch):
    monkeypatch.chdir("photos")
    assert stylize(pictures=(".", "../painting.jpg")) == 0
    assert sorted(os.listdir("photos-as-painting")) == sorted(NAMES)


def test_photographs_of_the_same_name_have_paintings_of_their_own(capsys):
    write_image("photos/more/photo.png", np.full((40, 64, 3), 99.0))
    for _ in range(2):
        assert stylize("--more", "photos/more/photo.png", "-o", "painted") == 0
        assert sorted(os.listdir("painted")) == ["photo-2.png", "photo.png"]
    assert read_image("painted/photo-2.png").std() < read_image("painted/photo.png").std()


def test_a_finished_painting_is_left_out_and_no_other_file_is_overwritten(capsys):
    os.mkdir("painted")
    shutil.copy("other.webp", "painted/2.png")
    assert stylize_line(LINE) == 0
    before = times("painted")
    assert sorted(before) == ["10.png", "2-2.png", "2.png", "b.png"]
    capsys.readouterr()
    assert stylize_line(LINE) == 0
    assert "b.jpg is painted already, in painted/b.png" in capsys.readouterr().out
    assert times("painted") == before
    assert stylize_line(f"{LINE} --tv-weight 7") == 0
    after = times("painted")
    assert before.items() < after.items() and "b-2.png" in after


def test_an_interrupted_command_continues(monkeypatch, capsys):
    with monkeypatch.context() as interrupted:
        interrupt_at(interrupted, 4)  # at the first step of the second photograph
        assert stylize_line(f"{LINE} --steps 3") == 130
    out, error = capsys.readouterr()
    assert "stopped after 1 step" in out and "the same command continues" in out and not error
    before = times("painted")
    assert sorted(before) == ["10.png", "2.png"]
    assert not read_metadata("painted/10.png")["finished"]
    assert stylize_line(f"{LINE} --steps 3") == 0
    assert sorted(os.listdir("painted")) == sorted(NAMES)
    assert times("painted")["2.png"] == before["2.png"]
    record = read_metadata("painted/10.png")
    assert record["finished"] and record["steps_done"] == 3


def test_an_interruption_between_the_photographs(monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("minidl.style_transfer.painting.read_inputs", stop)
    assert stylize_line(LINE) == 130
    assert not os.listdir("painted")


def test_photographs_that_cannot_be_painted_are_reported_and_the_others_are_painted(capsys):
    half = shipped_picture("rocket").read_bytes()[:50_000]
    Path("photos/1.jpg").write_bytes(half)
    write_image("photos/3.png", np.zeros((9, 9, 3)))
    assert stylize_line(f"{LINE} -q") == 2
    damaged, small, summary = capsys.readouterr().err.splitlines()
    assert damaged.startswith("minidl: photos/1.jpg is damaged")
    assert small.startswith("minidl: photos/3.png: a picture of 9x9 is too small")
    assert "2 of 5 photographs could not be painted" in summary and "in painted" in summary
    assert sorted(os.listdir("painted")) == sorted(NAMES)


def test_a_painting_without_improvement_is_reported(capsys):
    assert stylize_line(f"{LINE} -q --steps 1") == 2
    *reports, _ = capsys.readouterr().err.splitlines()
    assert len(reports) == 3 and "nothing improved in 1 step" in reports[0]


def test_wrong_settings_end_the_command_at_once(capsys):
    assert stylize_line(f"{LINE} -q --style-layers conv9_9") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "no layer 'conv9_9'" in error


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("--log a.csv", "--log"),
        ("--plot a.png", "--plot"),
        ("--preview a.png", "--preview"),
        ("--frames frames", "--frames"),
        ("--every 3", "--every"),
        ("--film a.gif", "--film"),
        ("--live", "--live"),
        ("--checkpoint a", "--checkpoint"),
        ("--mask other.webp", "--mask"),
        ("--content-mask other.webp", "--content-mask"),
        ("--content-map other.webp --style-map other.webp", "--content-map"),
    ],
)
def test_options_for_one_photograph_are_refused(capsys, options, name):
    error = refused(capsys, *options.split(), pictures=("photos", "painting.jpg"))
    assert f"found {name} with many photographs; it is for one" in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("photos/empty painting.jpg", "photos/empty has no pictures; wanted files that end in"),
        ("photos", "found only photos; wanted CONTENT and at least one STYLE"),
        ("photos painting.jpg -o a.png", "a.png is the name of one picture"),
        ("photos painting.jpg -o ./photos", "photos has the photographs, and the paintings"),
        ("photos painting.jpg -o photo.png/a", "cannot make the folder photo.png/a"),
        ("photo.png painting.jpg --more missing.png", "missing.png: there is no such photograph"),
        ("photos missing.png", "missing.png: there is no such picture"),
        ("photos half.jpg", "half.jpg is damaged"),
        ("photos painting.jpg --start randm", "--start is 'randm'"),
        ("photos painting.jpg --style-blend 1,2", "weights of the styles are [1.0, 2.0]"),
        ("--resume a --more photo.png", "found --more with --resume"),
    ],
)
def test_input_that_cannot_be_used(capsys, words, message):
    os.mkdir("photos/empty")
    Path("half.jpg").write_bytes(shipped_picture("rocket").read_bytes()[:50_000])
    assert stylize_line(" ".join([words, *QUICK])) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_photograph_that_does_not_fit_into_the_memory_is_left_out(capsys, monkeypatch):
    fitting = painting.fitting

    def lack(model, shape, styles, settings):
        if shape == (30, 20, 3):
            raise LackOfMemoryError("the painting may need 9 GiB of memory")
        return fitting(model, shape, styles, settings)

    monkeypatch.setattr(painting, "fitting", lack)
    assert stylize_line(LINE) == 2
    assert "b.jpg: the painting may need 9 GiB" in capsys.readouterr().err
    assert sorted(os.listdir("painted")) == ["10.png", "2.png"]


def test_a_photograph_that_is_named_twice_is_painted_once(capsys):
    line = "photo.png painting.jpg --more photo.png --size 32 --steps 2 -o painted"
    assert stylize_line(line) == 0
    assert "done: painted has 1 painting\n" in capsys.readouterr().out
