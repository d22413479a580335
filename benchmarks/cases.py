"""A case: the same maps by minidl and by PyTorch, and how they are measured against each other."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

import minidl
from benchmarks import memory, twins
from benchmarks.turns import finishing, turn_about
from minidl.backend import current_module, to_numpy
from minidl.errors import MinidlError

AGREE = 1e-3  # of their norm: the most by which the rivals' results may differ


@dataclass(frozen=True)
class Case:
    """arrays(): the inputs by name. ours(arrays) and theirs(layout, arrays): {map: call}, the same maps. multiply_adds: of all
    maps together, by their definition; None where they are no such sums. count: how many such layers the network has.
    is_whole: a whole network, whose memory is measured too."""

    name: str
    group: str
    multiply_adds: int | None
    arrays: Callable
    ours: Callable
    theirs: Callable
    count: int = 1
    is_whole: bool = False

    def rivals(self, devices):
        """{rival: function that makes its {map: call}}, PyTorch on the CPU alone; and the shapes of the inputs."""
        arrays = self.arrays()
        found = {f"minidl {device}": partial(self._on, device, arrays) for device in devices}
        if "cpu" in devices and twins.is_installed():
            found |= {f"PyTorch {layout}": partial(self.theirs, layout, arrays) for layout in twins.LAYOUTS}
        return found, {name: list(array.shape) for name, array in arrays.items()}

    def _on(self, device, arrays):
        with minidl.device(device):
            xp = current_module()
            calls = self.ours({name: xp.asarray(array) for name, array in arrays.items()})
            return {name: finishing(call, device) for name, call in calls.items()}


def of_op(name, group, op, twin, shapes, gradients, options=None, multiply_adds=None, count=1):
    """The Case of an op of minidl and its gradients by some of its inputs; twin(torch.nn.functional, **tensors, **options)."""
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
    defaults = {name: parameter.default for name, parameter in inspect.signature(op).parameters.items()}
    known = {**defaults, **arrays, **options, **{f"{name}_shape": array.shape for name, array in arrays.items()}}
    calls = {"forward": partial(op, **arrays, **options)}
    for name in gradients:
        gradient = op.gradients[f"d{name}"]
        dy, *reads = inspect.signature(gradient).parameters
        known[dy[1:]] = y
        calls[f"d{name}"] = partial(gradient, y.copy(), **{parameter: known[parameter] for parameter in reads})
    return calls


def measure(work, number, devices, quick):
    """A row of the results: what a case of a work is, and how many seconds and bytes each rival takes for it."""
    case = work.cases(quick)[number]
    makers, shapes = case.rivals(devices)
    on_cpu = [rival for rival in makers if rival != "minidl gpu"]
    peaks = memory.of_each(work, number, on_cpu) if case.is_whole and not quick else {}
    rivals = {rival: make() for rival, make in makers.items()}
    difference = _difference(case.name, rivals)
    seconds = turn_about(rivals, quick)
    totals = {rival: sum(maps.values()) for rival, maps in seconds.items()}
    return {
        "name": case.name, "group": case.group, "count": case.count, "shapes": shapes, "multiply_adds": case.multiply_adds,
        "difference": difference, "seconds": seconds, "total": totals, "peak_bytes": peaks,
        "ratio": {device: _ratio(totals, device) for device in devices},
    }  # fmt: skip


def of_pytorch(found):
    """The lower one of its two layouts' numbers; None without PyTorch."""
    return min((number for rival, number in found.items() if rival.startswith("PyTorch")), default=None)


def mean_ratio(rows, device="cpu"):
    """The geometric mean of the rows' ratios, each as often as its layer counts; None where there are none."""
    ratios = [row["ratio"][device] for row in rows for _ in range(row["count"]) if row["ratio"].get(device)]
    return prod(ratios) ** (1 / len(ratios)) if ratios else None


def _ratio(totals, device):
    """On the CPU: PyTorch's time by minidl's. On the GPU: minidl's time on the CPU by that here. None without the other."""
    other = of_pytorch(totals) if device == "cpu" else totals.get("minidl cpu")
    return other and other / totals[f"minidl {device}"]


def _difference(name, rivals):
    """The largest difference from the first rival's results, by norms. (By the largest number alone, PyTorch's two layouts
    would differ by 1e-2: a ReLU whose input is nearly 0 may be on in one and off in the other.)"""
    ours, *others = ([array for call in calls.values() for array in _arrays(call())] for calls in rivals.values())
    pairs = [pair for theirs in others for pair in zip(ours, theirs, strict=True)]
    worst = max((float(np.linalg.norm(a - b) / np.linalg.norm(a)) for a, b in pairs), default=0.0)
    if not worst <= AGREE:
        raise MinidlError(f"{name}: the rivals' results differ by {worst:.1e} of their norm; wanted {AGREE:g}: one is wrong")
    return worst


def _arrays(results):
    """In NumPy: one result or a list, of minidl or PyTorch"""
    results = results if isinstance(results, list) else [results]
    return [result.numpy() if hasattr(result, "numpy") else to_numpy(result) for result in results]
