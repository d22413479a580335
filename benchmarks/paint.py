"""Paint the demo, and 100 evaluations of gatys-code, as whole commands; keep the times, the losses
and the picture."""

import csv
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.recording import keep, results_folder
from minidl.cli.stylize import DEMO
from minidl.data import read_image, read_metadata, shipped_picture, write_image

GATYS = ["--preset", "gatys-code", "--size", "256", "--steps", "100"]


def run(arguments):
    with tempfile.TemporaryDirectory() as folder:
        pictures = [str(shipped_picture(name)) for name in DEMO]
        demo, picture = painted(folder, [])
        write_image(results_folder() / "painted.jpg", read_image(picture), read_metadata(picture))
        gatys, _ = painted(folder, [*pictures, *GATYS])
    for name, measured in (("demo", demo), ("gatys-code", gatys)):
        print(
            "{:12}{seconds:7.1f} s, {steps} steps, {pixels}, loss to {share:.2%}, {up} up".format(
                name, **measured
            )
        )
    keep("paint", {"demo": demo, "gatys_code_256": gatys})


def painted(folder, arguments):
    """What `minidl stylize` with these arguments takes and reaches, and the path of the
    painting."""
    output, log = Path(folder) / "painted.png", Path(folder) / "losses.csv"
    begun = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "minidl.cli",
        "stylize",
        *arguments,
        "-o",
        output,
        "--log",
        log,
        "-q",
    ]
    subprocess.run(command, check=True)
    seconds = time.perf_counter() - begun
    with open(log, newline="") as file:
        totals = [float(row["total"]) for row in csv.DictReader(file)]
    height, width, _ = read_image(output).shape
    measured = {
        "seconds": round(seconds, 1),
        "steps": len(totals),
        "pixels": f"{width}x{height}",
        "share": min(totals) / totals[0],
        "up": sum(after > before for before, after in pairwise(totals)),
    }
    return measured, output
