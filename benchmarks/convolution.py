"""Convolutions, forward and both gradients: VGG19's, those of sound and volumes, others; and
whether "auto" chooses well."""

from functools import partial
from itertools import product
from math import prod

from benchmarks.cases import maps, normals, of_op, on, placed
from benchmarks.turns import by_cupy, turn_about
from minidl.ops import convolution
from minidl.engine.convolution import choice
from minidl.shapes import windows_over

# Kernel, channels in -> out, extent; padded so that stride 1 keeps the extent of an odd kernel.
VGG19 = {  # and how many such layers it has
    "3x3 128->256 at 56x56, batch 16": 1,
    "3x3 256->256 at 56x56, batch 16": 3,
    "3x3 256->512 at 28x28, batch 16": 1,
    "3x3 512->512 at 28x28, batch 16": 3,
    "3x3 512->512 at 14x14, batch 16": 4,
}
SOUND_AND_VOLUMES = (
    "10 1->512 at 16000, stride 5",  # wav2vec's first layer
    "3 256->256 at 4000, batch 4",
    "3 128->128 at 16000, dilation 8",  # one of WaveNet's
    "5 512->512 at 1000, batch 4",  # Tacotron's encoder
    "7 64->64 at 16000, batch 2",
    "9 64->128 at 8000, batch 2",
    "1 512->512 at 2000, batch 4",
    "3x3x3 8->16 at 48x48x48",
    "3x3x3 128->128 at 16x16x16",
    "1x1x1 128->64 at 32x32x32",
    "3x3x3 32->64 at 32x32x32, stride 2",
    "3x3x3 64->128 at 16x56x56",  # C3D's second layer
)
OTHERS = (
    "1x1 64->256 at 56x56, batch 8",
    "7x7 3->64 at 224x224, batch 8, stride 2",
    "3x3 128->128 at 56x56, batch 8, stride 2",
    "3x3 128->128 at 56x56, batch 8, dilation 2",
    "3x3 128->128 at 56x56, batch 8, groups 128",
    "3x3 3->64 at 224x224, batch 8",
)
UNDECIDED = (
    "3 64->64 at 1000",
    "3 256->256 at 4000",
    "3x3 512->512 at 7x7",
    "3x3 64->64 at 14x14",
    "3x3 64->64 at 28x28",
    "3x3 128->256 at 28x28",
    "3x3 16->16 at 56x56",
    "3x3 64->64 at 56x56",
    "3x3 8->8 at 112x112, batch 4",
    "3x3 3->64 at 224x224",
    "3x3x3 16->16 at 16x16x16",
    "3x3x3 32->32 at 32x32x32",
    "3x3 16->16 at 32x32, batch 128",  # VGG19's at a quarter of its width, on CIFAR-10
    "3x3 32->32 at 16x16, batch 128",
    "3x3 64->64 at 8x8, batch 128",
    "3x3 128->128 at 4x4, batch 128",
    "3x3 32->64 at 28x28, batch 128, stride 2",  # the siamese network's, on MNIST
    "3x3 64->128 at 14x14, batch 128, stride 2",
)
ALGORITHMS = ("im2col", "runs", "winograd", "winograd_runs")
GROUPS = {
    "VGG19 3x3, batch 16": VGG19,
    "1-D and 3-D": dict.fromkeys(SOUND_AND_VOLUMES, 1),
    "others": dict.fromkeys(OTHERS, 1),
}


def cases(quick):
    """What PyTorch computes too."""
    found = []
    for group, names in GROUPS.items():
        for name, count in names.items():
            shapes, options, multiply_adds = _read(name, quick)
            found.append(
                of_op(
                    name, group, convolution, _twin, shapes, "xw", options, 3 * multiply_adds, count
                )
            )
    return found


def more(arguments):
    """The time of algorithm="auto" as a share of the fastest algorithm's, map by map."""
    print(
        f"\n{'auto / the fastest that fits':48}"
        + "".join(f"{name:>12}" for name in ("forward", "dx", "dw"))
    )
    rows = []
    for name, device in product(
        UNDECIDED[::6] if arguments.quick else UNDECIDED, sorted(set(arguments.device))
    ):
        shapes, options, _ = _read(name, arguments.quick)
        arrays, rivals = normals(shapes), {}
        windows = windows_over(
            shapes["x"][1:-1],
            shapes["w"][:-2],
            options["stride"],
            options["padding"],
            options["dilation"],
        )
        able = choice.fitting(windows, options["groups"], shapes["w"])
        for algorithm in ("auto", *(name for name in ALGORITHMS if name in able)):
            ours = partial(maps, convolution, "xw", {**options, "algorithm": algorithm})
            rivals[algorithm] = placed(ours, arrays, device, arguments.tf32)
        seconds = turn_about(
            rivals, arguments.quick, dict.fromkeys(rivals, by_cupy) if device == "gpu" else {}
        )
        fastest = {
            key: min(found[key] for rival, found in seconds.items() if rival != "auto")
            for key in seconds["auto"]
        }
        share = {key: seconds["auto"][key] / fastest[key] for key in fastest}
        rows.append({"name": name, "device": device, "seconds": seconds, "share": share})
        print(
            f"  {name + on(device):46}" + "".join(f"{found:12.2f}" for found in share.values()),
            flush=True,
        )
    return {"auto": rows}


def _read(name, quick):
    """Shapes of x, w and b, options, and multiply-adds of each map, from the name; quick: smaller
    than it says."""
    sizes, *rest = name.split(", ")
    taps, channels, extent = (
        part.replace("->", "x").split("x") for part in sizes.replace(" at", "").split()
    )
    taps, (inputs, outputs), extent = (
        tuple(map(int, lengths)) for lengths in (taps, channels, extent)
    )
    told = {"batch": 1, "stride": 1, "dilation": 1, "groups": 1} | {
        word: int(n) for word, n in map(str.split, rest)
    }
    batch, stride, dilation, groups = told.values()
    if quick:
        batch, inputs, outputs, groups = 1, min(inputs, 8), min(outputs, 8), min(groups, 8)
        extent = tuple(min(length, 12) for length in extent)
    padding = tuple(dilation * (n - 1) // 2 for n in taps)
    shapes = {
        "x": (batch, *extent, inputs),
        "w": (*taps, inputs // groups, outputs),
        "b": (outputs,),
    }
    positions = batch * prod(windows_over(extent, taps, stride, padding, dilation).out)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return shapes, options, positions * prod(shapes["w"])


def _twin(functional, x, w, b, **options):
    convolve = getattr(functional, f"conv{x.ndim - 2}d")
    return convolve(x.movedim(-1, 1), w.movedim((-1, -2), (0, 1)), b, **options).movedim(1, -1)
