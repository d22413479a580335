"""Runs PyTorch's samples of an op in both libraries, and compares."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db

from minidl import Tensor
from minidl.errors import MinidlError
from tests.against_torch.opinfo import arrays, elementwise, layers, losses
from tests.against_torch.opinfo.inexpressible import Inexpressible, only

FILES = (elementwise, arrays, layers, losses)
TRANSLATIONS = {name: f for file in FILES for name, f in file.TRANSLATIONS.items()}
# The import of op_db forbids to change settings of PyTorch, such as TF32, in the whole process.
torch.backends.flags_frozen.__globals__["__allow_nonbracketed_mutation_flag"] = True
NEAR = 1e-10  # the largest error of a result, relative to its largest number


@dataclass
class Count:
    """The samples of one op.

    agreeing: how many agree. cannot: {reason: how many samples minidl cannot express}. disagreeing:
    a sentence about each sample whose results differ.
    """

    agreeing: int = 0
    cannot: Counter[str] = field(default_factory=Counter)
    disagreeing: list[str] = field(default_factory=list)

    def __iadd__(self, other: "Count") -> "Count":
        self.agreeing += other.agreeing
        self.cannot += other.cannot
        self.disagreeing += other.disagreeing
        return self


def is_of_windows(name: str) -> bool:
    """Return whether an op is a convolution or pooling, which are counted apart."""
    return "conv" in name or "pool" in name


def shared_ops() -> dict[str, Any]:
    """Return {name, as in "max binary": OpInfo} of the ops that both libraries have."""
    named = {f"{info.name} {info.variant_test_name}".strip(): info for info in op_db}
    return {name: info for name, info in named.items() if translation_of(name)}


def translation_of(name: str) -> Callable[..., Any] | None:
    """Return the translation of a variant, or else of its op, or None."""
    return TRANSLATIONS.get(name) or TRANSLATIONS.get(name.partition(" ")[0])


def counted(name: str, info: Any, every: int = 1) -> Count:
    """Run the samples of an op, or only each whose number is a multiple of `every`."""
    count = Count()
    for number, sample in enumerate(samples_of(info)):
        if number % every == 0:
            run(count, info.op, translation_of(name), sample, number)
    return count


def samples_of(info: Any) -> Iterator[Any]:
    torch.manual_seed(0)
    return info.sample_inputs("cpu", torch.float64, requires_grad=info.supports_autograd)


def run(count, op, translation, sample, number):
    """Run one sample, and add it to the count."""
    try:
        must_agree(op, translation, sample, np.random.default_rng(number))
    except (Inexpressible, MinidlError) as reason:
        count.cannot[str(reason)] += 1
    except AssertionError as error:
        arguments = shown((sample.input, *sample.args, *sample.kwargs.items()))
        count.disagreeing.append(f"sample {number} {arguments}: {error}")
    else:
        count.agreeing += 1


def must_agree(op, translation, sample, rng):
    """Raise AssertionError if values or gradients differ."""
    leaves: list[tuple[torch.Tensor, Tensor]] = []
    x, args, kwargs = ours((sample.input, sample.args, sample.kwargs), leaves)
    results = flat(translation(x, *args, **kwargs))
    wanted = flat(op(sample.input, *sample.args, **sample.kwargs))
    assert len(results) == len(wanted), f"{len(results)} results instead of {len(wanted)}"
    for y, wanted_y in zip(results, wanted, strict=True):
        must_be_near("y", y, wanted_y)
    pairs = [
        (y, wanted_y, rng.standard_normal(wanted_y.shape))
        for y, wanted_y in zip(results, wanted, strict=True)
        if isinstance(wanted_y, torch.Tensor) and wanted_y.requires_grad
    ]
    for y, _, dy in pairs:
        assert isinstance(y, Tensor) and y.requires_grad, "there is no gradient"
        y.backward(dy, accumulate=True)
    if not pairs:
        return
    _, outputs, arrays = zip(*pairs, strict=True)
    inputs = [leaf for leaf, _ in leaves]
    cotangents = [torch.tensor(dy).to(y.dtype) for y, dy in zip(outputs, arrays, strict=True)]
    gradients = torch.autograd.grad(outputs, inputs, cotangents, allow_unused=True)
    for number, ((leaf, own), dx) in enumerate(zip(leaves, gradients, strict=True)):
        must_be_near(
            f"gradient {number}",
            np.zeros(own.shape) if own.grad is None else own.grad,
            torch.zeros_like(leaf) if dx is None else dx,
        )


def ours(value, leaves):
    """Return a value with each tensor replaced: of floats by a Tensor, of integers and bools by an
    array. leaves: a list of (tensor, Tensor) that require gradients, which is added to."""
    if isinstance(value, torch.Tensor):
        only(not value.is_complex(), "complex numbers")
        array = value.detach().numpy().copy()
        if not value.is_floating_point():
            return array
        for leaf, own in leaves:
            if leaf is value:
                return own
        own = Tensor(array, requires_grad=value.requires_grad)
        if value.requires_grad:
            leaves.append((value, own))
        return own
    if isinstance(value, dict):
        return {name: ours(part, leaves) for name, part in value.items()}
    if type(value) in (list, tuple, torch.Size):
        parts = [ours(part, leaves) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    return value


def flat(result):
    return [*result] if isinstance(result, (tuple, list)) else [result]


def must_be_near(name, result, wanted):
    array = np.asarray(result.data if isinstance(result, Tensor) else result)
    wanted = np.asarray(wanted.detach().numpy() if isinstance(wanted, torch.Tensor) else wanted)
    assert array.shape == wanted.shape, f"{name} has shape {array.shape}, not {wanted.shape}"
    assert array.dtype == wanted.dtype, f"{name} is {array.dtype}, not {wanted.dtype}"
    size = max(1.0, abs(wanted[np.isfinite(wanted)].astype(float)).max(initial=0))
    near = np.isclose(array.astype(float), wanted.astype(float), 0, NEAR * size, equal_nan=True)
    worst = np.flatnonzero(~near)[:1]
    assert near.all(), f"{name} is {array.flat[worst]}, not {wanted.flat[worst]}"


def shown(value):
    """Return an argument in words: a tensor as its shape."""
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{tuple(value.shape)}"
    if isinstance(value, (list, tuple)):
        return f"({', '.join(map(shown, value))})"
    return repr(value)
