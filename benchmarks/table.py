"""The table of a work: every case measured and printed, then kept, with a chart of the ratios."""

from itertools import groupby

import minidl
from benchmarks import twins
from benchmarks.cases import mean_ratio, measure, of_pytorch
from benchmarks.chart import draw
from benchmarks.recording import as_json, keep, watch_others
from benchmarks.turns import matrix_rate
from minidl.errors import ArgumentError
from minidl.files import must_be_writable
from minidl.plots import must_be_drawable

COLUMNS = {"ms": 2, "GFLOP/s": 1, "share": 2, "peak MB": 0, "PyTorch ms": 2, "PyTorch MB": 0, "ratio": 2}  # decimals
DISTURBED = 0.05  # of the cores' time


def register(parser):
    devices = {"nargs": "+", "type": _usable, "choices": ("cpu", "gpu"), "default": ["cpu"]}
    parser.add_argument("--device", **devices, help="where minidl runs, one or both (default: cpu)")
    parser.add_argument("--json", type=must_be_writable, metavar="FILE", help="write what is measured here as well")
    parser.add_argument("--plot", type=must_be_drawable, metavar="FILE", help="draw the ratios as a bar chart")
    parser.add_argument("--quick", action="store_true", help="a trial: small, one round, without memory; nothing is kept")


def _usable(name):
    if name == "gpu":
        with minidl.device(name):
            pass
    return name


def run(work, arguments):
    """Measure all cases of a work, and what else it has to tell."""
    name, devices, others_share = work.__name__.rpartition(".")[2], sorted(set(arguments.device)), watch_others()
    if arguments.plot and not ("cpu" in devices and (twins.is_installed() or "gpu" in devices)):
        raise ArgumentError("--plot draws ratios, which take PyTorch or both devices; install torch, or leave --plot out")
    rates = {device: matrix_rate(device, arguments.quick) for device in devices}
    for device, rate in rates.items():
        print(f"{device.upper()}: {minidl.get_threads()} threads, matrix product {rate:.0f} GFLOP/s")
    if not twins.is_installed():
        print("PyTorch is not installed: minidl is measured alone")
    rows, means = [], {}
    for group, cases in groupby(enumerate(work.cases(arguments.quick)), lambda numbered: numbered[1].group):
        print(f"\n{group:56}" + "".join(f"{title:>11}" for title in COLUMNS))
        begin = len(rows)
        for number, _ in cases:
            rows.append(measure(work, number, devices, arguments.quick))
            for device in devices:
                print(_line(rows[-1], device, rates[device]), flush=True)
        means[group] = {device: mean_ratio(rows[begin:], device) for device in devices}
        for device, mean in means[group].items():
            print(_cells(f"geometric mean{_on(device)}", [*[None] * 6, mean]))
    more = work.more(arguments) if hasattr(work, "more") else {}
    measured = {
        "work": name,
        "matrix_gflops": rates,
        "cases": rows,
        "mean_ratio": means,
        **more,
        "others_share": others_share(),
    }
    if (share := measured["others_share"]) is not None:
        advice = ": too much for fair figures, PyTorch's above all; measure again when they rest" if share > DISTURBED else ""
        print(f"\nother programs took {share:.1%} of the cores' time meanwhile{advice}")
    if arguments.json:
        _write(arguments.json, as_json(measured))
    if arguments.plot:
        ratios = [(row["name"] + _on(device), ratio) for row in rows for device, ratio in row["ratio"].items() if ratio]
        draw(arguments.plot, ratios, f"{name}: how many times as fast as PyTorch, and the GPU as the CPU")
    if not arguments.quick and "cpu" in devices:
        keep(name, measured)


def _write(path, text):
    try:
        path.write_text(text)
    except OSError as error:
        raise ArgumentError(f"{path} cannot be written ({error.strerror}); choose another place for --json") from None


def _line(row, device, rate):
    seconds, memory = row["total"][f"minidl {device}"], row["peak_bytes"] if device == "cpu" else {}
    speed = row["multiply_adds"] and 2 * row["multiply_adds"] / seconds / 1e9
    theirs = of_pytorch(row["total"]) if device == "cpu" else None
    ours_mb, theirs_mb = (found and found / 1e6 for found in (memory.get("minidl cpu"), of_pytorch(memory)))
    values = [seconds * 1e3, speed, speed and speed / rate, ours_mb, theirs and theirs * 1e3, theirs_mb, row["ratio"][device]]
    return _cells(row["name"] + (f", x{row['count']}" if row["count"] > 1 else "") + _on(device), values)


def _cells(name, values):
    found = zip(values, COLUMNS.values(), strict=True)
    return f"  {name:54}" + "".join(f"{'' if value is None else f'{value:.{digits}f}':>11}" for value, digits in found)


def _on(device):
    return "" if device == "cpu" else ", GPU"
