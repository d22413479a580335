"""`minidl gradcheck` prints the result of each proof, and fails if a gradient is wrong."""

from dataclasses import replace

import pytest

from minidl import proofs
from minidl.autograd import differentiable
from minidl.cli import gradcheck, main
from minidl.data import read_image
from minidl.engine.convolution import ALGORITHMS


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_every_op_is_proven(capsys):
    assert main(["gradcheck", "--cases", "2"]) == 0
    header, *rows, _, summary = lines(capsys)
    assert header.split() == ["op", "argument", "method", "worst", "error", "tolerance", "verdict"]
    assert {row.split()[0] for row in rows} == {row.name for row in proofs.ROWS}
    assert all(row.endswith("proven") for row in rows)
    assert summary == f"{len(rows)} of {len(rows)} gradients proven, each on 2 geometries"


def test_named_ops_with_all_their_forms(capsys):
    assert main(["gradcheck", "convolution", "total_variation[power]", "--cases", "1"]) == 0
    names = {line.split()[0] for line in lines(capsys)[1:-2]}
    assert names == {
        "convolution",
        *(f"convolution[{algorithm}]" for algorithm in ALGORITHMS),
        "total_variation[power]",
    }


def test_a_wrong_gradient_is_reported(capsys, monkeypatch):
    [relu] = (row for row in proofs.ROWS if row.name == "relu")
    wrong = differentiable(relu.op.forward, dx=lambda dy, y: dy * (y >= 0) * 1.0000001)
    monkeypatch.setattr(gradcheck, "ROWS", [replace(relu, op=wrong)])
    assert main(["gradcheck"]) == 1
    _, row, _, summary = lines(capsys)
    assert row.endswith("WRONG") and summary.startswith("0 of 1 gradients")


def test_the_plot(tmp_path, capsys):
    pytest.importorskip("matplotlib").use("agg")
    path = tmp_path / "proofs.png"
    assert main(["gradcheck", "relu", "matmul", "--cases", "1", "--plot", str(path)]) == 0
    assert read_image(path).std() > 5


@pytest.mark.parametrize(
    "arguments",
    [["convolutoin"], ["--cases", "0"], ["--seed", "-1"], ["--plot", "nowhere/proofs.png"]],
)
def test_errors_are_one_sentence_with_exit_code_2(arguments, capsys):
    assert main(["gradcheck", *arguments]) == 2
    assert capsys.readouterr().err.startswith("minidl: ")


def test_one_case_is_singular(capsys):
    assert main(["gradcheck", "relu", "--cases", "1"]) == 0
    assert capsys.readouterr().out.endswith("1 of 1 gradients proven, each on 1 geometry\n")
