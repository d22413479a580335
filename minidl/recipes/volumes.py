"""Solids in noisy scans: a 3-D network learns which solid a scan contains, in any orientation."""

import numpy as np

from minidl.backend import to_numpy
from minidl.data.volumes import CLASSES, SIZE, volumes
from minidl.layers import Sequential
from minidl.models.volumes import volume_network
from minidl.plots import new_figure, save_figure
from minidl.recipes import classifiers
from minidl.recipes.classifiers import GeneratedExamples, until
from minidl.training.trained import outputs
from minidl.typing import Path

NETWORK = "volumes"
ORIGINAL = {
    "examples": 4000,
    "learning_rate": 0.005,
    "schedule": "one-cycle",
    "epochs": 20,
    "batch": 64,
    "clip": None,
}
PRESETS = {"original": ORIGINAL, "fast": ORIGINAL | {"epochs": 12}}
SCHEDULES = classifiers.SCHEDULES
SHOWN = 4  # the number of kernels whose outputs are drawn


def network(seed: int = 0) -> Sequential:
    """Return the network before training: scans (N, SIZE, SIZE, SIZE, 1) -> logits (N, solids)."""
    return volume_network(SIZE, len(CLASSES), seed)


def held_otherwise(
    rng: np.random.Generator, scans: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch in one of the 48 orientations of a cube, which include the mirrored ones.

    The axes are permuted and some of them reversed, in the same way for the whole batch. Each solid
    equals its mirror image. rng: chooses the orientation. scans: (N, D, D, D, C). The labels are
    returned as they are.
    """
    scans = scans.transpose(0, *(1 + rng.permutation(3)), 4)
    reversed_axes = tuple((1 + np.flatnonzero(rng.random(3) < 0.5)).tolist())
    return np.ascontiguousarray(np.flip(scans, reversed_axes)), labels


def draw(model: Sequential, scans: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Write a picture of a model to `path`: the kernels in slices, and one scan of each solid.

    scans: (N, D, D, D, C); labels: (N,). A scan is shown as its middle slice, as the mean along an
    axis, and as the maximum along it of the outputs of the SHOWN kernels that distinguish the
    solids best.
    """
    kernels = to_numpy(model.named_parameters()["surfaces/kernel"].data)[:, :, :, 0]
    maps = outputs(until(model, "surfaces_relu"), scans)
    solids = np.unique(labels)
    first = [np.flatnonzero(labels == solid)[0] for solid in solids]
    means = np.stack([maps[labels == solid].mean(axis=(0, 1, 2, 3)) for solid in solids])
    contrast = means.std(axis=0) / (means.mean(axis=0) + 1e-6)
    best = contrast.argsort()[::-1][:SHOWN]
    rows = {
        "the middle": scans[first, :, :, SIZE // 2, 0],
        "the mean": scans[first, ..., 0].mean(axis=3),
    }
    for kernel in best:
        maximum = maps[first, ..., kernel].max(axis=3)
        rows[f"kernel {kernel}"] = np.kron(maximum, np.ones((2, 2)))  # the layer has stride 2
    figure = new_figure(13, 9)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 3))
    _draw_kernels(left.subplots(), kernels)
    _draw_scans(right.subplots(len(rows), 1), rows, [CLASSES[solid] for solid in solids])
    save_figure(figure, path)


def _draw_kernels(panel, kernels):
    """kernels: (5, 5, 5, K)"""
    scaled = kernels / abs(kernels).max(axis=(0, 1, 2))
    slices = np.moveaxis(scaled, (3, 2), (0, 1))  # (K, slices, 5, 5)
    image = np.concatenate([_side_by_side(kernel) for kernel in slices])[:-1]
    panel.imshow(image, cmap="RdBu_r", vmin=-1, vmax=1)
    panel.set(title="the kernels, in five slices", xticks=[], frame_on=False)
    numbers = range(len(slices))
    panel.set_yticks([2 + 6 * number for number in numbers], numbers, fontsize=8)


def _draw_scans(panels, rows, names):
    for panel, (title, pictures) in zip(panels, rows.items(), strict=True):
        cmap = "magma" if title.startswith("kernel") else "gray"
        panel.imshow(_side_by_side(pictures)[:-1], cmap=cmap)
        panel.set(xticks=[], yticks=[], ylabel=title, frame_on=False)
    panels[0].xaxis.tick_top()
    middles = (SIZE + 1) * np.arange(len(names)) + (SIZE - 1) / 2
    panels[0].set_xticks(middles, names, fontsize=12)
    panels[0].tick_params(length=0)


def _side_by_side(pictures):
    """(n, H, W) -> (H + 1, n (W + 1)), with NaN, which is not drawn, between the pictures"""
    n, height, width = pictures.shape
    framed = np.pad(pictures, [(0, 0), (0, 1), (0, 1)], constant_values=np.nan)
    return framed.swapaxes(0, 1).reshape(height + 1, n * (width + 1))


RECIPE = GeneratedExamples(
    NETWORK,
    network,
    volumes,
    CLASSES,
    draw,
    for_baselines=4000,
    for_test=1200,
    transform=held_otherwise,
)
task, for_report, tested, trained = (RECIPE.task, RECIPE.for_report, RECIPE.tested, RECIPE.trained)
answers = RECIPE.answers
report = classifiers.report
