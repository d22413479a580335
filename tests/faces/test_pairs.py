"""Lists of pairs: LFW's pairs.txt and CSV tables."""

import pytest

from minidl.errors import FileError
from minidl.faces import pairs
from minidl.faces.pairs import read_pairs


@pytest.fixture
def folder(tmp_path):
    """Create the folder of the people Ann_Lee, Bob and Eve with three pictures each."""
    for name in ("Ann_Lee", "Bob", "Eve"):
        (tmp_path / "lfw" / name).mkdir(parents=True)
        for number in (1, 2, 12):
            ending = "png" if name == "Eve" else "jpg"
            (tmp_path / "lfw" / name / f"{name}_{number:04}.{ending}").touch()
    return tmp_path / "lfw"


def written(tmp_path, *lines):
    path = tmp_path / "pairs"
    path.write_text("\n".join(lines) + "\n")
    return path


LFW = (
    "2\t2",
    *("Ann_Lee\t1\t2", "Ann_Lee\t1\t12", "Ann_Lee\t2\tBob\t1", "Eve\t1\tBob\t2"),
    *("Bob\t1\t2", "Eve\t2\t12", "Eve\t12\tBob\t12", "Bob\t1\tAnn_Lee\t1"),
)


def relative(found, folder):
    return [
        (a.relative_to(folder).as_posix(), b.relative_to(folder).as_posix())
        for a, b in zip(found.first, found.second, strict=True)
    ]


@pytest.mark.parametrize("separator", ["\t", " "])
def test_the_form_of_lfw(tmp_path, folder, separator):
    path = written(tmp_path, *(line.replace("\t", separator) for line in LFW), "", "")
    found = read_pairs(path, folder)
    assert relative(found, folder)[:4] == [
        ("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg"),
        ("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0012.jpg"),
        ("Ann_Lee/Ann_Lee_0002.jpg", "Bob/Bob_0001.jpg"),
        ("Eve/Eve_0001.png", "Bob/Bob_0002.jpg"),
    ]
    assert found.same.tolist() == [True, True, False, False] * 2
    assert found.folds.tolist() == [0] * 4 + [1] * 4
    assert len(found.pictures) == 9 and found.pictures[0] == folder / "Ann_Lee/Ann_Lee_0001.jpg"


def test_a_table_with_folds(tmp_path, folder):
    rows = [
        "fold,a,b,same,remark",
        "x,Bob/Bob_0001.jpg,Bob/Bob_0002.jpg,1,first",
        "y,Bob/Bob_0001.jpg,Eve/Eve_0002.png,no,",
        "y,Eve/Eve_0001.png,Eve/Eve_0002.png,Yes,",
        'x,"Bob/Bob_0001.jpg",Eve/Eve_0001.png,0,',
    ]
    found = read_pairs(written(tmp_path, *rows), folder)
    assert found.same.tolist() == [True, False, True, False]
    assert found.folds.tolist() == [0, 1, 1, 0]
    assert relative(found, folder)[0] == ("Bob/Bob_0001.jpg", "Bob/Bob_0002.jpg")


def test_a_table_without_folds_is_divided_into_ten(tmp_path, folder):
    pair = "Bob/Bob_0001.jpg,Eve/Eve_0001.png"
    rows = ["a,b,same", *[f"{pair},1"] * 12, *[f"{pair},0"] * 20]
    found = read_pairs(written(tmp_path, *rows), folder)
    assert found.folds.tolist() == [*range(10), 0, 1, *range(10), *range(10)]


PAIR = "Bob/Bob_0001.jpg,Eve/Eve_0001.png"
INVALID = {
    "empty": ((), "has no pairs|neither LFW's pairs.txt"),
    "no header": (("Bob 1 2",), "is neither LFW's pairs.txt, .* nor a CSV table .*: a, b, same"),
    "View 1": (("1", "Bob 1 2", "Bob 1 Eve 2"), "has 1 folds, .*View 2 is the file pairs.txt"),
    "too few": (LFW[:-1], r"says '2\\t2' and has 7 pairs"),
    "too many": ((*LFW, "Bob\t1\t2"), "has 9 pairs"),
    "three numbers": (("2 2 2", *LFW[1:]), "wanted the numbers of folds"),
    "no number": ((LFW[0], "Bob\tx\t2", *LFW[2:]), r"line 2: found 'Bob\?x\?2'; wanted a name"),
    "one name": ((*LFW[:3], "Bob\t1\t2", *LFW[4:]), "line 4: .*wanted two names"),
    "missing": ((LFW[0], "Bob\t1\t3", *LFW[2:]), "names 1 pictures .* lacks: Bob/Bob_0003.jpg"),
    "huge": (("9" * 4000 + " 1", *LFW[1:]), "has 8 pairs"),
    "no column": (("a,b", PAIR), "same missing"),
    "no path": (("a,b,same", ",x,1"), "line 2: wanted two paths"),
    "no verdict": (("a,b,same", f"{PAIR},2"), "line 2: wanted two paths and 1 or 0"),
    "one kind": (("a,b,same", *[f"{PAIR},1"] * 20), "has 10 folds, 0 of them with pairs"),
    "many folds": (
        ("fold,a,b,same", *(f"{n},{PAIR},{s}" for n in range(200) for s in (0, 1))),
        "has 200 folds, .*wanted 2 to 100 folds",
    ),
    "missing in a table": (("a,b,same", "/no/a.png,b.png,1"), "2 pictures .*: /no/a.png, b.png"),
    "long cell": (("a,b,same", "x" * 200_000 + ",b,1"), "is no CSV table: field larger"),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_lists(tmp_path, folder, name):
    lines, words = INVALID[name]
    with pytest.raises(FileError, match=words):
        read_pairs(written(tmp_path, *lines), folder)


def test_files_that_are_no_lists(tmp_path, folder, monkeypatch):
    path = tmp_path / "pairs"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="is no text"):
        read_pairs(path, folder)
    monkeypatch.setattr(pairs, "LARGEST", 2)
    with pytest.raises(FileError, match="more than 2 bytes"):
        read_pairs(path, folder)
    with pytest.raises(FileError, match="there is no such list of pairs"):
        read_pairs(tmp_path / "missing", folder)
    with pytest.raises(FileError, match="is no folder"):
        read_pairs(path, tmp_path / "missing")
