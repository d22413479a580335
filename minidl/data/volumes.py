"""Solids in a noisy scan: volumes made with a seed, for a network that sees which solid is inside.

Each solid is where f(x, y, z) < 0. All have the same volume before they are made larger or smaller,
turned to any side and moved, so that how much is filled tells nothing; and each is as often
brighter than what is around it as darker, a stone or a bubble, so that no voxel by itself does: the
mean of each kind is empty. What differs is the surface: flat or bent, with edges, corners, a point,
a hole.
"""

import numpy as np

from minidl.errors import ArgumentError, brief
from minidl.shapes import is_int

SIZE = 16  # voxels along each axis
EDGE = 6.5, 8.5  # voxels: of a cube of the same volume
SHIFT = 1.0  # voxels from the middle, along each axis
NOISE = 0.1, 0.4  # standard deviation, where the solid differs from what is around it by 1
SLOPE = 0.5  # of the brightness of the background, from one side to the other
TOGETHER = 100  # volumes that are made at once


def ball(x, y, z):
    return np.sqrt(x * x + y * y + z * z) - 1


def cube(x, y, z):
    return _largest(abs(x), abs(y), abs(z)) - 1


def torus(x, y, z, tube=0.5):
    return np.hypot(np.hypot(x, y) - 1, z) - tube


def cone(x, y, z, slope=0.5):
    """A point at z = 1, a disc of radius 1 at z = -1"""
    return np.maximum((np.hypot(x, y) - slope * (1 - z)) / np.hypot(1, slope), -1 - z)


def cylinder(x, y, z):
    return np.maximum(np.hypot(x, y) - 1, abs(z) - 1)


def cross(x, y, z, bar=0.4):
    """Three bars along the axes: near an axis, and no end reached"""
    x, y, z = abs(x), abs(y), abs(z)
    near = np.minimum(np.minimum(np.maximum(y, z), np.maximum(x, z)), np.maximum(x, y)) - bar
    return np.maximum(near, _largest(x, y, z) - 1)


def _largest(x, y, z):
    return np.maximum(np.maximum(x, y), z)


SOLIDS = {  # each with its volume
    ball: 4 / 3 * np.pi,
    cube: 8,
    torus: 2 * np.pi**2 * 0.5**2,
    cone: 2 / 3 * np.pi,
    cylinder: 2 * np.pi,
    cross: 24 * 0.4**2 - 16 * 0.4**3,
}
CLASSES = tuple(solid.__name__ for solid in SOLIDS)


def volumes(count, seed=0):
    """-> (volumes (count, SIZE, SIZE, SIZE, 1) float32, labels (count,), places in CLASSES), all
    solids as often, in random order

    In each: a solid of random size, turned and moved at random, brighter or darker than what is
    around it, which itself grows brighter to one side; with noise.
    """
    if not (is_int(count) and count >= len(SOLIDS)):
        raise ArgumentError(
            f"{brief(count)} volumes are wanted; wanted at least {len(SOLIDS)}, one for each solid"
        )
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(SOLIDS))
    made = np.empty((count, SIZE, SIZE, SIZE, 1), np.float32)
    for begin in range(0, count, TOGETHER):
        part = slice(begin, begin + TOGETHER)
        made[part, ..., 0] = _scans(rng, labels[part])
    return made, labels


def _scans(rng, labels):
    """(n,) -> (n, SIZE, SIZE, SIZE)"""
    n = len(labels)
    axis = np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2
    # (3, voxels), in voxels from the middle
    places = np.stack(np.meshgrid(axis, axis, axis, indexing="ij")).reshape(3, -1)
    volume = np.array(list(SOLIDS.values()))[labels]
    voxels = rng.uniform(*EDGE, n) / np.cbrt(volume)  # to one unit of the solid
    middle = rng.uniform(-SHIFT, SHIFT, (n, 3, 1))
    seen = turns(rng, n) @ (places - middle) / voxels[:, None, None]
    made = np.empty((n, SIZE**3), np.float32)
    for number, solid in enumerate(SOLIDS):
        of_it = labels == number
        # of a voxel's middle below the surface
        depth = -solid(*np.moveaxis(seen[of_it], 1, 0)) * voxels[of_it, None]
        made[of_it] = np.clip(0.5 + depth, 0, 1)  # the share of the voxel that is inside, about
    made *= rng.choice(np.float32([-1, 1]), (n, 1))
    slope = rng.standard_normal((n, 3))
    slope *= rng.uniform(0, SLOPE / SIZE, (n, 1)) / np.linalg.norm(slope, axis=1, keepdims=True)
    noise = rng.uniform(*NOISE, (n, 1)) * rng.standard_normal(made.shape)
    return (made + slope @ places + noise).reshape(n, SIZE, SIZE, SIZE)


def turns(rng, count):
    """(count, 3, 3): rotations, every one as likely: the orthogonal factor of a matrix of normal
    numbers, with the signs that make R's diagonal positive (Stewart 1980), mirrored where its
    determinant is -1

    >>> [turn] = turns(np.random.default_rng(0), 1)
    >>> np.allclose(turn @ turn.T, np.eye(3)), round(float(np.linalg.det(turn)), 6)
    (True, 1.0)
    """
    turn, triangle = np.linalg.qr(rng.standard_normal((count, 3, 3)))
    turn *= np.sign(np.diagonal(triangle, axis1=1, axis2=2))[:, None, :]
    return turn * np.linalg.det(turn)[:, None, None]
