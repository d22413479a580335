"""A case: the same computations by minidl and by PyTorch, and how their times are compared."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

import minidl
from benchmarks import memory, twins
from benchmarks.turns import by_cupy, by_torch, median_seconds
from minidl.backend import current_module, to_numpy
from minidl.errors import MinidlError
from minidl.style_transfer.parity import LEAST_OF_GRADIENTS

# The largest norm of the difference of two rivals' results, as a share of the norm of the result.
# PyTorch may use Winograd's algorithm on a GPU. In a whole network, one ReLU near its kink can
# change a gradient by LEAST_OF_GRADIENTS.
TOLERANCES = {"cpu": 1e-3, "gpu": 3e-3, "tf32": 0.2}
CLOCKS = {"minidl gpu": by_cupy} | {
    twins.rival("gpu", layout): by_torch for layout in twins.LAYOUTS
}


@dataclass(frozen=True)
class Case:
    """One set of inputs and the computations ("maps") that the rivals run on them.

    arrays(): the inputs by name.
    ours(arrays), theirs(layout, arrays, device): {map: call}, with the same maps.
    multiply_adds: the count for all maps together, by their definition; None if it is not defined.
    count: the number of such layers in the network.
    is_whole: whether this is a whole network, whose peak memory is measured too.
    """

    name: str
    group: str
    multiply_adds: int | None
    arrays: Callable
    ours: Callable
    theirs: Callable
    count: int = 1
    is_whole: bool = False

    def rivals(self, devices, tf32=False):
        """Return {rival: function that makes its {map: call}}, and the shapes of the inputs."""
        arrays = self.arrays()
        makers = {
            f"minidl {device}": partial(placed, self.ours, arrays, device, tf32)
            for device in devices
        }
        for device in twins.devices(devices):
            for layout in twins.LAYOUTS:
                make = partial(self.theirs, layout, arrays, device)
                makers[twins.rival(device, layout)] = make
        return makers, {name: list(array.shape) for name, array in arrays.items()}


def placed(ours, arrays, device, tf32=False):
    """Return ours(arrays) with arrays and calls on a device. tf32: the GPU multiplies in TF32."""
    with minidl.device(device, tf32 and device == "gpu") as chosen:
        xp = current_module()
        calls = ours({name: xp.asarray(array) for name, array in arrays.items()})
    return {name: partial(_within, chosen, call) for name, call in calls.items()}


def _within(chosen, call):
    with chosen:
        return call()


def of_op(name, group, op, twin, shapes, gradients, options=None, multiply_adds=None, count=1):
    """Return the Case of an op of minidl and its gradients with respect to the named inputs.

    twin(torch.nn.functional, **tensors, **options) computes the same with PyTorch.
    """
    options = options or {}
    ours = partial(maps, op, gradients, options)
    theirs = partial(twins.maps, partial(twin, **options), gradients)
    return Case(name, group, multiply_adds, partial(normals, shapes), ours, theirs, count)


def normals(shapes):
    """Return {name: float32 array of normal random numbers}, the same at each call."""
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}


def maps(op, gradients, options, arrays):
    """Return {"forward": call, "dx": call, ..}: an op, and each named gradient with dy = y."""
    y = op(**arrays, **options)
    parameters = inspect.signature(op).parameters.items()
    values = {name: parameter.default for name, parameter in parameters} | arrays | options
    values |= {f"{name}_shape": array.shape for name, array in arrays.items()}
    calls = {"forward": partial(op, **arrays, **options)}
    for name in gradients:
        gradient = op.gradients[f"d{name}"]
        dy, *others = inspect.signature(gradient).parameters
        values[dy[1:]] = y
        arguments = {parameter: values[parameter] for parameter in others}
        calls[f"d{name}"] = partial(gradient, y.copy(), **arguments)
    return calls


def measure(work, number, devices, tf32, quick):
    """Return a row of the results: the properties of a case, and each rival's seconds and bytes."""
    case = work.cases(quick)[number]
    makers, shapes = case.rivals(devices, tf32)
    on_cpu = [rival for rival in makers if rival not in CLOCKS]
    peaks = memory.of_each(work, number, on_cpu) if case.is_whole and not quick else {}
    rivals = {}
    for rival, make in makers.items():
        rivals[rival] = make()
        if case.is_whole and rival in CLOCKS:
            peaks[rival] = memory.on_gpu(rival, rivals[rival])
    tolerance = TOLERANCES["tf32" if tf32 else devices[-1]]
    if case.is_whole:
        tolerance = max(tolerance, LEAST_OF_GRADIENTS)
    difference = _difference(case.name, rivals, tolerance)
    seconds = median_seconds(rivals, quick, CLOCKS)
    totals = {rival: sum(maps.values()) for rival, maps in seconds.items()}
    return {
        "name": case.name,
        "group": case.group,
        "count": case.count,
        "shapes": shapes,
        "multiply_adds": case.multiply_adds,
        "bytes": None if case.is_whole else _traffic(rivals[f"minidl {devices[0]}"]),
        "difference": difference,
        "seconds": seconds,
        "total": totals,
        "peak_bytes": peaks,
        "ratio": {
            device: _ratio(of_pytorch(totals, device), totals[f"minidl {device}"])
            for device in devices
        },
        "speedup": _ratio(totals.get("minidl cpu"), totals.get("minidl gpu")),
    }


def on(device):
    """Return the suffix of a printed name for a device."""
    return "" if device == "cpu" else ", GPU"


def of_pytorch(numbers, device="cpu"):
    """Return the lower number of PyTorch's layouts on a device; None if there is none."""
    rivals = (twins.rival(device, layout) for layout in twins.LAYOUTS)
    return min((numbers[rival] for rival in rivals if rival in numbers), default=None)


def mean_ratio(rows, device="cpu"):
    """Return the geometric mean of the rows' ratios, weighted by their counts; None without any."""
    return _mean((row["ratio"].get(device), row["count"]) for row in rows)


def mean_speedup(rows):
    """Return the same mean of the rows' speed-ups, the CPU's time divided by the GPU's."""
    return _mean((row.get("speedup"), row["count"]) for row in rows)


def _mean(ratios):
    ratios = [ratio for ratio, count in ratios for _ in range(count) if ratio]
    return prod(ratios) ** (1 / len(ratios)) if ratios else None


def _ratio(theirs, ours):
    return theirs / ours if theirs and ours else None


def _traffic(calls):
    """The bytes that calls read and write at least: those of their arguments and results."""
    return sum(
        _bytes(call) + sum(array.nbytes for array in _arrays(call())) for call in calls.values()
    )


def _bytes(value):
    """The bytes of an array, or of all arguments of a partial function."""
    if isinstance(value, partial):
        return sum(map(_bytes, [*value.args, *value.keywords.values()]))
    return getattr(value, "nbytes", 0)


def _difference(name, rivals, tolerance):
    """The largest relative difference, by norms, of a rival's results from the first rival's.

    Norms are used because single numbers differ more: a ReLU whose input is nearly 0 may be on in
    one of PyTorch's layouts and off in the other, and these two then differ by 1e-2.
    """
    ours, *others = (
        [array for call in calls.values() for array in _arrays(call())] for calls in rivals.values()
    )
    pairs = [pair for theirs in others for pair in zip(ours, theirs, strict=True)]
    worst = max((float(np.linalg.norm(a - b) / np.linalg.norm(a)) for a, b in pairs), default=0.0)
    if not worst <= tolerance:
        raise MinidlError(
            f"{name}: the rivals' results differ by {worst:.1e} of their norm; expected at most "
            f"{tolerance:g}. Check both computations, because one of them is wrong."
        )
    return worst


def _arrays(results):
    """One result or a list of results, of minidl or PyTorch, as NumPy arrays."""
    results = results if isinstance(results, list) else [results]
    return [
        result.cpu().numpy() if hasattr(result, "cpu") else to_numpy(result) for result in results
    ]
