"""The siamese network on MNIST: pairs of digits, the energy loss, and the plane that they are put
in."""

import numpy as np

from minidl.backend import current_device
from minidl.data import Batches, mnist, pairing, split
from minidl.evaluation import error_rates, nearest_neighbours
from minidl.losses import energy_baselines, siamese_energy_loss
from minidl.models.siamese import siamese
from minidl.ops import concatenate
from minidl.optim import Adam
from minidl.plots import new_figure, save_figure
from minidl.recipes.classifiers import SCHEDULES
from minidl.training.outputs import outputs
from minidl.training.task import Task
from minidl.training.trained import opened

NETWORK = "siamese"
PRESETS = {
    # The original program's, with TensorFlow's Adam; its 20,000 steps are 23 epochs of 859
    "original": {
        "learning_rate": 0.01, "schedule": "constant", "keep": 0.6, "pairs": 64, "epochs": 23, "epsilon_form": "tensorflow",
        "clip": None,
    },
    "fast": {
        "learning_rate": 0.002, "schedule": "one-cycle", "keep": 0.8, "pairs": 128, "epochs": 6, "epsilon_form": "pytorch",
        "clip": None,
    },
}  # fmt: skip
HELD_OUT, PAIRS_TO_VALIDATE, KNOWN = 5000, 5000, 10000
# times as far from the middle as 99 of 100 points: what is beyond would shrink the drawing of all
# others
FAR = 2


def task(folder=None, *, seed=0, limit=None, **settings):
    """The Task of training on MNIST's first `limit` pictures (None: all), of which HELD_OUT, or a
    twelfth, are for validation. folder: of the data set; settings: those of a preset."""
    pictures, labels = mnist(folder, "train")
    pictures, labels = as_input(pictures[:limit]), labels[:limit]
    kept, held = split((pictures, labels), min(HELD_OUT, len(labels) // 12), seed)
    pairing(held[1])  # refuses now what would be refused after an epoch
    model = siamese(seed, settings["keep"]).to(current_device())
    batches = Batches(
        (kept[0], np.arange(len(kept[0]))),
        settings["pairs"],
        seed,
        drop_last=True,
        transform=pair_up(*kept),
    )
    optimizer = Adam(
        model.named_parameters(), settings["learning_rate"], epsilon_form=settings["epsilon_form"]
    )
    baselines = energy_baselines()
    return Task(
        model=model, optimizer=optimizer, batches=batches, loss=energy, clip=settings["clip"],
        schedule=SCHEDULES[settings["schedule"]](settings["learning_rate"], settings["epochs"]),
        validate=lambda model: validate(model, kept, held, seed),
        baselines={"a collapsed network": baselines.collapsed, "one distance for all": baselines.constant},
        draw=lambda model, path: draw(model, *held, path),
        settings={"network": NETWORK, "seed": seed, "limit": limit, **settings},
    )  # fmt: skip


def as_input(pictures):
    """(N, 28, 28) uint8 -> (N, 28, 28, 1) float32, 0..1"""
    return pictures[..., None] / np.float32(255)


def pair_up(pictures, labels):
    """A transform for Batches of (pictures, their numbers): -> (first, second, same)"""
    pair = pairing(labels)

    def transform(rng, first, numbers):
        others, same = pair(rng, numbers)
        return first, pictures[others], same

    return transform


def energy(model, first, second, same):
    """The energy loss of a batch of pairs; both branches are one batch."""
    points = model(concatenate([first, second]))
    loss = siamese_energy_loss(points[: len(first)], points[len(first) :], same)
    return loss, {}


def validate(model, kept, held, seed=0, known=KNOWN):
    """The loss and the equal error rate of held-out pairs; the share whose nearest of `known`
    pictures has the same digit"""
    (pictures, labels), rng = held, np.random.default_rng(seed)
    points = outputs(model, pictures)
    first = rng.integers(len(labels), size=PAIRS_TO_VALIDATE)
    second, same = pairing(labels)(rng, first)
    loss = siamese_energy_loss(points[first], points[second], same)
    distances = np.linalg.norm(points[first] - points[second], axis=1)
    neighbours = kept[1][:known][nearest_neighbours(points, outputs(model, kept[0][:known]))]
    accuracy, (rate, _) = (neighbours == labels).mean(), error_rates(distances, same).equal
    return {"loss": float(loss), "accuracy": float(accuracy), "equal_error_rate": rate}


def for_report(folder=None):
    """What `report` reads, to be looked for before a long run"""
    return mnist(folder, "train"), mnist(folder, "test")


def report(model, known, test, seed=0):
    """{what: number} on MNIST's test set, the digits of which all training pictures are neighbours
    to"""
    known, test = ((as_input(pictures), labels) for pictures, labels in (known, test))
    return validate(model, known, test, seed, len(known[1]))


def trained(path):
    """The network of a checkpoint of this task, perhaps a stranger's. Raises FileError where it is
    of anything else."""
    with opened(path, NETWORK) as (settings, state):
        return siamese(keep=settings["keep"]).restore(state).train(False)


def draw(model, pictures, labels, path):
    """The plane: a dot for each picture, coloured by its digit, and each digit's name beside the
    middle of its dots"""
    points = outputs(model, pictures)[:, :2]
    off = abs(points - np.median(points, axis=0)).max(axis=1)
    near = off <= FAR * np.percentile(off, 99)
    figure, axes = new_figure(7, 7)
    for digit in range(10):
        dots = points[near & (labels == digit)]
        if len(dots):
            axes.scatter(*dots.T, s=6, color=f"C{digit}", alpha=0.6, linewidths=0)
            box = {"facecolor": "white", "edgecolor": f"C{digit}", "boxstyle": "round"}
            beside = {"xytext": (14, 14), "textcoords": "offset points"}
            axes.annotate(str(digit), np.median(dots, axis=0), **beside, fontsize=13, bbox=box)
    outside = f"; {(~near).sum()} more are far outside" if not near.all() else ""
    axes.set(aspect="equal", title=f"each dot a digit that the network has not seen{outside}")
    save_figure(figure, path)
