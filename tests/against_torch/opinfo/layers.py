"""Translations of convolution, pooling, normalization, padding, sampling and embedding.

PyTorch's channels are first, and minidl's are last. PyTorch takes one example without a batch; the
translation makes it a batch of one.
"""

from math import prod

from minidl import ops
from tests.against_torch.opinfo.arrays import axes
from tests.against_torch.opinfo.inexpressible import cannot, only


def channels_last(x):
    """(N, C, ...) -> (N, ..., C)"""
    return ops.transpose(x, (0, *range(2, x.ndim), 1))


def channels_first(y):
    """(N, ..., C) -> (N, C, ...)"""
    return ops.transpose(y, (0, y.ndim - 1, *range(1, y.ndim - 1)))


def batched(rank):
    """Return a decorator of a translation over `rank` spatial axes. It gives it x as a batch with
    channels last."""

    def decorated(translation):
        def call(x, *args, **kwargs):
            is_batch = x.ndim == rank + 2
            x = channels_last(x if is_batch else ops.expand_dims(x, 0))
            y = channels_first(translation(x, *args, **kwargs))
            return y if is_batch else y.squeeze(0)

        return call

    return decorated


# ---- convolution ---------------------------------------------------------------------------------


def kernel(w):
    """(K, C, *kernel) -> (*kernel, C, K)"""
    return ops.transpose(w, (*range(2, w.ndim), 1, 0))


def per_axis(value):
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def convolution(rank):
    @batched(rank)
    def translation(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        stride, padding, dilation = map(per_axis, (stride, padding, dilation))
        geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        return ops.convolution(x, kernel(w), b, **geometry)

    return translation


def transposed_convolution(rank):
    @batched(rank)
    def translation(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        stride, padding, output_padding, dilation = map(
            per_axis, (stride, padding, output_padding, dilation)
        )
        return ops.transposed_convolution(
            x, kernel(w), b, stride=stride, padding=padding, output_padding=output_padding,
            dilation=dilation, groups=groups,
        )  # fmt: skip

    return translation


# ---- pooling -------------------------------------------------------------------------------------


def max_pool(rank):
    @batched(rank)
    def translation(
        x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
    ):
        only(not return_indices, "max_pool with the places of the maxima")
        size, stride, padding, dilation = map(per_axis, (kernel_size, stride, padding, dilation))
        return ops.max_pool(
            x, size, stride=stride or None, padding=padding, dilation=dilation, ceil=ceil_mode
        )

    return translation


def avg_pool(rank):
    @batched(rank)
    def translation(
        x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
        divisor_override=None,
    ):  # fmt: skip
        """divisor_override: the number by which the sum of each window is divided."""
        size, stride, padding = map(per_axis, (kernel_size, stride, padding))
        only(not (divisor_override and ceil_mode), "a divisor of incomplete windows")
        y = ops.avg_pool(
            x, size, stride=stride or None, padding=padding, ceil=ceil_mode,
            count_padding=bool(count_include_pad or divisor_override),
        )  # fmt: skip
        count = size**rank if isinstance(size, int) else prod(size)
        return y * (count / divisor_override) if divisor_override else y

    return translation


def adaptive_avg_pool(rank):
    @batched(rank)
    def translation(x, output_size):
        return ops.adaptive_avg_pool(x, per_axis(output_size))

    return translation


def adaptive_max_pool(rank):
    @batched(rank)
    def translation(x, output_size, return_indices=False):
        only(not return_indices, "max_pool with the places of the maxima")
        return ops.adaptive_max_pool(x, per_axis(output_size))

    return translation


# ---- interpolation -------------------------------------------------------------------------------

METHODS = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}


def interpolate(
    x, size=None, scale_factor=None, mode="nearest", align_corners=None,
    recompute_scale_factor=None, antialias=False,
):  # fmt: skip
    x = channels_last(x)
    if size is None and (recompute_scale_factor or mode == "area"):
        size = [int(length * scale_factor) for length in x.shape[1:-1]]
    if mode == "area":
        return channels_first(ops.adaptive_avg_pool(x, per_axis(size)))
    factor = scale_factor if size is None else None
    method, corners = METHODS.get(mode, mode), bool(align_corners)
    y = ops.upsample(x, factor, size=per_axis(size), method=method, align_corners=corners)
    return channels_first(y)


def upsample_bilinear(x, size=None, scale_factor=None):
    return interpolate(x, size, scale_factor, "bilinear", align_corners=True)


# ---- normalization -------------------------------------------------------------------------------


def batch_norm(
    x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    if x.ndim == 1:
        x = ops.expand_dims(x, 1)
    given = None if training else (running_mean.data, running_var.data)
    y = ops.batch_norm(channels_last(x), weight, bias, given, eps, fixed=not training)
    return channels_first(y)


def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    y = ops.group_norm(channels_last(x), weight, bias, groups=num_groups, epsilon=eps)
    return channels_first(y)


def instance_norm(
    x, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
    momentum=0.1, eps=1e-5,
):  # fmt: skip
    only(use_input_stats, "instance_norm with fixed moments")
    return group_norm(x, x.shape[1], weight, bias, eps)


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    return ops.layer_norm(x, weight, bias, len(normalized_shape), eps)


def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    return channels_first(ops.local_response_norm(channels_last(x), size, alpha, beta, k))


def normalize(x, p=2.0, dim=1, eps=1e-12):
    """PyTorch divides by at least eps."""
    only(p == 2, "normalize by another norm than the Euclidean")
    return ops.l2_normalize(x, axes(x, dim))


# ---- padding, embedding, dropout, dense layers --------------------------------------------------


def pad(x, width, mode="constant", value=None):
    """A negative width cuts."""
    pairs = [(0, 0)] * (x.ndim - len(width) // 2)
    pairs += [(width[i], width[i + 1]) for i in range(len(width) - 2, -1, -2)]
    only(mode == "constant" or min(width) >= 0, "padding that cuts, except with a constant")
    cut = [slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x.shape, pairs, strict=True)]
    added = [(max(0, a), max(0, b)) for a, b in pairs]
    return ops.pad(x[tuple(cut)], added, value or 0, mode)


def embedding(
    w, indices, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False,
    sparse=False,
):  # fmt: skip
    only(max_norm is None, "embedding that changes its weights")
    only(not scale_grad_by_freq, "embedding whose gradient is divided by counts")
    return ops.embedding(w, indices, padding_idx)


def dropout(x, p=0.5, training=True, inplace=False):
    only(not training or p == 0, "random masks")
    return ops.dropout(x, 1.0, 0) if training else x * 1.0


def linear(x, w, b=None):
    y = ops.matmul(x, w.T)
    return y if b is None else y + b


def prelu(x, weight):
    if x.ndim < 2 or weight.size == 1:
        return ops.prelu(x, weight)
    return channels_first(ops.prelu(channels_last(x), weight))


TRANSLATIONS = {
    **{f"nn.functional.conv{rank}d": convolution(rank) for rank in (1, 2, 3)},
    **{f"nn.functional.conv_transpose{rank}d": transposed_convolution(rank) for rank in (1, 2, 3)},
    **{f"nn.functional.max_pool{rank}d": max_pool(rank) for rank in (1, 2, 3)},
    **{f"nn.functional.avg_pool{rank}d": avg_pool(rank) for rank in (1, 2, 3)},
    **{f"nn.functional.adaptive_avg_pool{rank}d": adaptive_avg_pool(rank) for rank in (1, 2, 3)},
    **{f"nn.functional.adaptive_max_pool{rank}d": adaptive_max_pool(rank) for rank in (1, 2, 3)},
    "nn.functional.interpolate": interpolate,
    "nn.functional.upsample_nearest": interpolate,
    "nn.functional.upsample_bilinear": upsample_bilinear,
    "nn.functional.batch_norm": batch_norm,
    "nn.functional.group_norm": group_norm,
    "nn.functional.instance_norm": instance_norm,
    "nn.functional.layer_norm": layer_norm,
    "nn.functional.local_response_norm": local_response_norm,
    "nn.functional.normalize": normalize,
    "nn.functional.pad": pad,
    "constant_pad_nd": lambda x, width, value=0: pad(x, width, "constant", value),
    "nn.functional.grid_sample": cannot("a gradient with respect to the places of samples"),
    "nn.functional.embedding": embedding,
    "nn.functional.dropout": dropout,
    "nn.functional.linear": linear,
    "nn.functional.prelu": prelu,
}
