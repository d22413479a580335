"""Each exercise accepts right functions, however they are written, and names each known error."""

import ast

import numpy as np
import pytest

from minidl.book.chapters import chapters
from minidl.book.exercises import EXERCISES, exercise, judge, template, worked_example
from minidl.book.exercises.calls import calls
from minidl.errors import ArgumentError
from minidl.layers import Convolution, ReLU, Sequential
from minidl.visualize.network import of_sequential
from minidl.visualize.saliency.gradients import grad_cam
from minidl.visualize.scalars import Scalar
from minidl.visualize.units import Unit
from tests.book.exercises import solutions, solutions_of_systems

SOLUTIONS = {**vars(solutions), **vars(solutions_of_systems)}
MATHS = [chapter.name for chapter in chapters() if chapter.part == "The maths"]


def positional(exercise, function):
    """Return the function of keywords as one of positional arguments, as a reader writes it."""
    return lambda *values: function(**dict(zip(exercise.parameters, values, strict=True)))


def test_every_chapter_has_an_exercise_and_those_about_maths_two():
    chapters_of = [one.chapter for one in EXERCISES.values()]
    assert [*dict.fromkeys(chapters_of)] == [chapter.name for chapter in chapters()]
    assert min(map(chapters_of.count, MATHS)) >= 2


@pytest.mark.parametrize("name", EXERCISES)
def test_a_solution_that_is_written_differently_passes(name):
    verdict = judge(EXERCISES[name], SOLUTIONS[EXERCISES[name].function])
    assert verdict.passed, verdict.lines
    assert verdict.lines[0].startswith(f"{name} is right")
    assert len(verdict.lines) == 1 + len(EXERCISES[name].kinds)
    for line in verdict.lines[1:]:
        assert line.startswith("Your function also fits the proof of minidl's own op: the relative")


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_function_passes(name):
    assert judge(EXERCISES[name], EXERCISES[name].right).passed


@pytest.mark.parametrize("name", EXERCISES)
def test_each_known_error_is_named(name):
    one = EXERCISES[name]
    assert len(one.wrong) >= 3
    for sentence, function in one.errors:
        with np.errstate(all="ignore"):
            verdict = judge(one, positional(one, function))
        assert not verdict.passed
        assert any(line.endswith(sentence) for line in verdict.lines), verdict.lines
        assert not any("this error alone" in line for line in verdict.lines)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_cases_go_from_the_example_to_the_general(name):
    cases = [call.case for call in calls(EXERCISES[name])]
    assert cases[0] == "the example" and cases[-1] == "the example once more"
    if EXERCISES[name].parameters:
        assert len({*cases}) >= 4


@pytest.mark.parametrize("name", EXERCISES)
def test_the_numbers_that_are_shown_are_whole(name):
    """The first call of each case has whole numbers, apart from results such as probabilities."""
    one, seen = EXERCISES[name], set()
    for call in calls(one):
        assert all(np.isfinite(array).all() for array in call.right)
        first = call.case not in seen and call.case in one.cases
        seen.add(call.case)
        for argument, value in call.arguments.items() if first else ():
            is_drawn = argument not in ("y", "epsilon", *"ABG") and isinstance(value, np.ndarray)
            assert not is_drawn or (value == np.round(value)).all(), (call.case, argument)


def test_the_axes_have_the_names_of_the_task():
    axes = EXERCISES["convolution-options"].axes
    assert axes["y"] == ("N", "P", "K") and axes["w"] == ("T", "C / groups", "K")
    assert EXERCISES["convolution-dx"].axes["w"] == ("T", "S", "C", "K")
    assert EXERCISES["dense-gradients"].axes["db"] == ("K",)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_file_to_fill_in(name):
    one, text = EXERCISES[name], template(EXERCISES[name])
    tree = ast.parse(text)
    [imported] = [node for node in tree.body if isinstance(node, ast.Import)]
    assert [alias.name for alias in imported.names] == ["numpy"]
    [function] = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert function.name == one.function
    assert [argument.arg for argument in function.args.args] == one.parameters
    words = ast.get_docstring(tree)
    assert one.task in words and f"minidl exercise {name} {name}.py" in words
    assert "# Hint: " in text and max(map(len, text.splitlines())) <= 100
    for line in text.splitlines():
        assert line == line.rstrip()


@pytest.mark.parametrize("name", EXERCISES)
def test_code_fits_on_a_phone(name):
    one = EXERCISES[name]
    assert max(map(len, one.stub.splitlines())) <= 60
    for line in worked_example(one):
        assert not line.startswith("#") or "is np.array" not in line
        assert line.startswith("#") or "np.array" in line or len(line) <= 60


@pytest.mark.parametrize("name", EXERCISES)
def test_an_unfilled_file_says_so(name):
    names: dict = {}
    exec(template(EXERCISES[name]), names)
    verdict = judge(EXERCISES[name], names[EXERCISES[name].function])
    assert verdict == (False, ["The function is not filled in yet: it raises NotImplementedError."])


def test_the_example_in_a_file_is_computed():
    text = template(exercise("softmax-dx"))
    assert "    y = np.array([[0.25, 0.75]])\n    dx = softmax_dx(dy, y)\n" in text
    assert "    # dx is\n    # np.array([[0.1875, -0.1875]])\n" in text
    assert "Example:" not in template(exercise("winograd-matrices"))  # it would be the solution


@pytest.mark.parametrize("name", EXERCISES)
def test_sentences_are_whole(name):
    one = EXERCISES[name]
    for sentence in one.wrong:
        assert sentence.endswith(".") and len(sentence) <= 100
    assert not one.title.endswith(".")


def test_the_nearest_name_is_proposed():
    with pytest.raises(ArgumentError, match="'convolutoin-dx'; did you mean 'convolution-dx'"):
        exercise("convolutoin-dx")


def test_grad_cam_of_the_exercise_is_that_of_a_network():
    """F is the mean over 6 positions of Σ_k v[k] A[k], so that its gradient is v / 6."""
    A, v = np.arange(12.0).reshape(2, 3, 2), np.array([[3.0], [-2.5]])
    layers = {"relu": ReLU(), "weighted": Convolution(v[None, None], np.zeros(1))}
    network = of_sequential(Sequential(layers).freeze(), lambda pictures: pictures)
    found = exercise("grad-cam").right(A, np.broadcast_to(v[:, 0] / 6, A.shape))
    np.testing.assert_allclose(found, grad_cam(Scalar(network, Unit("weighted", 0)), A, "relu"))
    assert 0 < np.count_nonzero(found) < 6
