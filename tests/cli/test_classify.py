"""`minidl classify`: good pictures beside bad ones, and checkpoints of strangers."""

import random
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import settings

from minidl.cli import main
from minidl.data import write_image
from minidl.models.vgg19_bn import vgg19_bn
from minidl.recipes import cifar10
from minidl.training import save

# limits for a file of unknown origin; times the duration for a valid file
MOST_BYTES, MOST_TIMES = 200 << 20, 50


@pytest.fixture(scope="module")
def sound():
    """The tree of a small checkpoint"""
    settings = {"network": "cifar10", "head": "16-10", "width": 1 / 16, "keep": 0.5}
    told = {"classes": list(cifar10.CLASSES), "mean": cifar10.MEAN, "std": cifar10.STD}
    return {"model": vgg19_bn("16-10", 1 / 16, 0.5).state(), "settings": settings | told}


@pytest.fixture
def picture(tmp_path):
    write_image(tmp_path / "a.png", np.random.default_rng(0).integers(0, 256, (40, 50, 3)))
    return tmp_path / "a.png"


def classify(tree, *pictures):
    path = pictures[0].with_name("checkpoint.h5")
    save(path, tree)
    return main(["classify", str(path), *map(str, pictures)])


def changed(tree, part, **values):
    return tree | {part: tree[part] | values}


def test_one_bad_picture_withholds_no_answers(sound, picture, capsys):
    missing, damaged = picture.with_name("b.png"), picture.with_name("c.png")
    damaged.write_bytes(picture.read_bytes()[:100])
    assert classify(sound, missing, picture, damaged, picture) == 2
    told = capsys.readouterr()
    assert [line.partition(":")[0] for line in told.out.splitlines()] == [str(picture)] * 2
    first, second = told.err.splitlines()
    assert first == f"minidl: {missing}: there is no such picture; check the name and the folder"
    assert second.startswith(f"minidl: {damaged} is damaged and cannot be read")
    assert classify(sound, missing) == 2 and not capsys.readouterr().out


def test_nothing_that_a_terminal_obeys_gets_there(sound, picture, capsys):
    classes = [f"\x1b[31mred{number}" for number in range(10)]
    renamed = picture.rename(picture.with_name("a\x1b[2J.png"))
    tree = changed(sound, "settings", classes=classes)
    assert classify(tree, renamed, renamed.with_name("\x1b[2Jb.png")) == 2
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err and "a?[2J.png: ?[31mred" in told.out
    assert classify(changed(sound, "settings", network="\x1b[2J" * 1000), picture) == 2
    assert len(error := capsys.readouterr().err) < 500 and "\x1b" not in error


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e30])
def test_numbers_that_are_none_are_no_percentages(number, sound, picture, capsys):
    scales = {
        name: np.full_like(array, number)
        for name, array in sound["model"].items()
        if name.endswith("gamma")
    }
    assert classify(changed(sound, "model", **scales), picture) == 2
    told = capsys.readouterr()
    assert not told.out and "NaN or infinite numbers" in told.err


def test_a_few_words_claim_no_memory(sound, picture, capsys):
    for head in ("30000-30000-10", "999999-999999-10", "-".join(["100"] * 16)):
        tracemalloc.start()
        assert classify(changed(sound, "settings", head=head), picture) == 2
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
        tracemalloc.stop()
        assert "holds no network of `minidl train cifar10`" in capsys.readouterr().err


STRANGE = [
    None, True, -1, 0, 1.5, float("nan"), float("inf"), 10**400, 10**12, "", "-", "9" * 5000, "1" * 10**6, [], [[]],
    [1, [2, 3]], [10**400] * 3, [1e300] * 3, ["a"] * 10, {}, {"0": 1}, "999999-999999-10", "-".join(["1"] * 10**5), 2**31,
    4, 1e-300, np.zeros((0, 3)), np.zeros(10), np.full((3, 3, 3, 4), np.nan), np.arange(16), np.zeros((1,) * 9),
]  # fmt: skip


def mutated(tree, seed):
    """One to three of its values made strange, scaled, left out, or put in another's place or under
    another name"""
    rng, tree = random.Random(seed), {name: dict(part) for name, part in tree.items()}
    for _ in range(rng.choice([1, 1, 2, 3])):
        part = tree[rng.choice(["settings", "settings", "model"])] if rng.random() < 0.97 else tree
        if not isinstance(part, dict) or part.keys() < {"model"}:
            continue
        name, way = (
            rng.choice(sorted(part)),
            rng.choice(["strange", "strange", "strange", "scaled", "out", "other", "name"]),
        )
        if way == "strange":
            part[name] = rng.choice(STRANGE)
        elif way == "scaled" and isinstance(part[name], np.ndarray):
            part[name] = np.float64(part[name]) * rng.choice([1e30, 1e300, -1e8])
        elif way == "other":
            part[name] = rng.choice(list(part.values()))
        else:
            value = part.pop(name)
            if way == "name":
                part[rng.choice(["x", f"{name}/x", "fc9/kernel"])] = value
    return tree


def test_checkpoints_of_strangers_are_answered_or_refused_in_a_sentence(sound, picture, capsys):
    codes, seconds = [], []
    classify(sound, picture)  # what is imported and made once
    for _ in range(3):
        begun = time.process_time()
        classify(sound, picture)
        seconds.append(time.process_time() - begun)
    of_sound, seconds = max(seconds), []
    capsys.readouterr()
    for seed in range(settings().max_examples):
        try:
            tracemalloc.start()
            begun = time.process_time()
            codes.append(classify(mutated(sound, seed), picture))
            seconds.append(time.process_time() - begun)
            assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
            told = capsys.readouterr()
            assert "nan%" not in told.out
            assert told.err.count("\n") == (codes[-1] == 2) and "memory" not in told.err
        except BaseException as error:
            raise AssertionError(f"seed {seed}") from error
        finally:
            tracemalloc.stop()
    assert set(codes) == {0, 2}
    assert max(seconds) < MOST_TIMES * of_sound
