"""Translations of arithmetic, functions of numbers, choices, comparisons and activations."""

import operator

from minidl import Tensor, ops
from tests.against_torch.opinfo.inexpressible import only


def scaled(other, alpha):
    return other if alpha == 1 else other * alpha


def where(x, condition, other):
    return ops.where(condition, x, other)


def compared(f):
    """Return the translation of a comparison."""
    return lambda x, other: f(x, other) if isinstance(x, Tensor) else f(Tensor(x), other)


def logical(f):
    return lambda x, other: f(x != 0, other != 0)


def softplus(x, beta=1.0, threshold=20.0):
    """PyTorch's is x itself where beta·x > threshold."""
    only(threshold >= 20, "softplus with a low threshold")
    return ops.softplus(x, beta)


TRANSLATIONS = {
    "abs": ops.absolute,
    "add": lambda x, other, alpha=1: x + scaled(other, alpha),
    "sub": lambda x, other, alpha=1: x - scaled(other, alpha),
    "rsub": lambda x, other, alpha=1: other - scaled(x, alpha),
    "mul": operator.mul,
    "div no_rounding_mode": lambda x, other, rounding_mode=None: ops.divide(x, other),
    "true_divide": ops.divide,
    "__radd__": lambda x, other: other + x,
    "__rsub__": lambda x, other: other - x,
    "__rmul__": lambda x, other: other * x,
    "__rdiv__": lambda x, other: other / x,
    "__rpow__": lambda x, other: other**x,
    "neg": operator.neg,
    "pow": ops.power,
    "float_power": ops.power,
    "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: x**-0.5,
    "exp": ops.exp,
    "exp2": lambda x: 2**x,
    "expm1": ops.expm1,
    "log": ops.log,
    "log1p": ops.log1p,
    "sqrt": ops.sqrt,
    "sin": ops.sin,
    "cos": ops.cos,
    "erf": ops.erf,
    "maximum": ops.maximum,
    "minimum": ops.minimum,
    "max binary": ops.maximum,
    "min binary": ops.minimum,
    "clamp": ops.clip,
    "clamp_min": lambda x, min: ops.clip(x, min, None),
    "clamp_max": lambda x, max: ops.clip(x, None, max),
    "where": where,
    "masked_fill": lambda x, mask, value: ops.where(mask, value, x),
    "eq": compared(operator.eq),
    "ne": compared(operator.ne),
    "lt": compared(operator.lt),
    "le": compared(operator.le),
    "gt": compared(operator.gt),
    "ge": compared(operator.ge),
    "logical_and": logical(operator.and_),
    "logical_or": logical(operator.or_),
    "logical_xor": logical(operator.xor),
    "logical_not": lambda x: x == 0,
    "nn.functional.relu": lambda x, inplace=False: ops.relu(x),
    "nn.functional.leaky_relu": lambda x, negative_slope=0.01, inplace=False: ops.leaky_relu(
        x, negative_slope
    ),
    "nn.functional.hardtanh": lambda x, min_val=-1, max_val=1, inplace=False: x.clip(
        min_val, max_val
    ),
    "nn.functional.gelu": lambda x, approximate="none": ops.gelu(x, approximate),
    "nn.functional.silu": lambda x, inplace=False: ops.silu(x),
    "nn.functional.elu": lambda x, alpha=1.0, inplace=False: ops.elu(x, alpha),
    "nn.functional.softplus": softplus,
    "sigmoid": ops.sigmoid,
    "tanh": ops.tanh,
}
