"""Embeddings of faces, trained on pictures of some people and tested on pictures of others.

The network learns from the pictures themselves, or "on top" of the vectors that another network
computed from them. The setting `head` chooses how the network ends and what its loss is:

    triplet                 no head: triplets of vectors (losses/triplet.py, triplets.py)
    absolute, chi-square    a head that compares two vectors (layers/verification.py): all pairs of
                            a batch, where the same and the different pairs have equal weight
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

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
from minidl.models.embedding import HEADS, Verifier, verifier, verifier_on_top
from minidl.naming import naturally
from minidl.ops import l2_normalize
from minidl.optim import Adam, Constant, Plateau
from minidl.recipes import classifiers
from minidl.recipes.embeddings import baselines_of, of_pairs, of_triplets, remark_of
from minidl.training.task import Task
from minidl.training.trained import opened, outputs
from minidl.typing import Array, Path

NETWORK = "faces"
SCHEDULES: classifiers.Schedules = classifiers.SCHEDULES | {
    "plateau": lambda rate, epochs: Plateau(Constant(rate), "validation_equal_error_rate"),
}
SIZE = 56, 46  # height and width of the grey pictures
MEAN, SPREAD = 115, 50  # of their numbers, about
FAST = {  # chosen on people 1 to 30 of the ORL database, with ten of them held out in turn
    "head": "triplet",
    "on_top": False,
    "hold_out": "10",
    "triplets": "semi-hard",
    "margin": 0.2,
    "squared": True,
    "soft": False,
    "reduction": "mean",
    "dimensions": 64,
    "members": 8,
    "keep": 1.0,
    "people": 10,
    "pictures": 5,
    "learning_rate": 0.001,
    "schedule": "one-cycle",
    "weight_decay": 0.0,
    "epochs": 60,
    "clip": None,
}
ORIGINAL = FAST | {  # as the programs facenet and OpenFace train
    "triplets": "violating",
    "dimensions": 128,
    "members": 1,
    "people": 15,
    "pictures": 20,
    "schedule": "constant",
    "epochs": 100,
}
PAIRS = FAST | {"head": "absolute", "members": 1, "epochs": 30}  # either head overfits earlier
PRESETS = {"original": ORIGINAL, "fast": FAST, "pairs": PAIRS}
OF_TRIPLETS = ("triplets", "margin", "squared", "soft", "reduction")  # for the head "triplet" only
FROM_SCRATCH = ("dimensions", "members", "keep")  # for training on pictures only
WORDS = {"head": HEADS, "reduction": DIVISORS}  # settings that are one of these words


class People(NamedTuple):
    """Pictures of people.

    pictures  (N, H, W, 1), grey, 0 to 255
    labels    (N,), indices into names
    names     of the people
    vectors   (N, D), computed by another network from the pictures; or None
    """

    pictures: np.ndarray
    labels: np.ndarray
    names: Sequence[str]
    vectors: np.ndarray | None = None

    @property
    def examples(self) -> np.ndarray:
        """The examples from which the network learns: the vectors if there are any, or the
        pictures."""
        return self.pictures if self.vectors is None else self.vectors

    def of(self, which: np.ndarray) -> "People":
        """Return the pictures where `which` (N,) is True, with the same names."""
        return self._replace(
            pictures=self.pictures[which],
            labels=self.labels[which],
            vectors=None if self.vectors is None else self.vectors[which],
        )


def held_out(people: People, wanted: str | int) -> tuple[People, People]:
    """Return (people to train on, people to test on).

    wanted: whom to hold out for the test: the number of people, who are then the last ones in the
    natural order of the names (s9 before s10), or names separated by commas.

    Raises ArgumentError if a name is unknown, or if one of the parts has fewer than two people with
    pictures, or nobody with two pictures.
    """
    names = sorted(people.names, key=naturally)
    if re.fullmatch(r"\d{1,9}", str(wanted)):
        test_names = names[max(0, len(names) - int(wanted)) :]
    else:
        test_names = [name.strip() for name in str(wanted).split(",")]
        if unknown := sorted(set(test_names) - set(names)):
            raise ArgumentError(
                f"there is nobody named {printable(', '.join(unknown), 200)} to hold out; "
                "wanted names of folders, or the number of people"
            )
    is_test = np.isin(people.labels, [people.names.index(name) for name in test_names])
    kept, held = people.of(~is_test), people.of(is_test)
    counts = {  # the number of pictures of each person
        "train on": np.unique(kept.labels, return_counts=True)[1],
        "test on": np.unique(held.labels, return_counts=True)[1],
    }
    for purpose, pictures in counts.items():
        if len(pictures) < 2 or pictures.max() < 2:
            raise ArgumentError(
                f"{len(counts['train on'])} people are left to train on and "
                f"{len(counts['test on'])} to test on; to {purpose}, wanted at least two, one of "
                "them with two pictures: hold out fewer, more or others, or add pictures"
            )
    return kept, held


def task(split: tuple[People, People], *, seed: int = 0, **settings: Any) -> Task:
    """Return the Task of training on some people and validating on others.

    split: (people to train on, people to test on), as `held_out` returns them; seed: of the
    initial weights, and the choice and changes of pictures; settings: those of a preset
    """
    kept, held = split
    examples = kept.examples
    model = _model(settings, examples.shape[1:], seed).to(current_device())
    batches = _batches((examples, kept.labels), settings, seed)
    rate, baselines = settings["learning_rate"], baselines_of(settings)
    has_triplets = settings["head"] == "triplet"
    return Task(
        model=model,
        optimizer=Adam(
            model.named_parameters(), rate, weight_decay=settings["weight_decay"], decoupled=True
        ),
        batches=batches,
        loss=of_triplets(batches, seed, settings) if has_triplets else of_pairs,
        schedule=SCHEDULES[settings["schedule"]](rate, settings["epochs"]),
        validate=lambda model: validate(model, held),
        baselines=baselines,
        clip=settings["clip"],
        remark=remark_of(baselines),
        settings={
            "network": NETWORK,
            "seed": seed,
            "example": examples.shape[1:],
            "names": kept.names,
            "examples": [len(kept.labels), len(held.labels)],
            "digest_of_pictures": _digest(split),
            **settings,
        },
    )


def _digest(split):
    """SHA-256 of all pictures and labels, so that a run resumes with the same pictures only. It
    omits the vectors, whose last digits depend on the device."""
    contents = (array.tobytes() for part in split for array in (part.pictures, part.labels))
    return sha256(b"".join(contents)).hexdigest()


def _batches(arrays, settings, seed):
    """Batches of several pictures of each of several people.

    With triplets, each member of a committee has batches of its own, because members that learn
    from the same batches become too similar. A head compares the vectors of all members, which
    therefore have the same batches.
    """
    transform = None if settings["on_top"] else augment
    sizes = settings["people"], settings["pictures"]
    if settings["on_top"] or settings["head"] != "triplet" or settings["members"] == 1:
        return IdentityBatches(arrays, *sizes, seed, transform=transform)
    seeds = np.random.SeedSequence(seed).generate_state(settings["members"])
    return SideBySide(
        IdentityBatches(arrays, *sizes, int(own_seed), transform=transform) for own_seed in seeds
    )


def augment(
    rng: np.random.Generator, pictures: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures turned, zoomed, shifted, mirrored and relit at random by `rng`, as the
    network takes them; and the labels as they are."""
    moved = flip(rng, warp(rng, pictures, degrees=8, zoom=0.08, shift=3))
    return as_input(relight(rng, moved, contrast=0.2, brightness=10)), labels


def as_input(pictures: np.ndarray) -> np.ndarray:
    """Return grey pictures, 0 to 255, as float32 with a mean of about 0 and a spread of about 1."""
    return ((pictures - np.float32(MEAN)) / np.float32(SPREAD)).astype(np.float32)


def embed(model: Verifier, examples: np.ndarray) -> np.ndarray:
    """Return the vectors (N, D) of examples: pictures (N, H, W, 1), or another network's vectors
    (N, F).

    The vector of a picture is the mean of those of the picture and of its mirror image, scaled to
    length 1. The model is not in training afterwards.
    """
    if examples.ndim == 2:
        return outputs(model, examples)
    mirrored = examples[:, :, ::-1]
    return l2_normalize(outputs(model, examples, as_input) + outputs(model, mirrored, as_input))


@no_grad()
def distances(model: Verifier, points: Array) -> np.ndarray:
    """Return the distances (N, N) of points (N, D) by the model's head."""
    result = model.distances(to_device(points, current_device()))
    return to_numpy(result.data if isinstance(result, Tensor) else result)


def validate(model: Verifier, people: People) -> dict[str, float]:
    """Return the equal error rate of a model for all pairs of pictures of people, and its accuracy
    of recognising a person from one picture."""
    return _rates(distances(model, embed(model, people.examples)), people.labels)


def equal_threshold(model: Verifier, people: People) -> float:
    """Return the distance at which both error rates of a model are equal for all pairs of pictures
    of people. Raises ArgumentError if there are no pairs of both kinds."""
    square = distances(model, embed(model, people.examples))
    pairs = np.triu_indices(len(people.labels), 1)
    same = (people.labels[:, None] == people.labels)[pairs]
    return error_rates(square[pairs], same).equal_middle


def _rates(square, labels):
    """square: distances (N, N)"""
    pairs = np.triu_indices(len(labels), 1)
    same = (labels[:, None] == labels)[pairs]
    return {
        "equal_error_rate": error_rates(square[pairs], same).equal[0],
        "one_shot": float(one_shot(square, labels).mean()),
    }


def for_report(split: tuple[People, People]) -> tuple[People]:
    """Return the people that were held out, which `report` needs. split: as `task` takes it"""
    return (split[1],)


def report(model: Verifier, held: People) -> dict[str, float]:
    """Return what `validate` measures, and the same for vectors that need no training.

    model: trained on other people. held: the people to measure on.

    These are the pixels and, if the network is on top of another one, that network's vectors.
    """
    untrained = {"pixels": held.pictures.reshape(len(held.labels), -1)}
    if held.vectors is not None:
        untrained["vectors"] = held.vectors
    rates = validate(model, held)
    for name, points in untrained.items():
        square = square_of_pairs(pair_distances(points, held.labels)[0], len(points))
        for measure, rate in _rates(square, held.labels).items():
            rates[f"{name}_{measure}"] = rate
    return rates


def trained(path: Path) -> Verifier:
    """Return the network of a checkpoint, which may be of unknown origin.

    Raises FileError if it is not a checkpoint of this recipe, and NonFiniteError if it holds NaN or
    infinity.
    """
    with opened(path, NETWORK) as (settings, state):
        return _model(settings, settings["example"], 0).restore(state).train(False)


def _model(settings, shape, seed):
    """shape: of an example"""
    if settings["on_top"]:
        (features,) = shape
        return verifier_on_top(features, settings["head"])
    return verifier(
        tuple(shape),
        settings["head"],
        settings["dimensions"],
        settings["keep"],
        seed,
        settings["members"],
    )
