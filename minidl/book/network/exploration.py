"""All numbers that the page of a network shows, computed by minidl: forward from a picture to the
scores, and back from one score, or from its loss, to the pixels."""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.book.network.layers import NAMES, first_layer, layer_of, probabilities
from minidl.book.network.parts import Part, Scale, parts_of
from minidl.book.network.passes import backward, choose_units, forward
from minidl.book.network.words import sentences
from minidl.errors import ArgumentError, NonFiniteError, ShapeError, printable
from minidl.layers import Sequential
from minidl.losses import softmax_cross_entropy
from minidl.typing import Array

COLOURS = {3: ["red", "green", "blue"], 1: ["grey"]}


class _Target(NamedTuple):
    """What is differentiated.

    key: its name in addresses. name: in sentences. symbol: in formulas. dy: its gradient with
    respect to the scores (1, K).
    """

    key: str
    name: str
    symbol: str
    value: float
    dy: Array


def exploration(
    model: Sequential,
    picture: Array,
    classes: Sequence[str] | None = None,
    *,
    mean: float | Sequence[float] = 0.0,
    std: float | Sequence[float] = 1.0,
    chosen: int | None = None,
    name: str = "network",
    source: str = "",
) -> dict[str, Any]:
    """Return the data of the page about a network and a picture, as JSON can hold them.

    model: of Convolution, BatchNorm, ReLU, MaxPool, AvgPool, Flatten, Dense and Dropout, used as
    after training; it is not changed. picture: (H, W, 3), RGB, or (H, W, 1), 0 to 255. classes: the
    names of the scores, or None if the scores are no logits of classes. mean, std: the model's
    input is (picture - mean) / std. chosen: the score that is differentiated; None: the largest.
    name: of the network. source: words that follow "a picture", such as "of a cat".

    A layer shows at most MOST_UNITS units, see `choose_units`. What the others add to a sum is one
    number in it.

    Raises ArgumentError for another layer, for the name of a layer that the page itself uses, for a
    score that does not exist and for another number of classes, ShapeError for another picture or
    if the scores are maps, and NonFiniteError if a score is not finite.
    """
    if picture.ndim != 3 or picture.shape[-1] not in COLOURS:
        raise ShapeError(f"the picture has shape {picture.shape}; wanted (H, W, 3) or (H, W, 1)")
    model = copy.deepcopy(model).to("cpu").freeze(False).train(False)
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    moments = (np.broadcast_to(np.asarray(m, dtype), picture.shape[-1:]) for m in (mean, std))
    prepare, parts = Scale(*moments), parts_of(model)
    if own := {part.name for part in parts} & set(NAMES):
        raise ArgumentError(
            f"the network has a layer named {min(own)!r}, as the page names a layer of its own; "
            "wanted another name"
        )
    steps = forward(
        [Part(NAMES[1], "scale", prepare, prepare), *parts], np.asarray(picture, dtype)[None]
    )
    scores = _checked(steps[-1].y.data)
    count = scores.shape[1]
    names = [f"output {k}" for k in range(count)] if classes is None else list(classes)
    if len(names) != count:
        raise ArgumentError(f"the network has {count} scores and {len(names)} names of classes")
    chosen = int(scores.argmax()) if chosen is None else chosen
    if not 0 <= chosen < count:
        raise ArgumentError(f"the chosen score is number {chosen}; wanted 0 to {count - 1}")
    targets = _targets(scores, chosen, names, classes is not None)
    for target in targets:
        backward(steps, target.dy)
    choose_units(steps, chosen)
    colours = COLOURS[picture.shape[-1]]
    layers = [
        first_layer(steps[0], colours),
        *(layer_of(step, before) for before, step in zip([None, *steps[:-1]], steps, strict=True)),
    ]
    layers[1]["names"] = colours
    layers[-1]["names"] = [names[unit] for unit in steps[-1].units]
    if classes is not None:
        layers.append(probabilities(steps[-1], layers[-1]["names"]))
    return {
        "name": name,
        "source": source,
        "classes": names,
        "is_classifier": classes is not None,
        "chosen": chosen,
        "targets": [
            {key: value for key, value in t._asdict().items() if key != "dy"} for t in targets
        ],
        "parameters": sum(p.data.size for p in model.parameters()),
        "sentences": sentences(),
        "layers": layers,
    }


def _checked(scores):
    if scores.ndim != 2:
        raise ShapeError(
            f"the scores of the network have shape {scores.shape}; wanted one number for each "
            "class: choose a network that ends with a Dense layer"
        )
    if not np.isfinite(scores).all():
        raise NonFiniteError(
            "the scores of the picture are NaN or infinite: the weights are damaged; use others"
        )
    return scores


def _targets(scores, chosen, names, is_classifier):
    """Return the chosen score and, for a classifier, its loss."""
    one, name = np.zeros_like(scores), printable(names[chosen], 80)
    one[0, chosen] = 1
    words = f"the logit of {name}" if is_classifier else name
    score = _Target("score", words, f"z[{chosen}]", float(scores[0, chosen]), one)
    if not is_classifier:
        return [score]
    logits = Tensor(scores, requires_grad=True)
    loss = softmax_cross_entropy(logits, np.array([chosen]))
    loss.backward()
    assert logits.grad is not None
    return [score, _Target("loss", f"the loss of {name}", "L", float(loss), logits.grad)]
