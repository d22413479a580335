"""The common parts of the recipes for classification, in particular for generated examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import current_device
from minidl.data import Batches, split
from minidl.errors import ArgumentError
from minidl.evaluation import nearest_neighbours
from minidl.layers import Dense, Flatten, Sequential
from minidl.layers.initializers import zeros
from minidl.losses import softmax_cross_entropy
from minidl.optim import Adam, Constant, Exponential, OneCycle, Plateau
from minidl.training.confusion import Confusion, confusion_of
from minidl.training.loop import train
from minidl.training.task import Task
from minidl.training.trained import opened, outputs
from minidl.typing import Array, Path

# {name: function of the rate and the number of epochs}
Schedules = dict[str, Callable[[float, float], Callable[[float], float]]]
SCHEDULES: Schedules = {
    "constant": lambda rate, epochs: Constant(rate),
    "one-cycle": OneCycle,
    "exponential": lambda rate, epochs: Exponential(rate, 0.01, epochs),
    "plateau": lambda rate, epochs: Plateau(Constant(rate)),
}
Examples = tuple[np.ndarray, np.ndarray]  # (examples (N, ...), labels (N,))


class Answers(NamedTuple):
    """The logits (N, K) of a network for the examples of a test set, their labels (N,), and the K
    names of the classes."""

    logits: np.ndarray
    labels: np.ndarray
    classes: Sequence[str]

    def measures(self) -> dict[str, float]:
        """Return the loss and the accuracy."""
        return loss_and_accuracy(self.logits, self.labels)

    def confusion(self) -> Confusion:
        """Return the confusion matrix."""
        return confusion_of(self.labels, self.logits, self.classes)


class Trained(NamedTuple):
    """A trained network, and the names of the classes in the order of its logits."""

    model: Sequential
    classes: tuple[str, ...]


@dataclass
class GeneratedExamples:
    """The functions of a recipe for a network that classifies generated examples.

    name       of the recipe
    network    network(seed) -> the network before training
    generate   generate(count, seed) -> (examples, labels)
    classes    the names of the classes
    draw       draw(model, examples, labels, path) writes a picture of what the network learned
    for_baselines, for_test
               the numbers of examples from which the baselines of the report learn, and of the
               test set. The seeds of both differ from each other and from those of every run.
    transform  the augmentation, as Batches takes it
    """

    name: str
    network: Callable[..., Sequential]
    generate: Callable[..., Examples]
    classes: tuple[str, ...]
    draw: Callable[[Sequential, np.ndarray, np.ndarray, Any], None]
    for_baselines: int
    for_test: int
    transform: Callable[..., Sequence[np.ndarray]] | None = None

    def task(
        self, data: Path | None = None, *, seed: int = 0, examples: int, **settings: Any
    ) -> Task:
        """Return the Task. A tenth of the examples are held out for validation.

        data: not used; seed: of the examples, their split, the initial weights and the order of
        batches; examples: how many to generate; settings: the others of a preset. Raises
        ArgumentError if there are fewer than ten examples for each class.
        """
        if examples < (least := 10 * len(self.classes)):
            raise ArgumentError(
                f"{examples} examples are too few to hold some out; wanted at least {least}: "
                "raise --examples"
            )
        generated = self.generate(examples, (seed, 1))  # the report has (0, 2) and (0, 3)
        kept, (held_examples, held_labels) = split(generated, examples // 10, seed)
        model = self.network(seed).to(current_device())
        rate, epochs = settings["learning_rate"], settings["epochs"]
        return Task(
            model=model,
            optimizer=Adam(model.named_parameters(), rate),
            batches=Batches(
                kept, settings["batch"], seed, drop_last=True, transform=self.transform
            ),
            loss=classification,
            schedule=SCHEDULES[settings["schedule"]](rate, epochs),
            validate=lambda model: validate(model, held_examples, held_labels),
            baselines={f"guessing, ln {len(self.classes)}": float(np.log(len(self.classes)))},
            clip=settings["clip"],
            draw=lambda model, path: self.draw(model, held_examples, held_labels, path),
            settings={"network": self.name, "seed": seed, "examples": examples, **settings},
        )

    def for_report(self, data: Path | None = None) -> tuple[Examples, Examples]:
        """Return (examples for the baselines, test set), which `report` needs."""
        return self.generate(self.for_baselines, (0, 2)), self.tested()

    def tested(self) -> Examples:
        """Return (examples, labels) of the test set."""
        return self.generate(self.for_test, (0, 3))

    def answers(self, model: Sequential, known: Examples, test: Examples) -> Answers:
        """Return the Answers of a model for the test set. known, test: as for `report`"""
        return Answers(outputs(model, test[0]), test[1], self.classes)

    def trained(self, path: Path) -> Trained:
        """Return the network of a checkpoint, which may be of unknown origin.

        Raises FileError if it is not a checkpoint of this recipe, and NonFiniteError if it holds
        NaN or infinity.
        """
        with opened(path, self.name) as (_, state):
            return Trained(self.network().restore(state).train(False), self.classes)


def classification(
    model: Sequential, examples: Array, labels: Array
) -> tuple[Tensor, dict[str, Array]]:
    """Return the mean cross-entropy of a model on a batch of examples (N, ...) with labels (N,),
    and its accuracy as a measure."""
    logits = model(examples)
    accuracy = (logits.data.argmax(axis=1) == labels).mean()
    return softmax_cross_entropy(logits, labels), {"accuracy": accuracy}


def validate(model: Sequential, examples: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return the loss and the accuracy of a model on examples (N, ...) with labels (N,)."""
    return loss_and_accuracy(outputs(model, examples), labels)


def loss_and_accuracy(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return the mean cross-entropy and the accuracy of logits (N, classes) for labels (N,)."""
    accuracy = (logits.argmax(axis=1) == labels).mean()
    return {"loss": float(softmax_cross_entropy(logits, labels)), "accuracy": float(accuracy)}


def report(
    model: Sequential, known: Examples, test: Examples, answers: Answers | None = None
) -> dict[str, float]:
    """Return the loss and the accuracy on the test set, and the accuracies of the baselines.

    model: trained on other examples. known: the examples that the baselines learn from. answers: of
    the model, if they are computed already
    """
    measures = answers.measures() if answers else validate(model, *test)
    return measures | baselines(known, test)


def baselines(known: Examples, test: Examples, epochs: int = 5) -> dict[str, float]:
    """Return the accuracies on `test` of two linear classifiers that learn from `known`.

    nearest_mean         the class whose mean example is nearest
    logistic_regression  one dense layer on all numbers of an example, trained for `epochs`
    """
    classes = known[1].max() + 1
    known_rows, test_rows = (examples.reshape(len(examples), -1) for examples, _ in (known, test))
    means = np.stack([known_rows[known[1] == label].mean(axis=0) for label in range(classes)])
    kernel = zeros(None, (known_rows.shape[1], classes), np.float32)
    dense = Dense(kernel, np.zeros(classes, np.float32))
    linear = Sequential(Flatten(), dense).to(current_device())
    task = Task(
        model=linear,
        optimizer=Adam(linear.named_parameters(), 1e-3),
        batches=Batches(known, 50, seed=0),
        loss=classification,
        schedule=OneCycle(1e-3, epochs),
    )
    train(task, epochs)
    return {
        "nearest_mean": float((nearest_neighbours(test_rows, means) == test[1]).mean()),
        "logistic_regression": validate(linear, *test)["accuracy"],
    }


def until(model: Sequential, name: str) -> Sequential:
    """Return the layers of a model up to and including the layer of this name."""
    names = list(model.layers)
    return Sequential({layer: model.layers[layer] for layer in names[: names.index(name) + 1]})
