"""The plan of a painting against the painting itself: peak memory and time.

Each case runs in its own process: first the plan, then the painting that it describes.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.memory import RESET, bytes_of
from benchmarks.recording import keep, watch_others
from minidl.cli.stylize import DEMO
from minidl.data import read_image, resize, shipped_picture
from minidl.models import vgg19
from minidl.style_transfer import Memory, Run, Settings
from minidl.style_transfer.plan import planned

WHOLE, BLOCKS, TILES = Memory(), Memory(2, blocks=True), Memory(2, side=512)
CASES = [  # (pixels of the longer side, scales, steps, how the memory is used)
    (256, 1, 20, WHOLE),
    (512, 1, 10, WHOLE),
    (512, 3, 6, WHOLE),
    (1024, 1, 4, WHOLE),
    (1024, 3, 2, WHOLE),
    (1024, 1, 3, BLOCKS),
    (1536, 1, 2, TILES),
]


def run(arguments):
    """Plan and paint every case, print both and keep them."""
    rows, share = [], watch_others()
    for number, (side, scales, steps, memory) in enumerate(CASES):
        command = [sys.executable, "-m", "benchmarks.plan", str(number)]
        root = Path(__file__).parents[1]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=root).stdout
        row = {"side": side, "scales": scales, "steps": steps, "memory": memory._asdict()}
        rows.append(row | json.loads(output))
        print(_line(rows[-1]), flush=True)
    keep("plan", {"cases": rows, "others": share()})


def words(row):
    """Return a description of a case."""
    way = "tiles" if row["memory"]["side"] else "blocks" if row["memory"]["blocks"] else "whole"
    scales = "1 scale" if row["scales"] == 1 else f"{row['scales']} scales"
    return f"{row['side']} pixels, {scales}, {way}"


def _line(row):
    (bytes_planned, bytes_used), (planned, used) = row["peak"], row["seconds"]
    return (
        f"{words(row):30}{bytes_planned / 2**20:8.0f} MiB planned{bytes_used / 2**20:8.0f} used"
        f"{bytes_planned / bytes_used - 1:+7.1%}{planned:8.1f} s planned{used:8.1f} used"
        f"{planned / used - 1:+7.1%}"
    )


def measured(side, scales, steps, memory):
    """Return {"peak": (planned, measured) bytes, "seconds": (planned, measured)} of a painting."""
    model, settings = vgg19(), Settings(scales=scales, steps=steps)
    sizes = (side * 3 // 4, side), (side, side * 3 // 4)
    content, style = (
        resize(read_image(shipped_picture(name)), *size)
        for name, size in zip(DEMO, sizes, strict=True)
    )
    plan = planned(model, content.shape, [style.shape], settings, memory)
    RESET.write_text("5")  # set the peak to the memory in use
    begun = time.perf_counter()
    for _ in Run(model, content, [style], settings, memory=memory):
        pass
    seconds = time.perf_counter() - begun
    return {"peak": (plan.peak, bytes_of("VmHWM")), "seconds": (plan.seconds, seconds)}


if __name__ == "__main__":
    print(json.dumps(measured(*CASES[int(sys.argv[1])])))
