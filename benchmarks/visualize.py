"""Look inside VGG19 with `minidl visualize`; keep the times of the commands and their pictures."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.recording import keep, results_folder, watch_others
from minidl.data import read_image, shipped_picture, write_image
from minidl.errors import MinidlError
from minidl.visualize.albums import Folder
from minidl.visualize.features import default_layers
from minidl.visualize.opening import open_network
from minidl.visualize.strongest import strongest

SIDE, STEP = 224, 112  # pixels: the side of a picture to search, and the step to the next one
SHIPPED = "astronaut", "chelsea", "coffee", "rocket"
CAT, TERRACE = (str(shipped_picture(name)) for name in ("chelsea", "van-gogh-cafe-terrace"))
ACTIONS = {
    "report": ["report", CAT],
    "saliency": ["saliency", CAT],
    "unit": ["unit", "block4_conv2", "17", "40", "99", "150", "200", "301", "--size", "128"],
    "dream": ["dream", TERRACE, "--size", "400"],
    "invert": ["invert", CAT, "--match", "content", "style"],
}


def run(arguments):
    others, measured = watch_others(), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, words in ACTIONS.items():
            output = Path(folder) / ("report.html" if name == "report" else f"{name}.png")
            measured[name] = {"command": _command(words), "seconds": _seconds(words, output)}
            # Copy the pixels only, because the metadata contain paths of this machine.
            if output.suffix == ".png":
                write_image(results_folder() / f"visualize_{name}.jpg", read_image(output))
            print("{:10}{seconds:7.1f} s, {command}".format(name, **measured[name]))
        search = _search(Path(folder) / "pictures")
    print(f"patches   {search['pictures_a_minute']:7.0f} pictures per minute")
    keep("visualize", {"actions": measured, "patches": search, "others": others()})


def _command(words):
    return " ".join(Path(word).name for word in ("minidl", "visualize", *words))


def _seconds(words, output):
    begun = time.perf_counter()
    options = ["--long", "-o", str(output)]
    command = [sys.executable, "-m", "minidl.cli", "visualize", *words, *options]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if code := subprocess.run(command, **silent).returncode:
        raise MinidlError(
            f"`{_command(words)}` ended with exit code {code}; expected 0; "
            "run this command to see its message"
        )
    return time.perf_counter() - begun


def _search(folder):
    """The speed of the search for the patches that excite the units of the default layers most.

    The time to load the network is not included.
    """
    folder.mkdir()
    for name in SHIPPED:
        picture = read_image(shipped_picture(name))
        for top in range(0, picture.shape[0] - SIDE + 1, STEP):
            for left in range(0, picture.shape[1] - SIDE + 1, STEP):
                crop = picture[top : top + SIDE, left : left + SIDE]
                write_image(folder / f"{name}-{top}-{left}.png", crop)
    network, album = open_network(), Folder(folder, (SIDE, SIDE))
    layers = default_layers(network, album.size)
    begun = time.perf_counter()
    strongest(network, album, layers)
    seconds = time.perf_counter() - begun
    return {
        "pictures": len(album),
        "side": SIDE,
        "layers": layers,
        "pictures_a_minute": 60 * len(album) / seconds,
    }
