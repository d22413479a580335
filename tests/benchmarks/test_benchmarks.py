"""The benchmarks run, count what they should, and the README is written from what they keep."""

import json
import shutil
import time
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
    readme,
    recording,
    stylize,
    table,
    turns,
    twins,
    vgg19,
)
from benchmarks.__main__ import TABLES, main
from minidl import machine
from minidl.backend import current_arithmetic
from minidl.engine import threads as cores
from minidl.errors import MinidlError
from minidl.style_transfer.parity import LEAST_OF_GRADIENTS
from tests.strict import HAS_COMPILER, needed, standing_in

ROW = {
    "name", "group", "count", "shapes", "multiply_adds", "bytes", "difference", "seconds", "total", "peak_bytes", "ratio",
    "speedup",
}  # fmt: skip
# A ReLU within rounding of its kink that falls on the other side changes the gradient of a small
# picture by up to a hundredth.
NEAR = {"stylize": LEAST_OF_GRADIENTS}
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


@pytest.fixture
def gpu():
    """The stand-in for CuPy."""
    needed(HAS_COMPILER, "g++")
    with standing_in() as cupy:
        yield cupy


@pytest.fixture
def gpu_of_pytorch(monkeypatch):
    """PyTorch takes the CPU for a GPU."""
    torch = pytest.importorskip("torch")
    monkeypatch.setitem(twins.PLACES, "gpu", "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    for name, found in {
        "reset_peak_memory_stats": None,
        "memory_reserved": 10**6,
        "max_memory_reserved": 9 * 10**6,
    }.items():
        monkeypatch.setattr(torch.cuda, name, lambda found=found: found)
    return torch


class Event:
    def __init__(self, enable_timing=False):
        assert enable_timing

    def record(self):
        self.time = time.perf_counter()

    def synchronize(self):
        pass

    def elapsed_time(self, ended):
        return 1e3 * (ended.time - self.time)


def quick(work, path, *arguments):
    assert main([work, "--quick", "--json", str(path), *arguments]) == 0
    return json.loads(path.read_text())


@pytest.mark.parametrize("work", TABLES)
def test_every_work_runs_and_agrees_with_pytorch(work, results, tmp_path, capsys):
    measured = quick(work, tmp_path / "measured.json")
    names = {case.name for case in TABLES[work].cases(quick=True)}
    assert {row["name"] for row in measured["cases"]} == names
    assert all(row.keys() == ROW for row in measured["cases"])
    assert MORE.get(work, "work") in measured and min(measured["rates"]["cpu"].values()) > 0
    assert measured["arithmetic"] == "float32" and "gpu" not in measured["measured_on"]
    assert measured["measured_on"].keys() == {
        "processor", "instructions", "cores", "threads", "python", "numpy", "blas", "torch", "commit", "date",
    }  # fmt: skip
    printed = capsys.readouterr().out
    assert all(name in printed for name in names)
    assert not list(results.iterdir())
    for row in measured["cases"]:
        rivals = 1 + len(twins.LAYOUTS) * twins.is_installed()
        assert len(row["seconds"]) == rivals and all(total > 0 for total in row["total"].values())
        assert (row["ratio"]["cpu"] or 0) > 0 or not twins.is_installed()
        assert row["difference"] < NEAR.get(work, 1e-3)


@pytest.mark.thorough
@pytest.mark.strict
@pytest.mark.parametrize("work", TABLES)
def test_every_work_runs_on_a_gpu(work, gpu, gpu_of_pytorch, tmp_path, capsys):
    measured = quick(work, tmp_path / "measured.json", "--device", "cpu", "gpu")
    assert measured["devices"] == ["cpu", "gpu"] and measured["arithmetic"] == "float32"
    assert (
        measured["measured_on"]["gpu"]["name"] == "a stand-in for a GPU"
        and "cupy" in measured["measured_on"]
    )
    assert (
        set(measured["rates"]["gpu"]) == set(table.RATES)
        and min(measured["rates"]["gpu"].values()) > 0
    )
    for row in measured["cases"]:
        assert len(row["total"]) == 2 + 2 * len(twins.LAYOUTS)
        assert row["difference"] < NEAR.get(work, 1e-3)
        assert min(*row["ratio"].values(), row["speedup"]) > 0 and row["ratio"].keys() == {
            "cpu",
            "gpu",
        }
        assert (row["bytes"] is None) == (work in ("vgg19", "stylize", "train"))
        assert row["peak_bytes"].get("PyTorch gpu contiguous") == (
            None if row["bytes"] else 8 * 10**6
        )
    printed = capsys.readouterr().out
    assert (
        "GPU: a stand-in for a GPU, float32, matrix product" in printed
        and "measured alone" not in printed
    )
    assert all(
        f"{row['name']}, GPU" in printed or f"{row['name']}, x" in printed
        for row in measured["cases"]
    )


@pytest.mark.strict
def test_tf32_is_for_minidl_and_pytorch_alike(gpu, gpu_of_pytorch, tmp_path, monkeypatch, capsys):
    case, seen, backends = pooling.cases(quick=True)[-1], set(), gpu_of_pytorch.backends

    def ours(arrays):
        return {
            name: lambda call=call: seen.add(current_arithmetic()) or call()
            for name, call in case.ours(arrays).items()
        }

    monkeypatch.setattr(pooling, "cases", lambda quick: [replace(case, ours=ours)])
    measured = quick("pooling", tmp_path / "measured.json", "--device", "gpu", "--tf32")
    assert (
        measured["arithmetic"] == "tf32" and "stand-in for a GPU, tf32" in capsys.readouterr().out
    )
    assert (
        seen == {"tf32"}
        and backends.cuda.matmul.allow_tf32
        and backends.cudnn.allow_tf32
        and backends.cudnn.benchmark
    )
    twins.choose_arithmetic(False)
    assert (
        not backends.cuda.matmul.allow_tf32
        and not backends.cudnn.allow_tf32
        and current_arithmetic() == "float32"
    )


def test_without_pytorch_minidl_is_measured_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(twins, "is_installed", lambda: False)
    rows = quick("losses", tmp_path / "measured.json")["cases"]
    assert "PyTorch is not installed" in capsys.readouterr().out
    assert all(
        list(row["total"]) == ["minidl cpu"] and row["ratio"] == {"cpu": None} for row in rows
    )


def products(work):
    return {case.name: case.multiply_adds for case in work.cases(quick=False)}


def test_multiply_adds_by_hand():
    found = products(convolution)
    assert found["3x3 512->512 at 14x14, batch 16"] == 3 * 16 * 14 * 14 * 9 * 512 * 512
    assert found["3x3 128->128 at 56x56, batch 8, groups 128"] == 3 * 8 * 56 * 56 * 9 * 128
    assert found["10 1->512 at 16000, stride 5"] == 3 * 3200 * 10 * 512
    assert found["3x3x3 32->64 at 32x32x32, stride 2"] == 3 * 16**3 * 27 * 32 * 64
    assert products(losses)["Gram matrix, conv2_1"] == 2 * 256 * 256 * 128 * 128
    # the known 19.5 G
    assert products(vgg19)["VGG19's features, batch 1 at 224x224"] == 19_508_428_800
    assert (
        vgg19.multiply_adds(1, 16, ["conv1_1", "conv2_1"]) == 256 * 9 * 3 * 64 + 64 * 9 * 64 * 128
    )


def test_vgg19_has_twelve_layers_of_at_most_56x56():
    assert sum(convolution.VGG19.values()) == 12


def test_rivals_take_turns(monkeypatch):
    clock, order = count(), []
    # every look at the clock takes a second
    monkeypatch.setattr(turns.time, "perf_counter", lambda: next(clock))
    rivals = {name: {"forward": lambda name=name: order.append(name)} for name in "ab"}
    assert turns.turn_about(rivals) == {"a": {"forward": 1}, "b": {"forward": 1}}
    assert order == list("aabb") * (1 + turns.ROUNDS)  # one call that is not timed, one that is


def test_short_calls_are_repeated():
    calls = []
    turns._seconds(lambda: calls.append(0), least=1e-3)
    assert len(calls) > 10


def test_rivals_that_differ_are_refused():
    rivals = {
        "minidl cpu": {"forward": lambda: np.ones(9)},
        "another": {"forward": lambda: np.full(9, 1.01)},
    }
    with pytest.raises(
        MinidlError, match=r"relu: the rivals' results differ by 1.0e-02 of their norm"
    ):
        cases._difference("relu", rivals, cases.AGREE["cpu"])
    assert cases._difference("relu", rivals, cases.AGREE["tf32"]) == pytest.approx(0.01)


def test_the_clock_of_a_gpu(gpu, monkeypatch):
    monkeypatch.setattr(gpu.cuda, "get_elapsed_time", lambda begun, ended: 5.0)  # milliseconds
    assert turns.by_cupy(lambda: None, 1) == 0.005
    assert twins.PLACES == {"cpu": "cpu", "gpu": "cuda"}


def test_ratios():
    totals = {
        "PyTorch contiguous": 4.0,
        "PyTorch channels-last": 3.0,
        "PyTorch gpu contiguous": 2.0,
    }
    assert [cases.of_pytorch(totals, device) for device in ("cpu", "gpu")] == [3.0, 2.0]
    assert cases.of_pytorch({"minidl cpu": 1.0}) is None
    rows = [
        {"ratio": {"cpu": 2.0}, "count": 3, "speedup": 9.0},
        {"ratio": {"cpu": 0.5}, "count": 1},
    ]
    assert cases.mean_ratio(rows) == pytest.approx(2**0.5) and cases.mean_speedup(
        rows
    ) == pytest.approx(9)
    assert cases.mean_ratio(rows, "gpu") is None


def test_bytes_by_hand():
    [relu] = [case for case in pooling.cases(quick=True) if case.name.startswith("ReLU")]
    calls = cases.placed(relu.ours, relu.arrays(), "cpu")
    assert cases._moved(calls) == 5 * 4 * 16 * 16 * 128  # forward: x and y; dx: dy, y and dx


def test_a_line_of_each_device():
    row = {
        "name": "relu", "count": 3, "multiply_adds": 10**9, "bytes": 2 * 10**9, "peak_bytes": {"minidl gpu": 3e6},
        "ratio": {"cpu": 1.5, "gpu": 0.2}, "speedup": 4.0,
        "total": {"minidl cpu": 2.0, "minidl gpu": 0.5, "PyTorch contiguous": 3.0, "PyTorch gpu contiguous": 0.1},
    }  # fmt: skip
    reached = {"matrix_gflops": 10, "copy_gbs": 8}
    of_cpu = ["relu,", "x3", "2000.000", "1.0", "0.10", "1.0", "0.12", "3000.000", "1.50"]
    assert table._line(row, "cpu", reached).split() == of_cpu
    of_gpu = [
        "relu,",
        "x3,",
        "GPU",
        "500.000",
        "4.0",
        "0.40",
        "4.0",
        "0.50",
        "3",
        "100.000",
        "0.20",
        "4.0",
    ]
    assert table._line(row, "gpu", reached).split() == of_gpu


@pytest.mark.thorough
@pytest.mark.skipif(not memory.RESET.exists(), reason="Linux alone sets the peak of memory back")
def test_memory_is_that_of_the_case(monkeypatch):
    for name in cores.VARIABLES:  # each thread has scratch memory of its own, in minidl and in BLAS
        monkeypatch.setenv(name, "2")
    [number] = [i for i, case in enumerate(vgg19.cases(quick=False)) if "batch 1 " in case.name]
    activations = 4 * sum(c * n * (224 >> (block - 1)) ** 2 for block, n, c in vgg19.BLOCKS)
    [found] = memory.of_each(vgg19, number, ["minidl cpu"]).values()
    assert activations < found < 20 * activations


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
    assert "--num-steps 3 --content" in (tmp_path / "arguments").read_text()


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
    pastiche = {
        "size": 256,
        "steps": 60,
        "seconds": {"minidl": [9, 10, 11], "pastiche": [20, 19, 21]},
        "ratio": 2.0,
    }
    recording.keep("convolution", {"cases": [row]})
    recording.keep("stylize", {"cases": [row], "pastiche": pastiche})
    for _ in range(2):
        assert main(["readme"]) == 0
        text = readme.README.read_text()
        assert (
            text.count("| 800 ms | 1 s | 1.25 |")
            == text.count("| a step | 400 ms | 500 ms | 1.25 |")
            == 1
        )
        assert (
            text.count("| peak memory: a step | 100 MB | 200 MB | 2.00 |")
            == text.count("| 10 s | 20 s | 2.00 |")
            == 1
        )
        # in the heading, and below the table
        assert text.count(recording.machine()["processor"]) == 2
        assert (results / recording.kind() / "ratios.png").stat().st_size > 5000
        assert f'src="benchmarks/results/{recording.kind()}/ratios.png"' in text
    assert readme.SECTION.sub("", text) == readme.SECTION.sub("", nothing)


def test_the_readme_tells_of_a_gpu(results, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    readme.README.write_text("<!-- results: here -->\n<!-- end of results -->\n")
    assert (
        main(["readme"]) == 0
        and readme.README.read_text().count("Nothing was measured on a GPU yet.") == 1
    )
    row = {
        "name": "a step",
        "group": "VGG19 3x3, batch 16",
        "count": 2,
        "ratio": {"gpu": 0.8},
        "speedup": 50.0,
    }
    row["total"] = {
        "minidl gpu": 0.008,
        "PyTorch gpu contiguous": 0.0064,
        "PyTorch gpu channels-last": 0.007,
    }
    row["peak_bytes"] = {"minidl gpu": 2e8, "PyTorch gpu contiguous": 3e8}
    alone = {
        **row,
        "ratio": {"gpu": None},
        "speedup": None,
        "total": {"minidl gpu": 0.004},
        "peak_bytes": {"minidl gpu": 2e8},
    }
    gpu = {
        "name": "NVIDIA H100",
        "memory": 80 * 2**30,
        "compute_capability": "9.0",
        "driver": "13.0",
        "runtime": "12.9",
    }
    for module in (recording, machine):
        monkeypatch.setattr(module, "gpu", lambda: gpu)
    recording.keep("convolution_gpu", {"devices": ["cpu", "gpu"], "cases": [row]})
    recording.keep("stylize_gpu", {"devices": ["cpu", "gpu"], "cases": [row]})
    recording.keep("stylize_gpu_tf32", {"devices": ["gpu"], "cases": [alone]})
    assert main(["readme"]) == 0
    text = readme.README.read_text()
    assert (
        "| VGG19's twelve 3x3 layers of at most 56x56, batch 16 | float32 | 16 ms | 13 ms | 0.80 | 50.0 |"
        in text
    )
    assert (
        "| a step | float32 | 8 ms | 6.4 ms | 0.80 | 50.0 |" in text
        and "| a step | tf32 | 4 ms | – | – | – |" in text
    )
    assert "| peak memory: a step | float32 | 200 MB | 300 MB | 1.50 | – |" in text
    assert "| peak memory: a step | tf32 | 200 MB | – | – | – |" in text
    assert (
        "NVIDIA H100, 80 GiB, CUDA 12.9, its driver for 13.0, CuPy " in text
        and "Nothing was measured" not in text
    )
    folder = f"nvidia-h100-{recording.kind()}"
    assert [path.name for path in results.iterdir()] == [folder]
    assert (results / folder / "ratios_gpu.png").stat().st_size > 5000
    assert not (results / folder / "ratios.png").exists()
    assert f"### NVIDIA H100, {recording.machine()['processor']} with " in text


@pytest.mark.strict
def test_what_was_measured_on_a_gpu_is_kept_apart(gpu, results, monkeypatch):
    monkeypatch.setattr(pooling, "cases", lambda quick, cases=pooling.cases: cases(quick=True)[:1])
    monkeypatch.setattr(table, "rates", lambda *rest: dict.fromkeys(table.RATES, 1.0))
    monkeypatch.setattr(turns, "SECONDS", 0)
    monkeypatch.setattr(turns, "ROUNDS", 1)
    for arguments in ([], ["--device", "gpu", "cpu"], ["--device", "gpu", "--tf32"]):
        assert main(["pooling", *arguments]) == 0
    with_gpu = f"a-stand-in-for-a-gpu-{recording.kind()}"
    assert {str(path.relative_to(results)) for path in results.glob("*/*")} == {
        f"{recording.kind()}/pooling.json", f"{with_gpu}/pooling_gpu.json", f"{with_gpu}/pooling_gpu_tf32.json",
    }  # fmt: skip


def test_results_of_one_kind_of_processor_never_replace_those_of_another(
    results, tmp_path, monkeypatch
):
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    readme.README.write_text("<!-- results: here -->\n<!-- end of results -->\n")
    demo = {"pixels": "64x48", "steps": 3, "share": 0.5, "up": 0}
    machines = {"intel-avx512": ("Intel(R) Xeon(R)", "AVX-512"), "amd-avx2": ("AMD EPYC", "AVX2")}
    for seconds, (kind, (name, instructions)) in enumerate(machines.items(), start=10):
        for module in (recording, machine):
            monkeypatch.setattr(module, "processor", lambda name=name: name)
            monkeypatch.setattr(module, "instructions", lambda found=instructions: found)
        painted = demo | {"seconds": seconds}
        recording.keep("paint", {"demo": painted, "gatys_code_256": painted})
        assert recording.kept("paint")["demo"]["seconds"] == seconds
        assert (results / kind / "paint.json").exists()
    assert recording.kinds() == ["amd-avx2", "intel-avx512"]
    assert recording.kept("paint", "intel-avx512")["demo"]["seconds"] == 10
    assert main(["readme"]) == 0
    text = readme.README.read_text()
    amd, intel = (
        text[text.index("### AMD") : text.index("### Intel")],
        text[text.index("### Intel") :],
    )
    assert "| the demo | 64x48 | 3 | 11 s |" in amd and "(AMD EPYC with AVX2, " in amd
    assert (
        "| the demo | 64x48 | 3 | 10 s |" in intel and "(Intel(R) Xeon(R) with AVX-512, " in intel
    )


def test_each_kept_result_names_its_processor(monkeypatch):
    monkeypatch.setattr(recording, "RESULTS", recording.Path(recording.__file__).parent / "results")
    assert not list(recording.RESULTS.glob("*.*"))
    said = {"processor", "instructions", "cores", "threads", "numpy", "blas"}
    for kind in recording.kinds():
        for path in (recording.RESULTS / kind).glob("*.json"):
            on = recording.kept(path.stem, kind)["measured_on"]
            assert said <= on.keys() and on["processor"] and on["instructions"]
            monkeypatch.setattr(machine, "processor", lambda on=on: on["processor"])
            monkeypatch.setattr(machine, "instructions", lambda on=on: on["instructions"])
            assert kind.endswith(machine.kind())
