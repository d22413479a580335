"""Names and kinds of processors."""

import numpy as np
import pytest

from minidl import machine
from minidl.cli import main
from minidl.errors import DeviceError

LISTED = {  # {instructions that NumPy lists: the widest of them}
    ("SSE", "SSE2", "SSE42", "AVX", "F16C", "FMA3", "AVX2", "AVX512F", "AVX512_SKX"): "AVX-512",
    ("SSE", "SSE2", "SSE42", "AVX", "F16C", "FMA3", "AVX2"): "AVX2",
    ("X86_V2", "X86_V3", "X86_V4", "AVX512_ICL"): "AVX-512",
    ("X86_V2", "X86_V3"): "AVX2",
    ("NEON", "NEON_FP16", "NEON_VFPV4", "ASIMD", "ASIMDHP"): "NEON",
    ("NEON", "ASIMD", "SVE"): "SVE",
    ("X86_V2",): "x86_64",
    (): "x86_64",
}


@pytest.mark.parametrize(("names", "widest"), LISTED.items(), ids=" ".join)
@pytest.mark.parametrize("part", ["baseline", "found"])
def test_instructions_are_the_widest_that_numpy_uses(names, widest, part, monkeypatch):
    monkeypatch.setattr(np, "show_config", lambda mode: {"SIMD Extensions": {part: [*names]}})
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")
    assert machine.instructions() == widest


@pytest.mark.parametrize(
    ("name", "instructions", "kind"),
    [
        ("Intel(R) Xeon(R) Processor", "AVX-512", "intel-avx512"),
        ("AMD EPYC 7763", "AVX2", "amd-avx2"),
        ("AMD64 Family 25 Model 1", "AVX2", "amd-avx2"),
        ("Apple M2", "NEON", "apple-neon"),
        ("aarch64", "SVE", "aarch64-sve"),
        ("", "x86_64", "aarch64-x86-64"),
    ],
)
def test_kind_is_the_maker_and_the_instructions(name, instructions, kind, monkeypatch):
    monkeypatch.setattr(machine, "processor", lambda: name)
    monkeypatch.setattr(machine, "instructions", lambda: instructions)
    monkeypatch.setattr(machine.platform, "machine", lambda: "aarch64")
    assert machine.kind() == kind
    monkeypatch.setattr(machine, "gpu", lambda: {"name": "NVIDIA H200"})
    assert machine.kind_with_gpu() == f"nvidia-h200-{kind}"


def test_info_prints_processor_instructions_and_blas(monkeypatch, capsys):
    monkeypatch.setattr(machine, "processor", lambda: "AMD EPYC")
    monkeypatch.setattr(machine, "instructions", lambda: "AVX2")
    monkeypatch.setattr(machine, "blas", lambda: "openblas 0.3.31 (Haswell)")
    assert main(["info"]) == 0
    printed = capsys.readouterr().out
    assert "processor:                AMD EPYC with AVX2, " in printed
    assert f"NumPy:                    {np.__version__}, openblas 0.3.31 (Haswell)\n" in printed


def test_kind_with_gpu_needs_a_gpu(monkeypatch):
    monkeypatch.setattr(machine, "gpu", lambda: None)
    with pytest.raises(DeviceError, match="there is no GPU to describe"):
        machine.kind_with_gpu()
