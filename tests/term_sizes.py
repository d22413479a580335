"""The size of the terms of y and of the gradients, which rounding errors are compared with.

A small difference of large terms has a rounding error of the size of the terms. `sizes` therefore
computes y and the gradients with every difference turned into a sum.
"""

from dataclasses import replace

import numpy as np

from minidl import autograd, losses, ops
from minidl.backend import to_numpy
from minidl.ops.arithmetic import unbroadcast
from minidl.ops.directions import inverse
from tests.running import (
    cotangent,
    differentiate,
    in_floats,
    in_numpy,
    record,
    transformed,
    worst,
)


def against_float64(case, dtype):
    """Yield (result in dtype, result in float64, size of its terms) for y and each gradient."""
    narrow = transformed(case, in_floats(dtype))
    wide = transformed(narrow, in_floats(np.float64))
    y, dy, gradients = differentiate(narrow)
    wanted_y, _, wanted = differentiate(wide, dy.astype(np.float64))
    y_size, gradient_sizes = sizes(wide)
    yield y, wanted_y, y_size
    for name, gradient in gradients.items():
        yield gradient, wanted[name], gradient_sizes[name]


def sizes(case):
    """Return (size of the terms of y, sizes of the terms of the gradients by name)."""
    name = case.row.name.split("[")[0]
    _, y = record(case)
    dy = abs(cotangent(case, y))
    if name in SIZES:
        return SIZES[name](transformed(case, to_numpy).arguments, to_numpy(dy))
    y, _, gradients = differentiate(MAGNIFIED.get(name, magnified)(case), dy)
    if name in SLOPES_NEAR_1:
        gradients = {"x": to_numpy(dy)}
    return worst(y), {name: worst(gradient) for name, gradient in gradients.items()}


def batch_norm_sizes(arguments, dy):
    """Return the sizes for batch normalization: a set is a channel."""
    others = tuple(range(arguments["x"].ndim - 1))
    return normalization_sizes(arguments, dy, sets=others, shared=others)


def group_norm_sizes(arguments, dy):
    """Return the sizes for group normalization: a set is a group of channels of an example."""
    N, *_, C = arguments["x"].shape
    shape = N, -1, arguments["groups"], C // arguments["groups"]
    grouped = {
        name: arguments[name].reshape(shape if name == "x" else shape[2:])
        for name in ("x", "gamma", "beta")
        if name in arguments
    }
    return normalization_sizes({**arguments, **grouped}, dy.reshape(shape), (1, 3), (0, 1))


def layer_norm_sizes(arguments, dy):
    """Return the sizes for layer normalization: a set lies along the last axes."""
    axes = [*range(dy.ndim)]
    others, last = axes[: -arguments["axes"]], axes[-arguments["axes"] :]
    return normalization_sizes(arguments, dy, tuple(last), tuple(others))


def normalization_sizes(arguments, dy, sets, shared):
    """Return the sizes for a normalization.

    x - mean loses digits of x twice: in y itself and in the deviation that it is divided by. sets:
    the axes of a set. shared: the axes along which gamma is the same.
    """
    x = arguments["x"]
    gamma, beta = (abs(arguments.get(name, 1.0)) for name in ("gamma", "beta"))
    mean = arguments.get("mean", x.mean(axis=sets, keepdims=True))
    variance = arguments.get("variance", x.var(axis=sets, keepdims=True))
    deviation = np.sqrt(variance + arguments["epsilon"])
    lost = 1 + abs(x).max(axis=sets, keepdims=True) / deviation
    normalized = lost * (1 + abs(x - mean).max(axis=sets, keepdims=True) / deviation)
    gamma_of_set = (gamma * np.ones(x.shape)).max(axis=sets, keepdims=True)
    gradients = {
        "x": gamma_of_set / deviation * normalized**2 * dy.max(),
        "gamma": (normalized * dy).sum(axis=shared),
        "beta": dy.sum(axis=shared),
    }
    return worst(gamma * normalized + beta), {name: worst(dx) for name, dx in gradients.items()}


def deviation_sizes(arguments, dy):
    """Return the sizes for the loss of means and deviations. q - m² loses digits of q."""
    names = "m", "q", "target_mean", "target_deviation"
    m, q, m_t, s_t = (abs(arguments[name]) for name in names)
    e = arguments["epsilon"] / (1 + arguments["epsilon"]) * (s_t**2).mean(axis=1, keepdims=True)
    sigma = np.sqrt(np.maximum(q - m * m, 0) + e)
    lost = 1 + (q + m * m) / sigma**2
    s = lost * (sigma + s_t)
    dq = dy * (s / sigma * lost).max()
    return worst(((m + m_t) ** 2 + s**2).sum()), {"m": 2 * dy * worst(m + m_t) + dq, "q": dq}


def gaussian_sizes(arguments, dy):
    """Return the sizes for the distance of Gaussians, with the root of S for |A| / |K|."""
    names = "m", "G", "target_mean", "target_root"
    m, G, m_t, A = (abs(arguments[name]) for name in names)
    e = arguments["epsilon"] * (A * A).sum() / A.size
    S = G - m[:, :, None] * m[:, None] + e * np.eye(m.shape[1])
    K = np.linalg.norm(A, axis=(1, 2)) / np.sqrt(np.linalg.eigvalsh(S)[:, 0])
    traces = np.trace(G, axis1=1, axis2=2).sum() + (A * A).sum()
    vectors = worst(m + m_t)
    y = vectors**2 * m.size + (1 + worst(K)) * traces
    return y, {"m": 2 * dy * (1 + worst(K)) * vectors, "G": dy * (1 + worst(K))}


def features_sizes(arguments, dy):
    """Return the sizes for a loss of the moments of features.

    Their mean squares lose digits where variances are small, down to e.
    """
    F, T = (abs(arguments[name]) for name in ("generated", "style"))
    e = arguments["epsilon"] * arguments["style"].var(axis=(1, 2)).mean(axis=1)
    M, squares = F.shape[1] * F.shape[2], max((F * F).max(), (T * T).max())
    lost = (1 + squares / e.min()) ** 2
    return lost * squares * F.size / M, {"generated": lost * dy * np.sqrt(squares) / M}


def difference_sizes(arguments, dy):
    """Return the sizes for a mean squared difference of the features and chosen ones."""
    sums = sum(worst(arguments[name]) for name in ("generated", "style"))
    return len(arguments["style"]) * sums**2, {"generated": 2 * dy * sums}


def cosine_sizes(arguments, dy):
    """Return the sizes for 1 - the cosine of features and chosen ones."""
    F = arguments["generated"]
    lengths = np.linalg.norm(F, axis=-1)
    return 2 * len(F), {"generated": 2 * dy / lengths.min()}


def logsumexp_sizes(arguments, dy):
    """Return the sizes for the logarithm of a sum of exponentials, and for log_softmax. An
    exponential e^z loses as many digits as z has before the point."""
    lost = 2 * worst(arguments["x"]) + 1 + np.log(arguments["x"].size)
    return lost, {"x": lost * dy.sum()}


def variance_sizes(arguments, dy):
    """Return the sizes for the variance. The deviations lose digits of the numbers."""
    x = arguments["x"]
    n = counted(x, arguments["axis"])
    largest, factor = 2 * worst(x), n / (n - arguments["correction"])
    return largest**2 * factor, {"x": 2 * largest * worst(dy) / n * factor}


def deviation_of_numbers_sizes(arguments, dy):
    """Return the sizes for the standard deviation."""
    x, axis, correction = arguments["x"], arguments["axis"], arguments["correction"]
    n = counted(x, axis)
    smallest, factor = x.std(axis=axis).min(), n / (n - correction)
    largest = 2 * worst(x)
    lost = largest / smallest
    return largest * factor, {"x": lost * (1 + lost) * worst(dy) * factor}


def counted(x, axis):
    """Return the number of elements along the axes."""
    return x.size // np.sum(x, axis=axis).size


def cross_entropy_sizes(arguments, dy):
    """Return the sizes for ln Σ e^z + z instead of ln Σ e^z - z, and p + q instead of p - q."""
    z, options = abs(arguments["logits"]), {"weights": None, "ignore": None, **arguments}
    names = ("labels", "smoothing", "weights", "ignore")
    a, Z = losses.cross_entropy.target(z, *(options[name] for name in names))
    k = 1 / Z if arguments["reduction"] == "mean" else 1
    terms = k * (np.log(np.exp(z).sum(axis=-1, keepdims=True)) + z)
    w, factor = 1 if options["weights"] is None else options["weights"], worst(dy)
    y = (a * terms).sum(axis=-1)
    gradients = {
        "logits": worst(factor * k * (a.sum(axis=-1, keepdims=True) + a)),
        "labels": worst(factor * w * terms),
    }
    return worst(y if arguments["reduction"] == "none" else y.sum()), gradients


def binary_cross_entropy_sizes(arguments, dy):
    """Return the sizes for 1 + |t| instead of 1 - t, and p + 1 instead of p - 1."""
    names = "logits", "targets", "weights", "positive_weight"
    z, t, w, v = (abs(arguments[name]) for name in names)
    k = 1 / z.size if arguments["reduction"] == "mean" else 1
    log_no, log_yes = losses.binary_cross_entropy.minus_logarithms(z)
    y, factor = k * w * (v * t * log_yes + (1 + t) * log_no), worst(dy) * k
    gradients = {
        "logits": worst(factor * w * (2 * v * t + 1 + t)),
        "targets": worst(factor * w * (v * log_yes + log_no)),
    }
    return worst(y if arguments["reduction"] == "none" else y.sum()), gradients


def power_sizes(arguments, dy):
    """Return the sizes for a power of positive numbers. Nothing cancels but the terms of the sums
    over the axes along which an input was repeated."""
    x, exponent = arguments["x"], arguments.get("exponent", arguments.get("number"))
    y = x**exponent
    gradients = {"x": abs(dy * exponent * y / x)}
    if "exponent" in arguments:
        gradients["exponent"] = abs(dy * y * np.log(x))
    return worst(y), {
        name: worst(unbroadcast(gradient, arguments[name].shape))
        for name, gradient in gradients.items()
    }


SIZES = {  # name of the op -> function (arguments, |dy|) that returns the sizes
    "softmax_cross_entropy": cross_entropy_sizes,
    "sigmoid_cross_entropy": binary_cross_entropy_sizes,
    "batch_norm": batch_norm_sizes,
    "batch_norm_relu": batch_norm_sizes,
    "group_norm": group_norm_sizes,
    "layer_norm": layer_norm_sizes,
    "deviation_loss": deviation_sizes,
    "gaussian_loss": gaussian_sizes,
    "moments_loss": features_sizes,
    "wasserstein_loss": features_sizes,
    "histogram_loss": difference_sizes,
    "patch_loss": difference_sizes,
    "nearest_loss": cosine_sizes,
    "power": power_sizes,
    "logsumexp": logsumexp_sizes,
    "log_softmax": logsumexp_sizes,
    "var": variance_sizes,
    "std": deviation_of_numbers_sizes,
}

# ---- cases and ops in which no terms cancel ------------------------------------------------------


def magnified(case):
    return transformed(case, abs)


def unchanged(case):
    """Return the case of an op that sums nothing except the cotangent."""
    return case


def with_arguments(case, **arguments):
    return case._replace(arguments={**case.arguments, **arguments})


def with_op(case, op):
    return case._replace(row=replace(case.row, op=op))


def with_gradients(op, joint=None, **gradients):
    """Return a change of the case: the op gets these gradients, in which no terms cancel."""
    magnified_op = autograd.differentiable(op.forward, joint=joint, **gradients)
    return lambda case: with_op(case, magnified_op)


def checkered(case):
    """Give adjacent pixels opposite signs, so that each difference becomes a sum of two sizes."""
    height, width = case.arguments["image"].shape[-3:-1]
    signs = (-1.0) ** np.add.outer(range(height), range(width))[..., None]
    return transformed(case, in_numpy(lambda image: abs(image) * signs))


def style_loss_of_sum(generated, style, normalization):
    """Compute the style loss with G + A instead of G - A."""
    N, H, W, C = generated.shape
    A = style if style.ndim == 3 else losses.gram_matrix(style, "positions")
    sums = losses.gram_matrix(generated, "positions") + A
    return (sums * sums).sum() * losses.style.FACTORS[normalization](N, H * W, C)


def with_opposite_signs(case):
    """Make each difference of predictions and targets a sum."""
    predictions, targets = (abs(case.arguments[name]) for name in ("predictions", "targets"))
    return with_arguments(case, predictions=predictions, targets=-targets)


def energy_loss_with_half_distance(a, b, same, q):
    """Add the loss at half the distance.

    The relative rounding error of e^-x is x times that of x. e^-x + e^-(x/2) exceeds e^-x by more
    than that.
    """
    loss = losses.siamese_energy_loss
    return loss(a, b, same, q) + loss((a + b) / 2, b, same, q)


def with_margin_beyond_distances(case):
    """Enlarge the margin so that m - E becomes at least m + E."""
    a, b = (to_numpy(case.arguments[name]) for name in "ab")
    farthest = float(np.linalg.norm(a - b, axis=1).max())
    return with_arguments(case, margin=case.arguments["margin"] + 2 * farthest)


def l2_normalize_dx_of_sum(dy, x, y, axis):
    """Compute dy + |y| Σ |y| dy instead of dy - y Σ y dy."""
    terms = dy + abs(y) * (abs(y) * dy).sum(axis=axis, keepdims=True)
    return terms * inverse((x * x).sum(axis=axis, keepdims=True) ** 0.5)


def cosine_similarity_da_db_of_sum(dy, y, a, b, wanted):
    """Compute |b̂| + |y â| instead of b̂ - y â."""
    dy, y = dy[..., None], y[..., None]
    unit = {"a": ops.l2_normalize.forward(a), "b": ops.l2_normalize.forward(b)}
    lengths = {name: (x * x).sum(axis=-1, keepdims=True) ** 0.5 for name, x in (("a", a), ("b", b))}
    other = {"a": "b", "b": "a"}
    return {
        name: dy * (abs(unit[other[name]]) + abs(y * unit[name])) * inverse(lengths[name])
        for name in wanted
    }


def pairwise_distances_da_db_of_sum(dy, y, a, b, squared, wanted):
    """Compute Σ |W| |a - b|."""
    W = 2 * abs(dy) if squared else abs(dy) * inverse(y)
    W = W + W.T if b is None else W
    terms = W[..., None] * abs(a[:, None] - (a if b is None else b))
    return {name: terms.sum(axis={"a": 1, "b": 0}[name]) for name in wanted}


def triplet_loss_of_sum(case):
    """Compute d(a,p) + d(a,n) + m, not the difference. a is positive, p and n are negative."""
    magnitudes = {name: abs(case.arguments[name]) for name in case.row.kinds}
    signed = {name: x if name == "anchor" else -x for name, x in magnitudes.items()}

    def loss(anchor, positive, negative, margin, squared, **options):
        sums = [((anchor - other) * (anchor - other)).sum(axis=1) for other in (positive, negative)]
        near, far = sums if squared else (ops.sqrt(s) for s in sums)
        return (near + far + (margin + 1)).sum()

    return with_op(with_arguments(case, **signed), loss)


cosine_similarity_of_sum = with_gradients(
    ops.cosine_similarity, {("a", "b"): cosine_similarity_da_db_of_sum}
)
# Their slopes are sums and differences of numbers up to about 1.
SLOPES_NEAR_1 = ("sigmoid", "tanh", "softmax", "erf", "softplus", "silu", "gelu")
UNCHANGED = (
    "relu", "leaky_relu", "prelu", "sigmoid", "tanh", "softmax", "erf", "elu", "silu", "exp",
    "absolute", "adaptive_max_pool", "clip", "content_loss", "cos", "gram_loss", "max", "max_pool",
    "maximum", "min", "minimum", "sin",
)  # fmt: skip
MAGNIFIED = {  # name of the op -> function that returns the case in which no terms cancel
    **dict.fromkeys(UNCHANGED, unchanged),
    "resample": lambda case: with_arguments(case, x=abs(case.arguments["x"])),
    "subtract": lambda case: with_op(magnified(case), ops.add),
    "style_loss": lambda case: with_op(magnified(case), style_loss_of_sum),
    **dict.fromkeys(("mse_loss", "l1_loss", "huber_loss"), with_opposite_signs),
    "siamese_energy_loss": lambda case: with_op(case, energy_loss_with_half_distance),
    "contrastive_loss": with_margin_beyond_distances,
    "l2_normalize": with_gradients(ops.l2_normalize, dx=l2_normalize_dx_of_sum),
    "cosine_similarity": lambda case: cosine_similarity_of_sum(magnified(case)),
    "pairwise_distances": with_gradients(
        ops.pairwise_distances, {("a", "b"): pairwise_distances_da_db_of_sum}
    ),
    "chi_square": lambda case: with_op(case, lambda a, b: 3 * (a + b)),
    "triplet_loss": triplet_loss_of_sum,
    "total_variation": checkered,
}
