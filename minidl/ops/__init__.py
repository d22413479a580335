"""The maths: every op a forward with its hand-derived gradients under it, one family a file.

Ops take plain arrays and Tensors alike; with plain arrays there is no tape.
"""

from minidl.ops import comparisons  # noqa: F401  the import defines the operators of Tensor
from minidl.ops.activations import leaky_relu, relu, sigmoid, softmax, tanh
from minidl.ops.arithmetic import (
    absolute,
    add,
    divide,
    exp,
    log,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    sqrt,
    subtract,
)
from minidl.ops.convolutions import convolution, convolution_relu
from minidl.ops.directions import cosine_similarity, l2_normalize
from minidl.ops.distances import chi_square, pairwise_distances
from minidl.ops.dropout import dropout
from minidl.ops.matrices import matmul
from minidl.ops.normalization import batch_norm, batch_norm_relu
from minidl.ops.pooling import avg_pool, max_pool
from minidl.ops.reductions import max, mean, sum
from minidl.ops.resampling import resample
from minidl.ops.shaping import broadcast_to, concatenate, index, pad, reshape, transpose

__all__ = [
    "absolute", "add", "avg_pool", "batch_norm", "batch_norm_relu", "broadcast_to", "chi_square", "concatenate", "convolution",
    "convolution_relu", "cosine_similarity", "divide", "dropout", "exp", "index", "l2_normalize", "leaky_relu", "log", "matmul",
    "max", "max_pool", "maximum", "mean", "minimum", "multiply", "negative", "pad", "pairwise_distances", "power", "relu",
    "resample", "reshape", "sigmoid", "softmax", "sqrt", "subtract", "sum", "tanh", "transpose",
]  # fmt: skip
