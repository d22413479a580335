"""Mistakes that readers make in every exercise are named: a negative index, = for +=, a forgotten
axis, a position too many, a mean for a sum, a sum over a wrong axis, keepdims."""

import pytest

from minidl.book.exercises import EXERCISES
from tests.book.exercises import readers, readers_of_convolutions, readers_of_losses
from tests.book.exercises.mistakes import lines_about

SOLUTIONS = {
    name: text
    for module in (readers, readers_of_convolutions, readers_of_losses)
    for name, text in vars(module).items()
    if name.isupper()
}
COPIES = "The copies are averaged. Their gradients add up."
FIRST = "Only the first copy contributes. The gradients of all copies add up."
HIGH = "The padding is off by one: each position is one too high."
LOW = "The padding is off by one: each position is one too low."
NEGATIVE = "A negative index reads from the end of the array. Skip positions below 0."
OVERWRITTEN = "The terms overwrite each other. Add them with +=."
REACH = "The reach is wrong: a window covers dilation·(window - 1) + 1 positions."
SHAPE = "Its numbers are right, but the shape has to be"
TAPS = "t - padding", "s - padding"

MISTAKES = {  # name of a reader's solution: [(its part, the mistake, what the check says)]
    "WINDOW_OUTPUTS": [
        ("(window - 1) - 1)", "(window - 1))", REACH),
        ("(window - 1) - 1)", "window)", REACH),
        ("// stride + 1", "// stride", "The steps are counted, and not the positions"),
        ("// stride + 1", "// stride + 2", "There is one position too many"),
    ],
    "UNROLL": [
        ("h * W + w", "h * H + w", "row h·W + w, with the width W."),
        ("h * W + w", "w * H + h", "The positions are in the wrong order"),
    ],
    "UNBROADCAST": [("+=", "=", OVERWRITTEN)],
    "UNBROADCAST_BY_SUMS": [
        (", keepdims=True", "", "The axes of length 1 are lost"),
        ("(range(added)))", "(range(added)), keepdims=True)", SHAPE),
        ("dx.sum", "dx.mean", COPIES),
        ("dy.sum", "dy.mean", COPIES),
        ("dy.sum(axis=tuple(range(added)))", "dy[(0,) * added]", FIRST),
        ("dy.sum(axis=tuple(range(added)))", "dy.sum(axis=tuple(range(-added, 0)))",
         "The sum runs over axis 1 of dy. It has to run over axis 0."),
    ],
    "DIVIDE_GRADIENTS": [
        ("dy.sum(axis=0)", "dy.mean(axis=0)", COPIES),
        ("dy.sum(axis=0)", "dy[0]", FIRST),
        (", keepdims=True", "", f"da: {SHAPE} (1, 2), not (2,)."),
    ],
    "DENSE_GRADIENTS": [
        ("+=", "=", OVERWRITTEN),
        ("dw[c, k] +=", "dw[c, k] =", OVERWRITTEN),
        ("dw, db\n", "dw, dy.sum(axis=0, keepdims=True)\n", f"db: {SHAPE} (2,), not (1, 2)."),
        ("dw, db\n", "dw, dy.sum(axis=1)\n", "db sums over the outputs."),
        ("dw, db\n", "dw, dy.sum()\n", "db: The sum runs over axes 0, 1 of dy."),
        ("return dx, dw, db", "return dx / len(x), dw, db",
         "dx: It is divided by N, the length of axis 0 of dy."),
        ("return dx, dw, db", "return dx, db, dw",
         "The results are in the wrong order. Return dx, dw, db."),
    ],
    "MATMUL_GRADIENTS": [
        ("dy.sum(axis=0)", "dy.mean(axis=0)", "The batches that share a matrix are averaged."),
        ("dy.sum(axis=0)", "dy[0]", "Only the first batch contributes"),
        ("dy @ b.mT", "b @ dy.mT", "The factors are exchanged"),
    ],
    "MAX_POOL": [
        ("0 <= i < H and 0 <= j < W", "i < H and j < W", NEGATIVE),
        ("0 <= i < H and 0 <= j < W", "0 <= i < H and j < W", "the array along axis 2."),
        ("= p * stride", "= p", "The stride is ignored along axis 1."),
        ("= q * stride", "= q", "The stride is ignored along axis 2."),
        (TAPS, ("t", "s"), "The padding is only behind the input."),
        (TAPS, ("t - padding + 1", "s - padding + 1"), HIGH),
        (TAPS, ("t - padding - 1", "s - padding - 1"), LOW),
        ("max(y[n, p, q, c], x[n, i, j, c])", "x[n, i, j, c]", "The numbers overwrite each other."),
        ("- window) // stride + 1", "- window) // stride", "Check the formula of P."),
        ("H + 2 * padding", "H + padding", "Check the formula of P."),
    ],
    "MAX_POOL_DX": [
        ("+=", "=", "Overlapping windows overwrite each other."),
        ("= p * stride", "= p", "The stride is ignored along axis 1."),
        ("i + t, j + s", "t, s", "Add p·stride and q·stride."),
        ("return dx", "return dx / len(dy)", "The images are averaged."),
    ],
    "AVG_POOL_DX": [
        (("if 0 <= i < H", "if 0 <= j < W"), ("if i < H", "if j < W"), NEGATIVE),
        ("if 0 <= i < H", "if i < H", "the array along axis 1."),
        ("q * stride", "q", "The stride is ignored along axis 2."),
        ("- padding", "- padding + 1", HIGH),
        ("- padding", "- padding - 1", LOW),
        ("- padding", "+ padding", "The padding is added to the position."),
        ("(len(rows) * len(columns))", "len(rows)", "n(p,q) is wrong"),
    ],
    "BATCH_NORM": [
        ("mean = x.mean", "mean = x.sum", "The mean is a sum: it is not divided by M."),
        (".mean(axis=axes)\n    return", ".sum(axis=axes)\n    return", "The variance is a sum"),
        ("range(x.ndim - 1)", "range(1)", "Mean and variance run over the first axis only."),
    ],
    "BATCH_NORM_DX": [
        ("first = dy.mean", "first = dy.sum", "The term of the mean is not divided by M."),
        ("(dy * normalized).mean", "(dy * normalized).sum", "The term of the variance is not"),
        ("dy.mean(axis=axes)", "dy.mean(axis=0)", "run over the first axis only."),
    ],
    "BATCH_NORM_DGAMMA": [
        ("+=", "=", OVERWRITTEN),
        ("dgamma, dbeta\n", "dgamma, dy.sum(axis=0)\n", "dbeta: The sum runs over the first axis"),
        ("dgamma, dbeta\n", "dgamma, dy.sum(axis=-1)\n", "dbeta: The sum runs over the channels."),
        ("dgamma, dbeta\n", "dgamma, dy.sum(axis=axes, keepdims=True)\n", f"dbeta: {SHAPE} (1,)"),
        ("return dgamma, dbeta", "return dbeta, dgamma", "The results are in the wrong order."),
    ],
    "LOG_SUM_EXP": [("+=", "=", OVERWRITTEN), ("return y", "return y[:, None]", SHAPE)],
    "SOFTMAX_DX": [
        ("+=", "=", OVERWRITTEN),
        ("return dx", "return dx / len(y)", "The rows are averaged."),
        ("return dx", "return dx.sum(axis=0)", "The result is summed over axis 0."),
        ("return dx", "return y * (dy - (dy * y).sum(axis=0))", "along axis 0."),
    ],
    "CROSS_ENTROPY_DLOGITS": [
        ("axis=1", "axis=0", "The sum of the exponentials runs over the rows."),
        ("label] -= 1", "label - 1] -= 1", "The labels are off by one: class 0 is the first."),
        ("p[n, label] -= 1", "p[:, label] -= 1", "1 is subtracted at the labels of all rows."),
    ],
    "CONTENT_GRADIENT": [
        ("H * W * C", "H * W", "The normalization counts the positions only."),
        ("(F - P)", "(F - P).sum()", "The result is summed over axes 0, 1, 2."),
    ],
    "TOTAL_VARIATION_GRADIENT": [
        ("if i > 0", "if True", NEGATIVE),
        (("if i > 0", "if j > 0"), ("if True", "if True"), NEGATIVE),
        ("+=", "=", OVERWRITTEN),
    ],
    "TOTAL_VARIATION_BY_SLICES": [
        ("+=", "=", OVERWRITTEN),
        ("dx[:, :-1] -= 2 * right", "pass", "The pixels where a difference begins are forgotten"),
        ("dx[1:] += 2 * down", "pass", "The pixels where a difference ends are forgotten."),
    ],
    "GRAM_GRADIENT": [
        ("+=", "=", OVERWRITTEN),
        ("return dF", "return dF / len(F)", "divided by the number of positions."),
        ("return dF", "return dF.T", "This is the transposed gradient."),
    ],
    "STYLE_GRADIENT": [("F.T @ F / M", "F.T @ F / C", "G is divided by C.")],
    "ENERGY_LOSS": [
        ("+=", "=", OVERWRITTEN),
        ("/ len(a)", "/ a.size", "The loss is divided by all numbers of a."),
        (".sum())", ".mean())", "E is the root of a mean."),
    ],
    "ENERGY_GRADIENTS": [
        ("/ len(a)", "/ a.size", "The gradients are divided by all numbers of a."),
        ("np.sqrt((d ** 2).sum())", "np.sqrt(((a - b) ** 2).sum())", "Each pair has its own."),
    ],
    "CONTRASTIVE_GRADIENT": [("axis=1", "axis=0", "The distances run over the pairs")],
    "TRIPLET_GRADIENTS": [
        ("axis=1, keepdims=True", "", "The hinge decides for the sum of all triplets."),
        (("near - far", "dL * ("), ("near ** 0.5 - far ** 0.5", "dL * ("),
         "The distances are not squared where the hinge decides."),
    ],
    "WINOGRAD_DG": [
        ("+=", "=", OVERWRITTEN),
        ("return dg", "return dg / len(d)", "The tiles are averaged."),
        ("range(len(d))", "range(1)", "Only the first tile contributes."),
    ],
    "TAPE_BACKWARD": [
        ("+=", "=", "keeps only one part of its gradient"),
        ("reversed(order)", "order", "Go from the end."),
    ],
    "RESIDUAL_GRADIENTS": [
        ("x.T @ dz", "x.T @ dz / len(x)", "dw is the mean over the rows. It is their sum."),
        ("x.T @ dz", "x[-1:].T @ dz[-1:]", OVERWRITTEN),
    ],
    "ADJOINT_TEST": [(".sum()", ".mean()", "The products are averaged. Both sides are sums.")],
    "LBFGS_DIRECTION": [
        ("range(k - 1, -1, -1)", "range(k - 1, 0, -1)", "A loop leaves out the oldest pair."),
        ("[-1] @ y[-1]) / (y[-1] @ y[-1])", "[0] @ y[0]) / (y[0] @ y[0])", "of the oldest pair."),
    ],
    "ADAM_STEP": [("** t", "** (t + 1)", "The bias correction is off by one step")],
    "STYLE_NORMALIZATION": [("M * C) ** 2", "M * C)", "The square of M C is missing")],
}  # fmt: skip


@pytest.mark.parametrize("solution", MISTAKES)
def test_the_mistakes_are_named(solution):
    text = SOLUTIONS[solution]
    for part, mistake, words in MISTAKES[solution]:
        lines = lines_about(text, part, mistake)
        assert any(words in line for line in lines), (part, mistake, lines)
        assert not any("none of the errors" in line or "error alone" in line for line in lines)


@pytest.mark.parametrize("solution", SOLUTIONS)
def test_the_solutions_are_right_without_the_mistakes(solution):
    [first, *_] = lines_about(SOLUTIONS[solution])
    name, _, verdict = first.partition(" ")
    assert name in EXERCISES and verdict.startswith("is right")
