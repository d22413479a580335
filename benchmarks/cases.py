"""A case: the same maps by minidl and by PyTorch, and how they are measured against each other."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

import minidl
from benchmarks import memory, twins
from benchmarks.turns import by_cupy, by_torch, turn_about
from minidl.backend import current_module, to_numpy
from minidl.errors import MinidlError
from minidl.style_transfer.parity import LEAST_OF_GRADIENTS

# Of their norm, the most by which the rivals' results may differ. (PyTorch's convolutions on a GPU
# may be Winograd's as well.) In whole networks a single ReLU near its kink can change a gradient by
# LEAST_OF_GRADIENTS.
AGREE = {"cpu": 1e-3, "gpu": 3e-3, "tf32": 0.2}
CLOCKS = {"minidl gpu": by_cupy} | {
    twins.rival("gpu", layout): by_torch for layout in twins.LAYOUTS
}


@dataclass(frozen=True)
class Case:
    """arrays(): the inputs by name. ours(arrays) and theirs(layout, arrays, device): {map: call},
    the same maps. multiply_adds: of all maps together, by their definition; None where they are no
    such sums. count: how many such layers the network has. is_whole: a whole network, whose memory
    is measured too."""

    name: str
    group: str
    multiply_adds: int | None
    arrays: Callable
    ours: Callable
    theirs: Callable
    count: int = 1
    is_whole: bool = False

    def rivals(self, devices, tf32=False):
        """{rival: function that makes its {map: call}}, and the shapes of the inputs."""
        arrays = self.arrays()
        found = {
            f"minidl {device}": partial(placed, self.ours, arrays, device, tf32)
            for device in devices
        }
        for device in twins.devices(devices):
            found |= {
                twins.rival(device, layout): partial(self.theirs, layout, arrays, device)
                for layout in twins.LAYOUTS
            }
        return found, {name: list(array.shape) for name, array in arrays.items()}


def placed(ours, arrays, device, tf32=False):
    """ours(arrays) with the arrays on a device, where its calls run too. tf32: in this arithmetic
    on a GPU."""
    with minidl.device(device, tf32 and device == "gpu") as chosen:
        xp = current_module()
        calls = ours({name: xp.asarray(array) for name, array in arrays.items()})
    return {name: partial(_within, chosen, call) for name, call in calls.items()}


def _within(chosen, call):
    with chosen:
        return call()


def of_op(name, group, op, twin, shapes, gradients, options=None, multiply_adds=None, count=1):
    """The Case of an op of minidl and its gradients by some of its inputs;
    twin(torch.nn.functional, **tensors, **options)."""
    options = options or {}
    ours = partial(maps, op, gradients, options)
    theirs = partial(twins.maps, partial(twin, **options), gradients)
    return Case(name, group, multiply_adds, partial(normals, shapes), ours, theirs, count)


def normals(shapes):
    """{name: array} of float32 normal numbers, the same at each call."""
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}


def maps(op, gradients, options, arrays):
    """{"forward": call, "dx": call, ..}: an op and some of its gradients, each alone; dy is y."""
    y = op(**arrays, **options)
    defaults = {
        name: parameter.default for name, parameter in inspect.signature(op).parameters.items()
    }
    known = {
        **defaults,
        **arrays,
        **options,
        **{f"{name}_shape": array.shape for name, array in arrays.items()},
    }
    calls = {"forward": partial(op, **arrays, **options)}
    for name in gradients:
        gradient = op.gradients[f"d{name}"]
        dy, *reads = inspect.signature(gradient).parameters
        known[dy[1:]] = y
        calls[f"d{name}"] = partial(
            gradient, y.copy(), **{parameter: known[parameter] for parameter in reads}
        )
    return calls


def measure(work, number, devices, tf32, quick):
    """A row of the results: what a case of a work is, and how many seconds and bytes each rival
    takes for it."""
    case = work.cases(quick)[number]
    makers, shapes = case.rivals(devices, tf32)
    on_cpu = [rival for rival in makers if rival not in CLOCKS]
    peaks = memory.of_each(work, number, on_cpu) if case.is_whole and not quick else {}
    rivals = {}
    for rival, make in makers.items():
        rivals[rival] = make()
        if case.is_whole and rival in CLOCKS:
            peaks[rival] = memory.on_gpu(rival, rivals[rival])
    near = AGREE["tf32" if tf32 else devices[-1]]
    difference = _difference(
        case.name, rivals, max(near, LEAST_OF_GRADIENTS) if case.is_whole else near
    )
    seconds = turn_about(rivals, quick, CLOCKS)
    totals = {rival: sum(maps.values()) for rival, maps in seconds.items()}
    return {
        "name": case.name, "group": case.group, "count": case.count, "shapes": shapes, "multiply_adds": case.multiply_adds,
        "bytes": None if case.is_whole else _moved(rivals[f"minidl {devices[0]}"]), "difference": difference,
        "seconds": seconds, "total": totals, "peak_bytes": peaks,
        "ratio": {device: _ratio(of_pytorch(totals, device), totals[f"minidl {device}"]) for device in devices},
        "speedup": _ratio(totals.get("minidl cpu"), totals.get("minidl gpu")),
    }  # fmt: skip


def on(device):
    """What a device adds to a name that is printed."""
    return "" if device == "cpu" else ", GPU"


def of_pytorch(found, device="cpu"):
    """The lower one of its two layouts' numbers on a device; None without PyTorch."""
    return min(
        (
            found[rival]
            for layout in twins.LAYOUTS
            if (rival := twins.rival(device, layout)) in found
        ),
        default=None,
    )


def mean_ratio(rows, device="cpu"):
    """The geometric mean of the rows' ratios, each as often as its layer counts; None where there
    are none."""
    return _mean((row["ratio"].get(device), row["count"]) for row in rows)


def mean_speedup(rows):
    """The same of how many times as fast as the CPU the GPU is."""
    return _mean((row.get("speedup"), row["count"]) for row in rows)


def _mean(ratios):
    ratios = [ratio for ratio, count in ratios for _ in range(count) if ratio]
    return prod(ratios) ** (1 / len(ratios)) if ratios else None


def _ratio(theirs, ours):
    return theirs / ours if theirs and ours else None


def _moved(calls):
    """The bytes that they read and write at least: of the arrays that they are given, and of those
    that they return"""
    return sum(
        _bytes(call) + sum(array.nbytes for array in _arrays(call())) for call in calls.values()
    )


def _bytes(value):
    """Of an array, or of all that a call is given"""
    if isinstance(value, partial):
        return sum(map(_bytes, [*value.args, *value.keywords.values()]))
    return getattr(value, "nbytes", 0)


def _difference(name, rivals, most):
    """The largest difference from the first rival's results, by norms. (By the largest number
    alone, PyTorch's two layouts would differ by 1e-2: a ReLU whose input is nearly 0 may be on in
    one and off in the other.)"""
    ours, *others = (
        [array for call in calls.values() for array in _arrays(call())] for calls in rivals.values()
    )
    pairs = [pair for theirs in others for pair in zip(ours, theirs, strict=True)]
    worst = max((float(np.linalg.norm(a - b) / np.linalg.norm(a)) for a, b in pairs), default=0.0)
    if not worst <= most:
        raise MinidlError(
            f"{name}: the rivals' results differ by {worst:.1e} of their norm; wanted {most:g}: one is wrong"
        )
    return worst


def _arrays(results):
    """In NumPy: one result or a list, of minidl or PyTorch"""
    results = results if isinstance(results, list) else [results]
    return [
        result.cpu().numpy() if hasattr(result, "cpu") else to_numpy(result) for result in results
    ]
