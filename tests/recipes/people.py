"""People drawn with a few strokes: each person has own positions and sizes of eyes and mouth, and
each picture another brightness, shift and noise."""

import numpy as np

from minidl.data import write_image
from minidl.recipes import faces
from minidl.recipes.faces import SIZE, People

HEIGHT, WIDTH = SIZE
SMALL = faces.PRESETS["fast"] | {
    "hold_out": "3",
    "people": 3,
    "pictures": 2,
    "epochs": 2,
    "dimensions": 16,
    "members": 1,
}


def face(rng, person):
    """(H, W) uint8"""
    own = np.random.default_rng(person)
    eyes, apart = own.integers(14, 24), own.integers(6, 12)
    mouth, mouth_width = own.integers(34, 46), own.integers(4, 14)
    picture = np.full((HEIGHT, WIDTH), rng.integers(150, 210), np.float64)
    down, right = rng.integers(-1, 2, 2)
    middle = WIDTH // 2 + right
    for side in (-1, 1):
        left = middle + side * apart - 2
        picture[eyes + down : eyes + down + 4, left : left + 5] = 40
    picture[mouth + down : mouth + down + 3, middle - mouth_width : middle + mouth_width] = 70
    return (picture + rng.normal(0, 8, picture.shape)).clip(0, 255).astype(np.uint8)


def people(count=8, pictures_each=4, seed=0):
    """People with the names p1, p2, ..."""
    rng, labels = np.random.default_rng(seed), np.repeat(np.arange(count), pictures_each)
    pictures = np.stack([face(rng, person) for person in labels])[..., None].astype(np.float32)
    return People(pictures, labels, [f"p{number + 1}" for number in range(count)])


def write_people(folder, count=8, pictures_each=4, seed=0):
    """Write the same pictures as files: folder/p1/1.png, ... Return the folder."""
    rng = np.random.default_rng(seed)
    for person in range(count):
        for number in range(pictures_each):
            path = folder / f"p{person + 1}" / f"{number + 1}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, np.repeat(face(rng, person)[..., None], 3, axis=-1))
    return folder


def small_task(**settings):
    return faces.task(faces.held_out(people(), "3"), **SMALL | settings)
