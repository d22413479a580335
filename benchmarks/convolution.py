"""Convolutions, forward and both gradients: VGG19's, those of sound and volumes, and others.

Also the time of the algorithm that "auto" chooses, as a share of the fastest algorithm's.
"""

from functools import partial
from itertools import product
from math import prod

from benchmarks.cases import maps, normals, of_op, on, placed
from benchmarks.turns import by_cupy, median_seconds
from minidl.engine.convolution import ALGORITHMS
from minidl.engine.convolution.algorithm import Problem
from minidl.ops import convolution
from minidl.proofs.table import by_algorithm
from minidl.shapes import windows_over

# A name gives the kernel, the channels in -> out, and the extent of the input. The padding is such
# that an odd kernel with stride 1 keeps the extent.
VGG19 = {  # name: the number of such layers in the network
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
COMPARED = ("im2col", "runs", "winograd", "winograd_runs")
GROUPS = {
    "VGG19 3x3, batch 16": VGG19,
    "1-D and 3-D": dict.fromkeys(SOUND_AND_VOLUMES, 1),
    "others": dict.fromkeys(OTHERS, 1),
}


def cases(quick):
    """Return the Cases of all GROUPS. quick: with smaller arrays."""
    cases = []
    for group, names in GROUPS.items():
        for name, count in names.items():
            shapes, options, windows = _read(name, quick)
            products = shapes["x"][0] * prod(windows.out) * prod(shapes["w"])
            three = 3 * products  # forward, dx and dw
            cases.append(
                of_op(name, group, convolution, _twin, shapes, "xw", options, three, count)
            )
    return cases


def more(arguments):
    """Print and return the time of "auto" as a share of the fastest algorithm's, for each map."""
    titles = "".join(f"{name:>12}" for name in ("forward", "dx", "dw"))
    print(f"\n{'auto / the fastest applicable algorithm':48}{titles}")
    rows, names = [], UNDECIDED[::6] if arguments.quick else UNDECIDED
    for name, device in product(names, sorted(set(arguments.device))):
        shapes, options, windows = _read(name, arguments.quick)
        arrays, rivals = normals(shapes), {}
        images, groups, dtype = shapes["x"][0], options["groups"], arrays["x"].dtype
        problem = Problem(
            "forward", images, windows, groups, shapes["w"], dtype, False, device == "gpu"
        )
        applicable = [name for name in COMPARED if ALGORITHMS[name].applies(problem)]
        for algorithm in ("auto", *applicable):
            ours = partial(maps, by_algorithm(algorithm, convolution), "xw", options)
            rivals[algorithm] = placed(ours, arrays, device, arguments.tf32)
        clocks = dict.fromkeys(rivals, by_cupy) if device == "gpu" else {}
        seconds = median_seconds(rivals, arguments.quick, clocks)
        share = {
            key: auto / min(times[key] for rival, times in seconds.items() if rival != "auto")
            for key, auto in seconds["auto"].items()
        }
        rows.append({"name": name, "device": device, "seconds": seconds, "share": share})
        cells = "".join(f"{ratio:12.2f}" for ratio in share.values())
        print(f"  {name + on(device):46}{cells}", flush=True)
    return {"auto": rows}


def _read(name, quick):
    """Parse a name: the shapes of x, w and b, the options, and the multiply-adds of each map.

    quick: reduce the sizes.
    """
    sizes, *words = name.split(", ")
    parts = sizes.replace(" at", "").replace("->", "x").split()
    taps, (inputs, outputs), extent = (tuple(map(int, part.split("x"))) for part in parts)
    numbers = {"batch": 1, "stride": 1, "dilation": 1, "groups": 1}
    numbers |= {word: int(n) for word, n in map(str.split, words)}
    batch, stride, dilation, groups = numbers.values()
    if quick:
        batch, inputs, outputs, groups = 1, min(inputs, 8), min(outputs, 8), min(groups, 8)
        extent = tuple(min(length, 12) for length in extent)
    padding = tuple(dilation * (n - 1) // 2 for n in taps)
    shapes = {
        "x": (batch, *extent, inputs),
        "w": (*taps, inputs // groups, outputs),
        "b": (outputs,),
    }
    windows = windows_over(extent, taps, stride, padding, dilation)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return shapes, options, windows


def _twin(functional, x, w, b, **options):
    convolve = getattr(functional, f"conv{x.ndim - 2}d")
    return convolve(x.movedim(-1, 1), w.movedim((-1, -2), (0, 1)), b, **options).movedim(1, -1)
