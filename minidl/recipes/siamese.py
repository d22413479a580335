"""This recipe trains a siamese network on MNIST. From pairs of digits, it learns to map digits to
points of a plane."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import current_device
from minidl.data import Batches, mnist, pairing, split
from minidl.evaluation import error_rates, nearest_neighbours
from minidl.layers import Sequential
from minidl.losses import energy_baselines, siamese_energy_loss
from minidl.models.siamese import siamese
from minidl.ops import concatenate
from minidl.optim import Adam
from minidl.plots import new_figure, save_figure
from minidl.recipes.classifiers import SCHEDULES, Examples
from minidl.training.task import Task
from minidl.training.trained import opened, outputs
from minidl.typing import Array, Path

NETWORK = "siamese"
PRESETS = {
    # The settings of the original program, with TensorFlow's form of Adam. Its 20,000 steps are 23
    # epochs of 859.
    "original": {
        "learning_rate": 0.01,
        "schedule": "constant",
        "keep": 0.6,
        "pairs": 64,
        "epochs": 23,
        "epsilon_form": "tensorflow",
        "clip": None,
    },
    "fast": {
        "learning_rate": 0.002,
        "schedule": "one-cycle",
        "keep": 0.8,
        "pairs": 128,
        "epochs": 6,
        "epsilon_form": "pytorch",
        "clip": None,
    },
}
HELD_OUT, PAIRS_TO_VALIDATE, KNOWN = 5000, 5000, 10000
FAR = 2  # points at more than FAR times the 99th percentile of the distances are not drawn


def task(
    folder: Path | None = None, *, seed: int = 0, limit: int | None = None, **settings: Any
) -> Task:
    """Return the Task of training on MNIST, with HELD_OUT pictures, or a twelfth, for validation.

    folder    of the data set; None: as `minidl.data.mnist` finds it
    seed      of the held-out pictures, the initial weights, and the pairs
    limit     use the first `limit` pictures only; None: all
    settings  those of a preset

    Raises FileError if the data set is missing, and ArgumentError if `limit` is too small.
    """
    pictures, labels = mnist(folder, "train")
    pictures, labels = as_input(pictures[:limit]), labels[:limit]
    kept, held_out = split((pictures, labels), min(HELD_OUT, len(labels) // 12), seed)
    pairing(held_out[1])  # raises its errors now rather than in the first validation
    model = siamese(seed, settings["keep"]).to(current_device())
    rate, epochs = settings["learning_rate"], settings["epochs"]
    baselines = energy_baselines()
    return Task(
        model=model,
        optimizer=Adam(model.named_parameters(), rate, epsilon_form=settings["epsilon_form"]),
        batches=Batches(
            (kept[0], np.arange(len(kept[0]))),
            settings["pairs"],
            seed,
            drop_last=True,
            transform=pair_up(*kept),
        ),
        loss=energy,
        schedule=SCHEDULES[settings["schedule"]](rate, epochs),
        validate=lambda model: validate(model, kept, held_out, seed),
        baselines={
            "a collapsed network": baselines.collapsed,
            "one distance for all": baselines.constant,
        },
        clip=settings["clip"],
        draw=lambda model, path: draw(model, held_out[0], held_out[1], path),
        settings={"network": NETWORK, "seed": seed, "limit": limit, **settings},
    )


def as_input(pictures: np.ndarray) -> np.ndarray:
    """Return pictures (N, 28, 28), uint8, as (N, 28, 28, 1), float32, from 0 to 1."""
    return pictures[..., None] / np.float32(255)


def pair_up(pictures: np.ndarray, labels: np.ndarray) -> Callable[..., tuple[np.ndarray, ...]]:
    """Return a transform for Batches of (pictures, their indices).

    The transform chooses a partner for each picture of a batch, and returns (first, second, same);
    same (B,) is whether both have the same label. labels: (N,), of the pictures.
    """
    pair = pairing(labels)

    def transform(rng, first, indices):
        partners, same = pair(rng, indices)
        return first, pictures[partners], same

    return transform


def energy(
    model: Sequential, first: Array, second: Array, same: Array
) -> tuple[Tensor, dict[str, Any]]:
    """Return the energy loss of a model for a batch of pairs, and no measures.

    first, second: (B, 28, 28, 1), the pictures of the pairs, which pass through the network as one
    batch; same: (B,), whether both show the same digit
    """
    points = model(concatenate([first, second]))
    return siamese_energy_loss(points[: len(first)], points[len(first) :], same), {}


def validate(
    model: Sequential, kept: Examples, held_out: Examples, seed: int = 0, known: int = KNOWN
) -> dict[str, float]:
    """Return the loss and the equal error rate of a model for random pairs of held-out pictures,
    and the accuracy of classifying them by the nearest of the first `known` kept pictures.

    kept, held_out: (pictures as the network takes them, labels); seed: of the pairs
    """
    (pictures, labels), rng = held_out, np.random.default_rng(seed)
    points, known_points = outputs(model, pictures), outputs(model, kept[0][:known])
    first = rng.integers(len(labels), size=PAIRS_TO_VALIDATE)
    second, same = pairing(labels)(rng, first)
    loss = siamese_energy_loss(points[first], points[second], same)
    distances = np.linalg.norm(points[first] - points[second], axis=1)
    predicted = kept[1][:known][nearest_neighbours(points, known_points)]
    return {
        "loss": float(loss),
        "accuracy": float((predicted == labels).mean()),
        "equal_error_rate": error_rates(distances, same).equal[0],
    }


def for_report(folder: Path | None = None) -> tuple[Examples, Examples]:
    """Return MNIST's training and test sets, which `report` needs. Raises FileError if they are
    missing."""
    return mnist(folder, "train"), mnist(folder, "test")


def report(model: Sequential, known: Examples, test: Examples, seed: int = 0) -> dict[str, float]:
    """Return what `validate` measures, for the test set among all training pictures.

    model: of this recipe; known, test: (pictures (N, 28, 28), uint8, labels); seed: of the pairs
    """
    known, test = ((as_input(pictures), labels) for pictures, labels in (known, test))
    return validate(model, known, test, seed, len(known[1]))


def trained(path: Path) -> Sequential:
    """Return the network of a checkpoint, which may be of unknown origin.

    Raises FileError if it is not a checkpoint of this recipe, and NonFiniteError if it holds NaN or
    infinity.
    """
    with opened(path, NETWORK) as (settings, state):
        return siamese(keep=settings["keep"]).restore(state).train(False)


def draw(model: Sequential, pictures: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Write a picture of the plane to `path`: a dot for each of the pictures, coloured by its
    label, and the digits at the medians of their dots."""
    points = outputs(model, pictures)[:, :2]
    distances = abs(points - np.median(points, axis=0)).max(axis=1)
    is_near = distances <= FAR * np.percentile(distances, 99)
    figure = new_figure(7, 7)
    axes = figure.subplots()
    for digit in range(10):
        dots = points[is_near & (labels == digit)]
        if len(dots):
            axes.scatter(*dots.T, s=6, color=f"C{digit}", alpha=0.6, linewidths=0)
            box = {"facecolor": "white", "edgecolor": f"C{digit}", "boxstyle": "round"}
            offset = {"xytext": (14, 14), "textcoords": "offset points"}
            axes.annotate(str(digit), np.median(dots, axis=0), **offset, fontsize=13, bbox=box)
    not_shown = f"; {(~is_near).sum()} more are far outside" if not is_near.all() else ""
    axes.set(aspect="equal", title=f"pictures that were not in the training{not_shown}")
    save_figure(figure, path)
