"""Values and gradients of ops compared with PyTorch, on random geometries of the table of ops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import Tensor, engine, losses, ops
from minidl.engine.convolution import ALGORITHMS
from minidl.proofs import Shape, fill
from tests.checks import cotangent, worst
from tests.op_table import BY_NAME, Case, HypothesisChooser
from tests.oracles import pairs

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


def channels_first(x):
    return x.movedim(-1, 1)


def channels_last(y):
    return y.movedim(1, -1)


def border(padding):
    """Return the padding in PyTorch's form: one flat list, with the last axis first."""
    return [n for pair in padding[::-1] for n in pair]


def convolution(x, w, b, *, stride, padding, dilation, groups):
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[:-2], strict=True)]
    padding = border(pairs(padding, x.shape[1:-1], stride, reach))
    x = torch.nn.functional.pad(channels_first(x), padding)
    conv = getattr(torch.nn.functional, f"conv{len(stride)}d")
    # PyTorch 2.13 refuses non-contiguous kernels in some gradients
    w = w.movedim((-1, -2), (0, 1)).contiguous()
    return channels_last(conv(x, w, b, stride=stride, dilation=dilation, groups=groups))


def transposed_convolution(x, w, b, *, stride, padding, output_padding, dilation, groups):
    """PyTorch cuts off as much before as after, so that other padding is cut off here. As much as
    "same" appends beyond the windows, it appends as output padding."""
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[:-2], strict=True)]
    lengths = [n * s for n, s in zip(x.shape[1:-1], stride, strict=True)]
    both_sides = pairs(padding, lengths, stride, reach)
    if padding == "same":
        output_padding = [max(0, s - r) for s, r in zip(stride, reach, strict=True)]
    conv = getattr(torch.nn.functional, f"conv_transpose{len(stride)}d")
    w = w.movedim((-1, -2), (0, 1)).contiguous()
    options = {"output_padding": output_padding, "groups": groups, "dilation": dilation}
    y = channels_last(conv(channels_first(x), w, b, stride=stride, **options))
    kept = [slice(a, n - b) for n, (a, b) in zip(y.shape[1:-1], both_sides, strict=True)]
    return y[(slice(None), *kept)]


def convolution_relu(x, w, b, **geometry):
    return torch.relu(convolution(x, w, b, **geometry))


def max_pool(x, *, window, stride, padding, dilation, ceil):
    pool = getattr(torch.nn.functional, f"max_pool{len(window)}d")
    both_sides = [before for before, _ in padding]
    x = channels_first(x)
    return channels_last(pool(x, window, stride, both_sides, dilation, ceil_mode=ceil))


def avg_pool(x, *, window, stride, padding, ceil, count_padding):
    pool = getattr(torch.nn.functional, f"avg_pool{len(window)}d")
    options = {"ceil_mode": ceil, "count_include_pad": count_padding}
    both_sides = [before for before, _ in padding]
    return channels_last(pool(channels_first(x), window, stride, both_sides, **options))


def prelu(x, slope):
    """PyTorch's slopes are one for all or one for each channel, on the second axis."""
    if slope.ndim > 1:
        return torch.relu(x) + slope * x.clamp(max=0)
    return torch.nn.functional.prelu(x.reshape(-1, x.shape[-1]), slope).reshape(x.shape)


def pad(x, width, value, mode):
    """PyTorch pads the last axes only, and the others of this one array not at all."""
    options = {"value": value} if mode == "constant" else {"mode": mode}
    batch = x.reshape(1, 1, *x.shape) if mode != "constant" else x
    return torch.nn.functional.pad(batch, border(width), **options).reshape(
        [n + before + after for n, (before, after) in zip(x.shape, width, strict=True)]
    )


def batch_norm(x, epsilon, gamma=None, beta=None):
    norm = torch.nn.functional.batch_norm
    x = channels_first(x)
    return channels_last(norm(x, None, None, gamma, beta, training=True, eps=epsilon))


def group_norm(x, groups, epsilon, gamma=None, beta=None):
    norm = torch.nn.functional.group_norm
    return channels_last(norm(channels_first(x), groups, gamma, beta, epsilon))


def layer_norm(x, axes, epsilon, gamma=None, beta=None):
    return torch.nn.functional.layer_norm(x, x.shape[-axes:], gamma, beta, epsilon)


def local_response_norm(x, size, alpha, beta, k):
    numbers = x.reshape(-1, x.shape[-1], 1)
    return torch.nn.functional.local_response_norm(numbers, size, alpha, beta, k).reshape(x.shape)


def embedding(w, indices, padding):
    indices = torch.tensor(indices)
    y = torch.nn.functional.embedding(indices, w, padding)
    return y if padding is None else y.masked_fill((indices == padding)[..., None], 0)


def adaptive_pool(kind):
    def pool(x, size):
        adaptive = getattr(torch.nn.functional, f"adaptive_{kind}_pool{x.ndim - 2}d")
        if isinstance(size, tuple):  # PyTorch 2.13.0 takes no None for the only axis
            size = [n or length for n, length in zip(size, x.shape[1:-1], strict=True)]
        return channels_last(adaptive(channels_first(x), size))

    return pool


def upsample(x, factor, size, method, align_corners):
    """PyTorch has "cubic" for pictures only. Here, each axis by itself becomes the rows of pictures
    of one column."""
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(method, method)
    options = {"mode": mode, "align_corners": align_corners if mode != method else None}
    for axis in range(1, x.ndim - 1):
        rows = x.movedim(axis, -1)
        if size is None:
            to = {"scale_factor": (float(factor[axis - 1]), 1.0)}
        else:
            to = {"size": (size[axis - 1], 1)}
        pictures = rows.reshape(1, -1, rows.shape[-1], 1)
        y = torch.nn.functional.interpolate(pictures, **to, **options)
        x = y.reshape(*rows.shape[:-1], -1).movedim(-1, axis)
    return x


def resample(x, rows, columns):
    """Sample with PyTorch, whose positions are (column, row), from -1 to 1 between the edges."""
    height, width = x.shape[1:3]
    positions = np.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], axis=-1)
    sample = torch.nn.functional.grid_sample
    options = {"padding_mode": "border", "align_corners": False}
    return channels_last(sample(channels_first(x), torch.tensor(positions), **options))


def guided_gram_matrix(features, guide):
    T = torch.tensor(guide)
    G = torch.einsum("nhw,nhwc,nhwd->ncd", T * T, features, features)
    return G / (T * T).sum(dim=(1, 2))[:, None, None]


def deviation_loss(m, q, target_mean, target_deviation, epsilon):
    m_t, s_t = torch.tensor(target_mean), torch.tensor(target_deviation)
    e = epsilon / (1 + epsilon) * (s_t**2).mean(dim=1, keepdim=True)
    s = (torch.relu(q - m**2) + e).sqrt()
    return ((m - m_t) ** 2 + (s - s_t) ** 2).sum() / m.shape[1]


def root_of_matrix(S):
    """Return a root by Cholesky: tr (A S A)^½ is the sum of the singular values of L_tᵀ L."""
    return torch.linalg.cholesky((S + S.mT) / 2)


def gaussian_distance(m, S, m_t, S_t):
    fidelity = torch.linalg.svdvals(root_of_matrix(S_t).mT @ root_of_matrix(S)).sum()
    trace = torch.einsum("ncc->", S) + torch.einsum("ncc->", S_t)
    return (((m - m_t) ** 2).sum() + trace - 2 * fidelity) / m.shape[1]


def gaussian_loss(m, G, target_mean, target_root, epsilon):
    A = torch.tensor(target_root)
    C = m.shape[1]
    e = epsilon / (1 + epsilon) * (A**2).sum(dim=(1, 2)) / C
    S = G - m[:, :, None] * m[:, None] + e[:, None, None] * torch.eye(C)
    return gaussian_distance(m, S, torch.tensor(target_mean), A @ A)


def wasserstein_loss(generated, style, epsilon):
    m, S = mean_and_covariance(generated)
    m_t, S_t = mean_and_covariance(torch.tensor(style))
    C = m.shape[1]
    e = epsilon * torch.einsum("ncc->n", S_t)[:, None, None] / C * torch.eye(C)
    return gaussian_distance(m, S + e, m_t, S_t + e)


def mean_and_covariance(features):
    F = features.flatten(1, 2)
    m = F.mean(dim=1)
    centred = F - m[:, None]
    return m, centred.mT @ centred / F.shape[1]


def moments_loss(generated, style, epsilon):
    F, T = generated.flatten(1, 2), torch.tensor(style).flatten(1, 2)
    v_t = T.var(dim=1, correction=0)
    e = epsilon * v_t.mean(dim=1, keepdim=True)
    s, s_t = ((v + e).sqrt() for v in (F.var(dim=1, correction=0), v_t))
    return ((F.mean(dim=1) - T.mean(dim=1)) ** 2 + (s - s_t) ** 2).sum() / F.shape[2]


def histogram_loss(generated, style):
    F, T = generated.flatten(1, 2).sort(dim=1).values, torch.tensor(style).flatten(1, 2)
    T = T.sort(dim=1).values.mT
    T = torch.nn.functional.interpolate(T, F.shape[1], mode="linear", align_corners=False).mT
    return ((F - T) ** 2).mean() * len(F)


def nearest_loss(generated, style):
    F, T = (x.flatten(1, 2) for x in (generated, torch.tensor(style)))
    cosines = torch.nn.functional.cosine_similarity(F[:, :, None], T[:, None], dim=-1)
    return (1 - cosines.amax(dim=2)).mean() * len(F)


def patch_loss(generated, style, size):
    F, T = (
        torch.nn.functional.unfold(channels_first(x), size).mT
        for x in (generated, torch.tensor(style))
    )
    cosines = torch.nn.functional.cosine_similarity(F[:, :, None], T[:, None], dim=-1)
    nearest = cosines.argmax(dim=2, keepdim=True).expand(-1, -1, T.shape[2])
    return ((F - T.gather(1, nearest)) ** 2).mean() * len(F)


IN_TORCH = {  # row of the table -> the same function in PyTorch
    **{f"convolution[{algorithm}]": convolution for algorithm in ALGORITHMS},
    **{f"convolution_relu[{algorithm}]": convolution_relu for algorithm in ALGORITHMS},
    "transposed_convolution": transposed_convolution,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "pad": pad,
    "adaptive_max_pool": adaptive_pool("max"),
    "adaptive_avg_pool": adaptive_pool("avg"),
    "upsample": upsample,
    "relu": torch.relu,
    "leaky_relu": lambda x: torch.nn.functional.leaky_relu(x),
    "prelu": prelu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "softplus": lambda x, beta: torch.nn.functional.softplus(x, beta, threshold=40),
    "elu": lambda x, alpha: torch.nn.functional.elu(x, alpha),
    "silu": lambda x: torch.nn.functional.silu(x),
    "gelu": lambda x, approximate: torch.nn.functional.gelu(x, approximate=approximate),
    "softmax": lambda x, axis: torch.softmax(x, dim=axis),
    "log_softmax": lambda x, axis: torch.log_softmax(x, dim=axis),
    "power": lambda x, exponent: x**exponent,
    "expm1": torch.expm1,
    "log1p": torch.log1p,
    "sin": torch.sin,
    "cos": torch.cos,
    "clip": lambda x, min, max: torch.minimum(torch.maximum(x, min), max),
    "where": lambda condition, a, b: torch.where(torch.tensor(condition), a, b),
    "matmul": lambda a, b: a @ b,
    "batch_norm": batch_norm,
    "batch_norm[plain]": batch_norm,
    "group_norm": group_norm,
    "group_norm[plain]": group_norm,
    "layer_norm": layer_norm,
    "layer_norm[plain]": layer_norm,
    "local_response_norm": local_response_norm,
    "embedding": embedding,
    "einsum": lambda a, b, subscripts: torch.einsum(subscripts, a, b),
    "einsum[one]": lambda a, subscripts: torch.einsum(subscripts, a),
    "stack": lambda a, b, axis: torch.stack([a, b], axis),
    "tile": lambda x, counts: torch.tile(x, counts if isinstance(counts, tuple) else (counts,)),
    "flatten": lambda x, start, end: torch.flatten(x, start, end),
    "resample": resample,
    "guided_gram_matrix": guided_gram_matrix,
    "deviation_loss": deviation_loss,
    "moments_loss": moments_loss,
    "gaussian_loss": gaussian_loss,
    "wasserstein_loss": wasserstein_loss,
    "histogram_loss": histogram_loss,
    "nearest_loss": nearest_loss,
    "patch_loss": patch_loss,
}


def as_torch_pads(geometry):
    """Return a geometry of pooling that PyTorch supports.

    PyTorch pads the same number before and after, at most half a window, and refuses 3-D inputs
    that are smaller than the window. The rest of the padding is added to the input.
    """
    if "window" not in geometry:
        return geometry
    batch, *lengths, channels = geometry["x"]
    padded_lengths, paddings = [], []
    axes = zip(lengths, geometry["padding"], geometry["window"], strict=True)
    for length, (before, after), size in axes:
        both_sides = min(before, after, size // 2) if length >= size else 0
        padded_lengths.append(length + before + after - 2 * both_sides)
        paddings.append((both_sides, both_sides))
    x = Shape((batch, *padded_lengths, channels))
    return {**geometry, "x": x, "padding": tuple(paddings)}


@pytest.mark.parametrize("name", IN_TORCH)
@given(data=st.data())
def test_value_and_gradients_equal_pytorchs(name, data):
    row = BY_NAME[name]
    geometry = as_torch_pads(row.draw(HypothesisChooser(data.draw)))
    seed = data.draw(st.integers(0, 2**32 - 1))
    case = Case(row, fill(row, geometry, seed), seed)
    ours = {key: Tensor(case.arguments[key], requires_grad=True) for key in row.kinds}
    theirs = {key: torch.tensor(case.arguments[key], requires_grad=True) for key in row.kinds}
    y = row.op(**{**case.arguments, **ours})
    wanted_y = IN_TORCH[name](**{**case.arguments, **theirs})
    dy = cotangent(case, y)
    y.backward(dy)
    wanted_y.backward(torch.tensor(dy))
    must_be_near(y.data, wanted_y)
    for key in row.kinds:
        must_be_near(ours[key].grad, theirs[key].grad)


def must_be_near(ours, theirs):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    assert worst(ours - theirs) <= 1e-12 * max(1, worst(theirs))


def test_the_compared_ops_are_public():
    names = {name.split("[")[0] for name in IN_TORCH}
    assert names <= {*ops.__all__, *engine.__all__, *losses.__all__}


def test_a_tie_of_max_pool_goes_to_the_same_element_as_in_pytorch():
    x = np.random.default_rng(0).integers(0, 2, (2, 6, 6, 3)).astype(float)
    ours, theirs = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    ops.max_pool(ours, 3, stride=2).sum().backward()
    channels_last(torch.nn.functional.max_pool2d(channels_first(theirs), 3, 2)).sum().backward()
    assert np.array_equal(ours.grad, theirs.grad.numpy())
