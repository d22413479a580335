"""Folders of one's own classes: what is read, what is left out and said, and how it is divided."""

import pytest

from minidl.data.class_folders import PARTS, class_folder, divided
from minidl.errors import ArgumentError, FileError


def write(folder, *names):
    """Files whose contents are their names"""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def read(folder):
    remarks = []
    found = class_folder(folder, remarks.append)
    return found, remarks


def names(files):
    return [file.name for file in files]


def animals(folder, cats=10, dogs=10):
    numbered = (("cats", cats), ("dogs", dogs))
    return write(folder, *(f"{name}/{n}.jpg" for name, count in numbered for n in range(count)))


def test_a_subfolder_is_a_class(tmp_path):
    write(tmp_path, "dogs/2.png", "dogs/10.PNG", "cats/1.jpg")
    found, remarks = read(tmp_path)
    assert found.classes == ["cats", "dogs"] and remarks == []
    assert names(found.files) == ["cats/1.jpg", "dogs/2.png", "dogs/10.PNG"]
    assert [file.label for file in found.files] == [0, 1, 1]
    assert {file.part for file in found.files} == {"train"}


def test_what_is_left_out_is_said(tmp_path):
    write(tmp_path, "cats/1.jpg", "cats/notes.txt", "cats/.DS_Store", "cats/.x/2.jpg", "a.jpg")
    write(tmp_path, "dogs/1.jpg", "dogs/2024/may/3.jpg", ".hidden/1.jpg")
    (tmp_path / "birds").mkdir()
    found, remarks = read(tmp_path)
    assert names(found.files) == ["cats/1.jpg", "dogs/1.jpg", "dogs/2024/may/3.jpg"]
    assert remarks == [
        "birds has no pictures and is left out",
        "1 file is in no class and left out: a.jpg",
        "1 file is left out, because the names do not end like those of pictures: cats/notes.txt",
        "2 files are hidden and left out: cats/.DS_Store, cats/.x",
        "pictures in dogs/2024/may belong to the class of the folder above",
    ]


def test_copies_are_left_out_and_said(tmp_path):
    write(tmp_path, "cats/1.jpg", "dogs/1.jpg")
    for copy in ("cats/2.jpg", "dogs/2.jpg"):
        (tmp_path / copy).write_text("cats/1.jpg")
    found, remarks = read(tmp_path)
    assert names(found.files) == ["cats/1.jpg", "dogs/1.jpg"]
    assert remarks == [
        "1 file is left out, as the same picture is there twice: cats/2.jpg (as cats/1.jpg)",
        "1 file is left out, because another class has the same picture: "
        "dogs/2.jpg (as cats/1.jpg)",
    ]


@pytest.mark.parametrize("parts", [("train", "test"), ("Training", "Testing"), ("train", "valid")])
def test_parts_that_are_chosen_already(parts, tmp_path):
    train, other = parts
    write(tmp_path, f"{train}/cats/1.jpg", f"{train}/dogs/2.jpg")
    write(tmp_path, f"{other}/cats/3.jpg", f"{other}/mice/4.jpg", f"{other}/dogs/5.jpg")
    (tmp_path / other / "dogs" / "5.jpg").write_text(f"{train}/dogs/2.jpg")
    found, remarks = read(tmp_path)
    assert found.classes == ["cats", "dogs"]
    part = "validation" if other == "valid" else "test"
    assert [file.part for file in found.files] == ["train", "train", part]
    assert remarks[0].startswith("there is nothing to train on for mice, so their pictures are")
    assert remarks[1].endswith(f"{other}/dogs/5.jpg (as {train}/dogs/2.jpg)")


def test_classes_named_train_and_test_are_classes(tmp_path):
    found, _ = read(write(tmp_path, "train/1.jpg", "test/2.jpg"))
    assert found.classes == ["test", "train"]


def test_a_folder_with_one_class_is_read(tmp_path):
    assert read(write(tmp_path, "cats/1.jpg"))[0].classes == ["cats"]


@pytest.mark.parametrize("files", [(), ("1.jpg",), ("cats/notes.txt",)])
def test_a_folder_without_pictures_in_classes_is_refused(files, tmp_path):
    with pytest.raises(FileError, match="has no pictures in subfolders; put the pictures of each"):
        read(write(tmp_path, *files))


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(FileError, match="is no folder; name the folder that has a subfolder"):
        read(tmp_path / "nowhere")


def counts(files, parts):
    """{part: [number of files of each class]}"""
    labels = sorted({file.label for file in files})
    return {p: [sum(files[i].label == n for i in parts[p]) for n in labels] for p in PARTS}


@pytest.mark.parametrize(
    ("cats", "share", "wanted"),
    [
        (20, 0.2, (13, 3, 4)),
        (100, 0.1, (81, 9, 10)),
        (3, 0.2, (1, 1, 1)),
        (2, 0.2, (1, 0, 1)),
        (1, 0.2, (1, 0, 0)),
        (5, 0.9, (1, 0, 4)),
        (10, 0.0, (10, 0, 0)),
    ],
)
def test_a_share_of_each_class_is_held_out(cats, share, wanted, tmp_path):
    files = read(animals(tmp_path, cats, 10))[0].files
    parts = divided(files, share, seed=0)
    assert tuple(counts(files, parts)[part][0] for part in PARTS) == wanted
    assert sorted(i for numbers in parts.values() for i in numbers) == list(range(len(files)))


def test_the_draw_depends_on_the_seed_alone(tmp_path):
    files = read(animals(tmp_path))[0].files
    assert divided(files, 0.2, 0) == divided(files, 0.2, 0) != divided(files, 0.2, 1)
    test = divided(files, 0.2, 0)["test"]
    assert [i for i in test if i < 10] != [i - 10 for i in test if i >= 10]


def test_only_a_part_that_is_missing_is_drawn(tmp_path):
    animals(tmp_path / "train")
    write(tmp_path, "test/cats/a.jpg", "test/dogs/b.jpg")
    files = read(tmp_path)[0].files
    assert counts(files, divided(files, 0.2, 0)) == {
        "train": [8, 8],
        "validation": [2, 2],
        "test": [1, 1],
    }


@pytest.mark.parametrize("share", [-0.1, 0.95, float("nan")])
def test_an_invalid_share_is_refused(share, tmp_path):
    files = read(animals(tmp_path))[0].files
    with pytest.raises(ArgumentError, match=r"the share that is held out is .*; wanted"):
        divided(files, share, 0)
