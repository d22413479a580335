"""The chapters as notebooks: they are valid, run from top to bottom, and hold the formulas."""

import json

import pytest

from minidl.backend import current_device, set_device
from minidl.book.chapters import chapters
from minidl.book.notebooks import cells_of, write_notebooks
from minidl.errors import FileError
from tests.strict import standing_in

nbformat = pytest.importorskip("nbformat")
interactive = pytest.importorskip("IPython.core.interactiveshell")

QUICK = ("derivative",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("notebooks")
    write_notebooks(made)
    return made


def test_there_is_a_valid_notebook_for_each_chapter(folder):
    assert {path.stem for path in folder.glob("*")} == {chapter.name for chapter in chapters()}
    for path in folder.glob("*.ipynb"):
        nbformat.validate(nbformat.read(path, 4))


def test_writing_again_gives_the_same_bytes(folder, tmp_path):
    write_notebooks(tmp_path)
    for path in folder.glob("*.ipynb"):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_a_notebook_holds_text_formulas_code_and_exercises(folder):
    cells = json.loads((folder / "pooling.ipynb").read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    assert any(r"\max_{t}" in text and text.startswith("$$") for text in texts)
    assert any("def max_pool_dx(" in text and "differentiable(" in text for text in texts)
    assert any(text.startswith("%%writefile max-pool-dx.py") for text in texts)
    assert any(text.startswith("HTML(still(") or "HTML(still(" in text for text in texts)


@pytest.mark.parametrize(
    "name",
    [
        chapter.name
        if chapter.name in QUICK
        else pytest.param(chapter.name, marks=pytest.mark.thorough)
        for chapter in chapters()
    ],
)
def test_a_notebook_runs_from_top_to_bottom(folder, name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shell = interactive.InteractiveShell()
    notebook = nbformat.read(folder / f"{name}.ipynb", 4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            result = shell.run_cell(cell.source, silent=True)
            assert result.success, (cell.source, result.error_in_exec or result.error_before_exec)


@pytest.mark.strict
@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", ("shapes", "tape", "matmul", "winograd", "normalization", "softmax", "proofs")
)
def test_a_notebook_runs_on_a_gpu_with_one_word_changed(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    [chapter] = (chapter for chapter in chapters() if chapter.name == name)
    shell = interactive.InteractiveShell()
    before = current_device()
    try:
        with standing_in():
            for cell in cells_of(chapter):
                if cell.kind == "code":
                    code = cell.text.replace("import numpy as np ", "import cupy as np ", 1)
                    result = shell.run_cell(code, silent=True)
                    assert result.success, (code, result.error_in_exec)
    finally:
        set_device(before)


def test_a_notebook_that_exists_is_kept(tmp_path):
    (tmp_path / "convolution.ipynb").write_text("mine")
    with pytest.raises(FileError, match=r"already holds convolution\.ipynb"):
        write_notebooks(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["convolution.ipynb"]


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileError):
        write_notebooks(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
