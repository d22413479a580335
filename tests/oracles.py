"""Oracles of the ops: each computes a definition in plain loops, or in one expression of NumPy, and
shares no code with the op.

`ORACLES` has one for each row of `minidl.proofs.ROWS`.
"""

import math
import statistics
from itertools import count, product

import numpy as np

from tests.array_oracles import ARRAY_ORACLES, elementwise, reduction

# ---- windows -------------------------------------------------------------------------------------


def pairs(padding, lengths, stride, reach):
    """Return the padding as (before, after) for each axis. "same": ceil(length / stride) windows;
    an odd position of padding is after the input."""
    if padding == "same":
        totals = [
            max((math.ceil(n / s) - 1) * s + r - n, 0)
            for n, s, r in zip(lengths, stride, reach, strict=True)
        ]
        return [(total // 2, math.ceil(total / 2)) for total in totals]
    per_axis = padding if isinstance(padding, tuple) else (padding,) * len(lengths)
    return [p if isinstance(p, tuple) else (p, p) for p in per_axis]


def convolution_oracle(x, w, b, *, stride, padding, dilation, groups):
    """Pad with zeros, select the numbers that each output reads, multiply them with the kernel, and
    add up."""
    *kernel, inputs, outputs = w.shape
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    x = np.pad(x, [(0, 0), *pairs(padding, x.shape[1:-1], stride, reach), (0, 0)])
    out = [(n - r) // s + 1 for n, r, s in zip(x.shape[1:-1], reach, stride, strict=True)]
    y = np.empty((len(x), *out, outputs))
    for o in product(*map(range, out)):
        positions = [
            slice(i * s, i * s + r, d)
            for i, s, r, d in zip(o, stride, reach, dilation, strict=True)
        ]
        for k in range(outputs):
            first = k // (outputs // groups) * inputs
            images = x[(slice(None), *positions, slice(first, first + inputs))]
            y[(slice(None), *o, k)] = [(image * w[..., k]).sum() + b[k] for image in images]
    return y


def convolution_relu_oracle(x, w, b, **geometry):
    return np.maximum(convolution_oracle(x, w, b, **geometry), 0)


def transposed_convolution_oracle(x, w, b, *, stride, padding, output_padding, dilation, groups):
    """Let each number of x add the kernel, times this number, to an output that nothing is cut off
    yet."""
    *kernel, outputs, inputs = w.shape
    lengths = x.shape[1:-1]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    if padding == "same":
        wanted = [n * s for n, s in zip(lengths, stride, strict=True)]
        padding = pairs(padding, wanted, stride, reach)
    else:
        read = [(n - 1) * s + r for n, s, r in zip(lengths, stride, reach, strict=True)]
        wanted = [
            n - before - after + unread
            for n, (before, after), unread in zip(read, padding, output_padding, strict=True)
        ]
    y = np.zeros((len(x), *(n + 9 for n in wanted), outputs * groups))
    for n, *o, c in np.ndindex(x.shape):
        positions = [
            slice(i * s, i * s + r, d)
            for i, s, r, d in zip(o, stride, reach, dilation, strict=True)
        ]
        first = c // (inputs // groups) * outputs
        y[(n, *positions, slice(first, first + outputs))] += x[(n, *o, c)] * w[..., c]
    starts = [before for before, _ in padding]
    kept = [slice(start, start + n) for start, n in zip(starts, wanted, strict=True)]
    return y[(slice(None), *kept)] + b


def pooling_oracle(summarise):
    """Return the oracle of a pooling.

    summarise: (the numbers of the input in a window, how many of its positions are input or
    padding, ...) -> value.
    """

    def oracle(x, window, *, stride, padding, dilation=None, ceil, **options):
        lengths, dilation = x.shape[1:-1], dilation or (1,) * len(window)
        starts = [
            list(window_starts(n, d * (k - 1) + 1, s, before, after, ceil))
            for n, k, s, d, (before, after) in zip(
                lengths, window, stride, dilation, padding, strict=True
            )
        ]
        ends = [n + after for n, (_, after) in zip(lengths, padding, strict=True)]
        y = np.empty((len(x), *map(len, starts), x.shape[-1]))
        for o in np.ndindex(*map(len, starts)):
            start = [along[i] for along, i in zip(starts, o, strict=True)]
            positions = [
                [first + t * d for first, t, d in zip(start, tap, dilation, strict=True)]
                for tap in product(*map(range, window))
            ]
            inside = [
                p for p in positions if all(0 <= i < n for i, n in zip(p, lengths, strict=True))
            ]
            counted = sum(all(i < end for i, end in zip(p, ends, strict=True)) for p in positions)
            numbers = np.array([x[(slice(None), *p)] for p in inside])
            y[(slice(None), *o)] = summarise(numbers, counted, **options)
        return y

    return oracle


def window_starts(length, reach, stride, before, after, ceil):
    """Yield the positions where windows begin. With `ceil`, a further window begins if the windows
    before it do not reach the end and it begins in the input."""
    end = length + after
    for start in count(-before, stride):
        fits = start + reach <= end
        reached_all = start > -before and start - stride + reach >= end
        if not fits and (not ceil or reached_all or start >= length):
            return
        yield start


def adaptive_oracle(summarise):
    """Return the oracle of an adaptive pooling.

    summarise: the numbers of a bin, as a list -> value
    """

    def oracle(x, size):
        lengths = x.shape[1:-1]
        size = size if isinstance(size, tuple) else (size,) * len(lengths)
        size = [n if s is None else s for n, s in zip(lengths, size, strict=True)]
        y = np.empty((len(x), *size, x.shape[-1]))
        for n, *o, c in np.ndindex(y.shape):
            numbers = [
                x[(n, *i, c)]
                for i in np.ndindex(lengths)
                if all(
                    j / s * length < position + 1 and position < (j + 1) / s * length
                    for j, s, length, position in zip(o, size, lengths, i, strict=True)
                )
            ]
            y[(n, *o, c)] = summarise(numbers)
        return y

    return oracle


def upsample_oracle(x, factor, size, method, align_corners):
    """Compute each number of y by itself, as the sum over the pixels that are near along every
    axis."""
    lengths = x.shape[1:-1]
    size = size or [math.floor(n * f) for n, f in zip(lengths, factor, strict=True)]
    factor = factor or [s / n for n, s in zip(lengths, size, strict=True)]
    y = np.zeros((len(x), *size, x.shape[-1]))
    for o in np.ndindex(*size):
        for pixels in product(
            *(
                weights_of_pixels(*axis, method, align_corners)
                for axis in zip(o, lengths, size, factor, strict=True)
            )
        ):
            place, weights = zip(*pixels, strict=True)
            y[(slice(None), *o)] += math.prod(weights) * x[(slice(None), *place)]
    return y


def weights_of_pixels(o, length, size, factor, method, align_corners):
    """Yield (pixel, weight) along an axis, with the pixels beyond the border moved to it."""
    if method.startswith("nearest"):
        half = method == "nearest-exact"
        yield min(math.floor((o + half / 2) / factor + 1e-9), length - 1), 1.0
        return
    if align_corners:
        p = o * (length - 1) / (size - 1) if size > 1 else 0.0
    else:
        p = (o + 0.5) / factor - 0.5
    for q in range(math.floor(p) - 3, math.floor(p) + 5):
        t, a = abs(p - q), -0.75
        if method == "linear":
            weight = max(0.0, 1 - t)
        elif t <= 1:
            weight = (a + 2) * t**3 - (a + 3) * t**2 + 1
        else:
            weight = a * (t**3 - 5 * t**2 + 8 * t - 4) if t < 2 else 0.0
        yield sorted((0, q, length - 1))[1], weight


def mean_of_window(numbers, counted, count_padding):
    return numbers.sum(axis=0) / (counted if count_padding else len(numbers))


# ---- element-wise ops, reductions, moves ---------------------------------------------------------


def gelu_oracle(x, approximate):
    if approximate == "tanh":
        return x / (1 + math.exp(-math.sqrt(8 / math.pi) * (x + 0.044715 * x**3)))
    return x * statistics.NormalDist().cdf(x)


def softmax_oracle(x, axis):
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


def matmul_oracle(a, b):
    rows, columns = "m" * (a.ndim > 1), "n" * (b.ndim > 1)
    return np.einsum(f"...{rows}k,...k{columns}->...{rows}{columns}", a, b)


def transpose_oracle(x, axes):
    axes = range(x.ndim)[::-1] if axes is None else [range(x.ndim)[axis] for axis in axes]
    y = np.empty([x.shape[axis] for axis in axes])
    for i in np.ndindex(x.shape):
        y[tuple(i[axis] for axis in axes)] = x[i]
    return y


def concatenate_oracle(a, b, axis):
    slices = [*np.moveaxis(a, axis, 0), *np.moveaxis(b, axis, 0)]
    return np.moveaxis(np.array(slices), 0, axis)


def pad_oracle(x, width, value, mode):
    """Follow the definition of the mode for each number of y by itself."""
    source = {
        "constant": lambda j, length: j,
        "reflect": lambda j, length: min(abs(j), 2 * (length - 1) - j),
        "replicate": lambda j, length: sorted((0, j, length - 1))[1],
        "circular": lambda j, length: j % length,
    }[mode]
    y = np.empty([n + before + after for n, (before, after) in zip(x.shape, width, strict=True)])
    for i in np.ndindex(y.shape):
        axes = zip(i, width, x.shape, strict=True)
        j = [source(place - before, length) for place, (before, _), length in axes]
        inside = all(0 <= place < length for place, length in zip(j, x.shape, strict=True))
        y[i] = x[tuple(j)] if inside else value
    return y


def resample_oracle(x, rows, columns):
    """The sum over all pixels, each with the weight of the formula."""
    _, H, W, C = x.shape
    y = np.empty((*rows.shape, C))
    for n, i, j in np.ndindex(rows.shape):
        r, s = np.clip(rows[n, i, j], 0, H - 1), np.clip(columns[n, i, j], 0, W - 1)
        row_weights = [max(0, 1 - abs(r - p)) for p in range(H)]
        column_weights = [max(0, 1 - abs(s - q)) for q in range(W)]
        y[n, i, j] = np.einsum("p,q,pqc->c", row_weights, column_weights, x[n])
    return y


# ---- losses: the formulas of the papers ----------------------------------------------------------


def plain_gram(features):
    return np.einsum("nhwc,nhwd->ncd", features, features)


def content_oracle(generated, content, normalization):
    _, H, W, C = generated.shape
    factor = {"half": 1 / 2, "sum": 1, "mean": 1 / generated.size, "coursera": 1 / (4 * H * W * C)}
    return factor[normalization] * ((generated - content) ** 2).sum()


def gram_oracle(features, normalization):
    _, H, W, C = features.shape
    return plain_gram(features) / {"none": 1, "positions": H * W, "size": H * W * C}[normalization]


def gram_loss_oracle(G, A, factor):
    return factor * sum((g - a) ** 2 for g, a in zip(G.flat, A.flat, strict=True))


def style_oracle(generated, style, normalization):
    """A, the style's Gram matrix, is scaled to the M positions of the generated features."""
    _, H, W, C = generated.shape
    M = H * W
    A = style * M if style.ndim == 3 else plain_gram(style) * (M / math.prod(style.shape[1:3]))
    squares = (plain_gram(generated) - A) ** 2
    return {
        "gatys": squares.sum() / (4 * C**2 * M**2),
        "coursera": squares.sum() / (4 * C**2 * M**2),
        "ng": squares.sum() / (2 * H * W * C),
        "positions_mean": (squares / M**2).mean(),
        "size_sum": (squares / (H * W * C) ** 2).sum(),
    }[normalization]


def guided_gram_oracle(features, guide):
    """The Gram matrix of the features times the guide, over Σ T²."""
    n = len(features)
    return plain_gram(features * guide[..., None]) / (guide**2).reshape(n, -1, 1).sum(1)[..., None]


def deviation_oracle(m, q, target_mean, target_deviation, epsilon):
    N, C = m.shape
    L = 0
    for n, c in np.ndindex(N, C):
        e = epsilon / (1 + epsilon) * statistics.fmean(x**2 for x in target_deviation[n])
        sigma = math.sqrt(max(q[n, c] - m[n, c] ** 2, 0) + e)
        L += ((m[n, c] - target_mean[n, c]) ** 2 + (sigma - target_deviation[n, c]) ** 2) / C
    return L


def channels_of(features):
    """Yield the numbers of each channel of each picture as a list."""
    for picture in features:
        for c in range(picture.shape[-1]):
            yield picture[..., c].ravel().tolist()


def moments_oracle(generated, style, epsilon):
    """With the deviations about the mean, of Python's `statistics`."""
    N, C = generated.shape[0::3]
    m, m_t, v, v_t = (
        np.reshape([f(numbers) for numbers in channels_of(features)], (N, C))
        for f in (statistics.fmean, statistics.pvariance)
        for features in (generated, style)
    )
    e = epsilon * v_t.mean(axis=1, keepdims=True)
    return ((m - m_t) ** 2 + (np.sqrt(v + e) - np.sqrt(v_t + e)) ** 2).sum() / C


def wasserstein_distance(m, S, m_t, S_t):
    """The squared distance by the form tr (S S_t)^½ of the last term: S S_t is similar to A S A."""
    roots = np.sqrt(np.linalg.eigvals(S @ S_t))
    return math.dist(m, m_t) ** 2 + np.trace(S) + np.trace(S_t) - 2 * roots.real.sum()


def gaussian_oracle(m, G, target_mean, target_root, epsilon):
    L, C = 0, m.shape[1]
    for n in range(len(m)):
        S_t = target_root[n] @ target_root[n]
        e = epsilon / (1 + epsilon) * np.trace(S_t) / C
        S = G[n] - np.outer(m[n], m[n]) + e * np.eye(C)
        L += wasserstein_distance(m[n], S, target_mean[n], S_t) / C
    return L


def wasserstein_oracle(generated, style, epsilon):
    L, C = 0, generated.shape[-1]
    for F, T in zip(generated.reshape(len(style), -1, C), style.reshape(len(style), -1, C)):  # noqa: B905
        S, S_t = (np.cov(x.T, bias=True) for x in (F, T))
        added = epsilon * np.trace(S_t) / C * np.eye(C)
        L += wasserstein_distance(F.mean(0), S + added, T.mean(0), S_t + added) / C
    return L


def histogram_oracle(generated, style):
    L, C = 0, generated.shape[-1]
    for F, T in zip(channels_of(generated), channels_of(style), strict=True):
        M, M_t = len(F), len(T)
        places = [(i + 0.5) / M for i in range(M)]
        targets = np.interp(places, [(j + 0.5) / M_t for j in range(M_t)], sorted(T))
        L += sum((f - t) ** 2 for f, t in zip(sorted(F), targets, strict=True)) / (C * M)
    return L


def nearest_oracle(generated, style):
    L, C = 0, generated.shape[-1]
    for F, T in zip(generated, style, strict=True):
        positions = F.reshape(-1, C)
        for x in positions:
            cosines = cosine_oracle(np.array([x] * (T.size // C)), T.reshape(-1, C))
            L += (1 - max(cosines)) / len(positions)
    return L


def patch_oracle(generated, style, size):
    def patches(picture):
        starts = product(*(range(n - size + 1) for n in picture.shape[:2]))
        return [picture[i : i + size, j : j + size].ravel() for i, j in starts]

    L = 0
    for F, T in zip(map(patches, generated), map(patches, style), strict=True):
        for x in F:
            L += ((x - max(T, key=lambda y: x @ y / math.hypot(*y))) ** 2).mean() / len(F)
    return L


def reduced(terms, reduction, shape, count=None):
    if reduction == "none":
        return np.reshape(terms, shape)
    return math.fsum(terms) / ((count or len(terms)) if reduction == "mean" else 1)


def softmax_cross_entropy_oracle(
    logits, labels, reduction, smoothing, weights=None, ignore=None
):  # fmt: skip
    """Row by row, with the share of each class in the target as an if."""
    *shape, C = logits.shape
    w = [1.0] * C if weights is None else weights.tolist()
    terms, count = [], 0.0
    rows = zip(logits.reshape(-1, C).tolist(), labels.reshape(math.prod(shape), -1).tolist())  # noqa: B905
    for z, label in rows:
        logarithms = [math.log(math.exp(x) / math.fsum(map(math.exp, z))) for x in z]
        if labels.ndim == logits.ndim:
            q, count = label, count + 1
        elif label == [ignore]:
            terms.append(0.0)
            continue
        else:
            q, count = [float(label == [c]) for c in range(C)], count + w[label[0]]
        terms.append(
            -sum(w[c] * ((1 - smoothing) * q[c] + smoothing / C) * logarithms[c] for c in range(C))
        )
    return reduced(terms, reduction, shape, count)


def sigmoid_cross_entropy_oracle(logits, targets, reduction, weights, positive_weight):
    """With log p and log (1 - p), as in the definition."""
    terms = []
    for z, t, w, v in np.broadcast(logits, targets, weights, positive_weight):
        p = 1 / (1 + math.exp(-z))
        terms.append(-w * (v * t * math.log(p) + (1 - t) * math.log(1 - p)))
    return reduced(terms, reduction, logits.shape)


def regression(f):
    """Return the oracle of a loss whose terms are f(y - t)."""

    def oracle(predictions, targets, reduction, **options):
        pairs = zip(predictions.flat, targets.flat, strict=True)
        return reduced([f(y - t, **options) for y, t in pairs], reduction, predictions.shape)

    return oracle


def loss_of_pairs(alike, different):
    """Return the oracle of a loss of pairs: the mean of one function of the distance for equal
    pairs, and of another for different pairs."""

    def oracle(a, b, same, **parameter):
        terms = [
            (alike if s else different)(math.dist(x, y), **parameter)
            for x, y, s in zip(a.tolist(), b.tolist(), same.tolist(), strict=True)
        ]
        return np.mean(terms)

    return oracle


def variation_oracle(image, normalization):
    """Pixel by pixel: the differences to the pixels below, to the right, and along diagonals."""
    images = image if image.ndim == 4 else image[None]
    N, H, W, C = images.shape
    down, right, falling, rising, both = [], [], [], [], []
    for n, i, j, c in np.ndindex(N, H, W, C):
        p = images[n, i, j, c]
        below, beside = i + 1 < H, j + 1 < W
        down += [images[n, i + 1, j, c] - p] if below else []
        right += [images[n, i, j + 1, c] - p] if beside else []
        both += [(down[-1], right[-1])] if below and beside else []
        falling += [images[n, i + 1, j + 1, c] - p] if below and beside else []
        rising += [images[n, i + 1, j, c] - images[n, i, j + 1, c]] if below and beside else []
    D, R, F, S = (sum(d * d for d in differences) for differences in (down, right, falling, rising))
    return {
        "sum_squares": D + R,
        "half_squares": sum(d * d + r * r for d, r in both) / 2,
        "mean_squares": D / len(down) + R / len(right),
        "sum_absolute": sum(map(abs, down)) + sum(map(abs, right)),
        "power": sum((d * d + r * r) ** (2.5 / 2) for d, r in both),
        "nine_point": (2 / 3 * (D + R) + 1 / 6 * (F + S)) / image.size,
    }[normalization]


def l2_normalize_oracle(x, axis):
    lengths = np.array([math.hypot(*row) for row in x.reshape(-1, x.shape[-1])])
    lengths = lengths.reshape(*x.shape[:-1], 1)
    return np.where(lengths > 0, x / np.where(lengths > 0, lengths, 1), 0)


def cosine_oracle(a, b):
    """From the law of cosines: c² = |a|² + |b|² - 2 |a| |b| cos"""
    y = np.zeros(a.shape[:-1])
    for i in np.ndindex(y.shape):
        p, q, c = math.hypot(*a[i]), math.hypot(*b[i]), math.dist(a[i], b[i])
        y[i] = (p * p + q * q - c * c) / (2 * p * q) if p and q else 0
    return y


def pairwise_oracle(a, squared, b=None):
    b = a if b is None else b
    y = np.empty((len(a), len(b)))
    for i, j in np.ndindex(y.shape):
        y[i, j] = math.dist(a[i], b[j]) ** (2 if squared else 1)
    return y


def triplet_oracle(anchor, positive, negative, margin, reduction, squared, soft):
    """The formula of the paper, for one triplet after another."""
    power, terms = 2 if squared else 1, []
    for a, p, n in zip(anchor, positive, negative, strict=True):
        z = math.dist(a, p) ** power - math.dist(a, n) ** power + margin
        terms.append(math.log(1 + math.exp(z)) if soft else max(z, 0))
    active = sum(term > 0 for term in terms)
    divisors = {"sum": 1, "mean": len(terms), "mean_active": max(1, active)}
    return math.fsum(terms) / divisors[reduction]


def batch_norm_oracle(x, epsilon, gamma=None, beta=None, mean=None, variance=None):
    """The formula for one channel after another, with the moments of Python's `statistics`."""
    y = np.empty_like(x)
    for c in range(x.shape[-1]):
        numbers = x[..., c].ravel().tolist()
        μ = statistics.fmean(numbers) if mean is None else mean[c]
        σ2 = statistics.pvariance(numbers) if variance is None else variance[c]
        y[..., c] = (x[..., c] - μ) / math.sqrt(σ2 + epsilon)
    return y * (1 if gamma is None else gamma) + (0 if beta is None else beta)


def group_norm_oracle(x, groups, epsilon, gamma=None, beta=None):
    """Each group of each example by itself, as a batch of one channel."""
    y = np.empty_like(x)
    for n in range(len(x)):
        for channels in np.split(np.arange(x.shape[-1]), groups):
            numbers = x[n][..., channels]
            y[n][..., channels] = batch_norm_oracle(numbers[..., None], epsilon)[..., 0]
    return y * (1 if gamma is None else gamma) + (0 if beta is None else beta)


def layer_norm_oracle(x, axes, epsilon, gamma=None, beta=None):
    """Each place along the other axes by itself, as a batch of one channel."""
    y = np.empty_like(x)
    for s in np.ndindex(x.shape[: x.ndim - axes]):
        y[s] = batch_norm_oracle(x[s][..., None], epsilon)[..., 0]
    return y * (1 if gamma is None else gamma) + (0 if beta is None else beta)


def local_response_oracle(x, size, alpha, beta, k):
    y, C = np.empty_like(x), x.shape[-1]
    for place in np.ndindex(x.shape):
        *others, c = place
        window = range(max(0, c - size // 2), min(C, c + (size + 1) // 2))
        squares = math.fsum(x[(*others, j)] ** 2 for j in window)
        y[place] = x[place] / math.pow(k + alpha / size * squares, beta)
    return y


def embedding_oracle(w, indices, padding):
    """The product of one-hot vectors and w."""
    one_hot = np.eye(len(w))
    one_hot[slice(0) if padding is None else padding] = 0
    return np.einsum("...v,vc->...c", one_hot[indices], w)


def dropout_oracle(x, keep, seed):
    kept = np.random.default_rng(seed).random(x.shape, np.float32) < keep
    return np.where(kept, x / keep, 0)


ORACLES = {
    **ARRAY_ORACLES,
    "convolution": convolution_oracle,
    "convolution_relu": convolution_relu_oracle,
    "transposed_convolution": transposed_convolution_oracle,
    "max_pool": pooling_oracle(lambda numbers, counted: numbers.max(axis=0)),
    "avg_pool": pooling_oracle(mean_of_window),
    "adaptive_max_pool": adaptive_oracle(max),
    "adaptive_avg_pool": adaptive_oracle(statistics.fmean),
    "upsample": upsample_oracle,
    "batch_norm": batch_norm_oracle,
    "batch_norm_relu": lambda **arguments: np.maximum(batch_norm_oracle(**arguments), 0),
    "group_norm": group_norm_oracle,
    "layer_norm": layer_norm_oracle,
    "local_response_norm": local_response_oracle,
    "embedding": embedding_oracle,
    "dropout": dropout_oracle,
    "relu": elementwise(lambda x: max(x, 0)),
    "leaky_relu": elementwise(lambda x: x if x > 0 else x / 100),
    "prelu": elementwise(lambda x, slope: max(x, 0) + slope * min(x, 0)),
    "sigmoid": elementwise(lambda x: 1 / (1 + math.exp(-x))),
    "tanh": elementwise(lambda x: math.expm1(2 * x) / (math.exp(2 * x) + 1)),
    "erf": elementwise(math.erf),
    "softplus": elementwise(lambda x, beta: math.log1p(math.exp(beta * x)) / beta),
    "elu": elementwise(lambda x, alpha: x if x > 0 else alpha * (math.exp(x) - 1)),
    "silu": elementwise(lambda x: x / (1 + math.exp(-x))),
    "gelu": elementwise(gelu_oracle),
    "softmax": softmax_oracle,
    "add": elementwise(lambda a, b: a + b),
    "subtract": elementwise(lambda a, b: a - b),
    "multiply": elementwise(lambda a, b: a * b),
    "divide": elementwise(lambda a, b: a / b),
    "negative": elementwise(lambda x: -x),
    "exp": elementwise(math.exp),
    "log": elementwise(math.log),
    "sqrt": elementwise(math.sqrt),
    "absolute": elementwise(abs),
    "maximum": elementwise(max),
    "minimum": elementwise(min),
    "matmul": matmul_oracle,
    "sum": reduction(math.fsum),
    "mean": reduction(statistics.fmean),
    "max": reduction(max),
    "reshape": lambda x, shape: np.fromiter(x.flat, float).reshape(shape),
    "transpose": transpose_oracle,
    "concatenate": concatenate_oracle,
    "index": lambda x, key: x.flat[np.arange(x.size).reshape(x.shape)[key]],
    "pad": pad_oracle,
    "broadcast_to": lambda x, shape: x * np.ones(shape),
    "resample": resample_oracle,
    "l2_normalize": l2_normalize_oracle,
    "cosine_similarity": cosine_oracle,
    "pairwise_distances": pairwise_oracle,
    "chi_square": elementwise(lambda a, b: (a - b) ** 2 / (a + b) if a or b else 0),
    "content_loss": content_oracle,
    "gram_matrix": gram_oracle,
    "gram_loss": gram_loss_oracle,
    "style_loss": style_oracle,
    "guided_gram_matrix": guided_gram_oracle,
    "deviation_loss": deviation_oracle,
    "moments_loss": moments_oracle,
    "gaussian_loss": gaussian_oracle,
    "wasserstein_loss": wasserstein_oracle,
    "histogram_loss": histogram_oracle,
    "nearest_loss": nearest_oracle,
    "patch_loss": patch_oracle,
    "softmax_cross_entropy": softmax_cross_entropy_oracle,
    "sigmoid_cross_entropy": sigmoid_cross_entropy_oracle,
    "mse_loss": regression(lambda d: d**2),
    "l1_loss": regression(abs),
    "huber_loss": regression(
        lambda d, delta: d**2 / 2 if abs(d) <= delta else delta * (abs(d) - delta / 2)
    ),
    "siamese_energy_loss": loss_of_pairs(
        lambda E, q: 2 / q * E**2, lambda E, q: 2 * q * math.exp(-2.77 / q * E)
    ),
    "contrastive_loss": loss_of_pairs(
        lambda E, margin: E**2 / 2, lambda E, margin: max(0, margin - E) ** 2 / 2
    ),
    "triplet_loss": triplet_oracle,
    "total_variation": variation_oracle,
}
