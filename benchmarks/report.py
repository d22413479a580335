"""Write RESULTS.md and its charts from the result files."""

from statistics import median
from textwrap import fill
from typing import NamedTuple

from benchmarks import layers, plan, recording
from benchmarks.cases import mean_ratio, mean_speedup, of_pytorch
from benchmarks.chart import draw
from benchmarks.recording import kept

INTRODUCTION = """\
<!-- `python -m benchmarks results` writes this file from benchmarks/results. Do not edit it. -->

# Results

Each kind of machine has a section of its own. Its name is that of the GPU, if one was used, of the
maker of the processor and of its widest instruction set, as `minidl info` prints them. Speeds hold
for that kind of machine only.

Measure again with these commands:

```sh
python -m benchmarks proofs                  # prove every gradient
python -m benchmarks convolution             # likewise pooling, losses, layers, vgg19, train and
                                             # stylize: minidl and, if it is installed, PyTorch
python -m benchmarks textbook                # the textbook and the engine
python -m benchmarks paint                   # whole paintings
python -m benchmarks faces                   # needs the ORL faces in the folder MINIDL_DATA
python -m benchmarks visualize               # whole commands that look inside VGG19
python -m benchmarks learn siamese           # likewise cifar10, faces, signals and volumes
python -m benchmarks results                 # write this page
```

`convolution`, `pooling`, `losses`, `layers`, `vgg19`, `train` and `stylize` take `--device cpu gpu`
to measure both devices, `--tf32` to let minidl and PyTorch multiply in TF32 on the GPU, and
`--quick` for a trial of seconds that keeps nothing."""

NO_GPU = "No GPU has been measured yet."
NOT_MEASURED = "–"

SUMS = {  # label: the groups of cases that are added up, each as (work, group)
    "VGG19's twelve 3x3 layers of at most 56x56, batch 16": [
        ("convolution", "VGG19 3x3, batch 16")
    ],
    "twelve convolutions of sound and volumes": [("convolution", "1-D and 3-D")],
    "1x1, 7x7, strided, dilated, depthwise, first layer": [("convolution", "others")],
    "pooling and ReLU, Gram matrices and style losses": [
        ("pooling", "pooling and ReLU"),
        ("losses", "Gram matrices and style losses"),
    ],
    **{f"a training step: {group}": [("layers", group)] for group in layers.GROUPS},
}
NETWORKS = ("vgg19", "stylize", "train")
WORKS = (*dict.fromkeys(work for groups in SUMS.values() for work, _ in groups), *NETWORKS)
ARITHMETICS = {"float32": "_gpu", "tf32": "_gpu_tf32"}  # and the suffix of their result files

PAINTINGS = {
    "demo": "`minidl stylize`, the demo",
    "gatys_code_256": "`--preset gatys-code --size 256 --steps 100`",
}
FACE_TIMES = {  # kind of time: how a row of the table names it
    "start": "the whole process: {}",
    "picture to name": "{}: from the file to the name among 1,000 people",
    "among": "one face among {}",
}
INSIDE_PICTURES = {  # action of `minidl visualize`: what its picture shows
    "unit": "six patterns that maximize six channels of VGG19, painted from noise",
    "dream": "DeepDream of the Café Terrace: full of eyes and animals",
    "saliency": "seven maps of what excites a channel in the picture of a cat: its eyes",
    "invert": "the cat, reconstructed from the content and the style of several layers",
}
LEARNED = {  # result file: the command and what it trains, and the picture that is shown
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


class Row(NamedTuple):
    """A row of a comparison. `ours` and `theirs` are minidl's and PyTorch's numbers as text.

    ratio: PyTorch's number divided by minidl's. speedup: minidl's time on the CPU divided by its
    time on the GPU. Both are None if they were not measured.
    """

    label: str
    ours: str
    theirs: str
    ratio: float | None
    speedup: float | None = None


def run(arguments):
    """Draw the charts of every kind of machine and write RESULTS.md."""
    for kind in recording.kinds():
        _draw_charts(kind)
    (recording.RESULTS.parent / "RESULTS.md").write_text(page())


def page():
    """Return the text of RESULTS.md."""
    kinds = recording.kinds()
    parts = [INTRODUCTION, *map(_section, kinds)]
    if not any(_gpu_rows(kind) for kind in kinds):
        parts.append(NO_GPU)
    return "\n\n".join(parts) + "\n"


def _section(kind):
    """All results of one kind of machine."""
    parts = [
        f"## {_title(kind)}",
        _proofs(kept("proofs", kind)),
        _comparison(kind),
        _layers(kept("layers", kind)),
        _textbook(kept("textbook", kind)),
        _gpu_comparison(kind),
        _paint(kept("paint", kind), kind),
        _pastiche(kept("pastiche", kind)),
        _plan(kept("plan", kind)),
        _faces(kept("faces", kind), kind),
        _inside(kept("visualize", kind), kind),
        _learned(kind),
    ]
    return "\n\n".join(filter(None, parts))


def _title(kind):
    """The GPU, if one was measured, the processor and its instruction set."""
    first, *_ = sorted((recording.RESULTS / kind).glob("*.json"))
    measured_on = kept(first.stem, kind)["measured_on"]
    gpu = [measured_on["gpu"]["name"]] if "gpu" in measured_on else []
    return ", ".join([*gpu, _processor(measured_on)])


def _proofs(results):
    if not results:
        return ""
    rows = [
        (
            method,
            f"{proofs['proven']} of {proofs['gradients']}",
            f"{proofs['worst_error']:.1e}",
            f"{proofs['tolerance']:.0e}",
        )
        for method, proofs in results["methods"].items()
    ]
    return _part(
        "Proofs",
        f"Every gradient of {results['ops']} ops is compared with its definition, in float64, on "
        f"{results['cases']} geometries.",
        _table(("method", "gradients proven", "worst relative error", "tolerance"), rows),
        _measured_on([results]),
    )


def _comparison(kind):
    """The table of minidl and PyTorch on the CPU."""
    rows = _cpu_rows(kind)
    if not rows:
        return ""
    header = ("what", "minidl", "PyTorch", "PyTorch / minidl")
    return _part(
        "Comparison with PyTorch",
        "Both run alternately in one process, PyTorch in the faster of its two memory layouts. "
        "The times are medians. A row of several cases gives the sums of their times and the "
        "geometric mean of their ratios. A ratio above 1 means that minidl needs less. Peak memory "
        "is that of a separate process, less what it uses after loading the weights and the input. "
        "The program pastiche is compared by whole commands, run alternately.",
        _table(header, [(row.label, row.ours, row.theirs, f"{row.ratio:.2f}") for row in rows]),
        _image(kind, "ratios.png", 800, "the ratios of the table as bars"),
        _measured_on(_results_of(kind, [""])),
    )


def _layers(results):
    """The table of the training steps of single layers."""
    if not results:
        return ""
    rows = [
        (row["name"], _time(row["total"]["minidl cpu"]), _time(of_pytorch(row["total"])),
         f"{row['ratio']['cpu']:.2f}")
        for row in results["cases"] if row["ratio"]["cpu"]
    ]  # fmt: skip
    return _part(
        "Training steps of layers and losses",
        "One forward and one backward pass of a layer or a loss by itself, measured as above. The "
        "gradients are those with respect to the input and the parameters.",
        _table(("what", "minidl", "PyTorch", "PyTorch / minidl"), rows),
        _measured_on([results]),
    )


def _textbook(results):
    """The table of the textbook and the engine."""
    if not results:
        return ""
    rows = [
        (row["name"], _time(row["engine"]), _time(row["textbook"]),
         f"{row['textbook'] / row['engine']:.2f}")
        for row in results["steps"]
    ]  # fmt: skip
    return _part(
        "The textbook and the engine",
        "The same steps, computed by the fast implementations and, within `minidl.textbook()`, by "
        "the definitions. Both run alternately in one process. The times are medians.",
        _table(("what", "engine", "textbook", "textbook / engine"), rows),
        _measured_on([results]),
    )


def _pastiche(results):
    """The table of the objective of pastiche after equal time."""
    if not results:
        return ""
    rows = [
        (pair, f"{row['minidl']:.3g}", _time(row["seconds"]), f"{row['pastiche']:.3g}",
         _time(row["pastiche_seconds"]), f"{row['pastiche'] / row['minidl']:.1f}")
        for pair, row in results["pairs"].items()
    ]  # fmt: skip
    return _part(
        "The objective of pastiche",
        f"{results['steps']} steps of the program pastiche at {results['size']} pixels, and minidl "
        "with the same objective, from coarse to fine, in at most the same time. PyTorch evaluates "
        "the objective at both pictures, as they are saved. Both start from the photograph.",
        _table(
            ("photograph, painting", "minidl", "time", "pastiche", "time", "pastiche / minidl"),
            rows,
        ),
        _measured_on([results]),
    )


def _plan(results):
    """The table of planned and measured memory and time."""
    if not results:
        return ""
    rows = []
    for row in results["cases"]:
        (planned_bytes, used_bytes), (planned, used) = row["peak"], row["seconds"]
        rows.append(
            (plan.words(row), f"{planned_bytes / 2**20:.0f} MiB", f"{used_bytes / 2**20:.0f} MiB",
             f"{planned_bytes / used_bytes - 1:+.0%}", _time(planned), _time(used),
             f"{planned / used - 1:+.0%}")
        )  # fmt: skip
    return _part(
        "Plans",
        "What `minidl.style_transfer.plan` predicts for a painting, and what the painting needs. "
        "The peak is that of the process.",
        _table(("painting", "peak, planned", "used", "", "time, planned", "used", ""), rows),
        _measured_on([results]),
    )


def _gpu_comparison(kind):
    """The table of minidl and PyTorch on a GPU, in each arithmetic that was measured."""
    rows = _gpu_rows(kind)
    if not rows:
        return ""
    header = ("what", "arithmetic", "minidl", "PyTorch", "PyTorch / minidl", "CPU / GPU")
    cells = [
        (row.label, arithmetic, row.ours, row.theirs,
         _number(row.ratio, ".2f"), _number(row.speedup, ".1f"))
        for arithmetic, row in rows
    ]  # fmt: skip
    has_ratios = any(row.ratio for _, row in rows)
    return _part(
        "Comparison with PyTorch on a GPU",
        "PyTorch runs eagerly, with the fastest of cuDNN's algorithms. The times are read from "
        "the GPU's own clock. The last column is minidl's time on the CPU divided by its time on "
        "the GPU. In the rows of tf32 both libraries may multiply in TF32. Peak memory is what "
        "CuPy and PyTorch reserve.",
        _table(header, cells),
        _image(kind, "ratios_gpu.png", 800, "the ratios on the GPU as bars") if has_ratios else "",
        _measured_on(_results_of(kind, ARITHMETICS.values())),
    )


def _draw_charts(kind):
    if rows := _cpu_rows(kind):
        ratios = [(row.label, row.ratio) for row in rows]
        machines = _machines(_results_of(kind, [""]))
        draw(recording.RESULTS / kind / "ratios.png", ratios, "PyTorch / minidl", machines)
    measured = ((f"{row.label}, {name}", row.ratio) for name, row in _gpu_rows(kind))
    if ratios := [(label, ratio) for label, ratio in measured if ratio]:
        machines = _machines(_results_of(kind, ARITHMETICS.values()))
        path = recording.RESULTS / kind / "ratios_gpu.png"
        draw(path, ratios, "PyTorch / minidl, on a GPU", machines)


def _results_of(kind, suffixes):
    """The results of all works that were kept in files with these suffixes."""
    results = (kept(work + suffix, kind) for suffix in suffixes for work in WORKS)
    return [result for result in results if result]


def _cpu_rows(kind):
    """The Rows of a comparison on the CPU that have a ratio."""
    rows = (*_sums(kind), *_networks(kind), *_painting(kind))
    return [row for row in rows if row.ratio]


def _gpu_rows(kind):
    """(arithmetic, Row) of everything that was measured on a GPU."""
    return [
        (arithmetic, row)
        for arithmetic, suffix in ARITHMETICS.items()
        for row in (*_sums(kind, "gpu", suffix), *_networks(kind, "gpu", suffix))
    ]


def _sums(kind, device="cpu", suffix=""):
    """A Row for each entry of SUMS whose works were all measured."""
    for label, groups in SUMS.items():
        results = {work: kept(work + suffix, kind) for work, _ in groups}
        if not all(results.values()):
            continue
        cases = [
            case
            for work, group in groups
            for case in results[work]["cases"]
            if case["group"] == group
        ]
        ours = sum(case["count"] * case["total"][f"minidl {device}"] for case in cases)
        ratio, theirs = mean_ratio(cases, device), None
        if ratio:
            theirs = sum(case["count"] * of_pytorch(case["total"], device) for case in cases)
        yield Row(label, _time(ours), _time(theirs), ratio, mean_speedup(cases))


def _networks(kind, device="cpu", suffix=""):
    """Two Rows for each whole network: its time, and its peak memory if it was measured."""
    name = f"minidl {device}"
    results = [kept(work + suffix, kind) or {"cases": []} for work in NETWORKS]
    for case in (case for result in results for case in result["cases"]):
        totals, peaks = case["total"], case["peak_bytes"]
        if name not in totals:
            continue
        theirs = _time(of_pytorch(totals, device))
        ratio = case["ratio"].get(device)
        yield Row(case["name"], _time(totals[name]), theirs, ratio, case.get("speedup"))
        if ours := peaks.get(name):
            other = of_pytorch(peaks, device)
            ratio = other and other / ours
            yield Row(f"peak memory: {case['name']}", _megabytes(ours), _megabytes(other), ratio)


def _painting(kind):
    """The Row of whole paintings by minidl and by pastiche."""
    if measured := (kept("stylize", kind) or {}).get("pastiche"):
        ours, theirs = (median(measured["seconds"][name]) for name in ("minidl", "pastiche"))
        painting = f"{measured['steps']} steps at {measured['size']} pixels"
        label = f"{painting}, the whole command, PyTorch by pastiche"
        yield Row(label, _time(ours), _time(theirs), measured["ratio"])


def _paint(results, kind):
    if not results:
        return ""
    rows = []
    for key, name in PAINTINGS.items():
        painted = results[key]
        share = f"{painted['share']:.2%}"
        seconds = f"{painted['seconds']:.0f} s"
        rows.append((name, painted["pixels"], painted["steps"], seconds, share, painted["up"]))
    header = ("command", "picture", "steps", "time", "lowest loss / first", "steps that went up")
    shows_demo = (recording.RESULTS / kind / "painted.jpg").exists()
    shows_six = (recording.RESULTS / kind / "paintings.jpg").exists()
    return _part(
        "Painting",
        "The times are those of whole commands. The losses are those of the finest scale.",
        _table(header, rows),
        _image(kind, "painted.jpg", 384, "the painting of the demo") if shows_demo else "",
        _image(kind, "paintings.jpg", 900, "six paintings with the default settings")
        if shows_six
        else "",
        _measured_on([results]),
    )


def _faces(results, kind):
    if not results:
        return ""
    people, threshold = results["people"], f"{results['threshold']:g}"
    shares = {  # label: the number, and the same number of a comparison of pixels
        "equal error rate of all pairs": ("equal_error_rate", "pixel_equal_error_rate"),
        f"one picture of each of {people} is enrolled: the nearest is the right person": (
            "one_shot",
            "pixel_one_shot",
        ),
        f"pairs of different people accepted, at the shipped threshold of {threshold}": (
            "false_accept",
            None,
        ),
        "pairs of one person rejected": ("false_reject", None),
        "one picture of each of half of the people is enrolled: named correctly": (
            "known_named",
            None,
        ),
        "named as someone else": ("known_misnamed", None),
        "people who are not enrolled, named as someone": ("strangers_accepted", None),
    }
    rows = [
        (label, *(f"{results[name]:.2%}" if name else NOT_MEASURED for name in names))
        for label, names in shares.items()
    ]
    times = [
        (label.format(name), _time(seconds))
        for what, label in FACE_TIMES.items()
        for name, seconds in results["seconds"][what].items()
    ]
    return _part(
        "Faces",
        f"The detector finds {results['faces_found']} faces in the {results['pictures']} pictures "
        f"of ORL's {people} people. None of the networks was trained on these people.",
        _table(("what", "minidl", "pixels compared directly"), rows),
        _image(kind, "faces.png", 800, "both error rates as curves, and the distances of pairs"),
        "From a picture to a name:",
        _table(("what", "time"), times),
        _measured_on([results]),
    )


def _inside(results, kind):
    if not results:
        return ""
    actions, search = results["actions"], results["patches"]
    rows = [(f"`{action['command']}`", _time(action["seconds"])) for action in actions.values()]
    pictures = [
        _image(kind, f"visualize_{name}.jpg", 600, text)
        for name, text in INSIDE_PICTURES.items()
        if (recording.RESULTS / kind / f"visualize_{name}.jpg").exists()
    ]
    return _part(
        "Looking inside VGG19",
        "The times are those of whole commands. The losses are those of the finest scale.",
        _table(("command", "time"), rows),
        f"`minidl visualize patches` searches {search['pictures_a_minute']:.0f} pictures of "
        f"{search['side']}x{search['side']} pixels per minute for the patches that excite the "
        f"units of {len(search['layers'])} layers most.",
        "\n".join(pictures),
        _measured_on([results]),
    )


def _learned(kind):
    runs = {name: results for name in LEARNED if (results := kept(name, kind))}
    if not runs:
        return ""
    header = ("command", "epochs", "time of the epochs", "whole command", "processor time",
              "on the test set", "losses without learning")  # fmt: skip
    rows, pictures = [], []
    for name, results in runs.items():
        label, picture = LEARNED[name]
        times = [_minutes(results.get(f"{what}seconds")) for what in ("", "command_", "cpu_")]
        scores = (f"{what.replace('_', ' ')} {n:.4g}" for what, n in results["test"].items())
        baselines = (f"{what}: {loss:.4g}" for what, loss in results["baselines"].items())
        epochs = len(results["epochs"])
        rows.append((label, epochs, *times, ", ".join(scores), ", ".join(baselines)))
        if picture:
            pictures.append(_image(kind, f"{name}_{picture}", 420, label))
    return _part(
        "Training",
        "The time of the epochs includes the measurements after each of them. The time of the "
        "whole command includes loading, checkpoints and drawings.",
        _table(header, rows),
        "\n".join(pictures),
        _measured_on(runs.values()),
    )


def _part(title, *paragraphs):
    """A heading and the paragraphs that are not empty. Tables and pictures keep their lines."""
    wrapped = (text if text[0] in "|<" else fill(text, 100) for text in paragraphs if text)
    return "\n\n".join([f"### {title}", *wrapped])


def _table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def _image(kind, name, width, alternative):
    source = f"{recording.RESULTS.name}/{kind}/{name}"
    return f'<img src="{source}" width="{width}" alt="{alternative}">'


def _time(seconds):
    if seconds is None:
        return NOT_MEASURED
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.0f} ms" if seconds >= 0.01 else f"{seconds * 1e3:.2g} ms"


def _minutes(seconds):
    return f"{seconds / 60:.1f} min" if seconds else NOT_MEASURED


def _megabytes(count):
    return f"{count / 1e6:.0f} MB" if count else NOT_MEASURED


def _number(value, form):
    return format(value, form) if value else NOT_MEASURED


def _measured_on(results):
    """Name the machines of these results and, for a single one, the load by other programs."""
    results = list(results)
    others = results[0].get("others") if len(results) == 1 else None
    share = "" if others is None else f" Other programs used {others:.0%} of the processor."
    return f"Measured on {_machines(results)}.{share}"


def _machines(results):
    """The machines of these results, each once."""
    return "; ".join(dict.fromkeys(_machine(result["measured_on"]) for result in results))


def _machine(on):
    libraries = [f"NumPy {on['numpy']}", on["blas"], on["torch"] and f"PyTorch {on['torch']}"]
    parts = [f"{_gpu(on)}{_processor(on)}", f"{on['cores']} cores", *libraries, on["date"]]
    return ", ".join(filter(None, parts))


def _processor(on):
    return f"{on['processor']} with {on['instructions']}"


def _gpu(on):
    if "gpu" not in on:
        return ""
    gpu = on["gpu"]
    memory = f"{gpu['memory'] / 2**30:.0f} GiB"
    cuda = f"CUDA {gpu['runtime']}, its driver for {gpu['driver']}"
    return f"{gpu['name']}, {memory}, {cuda}, CuPy {on['cupy']}; "
