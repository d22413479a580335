"""The textbook: each op is a forward followed by its hand-derived gradients, one family per file.

Ops take plain arrays and Tensors. With plain arrays there is no tape. The engine replaces expensive
ops by faster implementations (`minidl/engine/table.py`), except within `minidl.textbook()`.
"""

import sys

from minidl.autograd import Tensor
from minidl.ops.activations import leaky_relu, prelu, relu, sigmoid, tanh
from minidl.ops.adaptive_pooling import adaptive_avg_pool, adaptive_max_pool
from minidl.ops.arithmetic import add, divide, multiply, negative, power, subtract
from minidl.ops.comparisons import argmax, argmin
from minidl.ops.comparisons import compare as compare  # of the operators of Tensor
from minidl.ops.convolution import convolution
from minidl.ops.directions import cosine_similarity, l2_normalize
from minidl.ops.distances import chi_square, pairwise_distances
from minidl.ops.dropout import dropout
from minidl.ops.einsum import einsum
from minidl.ops.elementary import absolute, cos, exp, expm1, log, log1p, sin, sqrt
from minidl.ops.embedding import embedding
from minidl.ops.error_function import erf
from minidl.ops.example_normalization import group_norm, layer_norm
from minidl.ops.indexing import index
from minidl.ops.joining import concatenate, split, stack
from minidl.ops.local_response import local_response_norm
from minidl.ops.matrices import matmul
from minidl.ops.normalization import batch_norm
from minidl.ops.padding import pad
from minidl.ops.pooling import avg_pool, max_pool
from minidl.ops.reductions import max, mean, min, prod, sum
from minidl.ops.repetition import repeat, tile
from minidl.ops.resampling import resample
from minidl.ops.scans import cumsum
from minidl.ops.selection import clip, maximum, minimum, where
from minidl.ops.shaping import broadcast_to, expand_dims, flatten, reshape, squeeze, transpose
from minidl.ops.smooth_activations import elu, gelu, silu, softplus
from minidl.ops.softmax import log_softmax, logsumexp, softmax
from minidl.ops.statistics import std, var
from minidl.ops.transposed_convolution import transposed_convolution
from minidl.ops.upsampling import upsample

Tensor.ops = sys.modules[__name__]  # the operators and methods of Tensor call these ops

__all__ = [
    "absolute", "adaptive_avg_pool", "adaptive_max_pool", "add", "argmax", "argmin", "avg_pool",
    "batch_norm", "broadcast_to", "chi_square", "clip", "concatenate", "convolution", "cos",
    "cosine_similarity", "cumsum", "divide", "dropout", "einsum", "elu", "embedding", "erf", "exp",
    "expand_dims", "expm1", "flatten", "gelu", "group_norm", "index", "l2_normalize", "layer_norm",
    "leaky_relu", "local_response_norm", "log", "log1p", "log_softmax", "logsumexp", "matmul",
    "max", "max_pool", "maximum", "mean", "min", "minimum", "multiply", "negative", "pad",
    "pairwise_distances", "power", "prelu", "prod", "relu", "repeat", "resample", "reshape",
    "sigmoid", "silu", "sin", "softmax", "softplus", "split", "sqrt", "squeeze", "stack", "std",
    "subtract", "sum", "tanh", "tile", "transpose", "transposed_convolution", "upsample", "var",
    "where",
]  # fmt: skip
