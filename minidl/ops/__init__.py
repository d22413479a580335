"""The textbook: each op is a forward followed by its hand-derived gradients, one family per file.

Ops take plain arrays and Tensors. With plain arrays there is no tape. The engine replaces expensive
ops by faster implementations (`minidl/engine/table.py`), except within `minidl.textbook()`.
"""

import sys

from minidl.autograd import Tensor
from minidl.ops.activations import leaky_relu, prelu, relu, sigmoid, tanh
from minidl.ops.arithmetic import add, divide, multiply, negative, power, subtract
from minidl.ops.comparisons import compare as compare  # not in __all__, which lists Ops
from minidl.ops.convolution import convolution
from minidl.ops.directions import cosine_similarity, l2_normalize
from minidl.ops.distances import chi_square, pairwise_distances
from minidl.ops.dropout import dropout
from minidl.ops.elementary import absolute, exp, log, sqrt
from minidl.ops.embedding import embedding
from minidl.ops.error_function import erf
from minidl.ops.example_normalization import group_norm, layer_norm
from minidl.ops.indexing import index
from minidl.ops.joining import concatenate
from minidl.ops.local_response import local_response_norm
from minidl.ops.matrices import matmul
from minidl.ops.normalization import batch_norm
from minidl.ops.padding import pad
from minidl.ops.pooling import avg_pool, max_pool
from minidl.ops.reductions import max, mean, sum
from minidl.ops.resampling import resample
from minidl.ops.selection import maximum, minimum
from minidl.ops.shaping import broadcast_to, reshape, transpose
from minidl.ops.smooth_activations import elu, gelu, silu, softplus
from minidl.ops.softmax import softmax
from minidl.ops.transposed_convolution import transposed_convolution

Tensor.ops = sys.modules[__name__]  # the operators and methods of Tensor call these ops

__all__ = [
    "absolute", "add", "avg_pool", "batch_norm", "broadcast_to", "chi_square", "concatenate",
    "convolution", "cosine_similarity", "divide", "dropout", "elu", "embedding", "erf", "exp",
    "gelu", "group_norm", "index", "l2_normalize", "layer_norm", "leaky_relu",
    "local_response_norm", "log", "matmul", "max", "max_pool", "maximum", "mean", "minimum",
    "multiply", "negative", "pad", "pairwise_distances", "power", "prelu", "relu", "resample",
    "reshape", "sigmoid", "silu", "softmax", "softplus", "sqrt", "subtract", "sum", "tanh",
    "transpose", "transposed_convolution",
]  # fmt: skip
