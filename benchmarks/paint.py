"""Paint the demo, and 100 steps of the preset gatys-code; keep times, losses and the picture."""

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
        line = "{:12}{seconds:7.1f} s, {steps} steps, {pixels}, lowest loss {share:.2%}, {up} up"
        print(line.format(name, **measured))
    keep("paint", {"demo": demo, "gatys_code_256": gatys})


def painted(folder, arguments):
    """Run `minidl stylize`. Return its time and its losses as a dict, and the painting's path."""
    output, log = Path(folder) / "painted.png", Path(folder) / "losses.csv"
    begun = time.perf_counter()
    command = ["-m", "minidl.cli", "stylize", *arguments, "-o", output, "--log", log, "-q"]
    subprocess.run([sys.executable, *command], check=True)
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
