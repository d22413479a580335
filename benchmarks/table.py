"""The table of a work: every case measured and printed, then kept, with a chart of the ratios."""

from itertools import groupby

import minidl
from benchmarks import twins
from benchmarks.cases import mean_ratio, mean_speedup, measure, of_pytorch, on
from benchmarks.chart import draw
from benchmarks.rates import rates
from benchmarks.recording import as_json, keep, watch_others
from minidl import machine
from minidl.errors import ArgumentError
from minidl.files import must_be_writable
from minidl.plots import must_be_drawable

# decimals. share: of the rate of matrix products; x CPU: how many times as fast as minidl there
COLUMNS = {
    "ms": 3, "GFLOP/s": 1, "share": 2, "GB/s": 1, "copy share": 2, "peak MB": 0, "PyTorch ms": 3, "PyTorch MB": 0, "ratio": 2,
    "x CPU": 1,
}  # fmt: skip
RATES = {
    "matrix_gflops": "matrix product {:.0f} GFLOP/s",
    "copy_gbs": "copy {:.1f} GB/s",
    "to_gpu_gbs": "from host to GPU {:.1f} GB/s",
    "from_gpu_gbs": "from GPU to host {:.1f} GB/s",
}
DISTURBED = 0.05  # of the cores' time


def register(parser):
    devices = {"nargs": "+", "type": _usable, "choices": ("cpu", "gpu"), "default": ["cpu"]}
    parser.add_argument("--device", **devices, help="where minidl runs, one or both (default: cpu)")
    parser.add_argument(
        "--tf32", action="store_true", help="let the GPU multiply in TF32, minidl and PyTorch alike"
    )
    parser.add_argument(
        "--json", type=must_be_writable, metavar="FILE", help="write what is measured here as well"
    )
    parser.add_argument(
        "--plot", type=must_be_drawable, metavar="FILE", help="draw the ratios as a bar chart"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a trial: small, one round; nothing is kept"
    )


def _usable(name):
    if name == "gpu":
        with minidl.device(name):
            pass
    return name


def run(work, arguments):
    """Measure all cases of a work, and what else it has to tell."""
    name, devices, others_share = (
        work.__name__.rpartition(".")[2],
        sorted(set(arguments.device)),
        watch_others(),
    )
    on_gpu, tf32, quick = "gpu" in devices, arguments.tf32, arguments.quick
    if tf32 and not on_gpu:
        raise ArgumentError(
            "--tf32 is an arithmetic of GPUs; choose one with --device gpu, or leave --tf32 out"
        )
    beside = twins.devices(devices)
    if arguments.plot and not beside:
        raise ArgumentError(
            "--plot draws ratios, which take PyTorch on such a device; install torch, or leave --plot out"
        )
    if beside:
        twins.choose_arithmetic(tf32)
    reached = {device: rates(device, tf32, quick) for device in devices}
    for device, found in reached.items():
        print(
            _header(device, tf32),
            *(RATES[rate].format(number) for rate, number in found.items()),
            sep=", ",
        )
        if device not in beside:
            why = "finds no GPU" if twins.is_installed() else "is not installed"
            print(f"PyTorch {why}: on the {device.upper()} minidl is measured alone")
    rows, means, speedups = [], {}, {}
    for group, cases in groupby(enumerate(work.cases(quick)), lambda numbered: numbered[1].group):
        print(f"\n{group:56}" + "".join(f"{title:>11}" for title in COLUMNS))
        begin = len(rows)
        for number, _ in cases:
            rows.append(measure(work, number, devices, tf32, quick))
            for device in devices:
                print(_line(rows[-1], device, reached[device]), flush=True)
        means[group] = {device: mean_ratio(rows[begin:], device) for device in devices}
        speedups[group] = mean_speedup(rows[begin:])
        for device, mean in means[group].items():
            print(
                _cells(
                    f"geometric mean{on(device)}",
                    [*[None] * 8, mean, speedups[group] if device == "gpu" else None],
                )
            )
    more = work.more(arguments) if hasattr(work, "more") else {}
    measured = {
        "work": name,
        "devices": devices,
        "arithmetic": "tf32" if tf32 else "float32",
        "rates": reached,
        "cases": rows,
        "mean_ratio": means,
        "mean_speedup": speedups,
        **more,
        "others_share": others_share(),
    }
    if (share := measured["others_share"]) is not None:
        advice = (
            ": too much for fair figures, PyTorch's above all; measure again when they rest"
            if share > DISTURBED
            else ""
        )
        print(f"\nother programs took {share:.1%} of the cores' time meanwhile{advice}")
    if arguments.json:
        _write(arguments.json, as_json(measured))
    if arguments.plot:
        ratios = [
            (row["name"] + on(device), ratio)
            for row in rows
            for device, ratio in row["ratio"].items()
            if ratio
        ]
        draw(arguments.plot, ratios, f"{name}: how many times as fast as PyTorch")
    if not quick:
        keep(name + "_gpu" * on_gpu + "_tf32" * tf32, measured)


def _header(device, tf32):
    if device == "cpu":
        return f"CPU: {minidl.get_threads()} threads, float32"
    return f"GPU: {machine.gpu()['name']}, {'tf32' if tf32 else 'float32'}"


def _write(path, text):
    try:
        path.write_text(text)
    except OSError as error:
        raise ArgumentError(
            f"{path} cannot be written ({error.strerror}); choose another place for --json"
        ) from None


def _line(row, device, reached):
    totals, peaks = row["total"], row["peak_bytes"]
    seconds, theirs = totals[f"minidl {device}"], of_pytorch(totals, device)
    values = [seconds * 1e3]
    for work, rate in (
        (row["multiply_adds"] and 2 * row["multiply_adds"], "matrix_gflops"),
        (row["bytes"], "copy_gbs"),
    ):
        speed = work and work / seconds / 1e9
        values += [speed, speed and speed / reached[rate]]
    ours_mb, theirs_mb = (
        peak and peak / 1e6 for peak in (peaks.get(f"minidl {device}"), of_pytorch(peaks, device))
    )
    values += [
        ours_mb,
        theirs and theirs * 1e3,
        theirs_mb,
        row["ratio"][device],
        row["speedup"] if device == "gpu" else None,
    ]
    return _cells(
        row["name"] + (f", x{row['count']}" if row["count"] > 1 else "") + on(device), values
    )


def _cells(name, values):
    found = zip(values, COLUMNS.values(), strict=True)
    return f"  {name:54}" + "".join(
        f"{'' if value is None else f'{value:.{digits}f}':>11}" for value, digits in found
    )
