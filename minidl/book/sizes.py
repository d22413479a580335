"""The arguments on which ops and losses are timed: of a size at which they occur in networks.

A size is a geometry (see `proofs.geometry`), which `proofs.fill` fills with numbers.
"""

from typing import Any

import numpy as np

from minidl.proofs import Shape
from minidl.proofs.geometry import Numbers

IMAGE = Shape((1, 64, 64, 64))  # one picture with 64 channels
CHANNELS = Shape((64,))
BATCH, POINTS, CLASSES = Shape((32, 28, 28, 64)), Shape((256, 128)), Shape((256, 10))
MATRIX, GRAM = Shape((512, 512)), Shape((1, 256, 256))
BATCH_OF_MATRICES = Shape((8, 128, 128))
CHOICE = Numbers(bool(number % 2) for number in range(64))
FEATURES, STYLE = Shape((1, 32, 32, 256)), Shape((1, 24, 40, 256))
SMALL, SMALL_STYLE = Shape((1, 32, 32, 64)), Shape((1, 24, 40, 64))
LABELS = Numbers(number % 10 for number in range(256))
SAME = Numbers(bool(number % 2) for number in range(256))
ONES = Numbers(np.ones((1, 32, 32)).tolist())
PLACES = Numbers(np.linspace(0, 63, 32 * 32).reshape(1, 32, 32).tolist())
STATISTICS = Shape((1, 256))
ELEMENTS = (
    "relu", "leaky_relu", "sigmoid", "tanh", "erf", "softplus", "elu", "silu", "gelu", "softmax",
    "negative", "exp", "log", "sqrt", "absolute", "l2_normalize", "sum", "mean", "max", "min",
    "prod", "var", "std", "cumsum", "logsumexp", "log_softmax", "expm1", "log1p", "sin", "cos",
    "flatten",
)  # fmt: skip
BROADCAST = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
OF_TWO_PICTURES = ("style_loss", "moments_loss", "wasserstein_loss", "histogram_loss")
CONVOLUTION = {"x": IMAGE, "w": Shape((3, 3, 64, 64)), "b": CHANNELS, "padding": 1}
DEPTHWISE = {**CONVOLUTION, "w": Shape((3, 3, 1, 64)), "groups": 64}

SIZES: dict[str, dict[str, Any]] = {
    **{name: {"x": IMAGE} for name in ELEMENTS},
    **{name: {"a": IMAGE, "b": CHANNELS} for name in BROADCAST},
    "convolution": CONVOLUTION,
    "convolution[depthwise]": DEPTHWISE,
    "transposed_convolution": {**CONVOLUTION, "stride": 2, "output_padding": 1},
    "max_pool": {"x": IMAGE, "window": 2},
    "avg_pool": {"x": IMAGE, "window": 2},
    "adaptive_max_pool": {"x": IMAGE, "size": 7},
    "adaptive_avg_pool": {"x": IMAGE, "size": 7},
    "upsample": {"x": IMAGE, "factor": 2, "method": "linear"},
    "batch_norm": {"x": BATCH, "gamma": CHANNELS, "beta": CHANNELS},
    "prelu": {"x": IMAGE, "slope": CHANNELS},
    "group_norm": {"x": BATCH, "gamma": CHANNELS, "beta": CHANNELS, "groups": 8},
    "layer_norm": {"x": BATCH, "gamma": CHANNELS, "beta": CHANNELS},
    "local_response_norm": {"x": BATCH, "size": 5},
    "embedding": {"w": Shape((1000, 128)), "indices": LABELS},
    "dropout": {"x": IMAGE, "keep": 0.5, "seed": 0},
    "power": {"x": IMAGE, "exponent": 2},
    "clip": {"x": IMAGE, "min": CHANNELS, "max": CHANNELS},
    "where": {"condition": CHOICE, "a": IMAGE, "b": CHANNELS},
    "matmul": {"a": MATRIX, "b": MATRIX},
    "einsum": {"a": BATCH_OF_MATRICES, "b": BATCH_OF_MATRICES, "subscripts": "nij,njk->nik"},
    "squeeze": {"x": IMAGE, "axis": 0},
    "expand_dims": {"x": IMAGE, "axis": 1},
    "stack": {"a": IMAGE, "b": IMAGE, "axis": 0},
    "split": {"x": IMAGE, "sections": 4, "axis": -1},
    "repeat": {"x": IMAGE, "repeats": 2, "axis": 1},
    "tile": {"x": IMAGE, "counts": (1, 2, 2, 1)},
    "reshape": {"x": IMAGE, "shape": (64, -1)},
    "transpose": {"x": IMAGE, "axes": (0, 3, 1, 2)},
    "concatenate": {"a": IMAGE, "b": IMAGE, "axis": -1},
    "index": {"x": IMAGE, "key": (slice(None), slice(0, 32))},
    "pad": {"x": IMAGE, "width": ((0, 0), (1, 1), (1, 1), (0, 0))},
    "broadcast_to": {"x": CHANNELS, "shape": (1, 64, 64, 64)},
    "resample": {"x": Shape((1, 64, 64, 3)), "rows": PLACES, "columns": PLACES},
    "cosine_similarity": {"a": POINTS, "b": POINTS},
    "pairwise_distances": {"a": POINTS, "b": POINTS},
    "chi_square": {"a": POINTS, "b": POINTS},
    "content_loss": {"generated": FEATURES, "content": FEATURES},
    "gram_matrix": {"features": FEATURES},
    "gram_loss": {"G": GRAM, "A": GRAM},
    "guided_gram_matrix": {"features": FEATURES, "guide": ONES},
    "deviation_loss": dict.fromkeys(
        ("m", "q", "target_mean", "target_deviation"), STATISTICS
    ),
    "gaussian_loss": {
        "m": STATISTICS, "G": GRAM, "target_mean": STATISTICS, "target_root": GRAM
    },
    "nearest_loss": {"generated": SMALL, "style": SMALL_STYLE},
    "patch_loss": {"generated": SMALL, "style": SMALL_STYLE},
    **{name: {"generated": FEATURES, "style": STYLE} for name in OF_TWO_PICTURES},
    **{
        name: {"predictions": IMAGE, "targets": IMAGE}
        for name in ("mse_loss", "l1_loss", "huber_loss")
    },
    "softmax_cross_entropy": {"logits": CLASSES, "labels": LABELS},
    "sigmoid_cross_entropy": {"logits": CLASSES, "targets": CLASSES},
    "siamese_energy_loss": {"a": POINTS, "b": POINTS, "same": SAME},
    "contrastive_loss": {"a": POINTS, "b": POINTS, "same": SAME},
    "triplet_loss": dict.fromkeys(("anchor", "positive", "negative"), POINTS),
    "total_variation": {"image": Shape((256, 256, 3))},
}  # fmt: skip
