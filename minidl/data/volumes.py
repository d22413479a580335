"""Generate noisy scans of solids, for a network that recognises the solid.

A solid is the set where f(x, y, z) < 0. All solids have the same volume before they are scaled,
rotated and shifted at random, so the volume does not identify them. Each is as often brighter than
the background as darker, so no single voxel identifies them either: the mean scan of each is zero.
They differ in their surfaces: flat or curved, with edges, corners, a tip or a hole.
"""

import numpy as np

from minidl.errors import ArgumentError, brief
from minidl.shapes import is_int
from minidl.typing import Array

SIZE = 16  # voxels along each axis
EDGE = 6.5, 8.5  # voxels; range of the edge of a cube of the same volume
SHIFT = 1.0  # voxels; the largest distance from the centre along each axis
NOISE = 0.1, 0.4  # range of the noise's standard deviation; solid and background differ by 1
SLOPE = 0.5  # the largest difference in brightness of the background between two sides
TOGETHER = 100  # volumes that are computed at once


def ball(x: Array, y: Array, z: Array) -> Array:
    """A ball of radius 1."""
    return np.sqrt(x * x + y * y + z * z) - 1


def cube(x: Array, y: Array, z: Array) -> Array:
    """A cube from -1 to 1."""
    return _largest(abs(x), abs(y), abs(z)) - 1


def torus(x: Array, y: Array, z: Array, tube: float = 0.5) -> Array:
    """A torus around the z axis: a tube of radius `tube` around a circle of radius 1."""
    return np.hypot(np.hypot(x, y) - 1, z) - tube


def cone(x: Array, y: Array, z: Array, slope: float = 0.5) -> Array:
    """A cone from a disc of radius 1 at z = -1 to a tip at z = 1."""
    return np.maximum((np.hypot(x, y) - slope * (1 - z)) / np.hypot(1, slope), -1 - z)


def cylinder(x: Array, y: Array, z: Array) -> Array:
    """A cylinder around the z axis, of radius 1, from z = -1 to z = 1."""
    return np.maximum(np.hypot(x, y) - 1, abs(z) - 1)


def cross(x: Array, y: Array, z: Array, bar: float = 0.4) -> Array:
    """Three bars along the axes, from -1 to 1, of width 2 `bar`."""
    x, y, z = abs(x), abs(y), abs(z)
    near = np.minimum(np.minimum(np.maximum(y, z), np.maximum(x, z)), np.maximum(x, y)) - bar
    return np.maximum(near, _largest(x, y, z) - 1)


def _largest(x, y, z):
    return np.maximum(np.maximum(x, y), z)


SOLIDS = {  # {function: volume}
    ball: 4 / 3 * np.pi,
    cube: 8,
    torus: 2 * np.pi**2 * 0.5**2,
    cone: 2 / 3 * np.pi,
    cylinder: 2 * np.pi,
    cross: 24 * 0.4**2 - 16 * 0.4**3,
}
CLASSES = tuple(solid.__name__ for solid in SOLIDS)


def volumes(count: int, seed: int | tuple[int, ...] = 0) -> tuple[Array, Array]:
    """Return scans (count, SIZE, SIZE, SIZE, 1) float32, and their labels (count,), which index
    CLASSES.

    All solids are equally frequent, in random order. A scan contains a solid of random size,
    orientation and position, brighter or darker than the background, whose brightness increases in
    a random direction, and noise.

    Raises ArgumentError if `count` is no int of at least the number of solids.
    """
    if not (is_int(count) and count >= len(SOLIDS)):
        raise ArgumentError(
            f"{brief(count)} volumes are requested; wanted at least {len(SOLIDS)}, one for each "
            "solid"
        )
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(SOLIDS))
    scans = np.empty((count, SIZE, SIZE, SIZE, 1), np.float32)
    for begin in range(0, count, TOGETHER):
        part = slice(begin, begin + TOGETHER)
        scans[part, ..., 0] = _scans(rng, labels[part])
    return scans, labels


def _scans(rng, labels):
    """(n,) -> (n, SIZE, SIZE, SIZE)"""
    n = len(labels)
    axis = np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2
    # (3, voxels): the centres of the voxels, in voxels from the centre of the volume
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij")).reshape(3, -1)
    volume = np.array(list(SOLIDS.values()))[labels]
    voxels = rng.uniform(*EDGE, n) / np.cbrt(volume)  # per unit of the solid's coordinates
    centre = rng.uniform(-SHIFT, SHIFT, (n, 3, 1))
    coordinates = turns(rng, n) @ (grid - centre) / voxels[:, None, None]
    scans = np.empty((n, SIZE**3), np.float32)
    for label, solid in enumerate(SOLIDS):
        is_solid = labels == label
        # voxels by which the centre of a voxel lies below the surface
        depth = -solid(*np.moveaxis(coordinates[is_solid], 1, 0)) * voxels[is_solid, None]
        scans[is_solid] = np.clip(0.5 + depth, 0, 1)  # about the share of the voxel that is inside
    scans *= rng.choice(np.array([-1, 1], np.float32), (n, 1))
    slope = rng.standard_normal((n, 3))
    slope *= rng.uniform(0, SLOPE / SIZE, (n, 1)) / np.linalg.norm(slope, axis=1, keepdims=True)
    noise = rng.uniform(*NOISE, (n, 1)) * rng.standard_normal(scans.shape)
    return (scans + slope @ grid + noise).reshape(n, SIZE, SIZE, SIZE)


def turns(rng: np.random.Generator, count: int) -> Array:
    """Return random rotations (count, 3, 3), uniformly distributed.

    A rotation is the orthogonal factor Q of a matrix of normal numbers, with the signs that make
    the diagonal of R positive (G. Stewart, "The efficient generation of random orthogonal
    matrices", 1980), and negated if its determinant is -1.

    >>> [turn] = turns(np.random.default_rng(0), 1)
    >>> np.allclose(turn @ turn.T, np.eye(3)), round(float(np.linalg.det(turn)), 6)
    (True, 1.0)
    """
    turn, triangle = np.linalg.qr(rng.standard_normal((count, 3, 3)))
    turn *= np.sign(np.diagonal(triangle, axis1=1, axis2=2))[:, None, :]
    return turn * np.linalg.det(turn)[:, None, None]
