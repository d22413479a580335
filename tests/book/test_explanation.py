"""What `minidl explain` says is read from the code, and computed when it is said."""

import re
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl import layers, losses, ops, optim
from minidl.autograd import differentiable
from minidl.book import SUBJECTS, Subject, explanation, measure, overview, subject
from minidl.book.explanation import STYLES, TITLES
from minidl.book.sizes import SIZES
from minidl.book.sources import source
from minidl.book.subjects import KINDS
from minidl.cli import main
from minidl.errors import ArgumentError
from minidl.proofs import Row, Shape

ROOT = Path(minidl.__file__).parents[1]


@pytest.fixture
def few(monkeypatch):
    """One geometry for each proof, and one call for each time."""
    monkeypatch.setattr(measure, "CASES", 1)
    monkeypatch.setattr(measure.proofs, "__defaults__", (1,))
    monkeypatch.setattr(measure.times, "__defaults__", (0,))


def test_every_public_name_can_be_explained():
    for module in (ops, losses, layers, optim):
        assert set(module.__all__) <= SUBJECTS.keys()
    text = "\n".join(overview())
    assert all(f" {name} " in f" {text} ".replace("\n", " ") for name in SUBJECTS)
    assert [line for line in text.splitlines() if line in TITLES.values()] == [*TITLES.values()]


def test_optimisers_schedules_and_what_serves_both_are_different_kinds():
    kinds = {name: SUBJECTS[name].kind for name in optim.__all__}
    for kind, names in {
        "optimiser": {"LBFGS", "SGD", "Adagrad", "Adam", "Nadam", "Optimizer", "RMSprop"},
        "schedule": {
            "Constant",
            "Cosine",
            "Exponential",
            "OneCycle",
            "Plateau",
            "Steps",
            "Warmup",
        },
        "utility": {"Group", "clip_gradients"},
    }.items():
        assert {name for name in kinds if kinds[name] == kind} == names
    found = [subject.kind for subject in SUBJECTS.values()]
    assert found == sorted(found, key=KINDS.index) and {*found} == {*KINDS}


QUICK = ("relu", "convolution", "triplet_loss", "Dense", "Steps", "depthwise")


@pytest.mark.parametrize(
    "name",
    [*QUICK, *(pytest.param(n, marks=pytest.mark.thorough) for n in SUBJECTS if n not in QUICK)],
)
def test_examples_and_proofs_hold(few, name):
    lines = [*explanation(SUBJECTS[name])]
    verdicts = [line for line in lines if line.endswith("what is stated here")]
    assert all(re.match(r"(\d+) of \1 lines", line) for line in verdicts)
    proven = [line for line in lines if line.endswith("proven")]
    assert bool(proven) == bool(SUBJECTS[name].rows) and not any("WRONG" in line for line in lines)
    assert ("forward and gradients" in "\n".join(lines)) == bool(SUBJECTS[name].rows)


def test_every_op_has_a_size_at_which_it_is_timed():
    named = {row.name for subject in SUBJECTS.values() for row in subject.rows}
    assert {name for name in named if name.partition("[")[0] not in SIZES} == set()


def test_the_text_about_convolution(few):
    text = "\n".join(explanation(SUBJECTS["convolution"]))
    for words in (
        "(N, *spatial, C), (*kernel, C / groups, K), (K,) -> (N, *out, K)",
        "y[n,o,k] = b[k] + Σ_t Σ_c x[n, o·stride + t·dilation - before, c] w[t,c,k]",
        "dw[t,c,k] = Σ_n Σ_o dy[n,o,k] x[n, o·stride + t·dilation - before, c]",
        "Cost: N·out·taps·C·K / groups multiply-adds",
        "3 of 3 lines give what is stated here",
        "convolution_db                   minidl/engine/convolution/__init__.py:",
        "x (1, 64, 64, 64), w (3, 3, 64, 64), b (64,), float32: 2.24 MB with the result",
    ):
        assert words in text
    assert text.count(">>> ") == 3  # the example is shown once
    for name in ("dx", "dw", "db"):
        assert f"Gradient {name}\n" in text
    assert text.count("Source: LeCun et al. 1989") == 1
    assert "\nCost: N·out·taps·C·K / groups multiply-adds.\nx (1, 64" in text


def test_helpers_are_shown_once_in_the_order_of_the_file(few):
    text = "\n".join(explanation(SUBJECTS["convolution"]))
    assert "Helpers, minidl/ops/convolution.py:" in text
    lines = text.partition("Helpers")[2].splitlines()
    defined = [line.split("def ")[1].partition("(")[0] for line in lines if "  def " in line]
    assert defined == ["channels_of", "times", "rows", "windows_of"]


def test_the_text_about_a_file_is_that_of_all_its_ops(few):
    """What holds for all ops of a file stands in its docstring, and each explanation shows it."""
    for name in ("negative", "divide"):
        text = "\n".join(explanation(SUBJECTS[name]))
        assert "The file minidl/ops/arithmetic.py\nArithmetic works" in text
        assert "\nCost: one operation per number of y, and at most six" in text


def test_a_joint_gradient_is_shown_once(few):
    about = SUBJECTS["triplet_loss"]
    text = "\n".join(explanation(about))
    assert text.count("Gradients danchor, dpositive, dnegative\n(N, D), (N, D), (N, D)\n") == 1
    assert text.count("triplet_loss_gradients, minidl/losses/triplet.py:") == 1
    assert {source(of).path for of in about.gradients.values()} == {"minidl/losses/triplet.py"}


def test_a_helper_that_is_an_op_has_its_gradients(few):
    text = "\n".join(explanation(SUBJECTS["gaussian_loss"]))
    assert "  def tangent_dm(" in text and "  def tangent_dG(" in text


def test_what_is_explained_elsewhere_is_no_helper():
    names = [helper.lines[0].text for helper in SUBJECTS["style_loss"].helpers]
    assert not any("def gram_loss(" in name for name in names)
    assert any("FACTORS = " in name for name in names)


@pytest.mark.parametrize("thing", [ops.convolution, ops.relu.gradients["dx"], layers.Dense, source])
def test_the_numbers_are_those_of_the_lines_in_the_file(thing):
    found = source(thing)
    lines = (ROOT / found.path).read_text().splitlines()
    assert [line.text for line in found.lines] == [lines[n.number - 1] for n in found.lines]
    assert '"""' not in found.lines[1].text


def test_errors_are_said(few):
    def double(x):
        """y = 2 x

        >>> double(np.array([1.0]))
        array([3.])
        """
        return 2 * x

    def double_dx(dy):
        """∂y/∂x = 2, but not here"""
        return 3 * dy

    wrong = differentiable(double, dx=double_dx)
    row = Row("negative", wrong, lambda choose: {"x": Shape((3,))}, {"x": "linear"})
    about = Subject("double", "op", wrong, wrong.gradients, [row])
    text = "\n".join(explanation(about))
    assert "0 of 1 lines give what is stated here" in text
    assert text.count("WRONG") == 1 and "proven" not in text


def test_an_example_within_the_text_stays_there(few):
    text = "\n".join(explanation(SUBJECTS["winograd"]))
    assert text.index(">>> d, g") < text.index("**Several dimensions.**")
    assert "2 of 2 lines give what is stated here" in text


def test_the_nearest_name_is_proposed():
    with pytest.raises(ArgumentError, match="'convolutoin' to explain; did you mean 'convolution'"):
        subject("convolutoin")


@pytest.mark.parametrize(
    ("word", "names"), [("adam", "Adam"), ("energy", "siamese_energy_loss"), ("cosine", "Cosine")]
)
def test_names_that_contain_the_word_are_proposed(word, names):
    with pytest.raises(ArgumentError, match=f"did you mean .*{names}"):
        subject(word)


# ---- the command ---------------------------------------------------------------------------------


def test_the_command_is_plain_when_it_is_piped(few, capsys):
    assert main(["explain"]) == 0
    assert "Losses\n" in capsys.readouterr().out
    assert main(["explain", "relu"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("relu (ops)\n\ny = max(x, 0)\n") and "\x1b" not in out


@pytest.mark.parametrize("wants_none", [False, True])
def test_the_command_has_colours_on_a_terminal(few, capsys, monkeypatch, wants_none):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if wants_none:
        monkeypatch.setenv("NO_COLOR", "1")
    assert main(["explain", "relu"]) == 0
    assert (f"\x1b[{STYLES['good']}mproven\x1b[0m" in capsys.readouterr().out) != wants_none


def test_an_unknown_name_gives_exit_code_2(capsys):
    assert main(["explain", "reluu"]) == 2
    assert capsys.readouterr().err.endswith("did you mean 'relu'?\n")


def test_times_are_those_of_both_implementations(monkeypatch):
    """The engine is not used while the textbook is timed."""
    used = []
    real = measure._seconds

    def seconds(call, least):
        used.append(minidl.dispatch.implementation())
        return real(call, least)

    monkeypatch.setattr(measure, "_seconds", seconds)
    found = measure.times(SUBJECTS["max_pool"], least=0)
    assert used == ["textbook", "engine"] * 2
    assert found.shapes == {"x": (1, 64, 64, 64)}
    assert found.bytes == 4 * 64**3 * 5 // 4 and np.isfinite(found.forward).all()
