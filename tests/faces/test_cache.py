"""Faces of pictures that are kept in a file."""

import dataclasses
import json
import os

import numpy as np
import pytest

from minidl.errors import FileError
from minidl.faces import Face
from minidl.faces.cache import FaceCache, key_of
from tests.faces.fake import embedding


def face(seed):
    rng = np.random.default_rng(seed)
    box = tuple(map(float, rng.uniform(-9, 99, 4)))
    landmarks = rng.standard_normal((68, 2)).astype(np.float32)
    return Face(box, rng.uniform(), landmarks, embedding(seed, 0), 90 * seed, seed > 0)


def keys(count):
    return [key_of(str(number).encode(), "identity", {}) for number in range(count)]


def assert_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        for field in dataclasses.fields(Face):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "faces.jsonl"


def test_faces_are_the_same_after_they_were_kept(path):
    cache, [first, second, third] = FaceCache(path), keys(3)
    cache.put(first, [face(0), face(1)])
    cache.put(second, [])
    for again in (cache, FaceCache(path)):
        assert_equal(again.get(first), [face(0), face(1)])
        assert again.get(second) == [] and again.get(third) is None
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_last_line_of_a_key_counts(path):
    cache, [key] = FaceCache(path), keys(1)
    cache.put(key, [face(0)])
    cache.put(key, [face(1)])
    for again in (cache, FaceCache(path)):
        assert_equal(again.get(key), [face(1)])


def test_the_key_depends_on_all_that_the_faces_depend_on():
    variants = {
        key_of(b"picture", "identity", {"again": True, "turn": False}),
        key_of(b"another", "identity", {"again": True, "turn": False}),
        key_of(b"picture", "other", {"again": True, "turn": False}),
        key_of(b"picture", "identity", {"again": False, "turn": False}),
        key_of(b"picture", "identity", {"again": True, "turn": True}),
    }
    assert len(variants) == 5
    assert key_of(b"picture", "identity", {"turn": False, "again": True}) in variants


@pytest.mark.parametrize("cut", [1, 40, 500])
def test_a_half_written_line_is_missing_and_the_next_ones_are_kept(path, cut):
    cache, [first, second, third] = FaceCache(path), keys(3)
    cache.put(first, [face(0)])
    cache.put(second, [face(1)])
    path.write_bytes(path.read_bytes()[:-cut])
    cache = FaceCache(path)
    assert cache.get(second) is None or cut == 1
    cache.put(third, [face(2)])
    for again in (cache, FaceCache(path)):
        assert_equal(again.get(first), [face(0)])
        assert_equal(again.get(third), [face(2)])


@pytest.mark.parametrize(
    "change",
    [
        {"faces": 5},
        {"faces": [{}]},
        {"faces": [{"box": [1, 2, 3]}]},
        {"box": [1, 2, 3, "4"]},
        {"box": [1, 2, 3, 1e300]},
        {"score": None},
        {"embedding": "!"},
        {"embedding": "AADAfw=="},  # NaN
        {"landmarks": "AAAAAA=="},  # one number
        {"landmarks": 3},
    ],
)
def test_damaged_lines_are_missing(path, change):
    cache, [key] = FaceCache(path), keys(1)
    cache.put(key, [face(0)])
    fields = json.loads(path.read_text())
    if "faces" in change:
        fields |= change
    else:
        fields["faces"][0] |= change
    path.write_text(json.dumps(fields) + "\n")
    assert FaceCache(path).get(key) is None


def test_other_files_hold_no_faces(path, tmp_path):
    path.parent.mkdir()
    path.write_bytes(b"words\n\n{}\n" + b'{"key": "' + b"\xff" * 70 + b"[" * 100_000)
    cache, [key] = FaceCache(path), keys(1)
    assert cache.get(key) is None
    cache.put(key, [face(0)])
    assert_equal(FaceCache(path).get(key), [face(0)])
    with pytest.raises(FileError, match="not a file"):
        FaceCache(tmp_path)
    path.unlink()
    with pytest.raises(FileError, match="was removed meanwhile"):
        cache.put(key, [])
