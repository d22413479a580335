"""Measure all cases of a work, print them as a table, keep them, and draw their ratios."""

from itertools import groupby

import minidl
from benchmarks import twins
from benchmarks.cases import mean_ratio, mean_speedup, measure, of_pytorch, on
from benchmarks.chart import draw
from benchmarks.rates import rates
from benchmarks.recording import as_json, keep, watch_others
from minidl import machine
from minidl.errors import ArgumentError
from minidl.files import must_be_writable, replacing
from minidl.plots import must_be_drawable

COLUMNS = {  # title: decimals
    "ms": 3,
    "GFLOP/s": 1,
    "share": 2,  # of the rate of matrix products
    "GB/s": 1,
    "copy share": 2,  # of the rate of copies
    "peak MB": 0,
    "PyTorch ms": 3,
    "PyTorch MB": 0,
    "ratio": 2,
    "x CPU": 1,  # minidl's time on the CPU divided by its time on the GPU
}
RATES = {
    "matrix_gflops": "matrix product {:.0f} GFLOP/s",
    "copy_gbs": "copy {:.1f} GB/s",
    "to_gpu_gbs": "from host to GPU {:.1f} GB/s",
    "from_gpu_gbs": "from GPU to host {:.1f} GB/s",
}
DISTURBED = 0.05  # share of the cores' time used by other programs


def register(parser):
    devices = {"nargs": "+", "type": _usable, "choices": ("cpu", "gpu"), "default": ["cpu"]}
    parser.add_argument("--device", **devices, help="where minidl runs, one or both (default: cpu)")
    meaning = "let minidl and PyTorch multiply in TF32 on the GPU"
    parser.add_argument("--tf32", action="store_true", help=meaning)
    meaning = "also write the measurements to this file"
    parser.add_argument("--json", type=must_be_writable, metavar="FILE", help=meaning)
    meaning = "draw the ratios as a bar chart"
    parser.add_argument("--plot", type=must_be_drawable, metavar="FILE", help=meaning)
    meaning = "a trial: small arrays, one round; no results are kept"
    parser.add_argument("--quick", action="store_true", help=meaning)


def _usable(name):
    if name == "gpu":
        with minidl.device(name):
            pass
    return name


def run(work, arguments):
    """Measure all cases of a work and its other measurements, print them, and keep them."""
    name, devices = work.__name__.rpartition(".")[2], sorted(set(arguments.device))
    on_gpu, tf32, quick = "gpu" in devices, arguments.tf32, arguments.quick
    compared = twins.devices(devices)
    _check(arguments, on_gpu, compared)
    if compared:
        twins.choose_arithmetic(tf32)
    others_share = watch_others()
    highest = {device: rates(device, tf32, quick) for device in devices}
    _print_rates(highest, tf32, compared)
    rows, means, speedups = [], {}, {}
    for group, cases in groupby(enumerate(work.cases(quick)), lambda numbered: numbered[1].group):
        print(f"\n{group:56}" + "".join(f"{title:>11}" for title in COLUMNS))
        begin = len(rows)
        for number, _ in cases:
            rows.append(measure(work, number, devices, tf32, quick))
            for device in devices:
                print(_line(rows[-1], device, highest[device]), flush=True)
        means[group] = {device: mean_ratio(rows[begin:], device) for device in devices}
        speedups[group] = mean_speedup(rows[begin:])
        for device, mean in means[group].items():
            speedup = speedups[group] if device == "gpu" else None
            print(_cells(f"geometric mean{on(device)}", [*[None] * 8, mean, speedup]))
    more = work.more(arguments) if hasattr(work, "more") else {}
    measured = {
        "work": name,
        "devices": devices,
        "arithmetic": "tf32" if tf32 else "float32",
        "rates": highest,
        "cases": rows,
        "mean_ratio": means,
        "mean_speedup": speedups,
        **more,
        "others_share": others_share(),
    }
    _print_others(measured["others_share"])
    if arguments.json:
        with replacing(arguments.json) as file:
            file.write_text(as_json(measured))
    if arguments.plot:
        ratios = [
            (row["name"] + on(device), ratio)
            for row in rows
            for device, ratio in row["ratio"].items()
            if ratio
        ]
        draw(arguments.plot, ratios, f"{name}: PyTorch's time / minidl's time")
    if not quick:
        keep(name + "_gpu" * on_gpu + "_tf32" * tf32, measured)


def _check(arguments, on_gpu, compared):
    if arguments.tf32 and not on_gpu:
        raise ArgumentError(
            "--tf32 is given for the CPU, but only GPUs multiply in TF32; "
            "add --device gpu, or omit --tf32"
        )
    if arguments.plot and not compared:
        raise ArgumentError(
            "--plot draws ratios to PyTorch, but PyTorch cannot run on the chosen devices; "
            "install torch, or omit --plot"
        )


def _print_rates(highest, tf32, compared):
    for device, numbers in highest.items():
        texts = (RATES[rate].format(number) for rate, number in numbers.items())
        print(_header(device, tf32), *texts, sep=", ")
        if device not in compared:
            why = "finds no GPU" if twins.is_installed() else "is not installed"
            print(f"PyTorch {why}: only minidl is measured on the {device.upper()}")


def _header(device, tf32):
    if device == "cpu":
        return f"CPU: {minidl.get_threads()} threads, float32"
    return f"GPU: {machine.gpu()['name']}, {'tf32' if tf32 else 'float32'}"


def _print_others(share):
    if share is None:
        return
    advice = ""
    if share > DISTURBED:
        advice = ", which distorts the results, PyTorch's most; measure again on an idle machine"
    print(f"\nother programs used {share:.1%} of the cores' time{advice}")


def _line(row, device, highest):
    """A line of the table: a measured case on a device."""
    totals, peaks = row["total"], row["peak_bytes"]
    seconds, theirs = totals[f"minidl {device}"], of_pytorch(totals, device)
    flops = row["multiply_adds"] and 2 * row["multiply_adds"] / seconds / 1e9
    traffic = row["bytes"] and row["bytes"] / seconds / 1e9
    ours_bytes, theirs_bytes = peaks.get(f"minidl {device}"), of_pytorch(peaks, device)
    values = [
        seconds * 1e3,
        flops,
        flops and flops / highest["matrix_gflops"],
        traffic,
        traffic and traffic / highest["copy_gbs"],
        ours_bytes and ours_bytes / 1e6,
        theirs and theirs * 1e3,
        theirs_bytes and theirs_bytes / 1e6,
        row["ratio"][device],
        row["speedup"] if device == "gpu" else None,
    ]
    count = f", x{row['count']}" if row["count"] > 1 else ""
    return _cells(row["name"] + count + on(device), values)


def _cells(name, values):
    texts = (
        "" if value is None else f"{value:.{decimals}f}"
        for value, decimals in zip(values, COLUMNS.values(), strict=True)
    )
    return f"  {name:54}" + "".join(f"{text:>11}" for text in texts)
