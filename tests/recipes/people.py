"""People drawn in a few strokes: each has places and widths of eyes and mouth of their own, and
each picture another light and a shift."""

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
    eyes, apart, mouth, wide = (
        own.integers(14, 24),
        own.integers(6, 12),
        own.integers(34, 46),
        own.integers(4, 14),
    )
    picture = np.full((HEIGHT, WIDTH), rng.integers(150, 210), np.float64)
    down, right = rng.integers(-1, 2, 2)
    middle = WIDTH // 2 + right
    for side in (-1, 1):
        picture[
            eyes + down : eyes + down + 4, middle + side * apart - 2 : middle + side * apart + 3
        ] = 40
    picture[mouth + down : mouth + down + 3, middle - wide : middle + wide] = 70
    return (picture + rng.normal(0, 8, picture.shape)).clip(0, 255).astype(np.uint8)


def people(count=8, each=4, seed=0):
    """People, named p1, p2, .."""
    rng, labels = np.random.default_rng(seed), np.repeat(np.arange(count), each)
    pictures = np.stack([face(rng, person) for person in labels])[..., None].astype(np.float32)
    return People(pictures, labels, [f"p{number + 1}" for number in range(count)])


def write_people(folder, count=8, each=4, seed=0):
    """The same in files: folder/p1/1.png, .."""
    rng = np.random.default_rng(seed)
    for person in range(count):
        for number in range(each):
            path = folder / f"p{person + 1}" / f"{number + 1}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, np.repeat(face(rng, person)[..., None], 3, axis=-1))
    return folder


def small_task(**settings):
    return faces.task(faces.held_out(people(), "3"), **SMALL | settings)
