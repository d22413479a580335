"""`minidl classify`: damaged pictures among others, and checkpoints of unknown origin."""

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

# limits for a file of unknown origin; SLOWDOWN: as a factor on the duration for a valid file
MOST_BYTES, SLOWDOWN = 200 << 20, 50


@pytest.fixture(scope="module")
def valid():
    """The tree of a small checkpoint."""
    settings = {"network": "cifar10", "head": "16-10", "width": 1 / 16, "keep": 0.5}
    settings |= {"classes": list(cifar10.CLASSES), "mean": cifar10.MEAN, "std": cifar10.STD}
    return {"model": vgg19_bn("16-10", 1 / 16, 0.5).state(), "settings": settings}


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


def test_a_bad_picture_does_not_stop_the_others(valid, picture, capsys):
    missing, damaged = picture.with_name("b.png"), picture.with_name("c.png")
    damaged.write_bytes(picture.read_bytes()[:100])
    assert classify(valid, missing, picture, damaged, picture) == 2
    out, error = capsys.readouterr()
    assert [line.partition(":")[0] for line in out.splitlines()] == [str(picture)] * 2
    first, second = error.splitlines()
    assert first == f"minidl: {missing}: there is no such picture; check the name and the folder"
    assert second.startswith(f"minidl: {damaged} is damaged and cannot be read")
    assert classify(valid, missing) == 2 and not capsys.readouterr().out


def test_control_characters_are_not_printed(valid, picture, capsys):
    classes = [f"\x1b[31mred{number}" for number in range(10)]
    renamed = picture.rename(picture.with_name("a\x1b[2J.png"))
    tree = changed(valid, "settings", classes=classes)
    assert classify(tree, renamed, renamed.with_name("\x1b[2Jb.png")) == 2
    out, error = capsys.readouterr()
    assert "\x1b" not in out + error and "a?[2J.png: ?[31mred" in out
    assert classify(changed(valid, "settings", network="\x1b[2J" * 1000), picture) == 2
    error = capsys.readouterr().err
    assert len(error) < 500 and "\x1b" not in error


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e30])
def test_scores_that_are_not_finite_are_refused(number, valid, picture, capsys):
    scales = {
        name: np.full_like(array, number)
        for name, array in valid["model"].items()
        if name.endswith("gamma")
    }
    assert classify(changed(valid, "model", **scales), picture) == 2
    out, error = capsys.readouterr()
    assert not out and "NaN or infinite" in error


def test_a_large_head_in_a_checkpoint_allocates_no_memory(valid, picture, capsys):
    for head in ("30000-30000-10", "999999-999999-10", "-".join(["100"] * 16)):
        tracemalloc.start()
        assert classify(changed(valid, "settings", head=head), picture) == 2
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
        tracemalloc.stop()
        assert "holds no network of `minidl train cifar10`" in capsys.readouterr().err


UNEXPECTED = [
    None,
    True,
    -1,
    0,
    1.5,
    float("nan"),
    float("inf"),
    10**400,
    10**12,
    "",
    "-",
    "9" * 5000,
    "1" * 10**6,
    [],
    [[]],
    [1, [2, 3]],
    [10**400] * 3,
    [1e300] * 3,
    ["a"] * 10,
    {},
    {"0": 1},
    "999999-999999-10",
    "-".join(["1"] * 10**5),
    2**31,
    4,
    1e-300,
    np.zeros((0, 3)),
    np.zeros(10),
    np.full((3, 3, 3, 4), np.nan),
    np.arange(16),
    np.zeros((1,) * 9),
]


def mutated(tree, seed):
    """Return the tree with one to three of its values replaced, scaled, removed, copied or
    renamed."""
    rng, tree = random.Random(seed), {name: dict(part) for name, part in tree.items()}
    for _ in range(rng.choice([1, 1, 2, 3])):
        part = tree[rng.choice(["settings", "settings", "model"])] if rng.random() < 0.97 else tree
        if not isinstance(part, dict) or part.keys() < {"model"}:
            continue
        name = rng.choice(sorted(part))
        change = rng.choice(["replace", "replace", "replace", "scale", "remove", "copy", "rename"])
        if change == "replace":
            part[name] = rng.choice(UNEXPECTED)
        elif change == "scale" and isinstance(part[name], np.ndarray):
            part[name] = np.float64(part[name]) * rng.choice([1e30, 1e300, -1e8])
        elif change == "copy":
            part[name] = rng.choice(list(part.values()))
        else:
            value = part.pop(name)
            if change == "rename":
                part[rng.choice(["x", f"{name}/x", "fc9/kernel"])] = value
    return tree


def test_checkpoints_of_unknown_origin_are_used_or_refused_in_one_sentence(valid, picture, capsys):
    codes, seconds = [], []
    classify(valid, picture)  # imports modules and fills caches
    for _ in range(3):
        start = time.process_time()
        classify(valid, picture)
        seconds.append(time.process_time() - start)
    valid_seconds, seconds = max(seconds), []
    capsys.readouterr()
    for seed in range(settings().max_examples):
        try:
            tracemalloc.start()
            start = time.process_time()
            codes.append(classify(mutated(valid, seed), picture))
            seconds.append(time.process_time() - start)
            assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
            out, error = capsys.readouterr()
            assert "nan%" not in out
            assert error.count("\n") == (codes[-1] == 2) and "memory" not in error
        except BaseException as failure:
            raise AssertionError(f"seed {seed}") from failure
        finally:
            tracemalloc.stop()
    assert set(codes) == {0, 2}
    assert max(seconds) < SLOWDOWN * valid_seconds
