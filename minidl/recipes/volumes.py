"""Solids in noisy scans: a 3-D network sees which one is inside, however it is turned."""

import numpy as np

from minidl.backend import to_numpy
from minidl.data.volumes import CLASSES, SIZE, volumes
from minidl.models.volumes import volume_network
from minidl.plots import new_figure, save_figure
from minidl.recipes import classifiers
from minidl.recipes.classifiers import Trained, classifier, until
from minidl.training.outputs import outputs
from minidl.training.trained import opened

NETWORK = "volumes"
PRESETS = {
    "original": {
        "examples": 4000, "learning_rate": 0.005, "schedule": "one-cycle", "epochs": 20, "batch": 64, "clip": None,
    },
    "fast": {
        "examples": 4000, "learning_rate": 0.005, "schedule": "one-cycle", "epochs": 12, "batch": 64, "clip": None,
    },
}  # fmt: skip
SCHEDULES = classifiers.SCHEDULES
KNOWN, TESTED = 4000, 1200
SHOWN = 4  # kernels whose maps are drawn


def task(folder=None, *, seed=0, **settings):
    """The Task of training on volumes that are made with the seed. settings: those of a preset."""
    return classifier(
        NETWORK, network(seed), volumes, CLASSES, draw, held_otherwise, seed=seed, **settings
    )


def network(seed=0):
    return volume_network(SIZE, len(CLASSES), seed)


def held_otherwise(rng, scans, labels):
    """A batch in one of the 48 ways in which a cube can be held or mirrored: its axes in another
    order, some of them turned round. No solid differs from its mirror image."""
    scans = scans.transpose(0, *(1 + rng.permutation(3)), 4)
    return np.ascontiguousarray(np.flip(scans, 1 + np.flatnonzero(rng.random(3) < 0.5))), labels


def for_report(folder=None):
    """What `report` reads: volumes for its baselines to learn from, and the test set"""
    return volumes(KNOWN, classifiers.KNOWN), tested()


def tested():
    """The test set"""
    return volumes(TESTED, classifiers.TESTED)


report = classifiers.report  # {what: number} on the test set


def trained(path):
    """A Trained from a checkpoint of this task, perhaps a stranger's. Raises FileError where it is
    of anything else."""
    with opened(path, NETWORK) as (_, state):
        return Trained(network().restore(state).train(False), CLASSES)


def draw(model, scans, labels, path):
    """The kernels, slice by slice; and a scan of each solid: its middle, the mean along an axis,
    and the largest along it of what those kernels answer that tell solids apart best"""
    kernels = to_numpy(model.layers["surfaces"].kernel.data)[:, :, :, 0]
    maps = outputs(until(model, "surfaces_relu"), scans)
    present = np.unique(labels)
    means = np.stack([maps[labels == label].mean(axis=(0, 1, 2, 3)) for label in present])
    best = (means.std(axis=0) / (means.mean(axis=0) + 1e-6)).argsort()[::-1][:SHOWN]
    shown = [np.flatnonzero(labels == label)[0] for label in present]
    rows = {
        "the middle": scans[shown, :, :, SIZE // 2, 0],
        "the mean": scans[shown, ..., 0].mean(axis=3),
    }
    rows |= {
        f"kernel {kernel}": np.kron(maps[shown, ..., kernel].max(axis=3), np.ones((2, 2)))
        for kernel in best
    }
    figure, axes = new_figure(13, 9)
    axes.remove()
    left, right = figure.subfigures(1, 2, width_ratios=(1, 3))
    sheet, panels = left.subplots(), right.subplots(len(rows), 1)
    # (K, slices, 5, 5)
    slices = np.moveaxis(kernels / abs(kernels).max(axis=(0, 1, 2)), (3, 2), (0, 1))
    sheet.imshow(
        np.concatenate([_side_by_side(each) for each in slices])[:-1],
        cmap="RdBu_r",
        vmin=-1,
        vmax=1,
    )
    sheet.set(title="the kernels, in five slices", xticks=[], frame_on=False)
    sheet.set_yticks(
        [2 + 6 * number for number in range(len(slices))], range(len(slices)), fontsize=8
    )
    for panel, (name, pictures) in zip(panels, rows.items(), strict=True):
        panel.imshow(
            _side_by_side(pictures)[:-1], cmap="magma" if name.startswith("kernel") else "gray"
        )
        panel.set(xticks=[], yticks=[], ylabel=name, frame_on=False)
    panels[0].xaxis.tick_top()
    middles = (SIZE + 1) * np.arange(len(shown)) + (SIZE - 1) / 2
    panels[0].set_xticks(middles, [CLASSES[label] for label in present], fontsize=12)
    panels[0].tick_params(length=0)
    save_figure(figure, path)


def _side_by_side(pictures):
    """(n, H, W) -> (H + 1, n (W + 1)), with nothing between them"""
    n, height, width = pictures.shape
    framed = np.pad(pictures, [(0, 0), (0, 1), (0, 1)], constant_values=np.nan)
    return framed.swapaxes(0, 1).reshape(height + 1, n * (width + 1))
