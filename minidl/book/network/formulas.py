"""The formulas of a layer, forward and back, in mathematical typography.

r and s are the row and the column of a position, i and j those of a weight in its kernel, and c and
k the numbers of an input and of a unit. In pooling, o is a window, and t a place in it.
"""

from collections.abc import Mapping
from typing import Any

from minidl.book.writing.formula import formula
from minidl.book.writing.mathml import mathml

# Formulas of the layers that have no window
PLAIN: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "picture": ("", "", ()),
    "scale": ("y = (x - mean)/std", "dx = dy/std", ()),
    "relu": ("y = max(x, 0)", "dx = dy [x > 0]", ()),
    "dropout": ("y = x", "dx = dy", ()),
    "norm": (
        "y = γ (x - μ)/√(σ² + ε) + β",
        "dx = dy γ/√(σ² + ε)",
        ("dγ = Σ_{r,s} dy[r,s] (x[r,s] - μ)/√(σ² + ε)", "dβ = Σ_{r,s} dy[r,s]"),
    ),
    "softmax": ("p[k] = e^z[k] / Σ_j e^z[j]", "dz[k] = p[k] - [k = chosen]", ()),
}


def formulas(layer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the formulas of a layer as MathML: {"forward": .., "back": .., "weights": [..]}.

    back: of the gradient with respect to the input of the layer. weights: of the gradients of its
    parameters.
    """
    kind = layer["kind"]
    forward, back, weights = OF_WINDOWS[kind](layer) if kind in OF_WINDOWS else PLAIN[kind]
    return {
        "forward": _typeset(forward),
        "back": _typeset(back),
        "weights": [_typeset(one) for one in weights],
    }


def _convolution(layer):
    read = _read(layer)
    bias, db = ("b[k] + ", ["db[k] = Σ_{r,s} dy[r,s,k]"]) if "bias" in layer else ("", [])
    back = "Σ_{o,t: o reads (r, s) through t} Σ_k dy[o,k] w[t,c,k]"
    if layer["stride"] == layer["dilation"] == [1, 1]:
        before = layer["before"]
        readers = [
            f"{p}{f' + {n}' if n else ''} - {t}" for p, t, n in zip("rs", "ij", before, strict=True)
        ]
        back = f"Σ_{{i,j,k}} dy[{', '.join(readers)}, k] w[i,j,c,k]"
    return (
        f"y[r,s,k] = {bias}Σ_{{i,j,c}} x[{read}, c] w[i,j,c,k]",
        f"dx[r,s,c] = {back}",
        (f"dw[i,j,c,k] = Σ_{{r,s}} x[{read}, c] dy[r,s,k]", *db),
    )


def _dense(layer):
    place = "r,s,c" if layer["flattens"] else "c"
    bias, db = ("b[k] + ", ["db[k] = dy[k]"]) if "bias" in layer else ("", [])
    return (
        f"y[k] = {bias}Σ_{{{place}}} x[{place}] w[{place},k]",
        f"dx[{place}] = Σ_k dy[k] w[{place},k]",
        (f"dw[{place},k] = x[{place}] dy[k]", *db),
    )


def _max_pool(layer):
    return (
        f"y[o,k] = max_t x[{_windows(layer)}, k]",
        "dx[i,k] = Σ_o dy[o,k] [i = argmax of window o]",
        (),
    )


def _avg_pool(layer):
    return (
        f"y[o,k] = 1/n Σ_t x[{_windows(layer)}, k]",
        "dx[i,k] = Σ_{o: o reads i} dy[o,k]/n",
        (),
    )


OF_WINDOWS = {
    "convolution": _convolution,
    "dense": _dense,
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
}


def _read(layer):
    """Return the row and the column that a window reads, such as "2 r + i - 1, 2 s + j - 1"."""
    axes = zip("rs", "ij", layer["stride"], layer["dilation"], layer["before"], strict=True)
    return ", ".join(
        f"{_times(stride, place)} + {_times(dilation, tap)}{f' - {before}' if before else ''}"
        for place, tap, stride, dilation, before in axes
    )


def _windows(layer):
    """Return what tap t of window o reads, such as "2 o + t", for both axes in one."""
    axes = set(zip(layer["stride"], layer["dilation"], layer["before"], strict=True))
    if len(axes) > 1:
        return "o·stride + t·dilation - before"
    [(stride, dilation, before)] = axes
    return f"{_times(stride, 'o')} + {_times(dilation, 't')}{f' - {before}' if before else ''}"


def _times(factor, name):
    return name if factor == 1 else f"{factor} {name}"


def _typeset(text):
    return mathml(formula(text), display=True) if text else ""
