"""`minidl stylize`, run as its users run it, on small pictures."""

import csv
import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minidl.cli import main
from minidl.cli import stylize as command
from minidl.data import read_image, read_metadata, shipped_picture, write_image
from minidl.errors import FileError, NonFiniteError
from minidl.style_transfer import PRESETS
from minidl.style_transfer.record import write_log

QUICK = ["--size", "32", "--steps", "2", "-q"]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, shape in (
        ("photo.png", (40, 64, 3)),
        ("painting.jpg", (50, 30, 3)),
        ("other.webp", (33, 33, 3)),
    ):
        write_image(name, rng.uniform(0, 255, shape))


def stylize(*arguments, pictures=("photo.png", "painting.jpg")):
    return main(["stylize", *pictures, *QUICK, *map(str, arguments)])


def settings_of(path):
    return read_metadata(path)["settings"]


def refused(capsys, *arguments, **options):
    """The sentence with which a call ends that the user can mend; nothing may be left behind."""
    before = set(os.listdir())
    assert stylize(*arguments, **options) == 2
    assert set(os.listdir()) == before
    error = capsys.readouterr().err
    assert error.startswith("minidl: ") and error.count("\n") == 1
    return error


def test_two_pictures_make_a_third(capsys):
    assert stylize("-o", "painted.png") == 0
    assert read_image("painted.png").shape == (20, 32, 3)
    assert capsys.readouterr() == ("", "")


def test_without_pictures_a_shipped_photograph_is_painted_and_it_says_where(capsys):
    assert main(["stylize", "--size", "24", "--steps", "2"]) == 0
    out = capsys.readouterr().out
    content, style = command.DEMO
    assert (
        f"painting {content}.png (451x300, painted at 24x16) in the manner of {style}.webp, on the CPU"
        in out
    )
    assert f"the painting is in {content}-as-{style}.png" in out
    assert read_image(f"{content}-as-{style}.png").shape == (16, 24, 3)


def test_without_a_name_nothing_is_overwritten():
    for _ in range(2):
        assert stylize() == 0
    assert os.path.exists("photo-as-painting.png") and os.path.exists("photo-as-painting-2.png")


def test_small_pictures_are_not_enlarged_and_it_says_so(capsys):
    assert (
        main(
            [
                "stylize",
                "photo.png",
                "painting.jpg",
                "--size",
                "500",
                "--steps",
                "2",
                "-o",
                "painted.png",
            ]
        )
        == 0
    )
    assert read_image("painted.png").shape == (40, 64, 3)
    assert "64x40; smaller than 500 and not enlarged" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["painted.png", "painted.jpg", "painted.webp"])
def test_the_settings_are_in_the_picture(name):
    assert stylize("-o", name, "--content-weight", 7, "--seed", 3) == 0
    record = read_metadata(name)
    assert record["settings"]["content_weight"] == 7 and record["settings"]["seed"] == 3
    assert record["content"]["name"] == "photo.png" and len(record["content"]["sha256"]) == 64
    assert record["styles"][0]["name"] == "painting.jpg" and len(record["weights"]["sha256"]) == 64
    assert record["steps_done"] == 2 and record["loss"] > 0
    assert record["command"].startswith(
        f"minidl stylize photo.png painting.jpg --size 32 --steps 2 -q -o {name} "
    )


@pytest.mark.parametrize(
    ("option", "value", "setting", "stored"),
    [
        ("--optimizer", "adam", "optimizer", "adam"),
        ("--learning-rate", "0.5", "learning_rate", 0.5),
        ("--content-weight", "1", "content_weight", 1),
        ("--style-weight", "1e-3", "style_weight", 1e-3),
        ("--tv-weight", "1", "tv_weight", 1),
        ("--pooling", "max", "pooling", "max"),
        ("--start", "noise", "start", "noise"),
        ("--start", "style", "start", "style"),
        ("--start", "other.webp", "start", "other.webp"),
        ("--content-layers", "conv3_1", "content_layers", {"conv3_1": 1}),
        (
            "--style-layers",
            "conv1_1=2,block2_conv1=0.5",
            "style_layers",
            {"conv1_1": 2, "block2_conv1": 0.5},
        ),
        ("--content-normalization", "half", "content_normalization", "half"),
        ("--style-normalization", "gatys", "style_normalization", "gatys"),
        ("--tv-normalization", "power", "tv_normalization", "power"),
    ],
)
def test_every_setting_is_used_and_stored(option, value, setting, stored):
    base = ["--steps", 3, "--learning-rate", 5, "--tv-weight", 1e5, "--content-weight", 1e4]
    if option != "--start":
        base += ["--start", "noise"]
    if option != "--optimizer":
        base += ["--optimizer", "adam"]  # whose first steps are long enough to see
    assert stylize("-o", "plain.png", *base) == 0
    assert stylize("-o", "chosen.png", *base, option, value) == 0
    assert settings_of("chosen.png")[setting] == stored != settings_of("plain.png")[setting]
    assert (read_image("chosen.png") != read_image("plain.png")).any()


def test_noise_and_seed_are_used():
    noisy = ("--start", "noise")
    for name, options in {
        "a": (),
        "again": (),
        "seed": ("--seed", 1),
        "half": ("--noise", 0.5),
    }.items():
        assert stylize("-o", f"{name}.png", *noisy, *options) == 0
    a, again, seed, half = (read_image(f"{name}.png") for name in ("a", "again", "seed", "half"))
    np.testing.assert_array_equal(a, again)
    assert (a != seed).any() and (a != half).any()


def test_several_styles_with_weights():
    pictures = ("photo.png", "painting.jpg", "other.webp")
    for name, blend in {"first": "1,0", "second": "0,1", "both": "1,3"}.items():
        options = ("--style-blend", blend, "--optimizer", "adam", "--learning-rate", 5)
        assert stylize("-o", f"{name}.png", *options, pictures=pictures) == 0
    images = [read_image(f"{name}.png") for name in ("first", "second", "both")]
    assert (images[0] != images[1]).any() and (images[0] != images[2]).any()
    assert read_metadata("both.png")["style_weights"] == [1, 3]


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_run_and_options_go_before_them(preset):
    assert stylize("-o", "painted.png", "--preset", preset, "--content-weight", 1.5) == 0
    stored, wanted = settings_of("painted.png"), PRESETS[preset]
    assert stored["content_weight"] == 1.5 and stored["steps"] == 2
    assert (stored["optimizer"], stored["pooling"], stored["start"]) == (
        wanted.optimizer,
        wanted.pooling,
        wanted.start,
    )


def test_log_curves_preview_and_frames():
    pytest.importorskip("matplotlib").use("agg")
    assert stylize("-o", "painted.png", "--steps", 5, "--log", "losses.csv", "--plot", "curves.png", "--preview", "preview.jpg",
                   "--frames", "frames/all", "--every", 2) == 0  # fmt: skip
    with open("losses.csv", newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == list("12345")
    assert sorted(os.listdir("frames/all")) == [
        "step-00002.png",
        "step-00004.png",
        "step-00005.png",
    ]
    np.testing.assert_array_equal(
        read_image("frames/all/step-00005.png"), read_image("painted.png")
    )
    assert (
        read_image("preview.jpg").shape
        == read_image("painted.png").shape
        == read_image("frames/all/step-00002.png").shape
    )
    assert read_image("curves.png").std() > 5


@pytest.mark.parametrize(("steps", "frames"), [(4, [2, 4]), (5, [2, 4, 5]), (2, [2]), (3, [2, 3])])
def test_the_last_frame_is_the_painting(steps, frames):
    assert (
        stylize(
            "-o",
            "painted.png",
            "--steps",
            steps,
            "--frames",
            "frames",
            "--every",
            2,
            "--preview",
            "preview.png",
        )
        == 0
    )
    assert sorted(os.listdir("frames")) == [f"step-{number:05}.png" for number in frames]
    for last in (f"frames/step-{steps:05}.png", "preview.png"):
        np.testing.assert_array_equal(read_image(last), read_image("painted.png"))


def test_the_log_grows_in_place(monkeypatch):
    numbers = []

    def seen(path, rows, *written):
        write_log(path, rows, *written)
        numbers.append(os.stat(path).st_ino)

    monkeypatch.setattr(command, "write_log", seen)
    assert stylize("-o", "painted.png", "--log", "losses.csv", "--every", 1, "--steps", 4) == 0
    assert len(numbers) == 4 and len({*numbers}) == 1
    with open("losses.csv", newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == list("1234")


def test_what_a_killed_run_has_left_is_removed_by_the_next():
    os.mkdir("frames")
    half = "0123456789abcdef" * 2
    halves = [
        f".losses-{half}.csv",
        f".painted-{half}.png",
        f".p-{half}.jpg",
        f".c-{half}.png",
        f"frames/.step-00004-{half}.png",
    ]
    others = [f".other-{half}.csv", ".losses.csv", "frames/.step-00001.png", f".photo-{half}.png"]
    for path in (*halves, *others):
        Path(path).touch()
    options = ("--preview", "p.jpg", "--log", "losses.csv", "--plot", "c.png", "--frames", "frames")
    assert stylize("-o", "painted.png", *options) == 0
    assert not any(map(os.path.exists, halves)) and all(map(os.path.exists, others))
    Path(f".photo-as-painting-{half}.png").touch()
    assert stylize() == 0
    assert not os.path.exists(f".photo-as-painting-{half}.png")


def test_the_same_command_gives_the_same_pixels():
    for name in ("a.png", "b.png"):
        assert stylize("-o", name, "--start", "noise") == 0
    np.testing.assert_array_equal(read_image("a.png"), read_image("b.png"))


def test_trouble_is_one_sentence_and_exit_code_2(capsys):
    with open("text.png", "w") as file:
        file.write("no picture")
    with open("half.jpg", "wb") as file:
        file.write(shipped_picture("rocket").read_bytes()[:50_000])
    os.mkdir("folder")
    os.mkdir("folder.png")
    for words, arguments, options in (
        (
            "missing.png: there is no such picture",
            (),
            {"pictures": ("missing.png", "painting.jpg")},
        ),
        ("'folder' is not a file", (), {"pictures": ("photo.png", "folder")}),
        ("text.png is no", (), {"pictures": ("text.png", "painting.jpg")}),
        ("half.jpg is damaged", (), {"pictures": ("photo.png", "half.jpg")}),
        ("found one picture", (), {"pictures": ("photo.png",)}),
        ("there is no folder", ("-o", "nowhere/painted.png"), {}),
        ("'folder.png' is a folder", ("-o", "folder.png"), {}),
        ("minidl writes", ("-o", "painted.gif"), {}),
        ("no layer 'conv9_9'", ("--style-layers", "conv9_9"), {}),
        ("too small for block5_conv1", ("--size", "15"), {}),
        ("steps is 0", ("--steps", "0"), {}),
        ("learning_rate is 0.0", ("--learning-rate", "0"), {}),
        ("content_weight is -1.0", ("--content-weight", "-1"), {}),
        ("content_weight is nan", ("--content-weight", "nan"), {}),
        ("--every is 0", ("--every", "0"), {}),
        ("weights of the styles are [1.0, 2.0]", ("--style-blend", "1,2"), {}),
        ("there is no such picture", ("--start", "missing.png"), {}),
        ("there is no such", ("--weights", "missing.h5"), {}),
        ("there is no folder", ("--log", "nowhere/losses.csv"), {}),
        ("/dev/full is a device", ("--log", "/dev/full"), {}),
        ("drawings are written as .png", ("--plot", "curves.csv"), {}),
        ("cannot be read: file name too long", (), {"pictures": ("x" * 5000, "painting.jpg")}),
        ("cannot be written: file name too long", ("-o", "x" * 300 + ".png"), {}),
    ):
        assert words in refused(capsys, *arguments, **options), words


def faulty_pictures():
    """{name: bytes} of files that cannot be read as pictures"""
    whole, photo, tga = (
        shipped_picture("rocket").read_bytes(),
        Path("photo.png").read_bytes(),
        io.BytesIO(),
    )
    Image.new("RGB", (40, 40)).save(tga, "TGA")
    return {
        "cut.jpg": whole[:50_000], "header.jpg": whole[:100], "cut.png": photo[: len(photo) // 2], "header.png": photo[:20],
        "text.png": b"no picture", "empty.png": b"", "targa.png": tga.getvalue(), "picture.svg": b"<svg></svg>",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["cut.jpg", "header.jpg", "cut.png", "header.png", "text.png", "empty.png", "targa.png",
                                  "picture.svg", "large.png", "missing.png", "folder"])  # fmt: skip
def test_a_picture_gets_the_same_sentence_in_every_role(capsys, monkeypatch, name):
    os.mkdir("folder")
    faulty = faulty_pictures()
    if name in faulty:
        Path(name).write_bytes(faulty[name])
    if name == "large.png":
        write_image(name, np.zeros((90, 90, 3)))
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    sentences = {
        refused(capsys, pictures=(name, "painting.jpg")),
        refused(capsys, "-o", "painted.png", pictures=(name, "painting.jpg")),
        refused(capsys, pictures=("photo.png", name)),
        refused(capsys, pictures=("photo.png", "painting.jpg", name)),
        refused(capsys, "--start", name),
    }
    assert len(sentences) == 1 and name in sentences.pop()


def test_an_unusable_profile_is_reported_in_one_sentence(capsys):
    Image.new("RGB", (40, 40), (171, 35, 35)).save("red.png", icc_profile=b"no profile")
    assert (
        main(
            [
                "stylize",
                "red.png",
                "painting.jpg",
                "--size",
                "32",
                "--steps",
                "3",
                "-o",
                "painted.png",
            ]
        )
        == 0
    )
    error = capsys.readouterr().err
    assert (
        "minidl: the colour profile of red.png is damaged; it was ignored" in error
        and ".py" not in error
    )
    assert stylize("-o", "painted.png", pictures=("red.png", "painting.jpg")) == 0
    assert capsys.readouterr() == ("", "")


UNREADABLE = [
    ["--size", "big"],
    ["--preset", "monet"],
    ["--style-layers", "conv1_1=x"],
    ["--style-blend", "a"],
]


@pytest.mark.parametrize("arguments", UNREADABLE)
def test_words_that_cannot_be_parsed_are_exit_code_2_too(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        stylize(*arguments)
    assert stop.value.code == 2


@pytest.mark.parametrize(("arguments", "pictures", "sentence"), [
    (("--start", "random"), None, "--start is 'random'; did you mean 'noise'?"),
    (("--start", "Nosie"), None, "--start is 'Nosie'; did you mean 'noise'?"),
    (("--start", "photo"), None, "--start is 'photo'; did you mean 'content'?"),
    (("--start", "xyzzy"), None, "--start is 'xyzzy'; wanted content, noise, style, or the file of a picture"),
    (("--start", "\x1b[31m"), None, "--start is '?[31m'; wanted content"),
    (("--start", "https://a.b/c.png"), None, "https://a.b/c.png is an address, and minidl reads files; download the picture"),
    (("-o", "https://a.b/c.png"), None, "https://a.b/c.png is an address, and minidl writes files"),
    ((), ("https://a.b/c.png", "painting.jpg"), "download the picture first and name the file"),
    ((), ("photo.png", "HTTP://a.b/c.png"), "HTTP://a.b/c.png is an address"),
    ((), ("photo.png", "file:///a/c.png"), "name the file without file://"),
    ((), ("photo.png", "painting.jpg,other.webp"), "two pictures are separated by a space, not by a comma"),
    ((), ("photo.png,painting.jpg",), "two pictures are separated by a space, not by a comma"),
    ((), ("photo.png", "a.png,b.png,c.png"), "several pictures are separated by a space"),
    (("--style-layers", "Conv1_1"), None, "did you mean 'conv1_1'?"),
])  # fmt: skip
def test_messages_suggest_what_is_meant(capsys, arguments, pictures, sentence):
    found = refused(capsys, *arguments, **({"pictures": pictures} if pictures else {}))
    assert sentence in found and len(found) < 300


def test_a_comma_may_be_part_of_a_name():
    os.rename("photo.png", "a.jpg,b.png")
    assert stylize("-o", "painted.png", pictures=("a.jpg,b.png", "painting.jpg")) == 0


def test_options_between_the_pictures():
    assert (
        main(["stylize", "photo.png", "-o", "painted.png", "painting.jpg", *QUICK, "other.webp"])
        == 0
    )
    assert [style["name"] for style in read_metadata("painted.png")["styles"]] == [
        "painting.jpg",
        "other.webp",
    ]


def test_a_list_before_the_pictures_ends_where_they_begin():
    assert (
        main(
            [
                "stylize",
                *QUICK,
                "--style-layers",
                "conv1_1",
                "conv2_1=2",
                "photo.png",
                "painting.jpg",
                "-o",
                "a.png",
            ]
        )
        == 0
    )
    assert settings_of("a.png")["style_layers"] == {"conv1_1": 1, "conv2_1": 2}


def test_the_size_of_the_photograph():
    assert stylize("-o", "painted.png", "--size", "full", "--steps", 2) == 0
    assert (
        read_image("painted.png").shape == (40, 64, 3)
        and settings_of("painted.png")["size"] is None
    )


def test_a_gpu_that_is_not_there_is_said_to_be_missing(capsys, monkeypatch):
    monkeypatch.setattr("minidl.backend.why_no_gpu", lambda: "CuPy is not installed; install it")
    assert "the GPU cannot be used: CuPy is not installed" in refused(capsys, "--device", "gpu")
    assert stylize("-o", "painted.png", "--device", "auto") == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("--optimizer", "adam", "--learning-rate", "1e4", "--steps", 4),
            "take a learning rate below 10000, or more steps",
        ),
        (("--steps", 1), "one step only evaluates the start: take more steps"),
    ],
)
@pytest.mark.parametrize("quiet", [True, False])
def test_no_improvement_is_reported_with_exit_code_2(capsys, options, words, quiet):
    arguments = [
        "stylize",
        "photo.png",
        "painting.jpg",
        "-o",
        "painted.png",
        *map(str, options),
        *["-q"] * quiet,
    ]
    assert main(arguments) == 2
    out, error = capsys.readouterr()
    assert (
        "minidl: nothing improved in" in error
        and f"{words}; painted.png holds the start\n" in error
    )
    assert error.count("nothing improved") == 1 and "done" not in out
    np.testing.assert_array_equal(read_image("painted.png"), read_image("photo.png"))


@pytest.fixture
def full_folder(monkeypatch, tmp_path_factory):
    """A folder on a disk that is full; the folder for temporary files is another one"""
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    os.mkdir("full")
    save = Image.Image.save

    def save_if_there_is_room(picture, path, *args, **options):
        if "full" in Path(path).parts:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(picture, path, *args, **options)

    monkeypatch.setattr(Image.Image, "save", save_if_there_is_room)
    return temporary


def test_on_a_full_disk_the_painting_is_saved_elsewhere_and_the_message_names_the_file(
    capsys, full_folder
):
    assert stylize("-o", "full/painted.png", "--log", "losses.csv") == 2
    error = capsys.readouterr().err
    place = Path("painted.png").absolute()
    assert (
        "full/painted.png: no space left on device" in error
        and f"{place} holds the best of 2 steps" in error
    )
    assert (
        read_metadata(place)["steps_done"] == 2
        and not os.listdir("full")
        and os.path.exists("losses.csv")
    )
    assert stylize("-o", "full/painted.png") == 2  # where painted.png is taken
    [place] = full_folder.glob("minidl-*/painted.png")
    assert str(place) in capsys.readouterr().err and read_image(place).shape == (20, 32, 3)


def test_where_a_preview_fills_the_disk_the_painting_is_saved_elsewhere(capsys, full_folder):
    assert (
        stylize(
            "-o", "full/painted.png", "--preview", "full/preview.png", "--every", 1, "--steps", 3
        )
        == 2
    )
    error = capsys.readouterr().err
    assert (
        "full/preview.png: no space left" in error
        and "painted.png holds the best of 1 step\n" in error
    )
    assert read_image("painted.png").shape == (20, 32, 3)


def test_a_full_disk_leaves_nothing_half_written(capsys, monkeypatch):
    def full(path, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", full)
    assert "no space left on device" in refused(capsys, "-o", "painted.png")


def test_steps_that_lead_nowhere_keep_the_best_picture(capsys):
    assert (
        stylize("-o", "painted.png", "--optimizer", "sgd", "--learning-rate", "1e30", "--steps", 5)
        == 2
    )
    assert "the loss is" in capsys.readouterr().err
    assert np.isfinite(read_image("painted.png")).all()


def test_nan_at_the_first_step_writes_nothing(capsys, monkeypatch):
    def nowhere(*args, **kwargs):
        raise NonFiniteError("the loss is nan at the first step")
        yield

    monkeypatch.setattr("minidl.style_transfer.painting.paint", nowhere)
    assert "nan at the first step" in refused(capsys, "-o", "painted.png")


def test_a_preview_that_cannot_be_written_does_not_cost_the_painting(capsys):
    os.mkdir("states")
    state = "states/preview.png"

    def vanish(path, *args, **kwargs):
        if str(path) == state:
            raise FileError(f"cannot write {path}: gone")
        return write_image(path, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "write_image", vanish)
        assert stylize("-o", "painted.png", "--preview", state, "--every", 1, "--steps", 3) == 2
    assert "gone; painted.png holds the best of 1 step\n" in capsys.readouterr().err
    assert read_image("painted.png").shape == (20, 32, 3)


def test_another_optimiser_than_the_presets_gets_its_own_learning_rate():
    assert stylize("-o", "painted.png", "--preset", "coursera", "--optimizer", "lbfgs") == 0
    assert settings_of("painted.png")["learning_rate"] is None


def test_late_steps():
    late = ("--late-learning-rate", 1e-9, "--late-steps", 2)
    for name, options in {"all": (), "late": late}.items():
        assert stylize("-o", f"{name}.png", "--optimizer", "adam", "--steps", 4, *options) == 0
    assert (read_image("all.png") != read_image("late.png")).any()


def test_ctrl_c_keeps_what_there_is_and_says_so(tmp_path):
    command = [
        sys.executable,
        "-m",
        "minidl.cli",
        "stylize",
        "photo.png",
        "painting.jpg",
        "--steps",
        "100000",
        "--size",
        "32",
    ]
    arguments = [
        *command,
        "-o",
        "painted.png",
        "--log",
        "losses.csv",
        "--preview",
        "preview.png",
        "--every",
        "1",
    ]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not os.path.exists("preview.png") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "stopped after" in out and "the painting is in painted.png" in out
    assert "Traceback" not in err
    steps = read_metadata("painted.png")["steps_done"]
    with open("losses.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == steps >= 1


def test_an_impatient_ctrl_c_loses_nothing_either():
    command = [
        sys.executable,
        "-m",
        "minidl.cli",
        "stylize",
        "photo.png",
        "painting.jpg",
        "--steps",
        "100000",
        "--size",
        "32",
    ]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = subprocess.Popen(
            [*command, "-o", "painted.png", "--preview", "preview.png", "--every", "1", "-q"]
        )
        deadline = time.monotonic() + 60
        while not os.path.exists("preview.png") and time.monotonic() < deadline:
            time.sleep(0.05)
        for _ in range(4):
            process.send_signal(number)
            time.sleep(0.003)
        # the last may come when all is done and saved
        assert process.wait(timeout=60) in (130, -number)
        assert read_metadata("painted.png")["steps_done"] >= 1
        assert not [name for name in os.listdir() if name.startswith(".")]  # no half of a file
        os.remove("painted.png")
        os.remove("preview.png")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "photo.png"], ["-o", "painting.jpg"], ["-o", "link.png"], ["--preview", "photo.png"], ["--log", "photo.png"],
        ["--plot", "photo.png"], ["-o", "a.png", "--preview", "a.png"], ["-o", "a.png", "--log", "a.png"],
        ["--log", "a.png", "--plot", "a.png"], ["--start", "other.webp", "-o", "other.webp"],
    ],
)  # fmt: skip
def test_nothing_is_written_over_an_input_or_another_output(capsys, arguments):
    os.symlink("photo.png", "link.png")
    files = {path: path.read_bytes() for path in Path().iterdir()}
    assert "which would overwrite it" in refused(capsys, *arguments)
    assert files == {path: path.read_bytes() for path in Path().iterdir()}


def test_a_closed_terminal_does_not_cost_the_painting():
    command = [
        sys.executable,
        "-m",
        "minidl.cli",
        "stylize",
        "photo.png",
        "painting.jpg",
        "--steps",
        "2",
        "--size",
        "32",
    ]
    for redirection in (">&-", "2>&-", "| true", ">/dev/full"):
        subprocess.run(
            f"{' '.join(command)} -o painted.png {redirection}",
            shell=True,
            stderr=subprocess.DEVNULL,
        )
        assert read_image("painted.png").shape == (20, 32, 3), redirection
        os.remove("painted.png")


def test_pictures_too_large_for_their_form_are_refused_at_once(capsys):
    write_image("wide.png", np.zeros((1, 17000, 3)))
    assert "WEBP holds at most 16383 pixels" in refused(
        capsys, "-o", "painted.webp", "--size", "17000", pictures=("wide.png", "painting.jpg")
    )


def test_the_record_is_plain_json(tmp_path):
    assert stylize("-o", "painted.png") == 0
    assert (
        json.loads(json.dumps(read_metadata("painted.png")))["versions"]["numpy"] == np.__version__
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--noise", 0.5), "--noise has no effect without --start noise"),
        (("--seed", 3, "--start", "style"), "--seed has no effect without --start noise"),
        (("--late-steps", 1), "--late-steps has no effect without --late-learning-rate"),
        (("--late-learning-rate", 1), "--late-learning-rate has no effect without --late-steps"),
        (("--every", 2), "--every has no effect without --preview, --frames or --log"),
        (("--noise", 0.5, "--seed", 3, "--start", "noise"), ""),
        (("--preset", "coursera", "--optimizer", "lbfgs", "--seed", 1), ""),
        (("--late-learning-rate", 1, "--late-steps", 1), ""),
        (("--every", 1, "--log", "losses.csv"), ""),
    ],
)
def test_an_option_without_effect_is_named(capsys, options, words):
    arguments = ["stylize", "photo.png", "painting.jpg", *QUICK[:-1], "-o", "painted.png"]
    assert main([*arguments, *map(str, options)]) == 0
    error = capsys.readouterr().err
    assert words in error and error.count("has no effect") == bool(words)


@pytest.mark.parametrize(
    ("blend", "pictures", "words"),
    [
        ("1,2", ("painting.jpg",), "are [1.0, 2.0]; wanted one number above 0, for one style"),
        (
            "0,0",
            ("painting.jpg", "other.webp"),
            "wanted 2 numbers of at least 0, not all 0, for 2 styles",
        ),
    ],
)
def test_a_blend_has_a_weight_for_each_style(capsys, blend, pictures, words):
    assert words in refused(capsys, "--style-blend", blend, pictures=("photo.png", *pictures))
