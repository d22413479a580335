"""The files that the reader of a chapter has, such as photographs, before its first command."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from minidl.checkpoints import load, shipped
from minidl.data import imagenet_classes, read_image, shipped_picture, write_image
from minidl.data.images import read_at_size
from minidl.models import vgg19
from minidl.models.vgg19 import ARCHITECTURE
from tests.checkpoints import conftest

# What the stand-in for VGG19's top answers for pictures that minidl contains, and with which scores
KNOWN = {
    "chelsea": {"tabby": 9.0, "tiger cat": 8.0, "Egyptian cat": 7.0, "lynx": 3.0, "cougar": 2.0},
    "coffee": {"espresso": 9.0, "cup": 8.0},
    "rocket": {"missile": 9.0, "projectile": 8.0},
    "astronaut": {"academic gown": 9.0, "military uniform": 8.0},
}


def weights_of_keras(path: Path) -> None:
    """Write a file of Keras' form, with the convolutions of VGG19 and a top of a few units.

    A unit of fc1 is active for one picture: its kernel is the output of the convolutions for this
    picture, made orthogonal to those for the others. fc2 changes nothing.
    """
    arrays = load(shipped("vgg19"), ARCHITECTURE).arrays
    pictures = [read_at_size(shipped_picture(name), (224, 224)) for name in KNOWN]
    [features] = vgg19(pooling="max").features(np.stack(pictures), ["pool5"]).values()
    rows = features.reshape(len(KNOWN), -1).astype(np.float64)
    names, scores = imagenet_classes(), np.zeros((len(KNOWN), 1000), np.float32)
    for row, classes in zip(scores, KNOWN.values(), strict=True):
        for name, score in classes.items():
            row[names.index(name)] = score
    arrays["fc1/kernel"] = np.linalg.pinv(rows).astype(np.float32)
    arrays["fc2/kernel"], arrays["predictions/kernel"] = np.eye(len(KNOWN), dtype="f4"), scores
    for layer in ("fc1", "fc2", "predictions"):
        arrays[f"{layer}/bias"] = np.zeros(arrays[f"{layer}/kernel"].shape[1], np.float32)
    conftest.WRITERS["keras official"](path, arrays)


def files_of_verdict(folder: Path) -> None:
    weights_of_keras(folder / "vgg19_weights_tf_dim_ordering_tf_kernels.h5")
    picture = read_at_size(shipped_picture("chelsea"), (224, 224))
    write_image(folder / "photo.jpg", picture)


def files_of_family_album(folder: Path) -> None:
    """Write pictures of the two people whose faces minidl contains to `people` and `album`."""
    eileen = read_image(shipped_picture("astronaut"))[20:260, 110:350]
    julien = read_image(shipped_picture("van-gogh-pere-tanguy"))[:240, 60:300]
    pictures = {
        "people/Eileen/portrait.jpg": eileen,
        "people/Eileen/mirror.jpg": eileen[:, ::-1],
        "people/Julien/painting.jpg": julien,
        "album/party.jpg": np.concatenate([julien[:, ::-1], eileen * 0.7], axis=1),
        "album/2019/scan.jpg": np.rot90(eileen * 0.8 + 30),
        "album/2019/cellar.jpg": eileen * 0.08,
    }
    for name, picture in pictures.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(folder / name, picture)
    first, *others = (Image.fromarray(part.astype("u1")) for part in (julien, julien * 0.9, eileen))
    options = {"append_images": others, "duration": 500, "lossless": True}
    first.save(folder / "album" / "clip.webp", save_all=True, **options)


# chapter -> function that writes the files to a folder
FILES: dict[str, Callable[[Path], None]] = {
    "family-album": files_of_family_album,
    "verdict": files_of_verdict,
}
LONG = ("family-album", "verdict")  # chapters whose commands take long
