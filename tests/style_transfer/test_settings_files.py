"""Settings in TOML files, presets of one's own, and the settings of a painting."""

import os
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st

from minidl.data import write_image
from minidl.errors import ArgumentError, FileError, MinidlWarning
from minidl.style_transfer import PRESETS, Settings, read_settings, stylize, write_settings
from minidl.style_transfer.presets import varied
from minidl.style_transfer.record import describe
from minidl.style_transfer.settings import BALANCES, COLOURS, OBJECTIVES
from minidl.style_transfer.settings_files import LONGEST_CHAIN, own_presets, preset_folder
from minidl.style_transfer.toml import LONGEST


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Change to a new folder, and use the folder `config` in it for presets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def written(text, name="a.toml"):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(source, kind=FileError):
    """Return the message with which a source is refused."""
    with pytest.raises(kind) as error:
        read_settings(source)
    message = str(error.value)
    assert message.isprintable() and len(message) < 400
    return message


weights = st.floats(0, 1e30)
layers = st.dictionaries(
    st.sampled_from(["conv1_1", "block3_conv2.pre", "relu4_1", "pool5"]), weights
)
entries = st.dictionaries(
    st.sampled_from(["conv1_1.pre", "conv3_1+conv4_1", "nearest:conv2_1"]), weights, min_size=1
)


@options(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    base=st.sampled_from([Settings(), *PRESETS.values()]),
    changes=st.fixed_dictionaries(
        {"tv_weight": st.floats(1e-9, 1e30)},  # a weight is above 0
        optional={
            "size": st.none() | st.integers(1, 2**63 - 1),
            "steps": st.integers(1, 2**63 - 1),
            "learning_rate": st.floats(1e-30, 1e30),
            "content_weight": weights,
            "content_layers": layers,
            "style_layers": entries,
            "style_objective": st.sampled_from(OBJECTIVES),
            "style_scale": st.lists(st.floats(0.01, 100), min_size=1).map(tuple),
            "colours": st.sampled_from(COLOURS),
            "seed": st.integers(0, 2**63 - 1),
        },
    ),
)
def test_settings_that_are_written_are_read_again(base, changes):
    settings = replace(base, **changes)
    assert read_settings(write_settings("a.toml", settings)) == settings


def test_numbers_of_numpy_are_written():
    settings = Settings(steps=np.int64(7), balance=np.float32(0.1))
    assert read_settings(write_settings("a.toml", settings)) == settings


def test_only_settings_that_differ_from_the_defaults_are_written():
    write_settings("a.toml", Settings(steps=7, content_layers={"conv3_1": 0.5}))
    assert Path("a.toml").read_text() == "steps = 7\n\n[content_layers]\nconv3_1 = 0.5\n"
    write_settings("a.toml", Settings())
    assert not Path("a.toml").read_text().strip()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_of_minidl_has_its_name(name):
    assert read_settings(name) is PRESETS[name]


def test_a_file_changes_the_settings_that_it_is_based_on():
    written('preset = "coursera"\nsteps = 7\nsize = "full"\nstyle-weight = 3', "base.toml")
    written('preset = "../base.toml"\nsteps = 8', "sub/a.toml")
    expected = replace(PRESETS["coursera"], steps=8, size=None, style_weight=3)
    assert read_settings("sub/a.toml") == expected


def test_another_optimizer_has_its_own_learning_rate():
    path = written('preset = "coursera"\noptimizer = "lbfgs"')
    assert read_settings(path).learning_rate is None


def test_tables_replace_the_layers():
    path = written('preset = "jcjohnson"\n[style-layers]\n"nearest:conv3_1+conv4_1.pre" = 2')
    assert read_settings(path).style_layers == {"nearest:conv3_1+conv4_1.pre": 2}
    path = written("style_layers = { conv3_1 = 1 }\ncontent_layers = { conv1_1 = 1, conv2_1 = 2 }")
    assert read_settings(path).content_layers == {"conv1_1": 1, "conv2_1": 2}


def test_a_start_picture_is_found_from_the_folder_of_the_file():
    path = written('start = "more/tree.png"', "sub/a.toml")
    os.mkdir("sub/more")
    write_image("sub/more/tree.png", np.zeros((9, 9, 3)))
    assert os.path.samefile(read_settings(path).start, "sub/more/tree.png")


def test_a_start_picture_is_written_with_its_full_path(folder):
    for name in ("tree.png", "noise"):  # a picture may have the name of another start
        Path(name).touch()
        path = write_settings("sub.toml", Settings(start=f"./{name}"))
        assert read_settings(path).start == str(folder / name)


def test_presets_of_ones_own(folder):
    assert not own_presets()
    path = write_settings("ink", Settings(steps=7))
    assert path == preset_folder() / "ink.toml" == folder / "config/minidl/presets/ink.toml"
    for number in (10, 9):
        write_settings(f"tree {number}", Settings(steps=number))
    assert list(own_presets()) == ["ink", "tree 9", "tree 10"]
    assert read_settings("ink").steps == 7 and read_settings("tree 9").steps == 9
    assert read_settings(written('preset = "ink"\nsize = 9', "sub/a.toml")).steps == 7


def test_the_folder_of_presets_on_other_systems(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("APPDATA", "roaming")
    assert preset_folder() == Path("roaming/minidl/presets")
    monkeypatch.delenv("APPDATA")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert preset_folder() == tmp_path / ".config/minidl/presets"


def test_without_a_home_folder_there_are_the_presets_of_minidl(monkeypatch):
    def no_home():
        raise RuntimeError

    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    assert not own_presets() and read_settings("gatys-code") == PRESETS["gatys-code"]
    with pytest.raises(FileError, match="has no home folder"):
        write_settings("ink", Settings())


def test_the_name_of_a_preset_of_minidl_stays_its_own():
    with pytest.raises(ArgumentError, match="coursera is a preset of minidl"):
        write_settings("coursera", Settings())
    written("steps = 7", preset_folder() / "coursera.toml")
    assert read_settings("coursera") == PRESETS["coursera"]


@pytest.mark.parametrize("name", ["", "a.png", "a/b", "../a", "a\\b", "."])
def test_names_that_are_no_presets_are_not_written(name):
    with pytest.raises(ArgumentError, match="wanted a name of your own"):
        write_settings(name, Settings())


def test_an_unknown_preset_is_refused_with_the_most_similar():
    write_settings("charcoal", Settings())
    message = refusal("charcaol", ArgumentError)
    assert "there is no preset 'charcaol'" in message and "did you mean 'charcoal'?" in message
    assert "did you mean 'coursera'?" in refusal(written('preset = "coursra"'))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepz = 9", "the unknown word 'stepz'; did you mean 'steps'?"),
        ("pre-set = 9", "the unknown word 'pre_set'; did you mean 'preset'?"),
        ("zzz = 9", "the unknown word 'zzz'; wanted size, scales"),
        ("[size]\na = 1", "size is {'a': 1}; wanted a whole number"),
        ("steps = '9'", "steps is '9'; wanted a whole number"),
        ("steps = 9.5", "steps is 9.5; wanted a whole number"),
        ("steps = true", "steps is True; wanted a text, a number"),
        ("tv-weight = true", "tv_weight is True; wanted a text, a number"),
        ("steps = 1979-05-27", "steps is datetime.date(1979, 5, 27); wanted"),
        ("balance = nan", "balance is nan; wanted a number above 0"),
        ("tv_weight = inf", "tv_weight is inf; wanted a number"),
        ("seed = 9223372036854775808", "seed is 9223372036854775808; wanted"),
        (f"seed = 0x{'f' * 8000}", "seed is int with a very long number; wanted"),
        (f"style_scale = [0x{'f' * 8000}]", "style_scale is list with a very long number"),
        ("tv_weight = -1", "tv_weight is -1; wanted a number of at least 0"),
        ("optimizer = 'adm'", "optimizer is 'adm'; wanted one of"),
        ("optimizer = 'sgd'", "without a learning rate"),
        ("preset = 3", "preset is 3; wanted a name"),
        ("preset = 'no.toml'", "no.toml: there is no such file of settings"),
        ("preset = ''", "there is no preset ''"),
        ("style_scale = [[1]]", "style_scale is [[1]]; wanted"),
        ("style_scale = 1", "style_scale is 1; wanted one or more numbers"),
        ("style_layers = ['conv1_1']", "wanted a dictionary of layers"),
        ("[style_layers]\nconv1_1.pre = 1", "style_layers is {'conv1_1': {'pre': 1}}; wanted"),
        ("[style_layers]\nconv1_7 = 1", "style_layers names the unknown layer 'conv1_7'; did you"),
        ("[content_layers]\na = 1", "content_layers names the unknown layer 'a'; `minidl"),
        ("[content_layers]\nconv1_1 = 'x'", "the weight of conv1_1 in content_layers is 'x'"),
        ("[style_layers]\n'x:conv1_1' = 1", "the objective of the style layer x:conv1_1 is 'x'"),
        ("start = 'nois'", "start is 'nois'; wanted 'content', 'noise', 'style', or the path"),
        ("start = 'a\\u0000b'", "start is"),
        ("start = 3", "start is 3; wanted"),
        ("style_weight = 1\nstyle-weight = 2", "holds style_weight twice"),
        ("'\\u001b[31m' = 1", "the unknown word"),
        (f"{'s' * 5000} = 1", "the unknown word"),
        ("[a.b.c]\nd = 1", "the unknown word 'a'"),
    ],
)
def test_bad_words_and_values_are_refused_with_the_file_and_the_word(text, message):
    refused = refusal(written(text))
    assert message in refused and refused.startswith(("a.toml", "no.toml"))


def test_a_chain_of_presets_has_an_end():
    assert "is based on itself" in refusal(written('preset = "./a.toml"'))
    for number in range(LONGEST_CHAIN):
        written(f'preset = "{number + 1}.toml"\nseed = {number}', f"{number}.toml")
    written("steps = 7", f"{LONGEST_CHAIN}.toml")
    assert read_settings("1.toml").steps == 7
    assert "more than 10 presets" in refusal("0.toml")


@pytest.mark.parametrize("name", ["missing.toml", "folder.toml", "/dev/zero", "text.txt"])
def test_files_that_cannot_be_read(name):
    os.mkdir("folder.toml")
    written("steps = 9", "text.txt")
    refusal(name)


def test_of_a_long_file_only_the_beginning_is_read():
    with open("long.toml", "wb") as file:
        file.truncate(10**12)  # holds no blocks on the disk
    assert f"more than {LONGEST:,} bytes" in refusal("long.toml")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(start=np.zeros((9, 9, 3))), "start is ndarray of shape"),
        (Settings(start="missing.png"), "start is '.*missi"),
        (Settings(start="\ud800.png"), "is no text in UTF-8"),
        (Settings(seed=2**63), "seed is 9223372036854775808"),
        (Settings(style_layers={"conv9_9": 1}), "unknown layer 'conv9_9'"),
    ],
    ids=["array", "no picture", "no text", "large", "layer"],
)
def test_settings_that_could_not_be_read_again_are_not_written(settings, message):
    with pytest.raises((ArgumentError, FileError), match=message):
        write_settings("a.toml", settings)
    assert not os.path.exists("a.toml")


CHOSEN = Settings(
    size=24, scales=1, steps=2, style_objective="moments", style_scale=(1.0, 2.0), start="noise"
)


def painted(name="painted.png", **changes):
    """Write a picture with the record of a painting by the settings CHOSEN, in which some entries
    are changed, or removed if None."""
    record = describe(CHOSEN)
    record["settings"] |= changes
    record["settings"] = {
        word: value for word, value in record["settings"].items() if value != "removed"
    }
    write_image(name, np.zeros((9, 9, 3)), record)
    return name


@pytest.mark.parametrize("name", ["painted.png", "painted.jpg", "painted.webp", "painted.tif"])
def test_the_settings_of_a_painting(name, content, style, paint_with_the_small_model):
    stylize(content, style, CHOSEN).save(name)
    assert asdict(read_settings(name)) == asdict(CHOSEN)


def test_a_painting_from_an_array_names_no_start():
    painted(start="an array")
    with pytest.warns(MinidlWarning, match="does not hold the array"):
        assert read_settings("painted.png") == replace(CHOSEN, start="content")


def test_a_painting_without_a_setting_takes_its_default():
    painted(scales="removed")
    with pytest.warns(MinidlWarning, match="without the settings scales; their defaults"):
        assert read_settings("painted.png") == replace(CHOSEN, scales=Settings().scales)


def test_a_file_may_be_based_on_a_painting():
    os.mkdir("sub")
    painted("sub/painted.png")
    path = written('preset = "painted.png"\nsteps = 9', "sub/a.toml")
    assert read_settings(path) == replace(CHOSEN, steps=9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"swirl": 3}, "has the setting 'swirl', which this version of minidl lacks"),
        ({"steps": None}, "steps is None; wanted a whole number"),
        ({"steps": True}, "steps is True; wanted"),
        ({"steps": 10**400}, "steps is 1000"),
        ({"balance": float("nan")}, "balance is nan; wanted"),
        ({"style_objective": ["gram"]}, "style_objective is ('gram',); wanted"),
        ({"style_layers": {"conv1_1": {"a": 1}}}, "style_layers is"),
        ({"style_layers": 3}, "style_layers is 3; wanted"),
    ],
)
def test_bad_records_of_paintings_are_refused(changes, message):
    refused = refusal(painted(**changes))
    assert message in refused and "painted.png" in refused


@pytest.mark.parametrize("record", [None, [], {}, {"settings": 3}, "settings", 3])
def test_pictures_without_settings_are_refused(record):
    write_image("plain.png", np.zeros((9, 9, 3)), record)
    assert "plain.png" in refusal("plain.png")


def test_another_optimizer_takes_no_learning_rate_of_the_preset():
    settings = varied(PRESETS["cs231n"], {"optimizer": "lbfgs"})
    rates = settings.learning_rate, settings.late_learning_rate
    assert rates == (None, None) and settings.late_steps == 0


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_balance_is_that_of_the_objective(
    objective, content, style, paint_with_the_small_model, tmp_path
):
    content, style = (np.tile(picture, (2, 2, 1)) for picture in (content, style))
    options = {"steps": 2, "style_objective": objective}
    chosen = stylize(content, style, balance=BALANCES[objective], **options)
    by_default, other = (stylize(content, style, balance=b, **options) for b in (None, 3.0))
    assert by_default.losses == chosen.losses and by_default.losses != other.losses
    by_default.save(tmp_path / "painted.png")
    assert read_settings(tmp_path / "painted.png").balance is None
