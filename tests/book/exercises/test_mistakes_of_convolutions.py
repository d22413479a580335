"""Mistakes that a student made in the exercises about convolution are named."""

import pytest

from tests.book.exercises import readers_of_convolutions as readers
from tests.book.exercises.mistakes import lines_about

AVERAGED = (
    "The sum is divided by T, the number of taps. The products add up; they are not averaged."
)
FORGOTTEN = "is forgotten. In the forward, output p starts at position p·stride - padding."
HIGH = "The padding is off by one: each position is one too high."
IMAGES = "The images are averaged. Their gradients add up."
LOW = "The padding is off by one: each position is one too low."
INTERLEAVED = "The groups are interleaved. A group consists of consecutive channels."
NEGATIVE = "A negative index reads from the end of the array. Skip positions below 0."
OVERWRITTEN = "The terms overwrite each other. Add them with +=."
PLUS = "The padding is added to the position. Subtract it."
INSIDE, BELOW = "0 <= i < H and 0 <= j < W", "i < H and j < W"
BOTH = "p * stride + t - padding\n", "q * stride + s - padding\n"

MISTAKES = {  # name of a reader's solution: [(its part, the mistake, what the check says)]
    "CONVOLUTION_1D": [
        ("0 <= i < L", "i < L", NEGATIVE),
        ("+=", "=", OVERWRITTEN),
        ("o + t - padding", "o + t - padding + 1", HIGH),
        ("o + t - padding", "o + t - padding - 1", LOW),
        ("o + t - padding", "o + t + padding", PLUS),
        ("o + t - padding", "o + t", "The padding is only behind the input."),
        ("w[t, c, k]", "w[T - 1 - t, c, k]",
         "The kernel is flipped. Tap t has to read the padded position o + t."),
        ("w[t, c, k]", "w[t, c, k] / T", AVERAGED),
        ("padding - T + 1\n", "padding - T + 2\n",
         "There are too many positions along axis 1: 4 instead of 3. Check the formula of P."),
        ("padding - T + 1\n", "padding - T\n",
         "The last positions are missing along axis 1: 2 instead of 3. Check the formula of P."),
        ("0 <= i < L", "True",
         "Position 4 is outside of x. Skip the padding: below 0 and above 3."),
    ],
    "CONVOLUTION_1D_BY_SLICES": [
        ("t : t + P]", "t:]", "The slice has more positions than y. End it at t + P."),
        ("t : t + P]", "t : t + P - 1]", "The slice has fewer positions than y. End it at t + P."),
        ("+=", "=", OVERWRITTEN),
        ("(padding, padding)", "(0, 2 * padding)", "The padding is only behind the input."),
        ("(padding, padding)", "(2 * padding, 0)", "The padding is only in front of the input."),
        ("(0, 0)))", "(0, 0)), mode='edge')", "The padding repeats the border. It is 0."),
        ("[t]", "[-1 - t]", "The kernel is flipped."),
    ],
    "CONVOLUTION_OPTIONS": [
        ("0 <= i < L", "i < L", NEGATIVE),
        ("s += ", "s = ", OVERWRITTEN),
        ("dilation - before", "dilation - before + 1", HIGH),
        ("dilation - before", "dilation - before - 1", LOW),
        ("dilation - before", "dilation + before", PLUS),
        ("dilation - before", "dilation - after", "The padding before and after are exchanged."),
        ("dilation - before", "dilation", "The padding is only behind the input."),
        ("w[t, c, k]", "w[T - 1 - t, c, k]", "The kernel is flipped. Tap t has to read"),
        ("o * stride", "o", "The stride is ignored."),
        ("t * dilation", "t", "The dilation is ignored."),
        ("k // (K // groups)", "k % groups", INTERLEAVED),
        ("g * inputs + c", "c * groups + g", INTERLEAVED),
        ("g * inputs + c", "c", "All groups read the channels of the first one."),
        ("b[k] + s", "b[k] + s / T", AVERAGED),
        ("b[k] + s", "s", "The bias is missing."),
        ("s += ", "s += b[k] + ", "The bias is added more than once."),
        ("b[k] + s", "T * b[k] + s", "The bias is added more than once."),
        ("(T - 1) - 1)", "(T - 1))",
         "There are too many positions along axis 1: 3 instead of 2. Check the formula of P."),
    ],
    "CONVOLUTION_DB": [
        ("return db", "return dy.sum(axis=(0, 1, 2), keepdims=True)",
         "Its numbers are right, but the shape has to be (2,), not (1, 1, 1, 2)."),
        ("return db", "return dy.sum(axis=(1, 2, 3))",
         "The sum runs over axis 3, the channels. It has to run over axes 0, 1 and 2."),
        ("return db", "return dy.sum(axis=(1, 2)).mean(axis=0)", IMAGES),
        ("return db", "return dy.sum(axis=0).mean(axis=(0, 1))", "The positions are averaged."),
        ("+=", "=", OVERWRITTEN),
    ],
    "CONVOLUTION_DX": [
        (INSIDE, BELOW, NEGATIVE),
        (INSIDE, "0 <= i < H and j < W", NEGATIVE.replace("array", "array along axis 2")),
        ("+=", "=", OVERWRITTEN),
        (BOTH, ("p * stride + t\n", "q * stride + s\n"), "dx is shifted by the padding: subtract"),
        (BOTH, ("p * stride + t - padding + 1\n", "q * stride + s - padding + 1\n"), HIGH),
        (BOTH, ("p * stride + t - padding - 1\n", "q * stride + s - padding - 1\n"), LOW),
        (BOTH, ("p * stride + t + padding\n", "q * stride + s + padding\n"), PLUS),
        (("p * stride", "q * stride"), ("p", "q"), f"The stride {FORGOTTEN}"),
        ("p * stride", "p", "The stride is ignored along axis 1."),
        ("q * stride", "q", "The stride is ignored along axis 2."),
        ("w[t, s, c, k]", "w[T - 1 - t, S - 1 - s, c, k]",
         "The kernel is flipped. dy[p] w[t] has to be added at the padded position p·stride + t."),
        ("w[t, s, c, k]", "w[t, S - 1 - s, c, k]", "The kernel is flipped along axis 2."),
        ("return dx", "return dx / N", IMAGES),
        (INSIDE, "True", "is outside of x. Skip the padding: below 0 and above 2."),
    ],
    "CONVOLUTION_DX_BY_SLICES": [
        ("padding:H + padding, padding:W + padding", ":H, :W", "dx is shifted by the padding"),
        ("padding:H + padding, padding:W + padding",
         "padding + 1:H + padding + 1, padding:W + padding", "The wrong positions are cut off."),
        ("padding:H + padding, padding:W + padding",
         "padding - 1:H + padding - 1, padding - 1:W + padding - 1",
         "The wrong positions are cut off."),
        ("padding:H + padding, padding:W + padding", "padding:-padding, padding:-padding",
         "It is empty. Note that a slice such as [p:-p] is empty for p = 0."),
        ("[:, padding:H + padding, padding:W + padding]", "", "The padding is not removed."),
        ("+=", "=", OVERWRITTEN),
        ("w[t, s].T", "w[t, s]", "The kernel's channels are not transposed"),
        ("t + P * stride, stride", "None, stride",
         "The slice has more positions than dy. End it at t + stride·(P - 1) + 1."),
    ],
    "CONVOLUTION_DW": [
        (INSIDE, BELOW, NEGATIVE),
        ("+=", "=", OVERWRITTEN),
        (BOTH, ("p * stride + t\n", "q * stride + s\n"), f"The padding {FORGOTTEN}"),
        (BOTH, ("p * stride + t - padding + 1\n", "q * stride + s - padding + 1\n"), HIGH),
        (BOTH, ("p * stride + t - padding - 1\n", "q * stride + s - padding - 1\n"), LOW),
        (("p * stride", "q * stride"), ("p", "q"), f"The stride {FORGOTTEN}"),
        ("p * stride", "p", "The stride is ignored along axis 1."),
        ("q * stride", "q", "The stride is ignored along axis 2."),
        ("dw[t, s, c, k] +=", "dw[T - 1 - t, S - 1 - s, c, k] +=",
         "The kernel is flipped. Tap t has to read the padded position p·stride + t."),
        ("return dw", "return dw / N", IMAGES),
    ],
    "IM2COL": [
        (INSIDE, BELOW, NEGATIVE),
        (BOTH, ("p * stride + t\n", "q * stride + s\n"), "The padding is only behind the input."),
        (BOTH, ("p * stride + t - padding + 1\n", "q * stride + s - padding + 1\n"), HIGH),
        (BOTH, ("p * stride + t - padding - 1\n", "q * stride + s - padding - 1\n"), LOW),
        (("= p * stride", "= q * stride"), ("= p", "= q"), "The stride is ignored."),
        ("= q * stride", "= q", "The stride is ignored along axis 2."),
        ("np.ndindex(T, S, C)", "((t, s, 0) for t, s in np.ndindex(T, S))",
         "Only the first channel is read. The row contains all of them."),
    ],
    "IM2COL_BY_SLICES": [
        ("np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))",
         "np.pad(x, padding)", "The images and the channels are padded too."),
        ("((0, 0), (padding, padding), (padding, padding), (0, 0))",
         "((0, 0), (0, 2 * padding), (0, 2 * padding), (0, 0))",
         "The padding is only behind the input."),
        ("x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))\n", "\n",
         "A slice that reaches beyond the end of an array is shorter than the others."),
        ("+ T, j : j + S].ravel", "+ T, j : j + S][::-1, ::-1].ravel",
         "The kernel is flipped. The first tap has to read the first number of a window."),
    ],
    "CONVOLUTION_GROUPS_DX": [
        ("+=", "=", OVERWRITTEN),
        ("g * inputs + c", "c", "All groups go to the channels of the first one."),
        ("k // (K // groups)", "k % groups", INTERLEAVED),
        ("g * inputs + c", "c * groups + g", INTERLEAVED),
        ("t * dilation", "t", "The dilation is ignored."),
        ("w[t, c, k]", "w[T - 1 - t, c, k]", "The kernel is flipped. dy[o] w[t] has to be added"),
        ("return dx", "return dx / groups", "The groups are averaged."),
        ("K // groups)", "inputs)", "The last index along axis 2 is 3."),
    ],
}  # fmt: skip


@pytest.mark.parametrize("solution", MISTAKES)
def test_the_mistakes_are_named(solution):
    text = getattr(readers, solution)
    for part, mistake, words in MISTAKES[solution]:
        lines = lines_about(text, part, mistake)
        assert any(words in line for line in lines), (part, mistake, lines)
        assert not any("none of the errors" in line or "error alone" in line for line in lines)
