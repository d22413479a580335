"""The siamese network on MNIST: pairs of digits, the energy loss, and the plane that they are put in."""

import numpy as np

from minidl.backend import current_device
from minidl.data import Batches, mnist, split
from minidl.evaluation import error_rates, nearest_neighbours
from minidl.losses import energy_baselines, siamese_energy_loss
from minidl.models.siamese import siamese
from minidl.ops import concatenate
from minidl.optim import Adam, Constant, OneCycle
from minidl.plots import new_figure, save_figure
from minidl.training.outputs import outputs
from minidl.training.task import Task

PRESETS = {
    # The seed's own: truncated normal 0.05, Adam at 0.01, 64 pairs a step, keep 0.6; 20,000 steps are 22 epochs
    "seed": {"learning_rate": 0.01, "schedule": "constant", "keep": 0.6, "pairs": 64, "epochs": 22},
    "fast": {"learning_rate": 0.002, "schedule": "one-cycle", "keep": 0.8, "pairs": 128, "epochs": 6},
}
HELD_OUT, PAIRS_TO_VALIDATE, KNOWN = 5000, 5000, 10000


def task(folder=None, *, seed=0, limit=None, **settings):
    """The Task of training on MNIST's first `limit` pictures (None: all), of which HELD_OUT, or a twelfth, are for validation.
    folder: of the data set; settings: those of a preset."""
    pictures, labels = mnist(folder, "train")
    pictures, labels = as_input(pictures[:limit]), labels[:limit]
    kept, held = split((pictures, labels), min(HELD_OUT, len(labels) // 12), seed)
    model = siamese(seed, settings["keep"]).to(current_device())
    batches = Batches(kept, settings["pairs"], seed, drop_last=True, transform=pair_up(*kept))
    rate, epochs = settings["learning_rate"], settings["epochs"]
    schedule = Constant(rate) if settings["schedule"] == "constant" else OneCycle(rate, epochs)
    baselines = energy_baselines()
    return Task(
        model=model, optimizer=Adam(model.named_parameters(), rate), batches=batches, loss=energy,
        schedule=schedule, validate=lambda model: validate(model, kept, held, seed),
        baselines={"a collapsed network": baselines.collapsed, "one distance for all": baselines.constant},
        draw=lambda model, path: draw(model, *held, path),
        settings={"network": "siamese", "seed": seed, "limit": limit, **settings},
    )  # fmt: skip


def as_input(pictures):
    """(N, 28, 28) uint8 -> (N, 28, 28, 1) float32, 0..1"""
    return (pictures[..., None] / np.float32(255)).astype(np.float32)


def pair_up(pictures, labels):
    """A transform for Batches: to each picture another, of the same digit in one of two cases -> (first, second, same)"""
    of_digit = [np.flatnonzero(labels == digit) for digit in range(10)]
    others = [np.flatnonzero(labels != digit) for digit in range(10)]

    def transform(rng, first, digits):
        same = rng.random(len(first)) < 0.5
        pools = [(of_digit if s else others)[digit] for s, digit in zip(same, digits, strict=True)]
        return first, pictures[[pool[rng.integers(len(pool))] for pool in pools]], same

    return transform


def energy(model, first, second, same):
    """The energy loss of a batch of pairs; both branches are one batch."""
    points = model(concatenate([first, second]))
    loss = siamese_energy_loss(points[: len(first)], points[len(first) :], same)
    return loss, {}


def validate(model, kept, held, seed=0, known=KNOWN):
    """The loss and the equal error rate of held-out pairs; the share whose nearest of `known` pictures has the same digit"""
    (pictures, labels), rng = held, np.random.default_rng(seed)
    points = outputs(model, pictures)
    first, second = rng.integers(len(labels), size=(2, PAIRS_TO_VALIDATE))
    alike = np.array([rng.choice(np.flatnonzero(labels == labels[i])) for i in first])
    same = rng.random(PAIRS_TO_VALIDATE) < 0.5
    second = np.where(same, alike, second)
    same = labels[first] == labels[second]
    loss = siamese_energy_loss(points[first], points[second], same)
    distances = np.linalg.norm(points[first] - points[second], axis=1)
    neighbours = kept[1][:known][nearest_neighbours(points, outputs(model, kept[0][:known]))]
    accuracy, (rate, _) = (neighbours == labels).mean(), error_rates(distances, same).equal
    return {"loss": float(loss), "accuracy": float(accuracy), "equal_error_rate": rate}


def report(model, folder, seed=0):
    """{what: number} on MNIST's test set, the digits of which all training pictures are neighbours to"""
    known = mnist(folder, "train")
    test = mnist(folder, "test")
    return validate(model, (as_input(known[0]), known[1]), (as_input(test[0]), test[1]), seed, len(known[0]))


def draw(model, pictures, labels, path):
    """The plane: a dot for each picture, coloured by its digit, and each digit's name beside the middle of its dots"""
    points = outputs(model, pictures)
    figure, axes = new_figure(7, 7)
    for digit in range(10):
        dots = points[labels == digit]
        if len(dots):
            axes.scatter(*dots.T[:2], s=6, color=f"C{digit}", alpha=0.6, linewidths=0)
            box = {"facecolor": "white", "edgecolor": f"C{digit}", "boxstyle": "round"}
            beside = {"xytext": (14, 14), "textcoords": "offset points"}
            axes.annotate(str(digit), np.median(dots, axis=0)[:2], **beside, fontsize=13, bbox=box)
    axes.set(aspect="equal", title="each dot a digit that the network has not seen")
    save_figure(figure, path)
