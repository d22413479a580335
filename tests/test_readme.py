"""The README is short, its Python blocks run and are typed, and its commands and links exist."""

import doctest
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minidl.cli import main
from minidl.data import write_image
from minidl.training import load

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
MOST_LINES = 200


def source(block):
    """The code of a block, without the prompts and results if it has any."""
    examples = doctest.DocTestParser().get_examples(block)
    return "".join(example.source for example in examples) if examples else block


def run(block):
    """Run a block as a program, or, if it has prompts, check each of its results."""
    if not block.startswith(">>>"):
        exec(compile(block, "README.md", "exec"), {"__name__": "__main__"})
        return
    report = []
    test = doctest.DocTestParser().get_doctest(block, {}, "README.md", "README.md", 0)
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert not report, "".join(report)


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """A folder with small pictures of noise, in which the blocks run."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for channel, name in enumerate(("red", "green")):
        Path("photos", name).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 200, (40, 30, 3))
            pixels[..., channel] += 50
            write_image(f"photos/{name}/{number}.png", pixels)
    for name in ("photo.jpg", "painting.jpg"):
        write_image(name, rng.integers(0, 256, (48, 64, 3)))


def test_the_readme_is_short():
    assert len(README.splitlines()) <= MOST_LINES


def test_the_readme_has_examples_of_both_forms():
    prompts = [block.startswith(">>>") for block in BLOCKS]
    assert any(prompts) and not all(prompts) and README.count("```python") == len(BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_python_block_runs(block, pictures):
    run(block)


def test_a_wrong_result_of_a_block_is_reported():
    with pytest.raises(AssertionError, match="Expected"):
        run(">>> 1 + 1\n3\n")


def block_with(text):
    [block] = [block for block in BLOCKS if text in block]
    return block


def test_the_op_is_proven(capsys):
    run(block_with("prove("))
    passed, error = capsys.readouterr().out.split()
    assert passed == "True" and float(error) < 1e-12


def test_a_network_learns_the_pictures_of_a_folder(pictures, capsys):
    run(block_with("picture_folder"))
    rows = load("runs/photos/checkpoint.h5")["progress"]["rows"]
    assert len(rows) == 10 and rows[-1]["accuracy"] == 1 and rows[-1]["loss"] < rows[0]["loss"]
    printed = capsys.readouterr().out
    assert "Moment(epoch=10" in printed and printed.endswith("the first picture shows: green\n")


def test_a_face_and_its_mirror_image_are_the_same_person(capsys):
    run(block_with("FaceReader"))
    assert capsys.readouterr().out.startswith("the same person ")


def commands():
    """The words of each `minidl` command in the shell blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    lines = [line.partition("#")[0] for line in "".join(blocks).splitlines()]
    words = [part.split() for line in lines for part in line.split("&&")]
    return [line[1:] for line in words if line[:1] == ["minidl"]]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_and_option_exists(words, capsys):
    depth = 2 if words[0] in ("faces", "visualize", "weights", "data", "train") else 1
    with pytest.raises(SystemExit) as ended:
        main([*words[:depth], "--help"])
    assert ended.value.code == 0
    described = capsys.readouterr().out
    assert f"usage: minidl {' '.join(words[:depth])} " in " ".join(described.split())
    assert all(word in described for word in words if word.startswith("--"))


def links(text):
    """The targets of the links and pictures of a Markdown page that are paths."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    return [target.partition("#")[0] for target in targets if "://" not in target]


@pytest.mark.parametrize("target", sorted(set(links(README))))
def test_every_link_leads_to_a_file(target):
    assert (ROOT / target).exists(), f"README.md links to {target}, which does not exist"


def test_links_are_recognised():
    text = '[a](x.py#L3) [b](https://example.org) [`c`](d/) <img src="e.png" alt="f">'
    assert links(text) == ["x.py", "d/", "e.png"]


def test_the_python_blocks_pass_pyright(tmp_path):
    if not importlib.util.find_spec("pyright"):
        pytest.skip("pyright is not installed")
    for number, block in enumerate(BLOCKS):
        (tmp_path / f"block_{number}.py").write_text(source(block), encoding="utf-8")
    # An editable installation is found by a hook, which pyright does not run.
    settings = {"include": ["."], "extraPaths": [str(ROOT)]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
