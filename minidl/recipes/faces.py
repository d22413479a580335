"""Faces: an embedding trained on pictures of some people, from scratch or on top of another
network's vectors, and tested on people that it has never seen.

Three ways to train, which end a network differently: "triplet", whose loss and choice of triplets
are in losses/triplet.py and triplets.py; and pairs with a head, "absolute" or "chi-square"
(layers/verification.py), on all pairs of a batch, where the same ones and the different ones count
half each.
"""

import re
from hashlib import sha256
from typing import NamedTuple

import numpy as np

from minidl.autograd import Tensor, no_grad
from minidl.backend import current_device, to_device, to_numpy
from minidl.data import flip
from minidl.data.augmentation import relight
from minidl.data.batches import SideBySide
from minidl.data.identities import IdentityBatches
from minidl.data.warping import warp
from minidl.errors import ArgumentError, printable
from minidl.evaluation import error_rates, one_shot, pair_distances, square_of_pairs
from minidl.losses.triplet import DIVISORS
from minidl.models.embedding import HEADS, verifier, verifier_on_top
from minidl.naming import naturally
from minidl.ops import l2_normalize
from minidl.optim import Adam
from minidl.recipes.classifiers import SCHEDULES
from minidl.recipes.embeddings import baselines_of, of_pairs, of_triplets, remark_of
from minidl.training.outputs import outputs
from minidl.training.task import Task
from minidl.training.trained import opened

NETWORK = "faces"
SIZE = 56, 46  # height, width of the grey pictures
FAST = {  # found on ORL's people 1 to 30 alone, of whom ten in turn were held out
    "head": "triplet", "on_top": False, "hold_out": "10", "triplets": "semi-hard", "margin": 0.2, "squared": True,
    "soft": False, "reduction": "mean", "dimensions": 64, "members": 8, "keep": 1.0, "people": 10, "pictures": 5,
    "learning_rate": 0.001, "schedule": "one-cycle", "weight_decay": 0.0, "epochs": 60, "clip": None,
}  # fmt: skip
PRESETS = {
    # As FaceNet's descendants train (facenet, OpenFace): any violating triplets of 15 people with
    # all that there is of each, 128 numbers, a rate that stays
    "seed": FAST | {
        "triplets": "violating", "dimensions": 128, "members": 1, "people": 15, "pictures": 20, "schedule": "constant",
        "epochs": 100,
    },
    "fast": FAST,
    # For either head, which soon knows its own people too well
    "pairs": FAST | {"head": "absolute", "members": 1, "epochs": 30},
}  # fmt: skip
# settings that a head has no use for
OF_TRIPLETS = ("triplets", "margin", "squared", "soft", "reduction")
FROM_SCRATCH = ("dimensions", "members", "keep")  # and those that vectors have none for
WORDS = {"head": HEADS, "reduction": DIVISORS}  # settings that are one of these


class People(NamedTuple):
    """pictures: (N, H, W, 1), grey, 0..255; labels: (N,), places in `names`; vectors: (N, D), what
    another network made of the pictures, or None."""

    pictures: np.ndarray
    labels: np.ndarray
    names: list
    vectors: np.ndarray | None = None

    @property
    def examples(self):
        """What is trained on"""
        return self.pictures if self.vectors is None else self.vectors

    def of(self, which):
        """Those where `which` (N,) is True"""
        return self._replace(
            pictures=self.pictures[which], labels=self.labels[which],
            vectors=None if self.vectors is None else self.vectors[which],
        )  # fmt: skip


def held_out(people, wanted):
    """(those to train on, those to test on). wanted: how many, the last ones in the order of their
    names, in which numbers count as such (s9 before s10); or their names with commas between.
    Raises ArgumentError where one is unknown, or where on a side there are not two with pictures,
    one of them with two."""
    names = sorted(people.names, key=naturally)
    if re.fullmatch(r"\d{1,9}", str(wanted)):
        held = names[max(0, len(names) - int(wanted)) :]
    else:
        held = [name.strip() for name in str(wanted).split(",")]
        if unknown := sorted(set(held) - set(names)):
            told = printable(", ".join(unknown), 200)
            raise ArgumentError(
                f"there is nobody named {told} to hold out; name folders, or say how many"
            )
    which = np.isin(people.labels, [people.names.index(name) for name in held])
    kept, held_people = people.of(~which), people.of(which)
    parts = {"train on": kept, "test on": held_people}
    counts = {
        purpose: np.unique(part.labels, return_counts=True)[1] for purpose, part in parts.items()
    }
    if poor := [purpose for purpose, found in counts.items() if len(found) < 2 or found.max() < 2]:
        raise ArgumentError(
            f"{len(counts['train on'])} people are left to train on and {len(counts['test on'])} to test on; to {poor[0]}, "
            "wanted at least two, one of them with two pictures: hold out fewer, more or others, or add pictures"
        )
    return kept, held_people


def task(split, *, seed=0, **settings):
    """The Task of training on some People and testing on others, split as `held_out` does.
    settings: those of a preset."""
    kept, held = split
    head, examples = settings["head"], kept.examples
    model = _model(settings, examples.shape[1:], seed).to(current_device())
    batches = _batches((examples, kept.labels), settings, seed)
    rate, baselines = settings["learning_rate"], baselines_of(settings)
    optimizer = Adam(
        model.named_parameters(), rate, weight_decay=settings["weight_decay"], decoupled=True
    )
    return Task(
        model=model, optimizer=optimizer, batches=batches, clip=settings["clip"],
        loss=of_triplets(batches, seed, settings) if head == "triplet" else of_pairs,
        schedule=SCHEDULES[settings["schedule"]](rate, settings["epochs"]),
        validate=lambda model: validate(model, held),
        baselines=baselines, remark=remark_of(baselines),
        settings={
            "network": NETWORK, "seed": seed, "example": examples.shape[1:], "names": kept.names,
            "examples": [len(kept.labels), len(held.labels)], "digest_of_pictures": _digest(split), **settings,
        },
    )  # fmt: skip


def _digest(split):
    """That a run which goes on goes on with the same pictures: SHA-256 of them and whose they are,
    not of vectors, whose last digits are the device's."""
    contents = (array.tobytes() for people in split for array in (people.pictures, people.labels))
    return sha256(b"".join(contents)).hexdigest()


def _batches(arrays, settings, seed):
    """With triplets for each member of a committee its own, or they would grow too much alike; a
    head compares what all make of the same pictures."""
    transform = None if settings["on_top"] else augment
    sizes = settings["people"], settings["pictures"]
    if settings["on_top"] or settings["head"] != "triplet" or settings["members"] == 1:
        return IdentityBatches(arrays, *sizes, seed, transform=transform)
    seeds = map(int, np.random.SeedSequence(seed).generate_state(settings["members"]))
    return SideBySide(IdentityBatches(arrays, *sizes, each, transform=transform) for each in seeds)


def augment(rng, pictures, labels):
    """Turned, zoomed, moved, mirrored or not, in another light, and normalised"""
    moved = flip(rng, warp(rng, pictures, degrees=8, zoom=0.08, shift=3))
    return as_input(relight(rng, moved, contrast=0.2, brightness=10)), labels


def as_input(pictures):
    """Grey, 0..255 -> about 0, a spread of about 1"""
    return ((pictures - np.float32(115)) / np.float32(50)).astype(np.float32)


def embed(model, examples):
    """The vectors (N, D) of pictures or of vectors, in NumPy, with the model not in training. A
    picture's is the mean of its own and its mirror image's, made as long as 1 again."""
    if examples.ndim == 2:
        return outputs(model, examples)
    return l2_normalize(
        outputs(model, examples, as_input) + outputs(model, examples[:, :, ::-1], as_input)
    )


@no_grad()
def distances(model, points):
    """(N, D) -> (N, N), in NumPy: how far apart the model sees them"""
    found = model.distances(to_device(points, current_device()))
    return to_numpy(found.data if isinstance(found, Tensor) else found)


def validate(model, people):
    """The equal error rate of all pairs of People, and the share that is recognised where one
    picture of each is enrolled"""
    return _rates(distances(model, embed(model, people.examples)), people.labels)


def _rates(apart, labels):
    pairs = np.triu_indices(len(labels), 1)
    same = (labels[:, None] == labels)[pairs]
    return {
        "equal_error_rate": error_rates(apart[pairs], same).equal[0],
        "one_shot": float(one_shot(apart, labels).mean()),
    }


def for_report(split):
    """What `report` reads: the people that were held out"""
    return split[1:]


def report(model, held):
    """{what: number} of the people that were held out, and beside it what needs no learning: their
    pixels as vectors and, on top of another network's vectors, these as they are"""
    floors, found = {"pixels": held.pictures.reshape(len(held.labels), -1)}, validate(model, held)
    if held.vectors is not None:
        floors["vectors"] = held.vectors
    for name, points in floors.items():
        apart = square_of_pairs(pair_distances(points, held.labels)[0], len(points))
        found |= {f"{name}_{what}": rate for what, rate in _rates(apart, held.labels).items()}
    return found


def trained(path):
    """The Verifier of a checkpoint of this task, perhaps a stranger's. Raises what `opened`
    does."""
    with opened(path, NETWORK) as (settings, state):
        return _model(settings, settings["example"], 0).restore(state).train(False)


def _model(settings, shape, seed):
    if settings["on_top"]:
        return verifier_on_top(*shape, settings["head"])
    return verifier(
        tuple(shape),
        settings["head"],
        settings["dimensions"],
        settings["keep"],
        seed,
        settings["members"],
    )
