"""A fake reader that takes its faces from the first pixels of a picture, and functions that create
pictures and change database files."""

import sqlite3

import numpy as np

from minidl.data import write_image
from minidl.faces import THRESHOLD, Face

NUMBERS = 128


class FakeReader:
    identity, numbers, threshold, network = "fake", NUMBERS, THRESHOLD, ""

    def __init__(self, network=None):
        if network is not None:
            self.identity, self.threshold, self.network = f"fake {network}", 0.9, str(network)

    def faces(self, picture, embed=True):
        # A turned picture begins with another corner, which is not grey.
        count = int(picture[0, 0, 0]) if np.ptp(picture[0, 0]) == 0 else 0
        encoded = picture[0, 1 : 1 + count].astype(int)
        return [self._face(*face, number, embed) for number, face in enumerate(encoded)]

    def suspects_half_turn(self, picture, face):
        return False

    def _face(self, person, look, side, number, embed):
        box = (5.0 + 20 * number, 6.0, float(side), float(side))
        landmarks = np.array([box[:2]]) + np.linspace(0, side, 68)[:, None]
        return Face(box, 0.9 - 0.1 * number, landmarks, embedding(person, look) if embed else None)


def embedding(person, look):
    """Return the embedding of a picture of a person. The distance is about 0.3 between pictures of
    one person, and about 1 between people."""
    far, near = (
        np.random.default_rng(seed).standard_normal(NUMBERS) for seed in ([person], [person, look])
    )
    return (far / np.linalg.norm(far) * 0.7 + near / np.linalg.norm(near) * 0.2).astype(np.float32)


def write_portrait(path, *faces):
    """Write a picture of faces (person, look, side)."""
    picture = np.random.default_rng([*faces[0], 1] if faces else 0).uniform(50, 200, (48, 64, 3))
    picture[0, 0] = len(faces)
    for number, face in enumerate(faces, start=1):
        picture[0, number] = face
    write_image(path, picture)


def write_people(folder, people, looks):
    """Write pictures folder/person-NN/LOOK.png."""
    for person in range(people):
        subfolder = folder / f"person-{person:02}"
        subfolder.mkdir(parents=True)
        for look in range(looks):
            write_portrait(subfolder / f"{look}.png", (person, look, 20))


def change(path, *statements):
    """Run SQL on a database file without minidl."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
