"""What wrong arrays tell about the error, where no known error gives them."""

import re

import numpy as np
import pytest

from minidl.book.exercises import EXERCISES, judge
from minidl.book.exercises.comparison import Observation
from minidl.book.exercises.diagnosis import diagnosed


def observed(found, right, **arguments):
    return Observation("dx", arguments, np.asarray(found, float), np.asarray(right, float))


RNG = np.random.default_rng(0)
A, B, C = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4)), RNG.normal(size=(4,))
CUBE, SQUARE = RNG.normal(size=(2, 3, 3)), RNG.normal(size=(4, 4))
SHAPES = {
    "It is empty. Note that a slice such as [p:-p] is empty for p = 0.": (A[0:0], A),
    "The sum over axis 0 is missing.": (A, A.sum(axis=0)),
    "The sum over axis 1 is missing.": (A, A.sum(axis=1, keepdims=True)),
    "The mean over axes 0, 1 is missing.": (A, A.mean()),
    "The axes are in the wrong order. It is right after .transpose(1, 0).": (A.T, A),
    "It contains the right numbers, from index (1, 2) on. Remove the others.":
        (np.pad(A, ((1, 1), (2, 0))), A),
    "The result is summed over axis 0. It must not be.": (A.sum(axis=0), A),
    "There are too many positions along axis 1: 5 instead of 4.":
        (np.pad(A, ((0, 0), (0, 1))), A),
    "The last positions are missing along axis 0: 2 instead of 3.": (A[:2], A),
    "Its numbers are right, but the shape has to be (3, 4), not (6, 2).": (A.reshape(6, 2), A),
    "Its numbers are right, but the shape has to be (4,), not (1, 4).":
        (A.sum(axis=0, keepdims=True), A.sum(axis=0)),
    "The sum runs over axis 1 of b. It has to run over axis 0.": (B.sum(axis=1), B.sum(axis=0)),
    "This is a mean over axis 1, not a sum. It has to run over axis 0.":
        (B.mean(axis=1), B.sum(axis=0)),
}  # fmt: skip
VALUES = {
    "It is 0 everywhere.": (0 * A, A),
    "The sign is wrong.": (-A, A),
    "It is the right answer times 2/3.": (2 * A / 3, A),
    "It is the right answer times 3.14159.": (np.pi * A, A),
    "It contains NaN or infinity.": (np.where(A[0, 0] == A, np.nan, A), A),
    "It is nearly right. Compute in float64 throughout, and without rounded constants or finite "
    "differences.": (A.astype(np.float32), A),
    "The factor b is missing.": (A, A * B),
    "The factor b is there once too often.": (A * B * B, A * B),
    "The factor c is missing.": (A, A * C),
    "It is the right answer minus b.": (A - B, A),
    "It is the right answer plus 2 c.": (A + 2 * C, A),
    "The axes are in the wrong order. It is right after .transpose(0, 2, 1).":
        (CUBE.transpose(0, 2, 1), CUBE),
    "The order is reversed along axis 1.": (A[:, ::-1], A),
    "The order is reversed along axes 0, 1.": (A[::-1, ::-1], A),
    "Only signs are wrong.": (A * np.sign(B), A),
    "The numbers are one position too late along axis 1.":
        (np.pad(A, ((0, 0), (1, 0)))[:, :-1], A),
    "The numbers are 2 positions too early along axis 1.":
        (np.pad(A, ((0, 0), (0, 2)))[:, 2:], A),
    "Only the last position along axis 0 is wrong.": (np.r_[A[:2], 3 + A[2:]], A),
    "Only the first and the last position along axis 1 are wrong.": (A + np.array([1, 0, 0, 2]), A),
    "Only the numbers at index 1, 2 along axis 1 are wrong.": (A + np.array([0, 1, 2, 0]), A),
    "The terms overwrite each other. Add them with +=.": (B[-1], B.sum(axis=0)),
    "The sum runs over axis 0 of square. It has to run over axis 1.":
        (SQUARE.sum(axis=0), SQUARE.sum(axis=1)),
}  # fmt: skip


@pytest.mark.parametrize("sentence", [*SHAPES, *VALUES])
def test_a_pattern_is_recognised(sentence):
    found, right = {**SHAPES, **VALUES}[sentence]
    assert diagnosed([observed(found, right, b=B, c=C, square=SQUARE)]) == sentence


def test_no_pattern_is_found_in_arbitrary_numbers():
    assert diagnosed([observed(A, B, c=C)]) is None


def test_few_numbers_prove_nothing():
    assert diagnosed([observed([1.0], [2.0])]) is None
    assert diagnosed([observed([1.0], [2.0])] * 4) == "It is the right answer times 1/2."


def test_a_sentence_has_to_hold_for_all_wrong_arrays():
    both = [observed(A[:, ::-1], A), observed(A[::-1], A)]
    assert diagnosed(both) == "The order is reversed along axis 1."  # of the first, which is large
    few = [observed(A[:1, :3:2], A[:1, 2::-2]), observed(A[::-1], A)]
    assert diagnosed(few) is None


def test_a_factor_that_changes_is_explained_by_a_size():
    pairs = [(one / one.size, one) for one in (RNG.normal(size=n) for n in (2, 3, 5))]
    wrong = [observed(found, right, x=right) for found, right in pairs]
    assert diagnosed(wrong) == "It is divided by the length of axis 0 of x."
    pairs = [(3 * len(one) * one, one) for one in (RNG.normal(size=(n, 2, 2)) for n in (2, 3))]
    wrong = [observed(found, right, x=right) for found, right in pairs]
    assert diagnosed(wrong) == "It is the right answer times 3 · (the length of axis 0 of x)."


def test_a_factor_is_explained_by_what_is_1_where_the_results_are_right():
    one, two = RNG.normal(size=(1, 4)), RNG.normal(size=(2, 4))
    wrong, right = observed(two / 2, two, x=two), observed(one, one, x=one)
    assert diagnosed([wrong]) == "It is the right answer times 1/2."
    assert diagnosed([wrong], [right]) == "It is divided by the length of axis 0 of x."
    named, other = (each._replace(axes={"x": ("N", "C")}) for each in (wrong, right))
    assert diagnosed([named], [other]) == "It is divided by N, the length of axis 0 of x."


def test_a_length_is_named():
    named = observed(np.pad(A, ((0, 1), (0, 0))), A)._replace(axes={"dx": ("P", "H")})
    words = "There are too many positions along axis 0: 4 instead of 3. Check the formula of P."
    assert diagnosed([named]) == words
    other = named._replace(axes={"dx": ("H", "W")})
    words = "There are too many positions along axis 0: 4 instead of 3 = H."
    assert diagnosed([other]) == words


# ---- through the check ---------------------------------------------------------------------------


def lines_of(name, function):
    verdict = judge(EXERCISES[name], function)
    assert not verdict.passed
    return verdict.lines


def test_the_smallest_wrong_case_is_named():
    def wrong(dy, y):
        return 5 * y * (dy - (dy * y).sum(axis=1, keepdims=True)) if len(y) > 1 else right(dy, y)

    right = EXERCISES["softmax-dx"].right
    *lines, difference = lines_of("softmax-dx", wrong)
    assert lines[:4] == [
        "softmax-dx is wrong.",
        "It is the right answer times 5.",
        "Right for: the example; one row.",
        "Wrong for: 3 rows, with",
    ]
    dy, y = (eval(line.partition("=")[2], {"np": np}) for line in lines[4:])  # can be copied
    assert dy.shape == (3, 4) and (dy == np.round(dy)).all() and abs(dy).min() > 0
    number = r"(-?\d+\.\d+)"
    found = re.fullmatch(
        rf"dx\[0, 0\] is {number}; wanted {number}\. 12 of 12 numbers differ\.", difference
    )
    assert float(found[1]) == pytest.approx(5 * float(found[2]), rel=1e-4)
    assert float(found[2]) == pytest.approx(right(dy, y)[0, 0], rel=1e-4)


def test_arrays_with_up_to_24_numbers_are_shown():
    lines = lines_of("im2col", lambda x, *options: EXERCISES["im2col"].right(x, *options)[:-1])
    assert "    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape(1, 2, 3, 1)" in lines

    def wrong_for_two(x, *options):
        return EXERCISES["im2col"].right(x, *options) * len(x)

    shown = "x of shape (2, 3, 3, 2), window = (2, 2), stride = 1, padding = 0."
    assert f"Wrong for: 2 images, with {shown}" in lines_of("im2col", wrong_for_two)


def test_a_right_function_is_told_how_well_it_fits():
    verdict = judge(EXERCISES["convolution-db"], EXERCISES["convolution-db"].right)
    assert re.fullmatch(
        r"Your function also fits the proof of minidl's own op: the relative error of db is \S+ "
        r"\(method: adjoint\), and at most 1e-12 is permitted\.",
        verdict.lines[1],
    )


def test_results_are_named_if_there_are_several():
    def wrong(dy, a, b):
        da, db = EXERCISES["divide-gradients"].right(dy, a, b)
        return 5 * da, db

    lines = lines_of("divide-gradients", wrong)
    assert lines[1] == "da: It is the right answer times 5."
    assert [line for line in lines if line.startswith("da[")]
    assert not [line for line in lines if line.startswith("db")]


def test_two_errors_of_two_results_are_both_named():
    def wrong(dy, x, w):
        return dy @ w.T, x.T @ dy / len(x), dy.mean(axis=0)

    assert lines_of("dense-gradients", wrong)[1:3] == [
        "dw: dw is the mean over the rows. It is their sum.",
        "db: db is the mean over the rows. It is their sum.",
    ]


def test_a_known_error_in_the_first_wrong_case_is_named_before_a_further_error():
    def wrong(x, w, b, stride, padding, dilation, groups):
        right = EXERCISES["convolution-options"].right
        return right(x, w, b * (dilation - 1), stride, padding, dilation, groups) * dilation

    lines = lines_of("convolution-options", wrong)
    assert lines[1:3] == [
        "The bias is missing.",
        'In the case "dilation 2", this error alone gives another result.',
    ]


def test_matrices_that_are_not_unique_are_repaired():
    A, B, G = EXERCISES["winograd-matrices"].right()
    flipped = B.copy()
    flipped[1, 2] *= -1
    name = "winograd-matrices"
    assert "B has to be transposed." in lines_of(name, lambda: (-A, -B.T, G))
    assert "A has to be transposed." in lines_of(name, lambda: (A.T, B, G))
    assert "B[1, 2] has the wrong sign." in lines_of(name, lambda: (-A, -flipped, G))


@pytest.mark.parametrize(
    "value, words",
    [
        (None, "returns None; wanted dx: end it with `return`"),
        ([[1.0, 2.0]], "dx is a list; wanted an array of float64: use np.array"),
        ("1", "dx is a str; wanted an array of float64"),
        (np.ones((1, 2), np.float32), "dx is an array of float32; wanted float64"),
        (np.ones((1, 2), int), "dx is an array of int64; wanted float64"),
        (np.ones((1, 2), complex), "dx is an array of complex128; wanted float64"),
        (np.array([[1, None]]), "dx is a value of type array of |O and shape (1, 2)"),
        (object(), "dx is a value of type object"),
        (np.full((1, 2), np.nan), "dx[0, 0] is nan; wanted 0.1875"),
        (np.ones((2, 1)), "dx has the shape (2, 1); wanted (1, 2)"),
        (1.0, "dx has the shape (); wanted (1, 2)"),
    ],
)
def test_a_value_of_another_kind_is_named(value, words):
    assert words in "\n".join(lines_of("softmax-dx", lambda dy, y: value))


def test_the_number_of_results_is_named():
    right = EXERCISES["divide-gradients"].right
    one = lines_of("divide-gradients", lambda *arguments: right(*arguments)[0])
    assert one[1] == "The function returns one array of shape (1, 2); wanted 2 values: da, db."
    three = lines_of("divide-gradients", lambda *arguments: (*right(*arguments), 1))
    assert three[1] == "The function returns 3 values; wanted 2 values: da, db."


def test_a_number_may_be_of_any_kind_but_an_integer_is_an_integer():
    right = EXERCISES["window-outputs"].right
    assert judge(EXERCISES["window-outputs"], lambda *a: np.int32(right(*a))).passed
    lines = lines_of("window-outputs", lambda *a: float(right(*a)))
    assert lines[1] == "out is 4.0, which is no integer; wanted an integer."
    assert judge(
        EXERCISES["energy-loss"], lambda *a: float(EXERCISES["energy-loss"].right(*a))
    ).passed


def test_a_function_that_writes_to_its_inputs_is_refused():
    def in_place(dy, y):
        dy *= y
        return dy

    def unlocked(dy, y):
        dy.flags.writeable = True
        dy += 1
        return EXERCISES["softmax-dx"].right(dy - 1, y)

    for function in (in_place, unlocked):
        assert "It writes to an array that was passed in" in lines_of("softmax-dx", function)[1]


def test_a_function_that_keeps_something_is_found():
    totals: dict = {}

    def accumulating(dy, y):
        dx = EXERCISES["softmax-dx"].right(dy, y)
        totals[dy.tobytes()] = totals.get(dy.tobytes(), 0) + dx
        return totals[dy.tobytes()]

    lines = lines_of("softmax-dx", accumulating)
    assert "The function keeps something" in lines[1]
    assert "Wrong for: the example once more" in lines[3]


def test_numbers_that_agree_roughly_are_no_proof():
    """The comparison allows 1e-9, and the proof 1e-12."""

    def inexact(dy, y):
        return EXERCISES["softmax-dx"].right(dy, y) * (1 + 1e-10)

    verdict = judge(EXERCISES["softmax-dx"], inexact)
    assert not verdict.passed and verdict.lines[0].startswith("softmax-dx is nearly right")
    assert "does not fit the proof" in verdict.lines[1]
    assert verdict.lines[1].endswith("but at most 1e-12 is permitted.")
