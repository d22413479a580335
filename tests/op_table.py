"""The table of ops for the tests: the rows of `minidl.proofs.ROWS`, each with its oracle and the
arrays that it keeps, and cases drawn by hypothesis."""

from typing import Any, NamedTuple

from hypothesis import strategies as st

from minidl import losses, ops
from minidl.autograd import Op
from minidl.proofs import ROWS, RandomChooser, Row, fill

BY_NAME = {row.name: row for row in ROWS}


class Case(NamedTuple):
    """A row of the table with one geometry, filled with numbers."""

    row: Row
    arguments: dict
    seed: Any


class HypothesisChooser:
    """A Chooser (see `proofs.geometry`) that draws from hypothesis, which shrinks towards small
    integers and first options."""

    def __init__(self, draw):
        self._draw = draw

    def integer(self, low, high):
        return self._draw(st.integers(low, high))

    def one_of(self, options):
        return options[self.integer(0, len(options) - 1)]


@st.composite
def cases(draw, row):
    geometry, seed = row.draw(HypothesisChooser(draw)), draw(st.integers(0, 2**32 - 1))
    return Case(row, fill(row, geometry, seed), seed)


def drawn(row, number):
    """Return a case that depends on the number only."""
    return Case(row, fill(row, row.draw(RandomChooser(number)), number), number)


def public_op(row):
    """Return the public op of a row: `ops.convolution` for "convolution[im2col]". A loss that is
    composed of ops is a function."""
    if isinstance(row.op, Op):
        return row.op
    name = row.name.split("[")[0]
    return getattr(ops, name, None) or getattr(losses, name)


def of_row(table, row):
    """Return the entry of a row in ORACLES or KEEPS: under its name, or that of its op."""
    name = row.name.split("[")[0]
    assert row.name in table or name in table, (
        f"{name} has no entry: add one to ORACLES (tests/oracles.py) and to KEEPS "
        "(tests/op_table.py)"
    )
    return table.get(row.name) or table[name]


# row -> argument -> the arrays that the gradient with respect to this argument reads. Only they may
# be kept for it. y is the output.
KEEPS = {
    "convolution": {"x": "w", "w": "x", "b": ""},
    "convolution_relu": {"x": "wy", "w": "xy", "b": "y"},
    "transposed_convolution": {"x": "w", "w": "x", "b": ""},
    "max_pool": {"x": "xy"},
    "avg_pool": {"x": ""},
    "adaptive_max_pool": {"x": "x"},
    "adaptive_avg_pool": {"x": ""},
    "upsample": {"x": ""},
    "batch_norm": dict.fromkeys(("x", "gamma", "beta"), ("x", "gamma")),
    "batch_norm[fixed]": dict.fromkeys(("x", "gamma", "beta"), ("x", "gamma", "mean", "variance")),
    "batch_norm[plain]": {"x": "x"},
    "batch_norm_relu": dict.fromkeys(("x", "gamma", "beta"), ("x", "gamma", "y")),
    "group_norm": dict.fromkeys(("x", "gamma", "beta"), ("x", "gamma")),
    "group_norm[plain]": {"x": "x"},
    "layer_norm": dict.fromkeys(("x", "gamma", "beta"), ("x", "gamma")),
    "layer_norm[plain]": {"x": "x"},
    "local_response_norm": {"x": "x"},
    "embedding": {"w": ("indices",)},
    "dropout": {"x": ""},
    "relu": {"x": "y"},
    "leaky_relu": {"x": "x"},
    "prelu": {"x": ("x", "slope"), "slope": "x"},
    "sigmoid": {"x": "y"},
    "tanh": {"x": "y"},
    **{name: {"x": "x"} for name in ("erf", "softplus", "elu")},
    "silu": {"x": "xy"},
    "gelu": {"x": "xy"},
    "softmax": {"x": "y"},
    "log_softmax": {"x": "y"},
    "logsumexp": {"x": "xy"},
    "add": {"a": "", "b": ""},
    "subtract": {"a": "", "b": ""},
    "multiply": {"a": "b", "b": "a"},
    "divide": {"a": "b", "b": "by"},
    "negative": {"x": ""},
    "power": {"x": ("x", "exponent"), "exponent": "xy"},
    "power[number]": {"x": "x"},
    "exp": {"x": "y"},
    "log": {"x": "x"},
    "sqrt": {"x": "y"},
    "expm1": {"x": "y"},
    "log1p": {"x": "x"},
    "sin": {"x": "x"},
    "cos": {"x": "x"},
    "absolute": {"x": "x"},
    "maximum": {"a": "ab", "b": "ab"},
    "minimum": {"a": "ab", "b": "ab"},
    "clip": dict.fromkeys(("x", "min", "max"), ("x", "min", "max")),
    "clip[numbers]": {"x": "x"},
    "where": {"a": ("condition",), "b": ("condition",)},
    "matmul": {"a": "b", "b": "a"},
    "einsum": {"a": "b", "b": "a"},
    "einsum[one]": {"a": ""},
    "sum": {"x": ""},
    "mean": {"x": ""},
    "max": {"x": "x"},
    "min": {"x": "x"},
    "prod": {"x": "x"},
    "var": {"x": "x"},
    "std": {"x": "xy"},
    "cumsum": {"x": ""},
    "reshape": {"x": ""},
    "transpose": {"x": ""},
    "concatenate": {"a": "", "b": ""},
    "flatten": {"x": ""},
    "squeeze": {"x": ""},
    "expand_dims": {"x": ""},
    "split": {"x": ""},
    "repeat": {"x": ""},
    "tile": {"x": ""},
    "stack": {"a": "", "b": ""},
    "index": {"x": ""},
    "pad": {"x": ""},
    "broadcast_to": {"x": ""},
    "resample": {"x": ("rows", "columns")},
    "l2_normalize": {"x": "xy"},
    "cosine_similarity": {"a": "aby", "b": "aby"},
    "pairwise_distances": {"a": "aby", "b": "aby"},
    "pairwise_distances[one-set]": {"a": "ay"},
    "pairwise_distances[one-set,duplicates]": {"a": "ay"},
    "chi_square": {"a": "ab", "b": "ab"},
    "content_loss": {"generated": ("generated", "content"), "content": ("generated", "content")},
    "gram_matrix": {"features": ("features",)},
    "gram_loss": {"G": "GA", "A": "GA"},
    "style_loss": {"generated": ("generated", "style"), "style": ("generated", "style")},
    "guided_gram_matrix": {"features": ("features", "guide")},
    "deviation_loss": {
        "m": ("m", "q", "target_mean", "target_deviation"),
        "q": ("m", "q", "target_deviation"),
    },
    "moments_loss": {"generated": ("generated",)},
    "gaussian_loss": {"m": ("m", "target_mean"), "G": ""},
    "wasserstein_loss": {"generated": ("generated",)},
    "histogram_loss": {"generated": ("generated",)},
    "nearest_loss": {"generated": ("generated",)},
    "patch_loss": {"generated": ""},
    "softmax_cross_entropy": {"logits": ("logits", "labels")},
    "softmax_cross_entropy[weights]": {"logits": ("logits", "labels", "weights")},
    "softmax_cross_entropy[probabilities]": {
        "logits": ("logits", "labels", "weights"),
        "labels": ("logits", "weights"),
    },
    "mse_loss": dict.fromkeys(("predictions", "targets"), ("predictions", "targets")),
    "l1_loss": dict.fromkeys(("predictions", "targets"), ("predictions", "targets")),
    "huber_loss": dict.fromkeys(("predictions", "targets"), ("predictions", "targets")),
    "sigmoid_cross_entropy": {"logits": ("logits", "targets"), "targets": ("logits",)},
    "sigmoid_cross_entropy[weights]": {
        "logits": ("logits", "targets", "weights", "positive_weight"),
        "targets": ("logits", "weights", "positive_weight"),
    },
    "siamese_energy_loss": {"a": ("a", "b", "same"), "b": ("a", "b", "same")},
    "contrastive_loss": {"a": ("a", "b", "same"), "b": ("a", "b", "same")},
    "triplet_loss": dict.fromkeys(
        ("anchor", "positive", "negative"), ("anchor", "positive", "negative")
    ),
    "total_variation": {"image": ("image",)},
}
