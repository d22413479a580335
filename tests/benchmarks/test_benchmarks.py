"""The benchmarks run, count what they should, and the README is written from what they keep."""

import json
import shutil
from itertools import count

import numpy as np
import pytest

from benchmarks import cases, convolution, losses, memory, readme, recording, stylize, table, turns, twins, vgg19
from benchmarks.__main__ import TABLES, main
from minidl.errors import MinidlError

ROW = {"name", "group", "count", "shapes", "multiply_adds", "difference", "seconds", "total", "peak_bytes", "ratio"}
MORE = {"convolution": "auto", "vgg19": "winograd_errors"}


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    """A folder in the place of benchmarks/results."""
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setattr(recording, "RESULTS", folder)
    monkeypatch.setattr(readme, "RESULTS", folder)
    monkeypatch.setattr(stylize.shutil, "which", lambda name: None)
    return folder


def quick(work, path):
    assert main([work, "--quick", "--json", str(path)]) == 0
    return json.loads(path.read_text())


@pytest.mark.parametrize("work", TABLES)
def test_every_work_runs_and_agrees_with_pytorch(work, results, tmp_path, capsys):
    measured = quick(work, tmp_path / "measured.json")
    names = {case.name for case in TABLES[work].cases(quick=True)}
    assert {row["name"] for row in measured["cases"]} == names
    assert all(row.keys() == ROW for row in measured["cases"])
    assert MORE.get(work, "work") in measured and measured["matrix_gflops"]["cpu"] > 0
    assert {"processor", "cores", "threads", "numpy", "torch", "commit", "date"} <= measured["measured_on"].keys()
    printed = capsys.readouterr().out
    assert all(name in printed for name in names)
    assert not list(results.iterdir())
    for row in measured["cases"]:
        rivals = 1 + len(twins.LAYOUTS) * twins.is_installed()
        assert len(row["seconds"]) == rivals and all(total > 0 for total in row["total"].values())
        assert (row["ratio"]["cpu"] or 0) > 0 or not twins.is_installed()
        assert row["difference"] < cases.AGREE


def test_without_pytorch_minidl_is_measured_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(twins, "is_installed", lambda: False)
    rows = quick("losses", tmp_path / "measured.json")["cases"]
    assert "PyTorch is not installed" in capsys.readouterr().out
    assert all(list(row["total"]) == ["minidl cpu"] and row["ratio"] == {"cpu": None} for row in rows)


def products(work):
    return {case.name: case.multiply_adds for case in work.cases(quick=False)}


def test_multiply_adds_by_hand():
    found = products(convolution)
    assert found["3x3 512->512 at 14x14, batch 16"] == 3 * 16 * 14 * 14 * 9 * 512 * 512
    assert found["3x3 128->128 at 56x56, batch 8, groups 128"] == 3 * 8 * 56 * 56 * 9 * 128
    assert found["10 1->512 at 16000, stride 5"] == 3 * 3200 * 10 * 512
    assert found["3x3x3 32->64 at 32x32x32, stride 2"] == 3 * 16**3 * 27 * 32 * 64
    assert products(losses)["Gram matrix, conv2_1"] == 2 * 256 * 256 * 128 * 128
    assert products(vgg19)["VGG19's features, batch 1 at 224x224"] == 19_508_428_800  # the known 19.5 G
    assert vgg19.multiply_adds(1, 16, ["conv1_1", "conv2_1"]) == 256 * 9 * 3 * 64 + 64 * 9 * 64 * 128


def test_vgg19_has_twelve_layers_of_at_most_56x56():
    assert sum(convolution.VGG19.values()) == 12


def test_rivals_take_turns(monkeypatch):
    clock, order = count(), []
    monkeypatch.setattr(turns.time, "perf_counter", lambda: next(clock))  # every look at the clock takes a second
    rivals = {name: {"forward": lambda name=name: order.append(name)} for name in "ab"}
    assert turns.turn_about(rivals) == {"a": {"forward": 1}, "b": {"forward": 1}}
    assert order == list("aabb") * (1 + turns.ROUNDS)  # one call that is not timed, one that is


def test_short_calls_are_repeated():
    calls = []
    turns._seconds(lambda: calls.append(0), least=1e-3)
    assert len(calls) > 10


def test_rivals_that_differ_are_refused():
    rivals = {"minidl cpu": {"forward": lambda: np.ones(9)}, "another": {"forward": lambda: np.full(9, 1.01)}}
    with pytest.raises(MinidlError, match=r"relu: the rivals' results differ by 1.0e-02 of their norm"):
        cases._difference("relu", rivals)


def test_ratios():
    totals = {"minidl cpu": 2.0, "minidl gpu": 0.5, "PyTorch contiguous": 4.0, "PyTorch channels-last": 3.0}
    assert cases._ratio(totals, "cpu") == 1.5 and cases._ratio(totals, "gpu") == 4
    assert cases._ratio({"minidl gpu": 1.0}, "gpu") is cases._ratio({"minidl cpu": 1.0}, "cpu") is None
    rows = [{"ratio": {"cpu": 2.0}, "count": 3}, {"ratio": {"cpu": 0.5}, "count": 1}]
    assert cases.mean_ratio(rows) == pytest.approx(2**0.5)


def test_a_line_of_each_device():
    row = {
        "name": "relu", "count": 3, "multiply_adds": 10**9, "peak_bytes": {}, "ratio": {"cpu": 1.5, "gpu": 4.0},
        "total": {"minidl cpu": 2.0, "minidl gpu": 0.5, "PyTorch contiguous": 3.0},
    }  # fmt: skip
    assert table._line(row, "cpu", rate=10).split() == ["relu,", "x3", "2000.00", "1.0", "0.10", "3000.00", "1.50"]
    assert table._line(row, "gpu", rate=10).split() == ["relu,", "x3,", "GPU", "500.00", "4.0", "0.40", "4.00"]


@pytest.mark.skipif(not memory.RESET.exists(), reason="Linux alone sets the peak of memory back")
def test_memory_is_that_of_the_case():
    [number] = [i for i, case in enumerate(vgg19.cases(quick=False)) if "batch 1 " in case.name]
    activations = 4 * sum(c * n * (224 >> (block - 1)) ** 2 for block, n, c in vgg19.BLOCKS)
    [found] = memory.of_each(vgg19, number, ["minidl cpu"]).values()
    assert activations < found < 20 * activations


@pytest.mark.parametrize(
    "arguments",
    [["--json", "nowhere/measured.json"], ["--plot", "chart.txt"], ["--device", "gpu"], ["--pastiche", "missing"]],
)
def test_trouble_is_one_sentence_and_exit_code_2(arguments, capsys, monkeypatch):
    monkeypatch.setattr("minidl.backend.why_no_gpu", lambda: "CuPy is not installed; install it")
    assert main(["stylize", "--quick", *arguments]) == 2
    out, error = capsys.readouterr()
    assert error.startswith("benchmarks: ") and error.count("\n") == 1 and not out


def test_the_chart(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    path = tmp_path / "chart.svg"
    arguments = ["vgg19", "--quick", "--plot", str(path)]
    if twins.is_installed():
        assert main(arguments) == 0 and "<svg" in path.read_text()
    monkeypatch.setattr(twins, "is_installed", lambda: False)
    assert main(arguments) == 2 and "install torch" in capsys.readouterr().err


def test_pastiche_is_run_beside_minidl(tmp_path, capsys):
    program = tmp_path / "pastiche"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\n')
    program.chmod(0o755)
    arguments = type("", (), {"quick": True, "pastiche": program})
    assert stylize.more(arguments)["pastiche"]["ratio"] > 0
    assert "--num-steps 1 --content" in (tmp_path / "arguments").read_text()


def test_the_readme_is_written_from_the_results(results, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    shutil.copy(recording.Path(__file__).parents[2] / "README.md", readme.README)
    assert main(["readme"]) == 0
    nothing = readme.README.read_text()
    assert "|" not in readme.SECTION.search(nothing)[0]
    row = {"name": "a step", "group": "VGG19 3x3, batch 16", "count": 2, "ratio": {"cpu": 1.25}}
    row["total"] = {"minidl cpu": 0.4, "PyTorch contiguous": 0.6, "PyTorch channels-last": 0.5}
    row["peak_bytes"] = {"minidl cpu": 1e8, "PyTorch contiguous": 3e8, "PyTorch channels-last": 2e8}
    pastiche = {"size": 256, "steps": 60, "seconds": {"minidl": [9, 10, 11], "pastiche": [20, 19, 21]}, "ratio": 2.0}
    recording.keep("convolution", {"cases": [row]})
    recording.keep("stylize", {"cases": [row], "pastiche": pastiche})
    for _ in range(2):
        assert main(["readme"]) == 0
        text = readme.README.read_text()
        assert text.count("| 800 ms | 1 s | 1.25 |") == text.count("| a step | 400 ms | 500 ms | 1.25 |") == 1
        assert text.count("| peak memory: a step | 100 MB | 200 MB | 2.00 |") == text.count("| 10 s | 20 s | 2.00 |") == 1
        assert text.count(recording.machine()["processor"]) == 1 and (results / "ratios.png").stat().st_size > 5000
    assert readme.SECTION.sub("", text) == readme.SECTION.sub("", nothing)
