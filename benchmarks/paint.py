"""Paint the demo, five more pairs of pictures, and 100 steps of the preset gatys-code.

Keep times and losses, the picture of the demo, and a sheet of the six paintings.
"""

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
from minidl.style_transfer.sheet import sheet

GATYS = ["--preset", "gatys-code", "--size", "256", "--steps", "100"]
# photographs and paintings that minidl ships
PAIRS = {
    "the cat as Père Tanguy": DEMO,
    "the astronaut as the café terrace": ("astronaut", "van-gogh-cafe-terrace"),
    "the rocket as the church at Auvers": ("rocket", "van-gogh-church-at-auvers"),
    "the coffee as the night café": ("coffee", "van-gogh-night-cafe"),
    "the cat as the harvest": ("chelsea", "van-gogh-harvest-at-la-crau"),
    "the astronaut as Père Tanguy": ("astronaut", "van-gogh-pere-tanguy"),
}


def run(arguments):
    paintings, demo = [], None
    with tempfile.TemporaryDirectory() as folder:
        for pair in PAIRS.values():
            measured, picture = painted(folder, [str(shipped_picture(name)) for name in pair])
            paintings.append(read_image(picture))
            if pair == DEMO:
                demo = measured
                path = results_folder() / "painted.jpg"
                write_image(path, paintings[0], read_metadata(picture))
        names = [str(shipped_picture(name)) for name in DEMO]
        gatys, _ = painted(folder, [*names, *GATYS])
    six = sheet(paintings, 3, captions=[*PAIRS], side=400)
    write_image(results_folder() / "paintings.jpg", six)
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
    finest = totals[-read_metadata(output)["settings"]["steps"] :]
    measured = {
        "seconds": round(seconds, 1),
        "steps": len(totals),
        "pixels": f"{width}x{height}",
        "share": min(finest) / finest[0],  # of the finest scale, as is "up"
        "up": sum(after > before for before, after in pairwise(finest)),
    }
    return measured, output
