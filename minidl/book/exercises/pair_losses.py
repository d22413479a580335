"""Exercises of the chapter about losses of likeness: the losses of pairs."""

import numpy as np

from minidl import losses
from minidl.book.exercises.exercise import Exercise, as_forward, as_gradient, given, gradient_of
from minidl.book.exercises.sentences import OVERWRITTEN, UNUSED_DL
from minidl.proofs import Shape
from minidl.proofs.geometry import Numbers

RATE = 2.77


def energy_loss(a, b, same, q):
    return losses.siamese_energy_loss(a, b, same, q)


def energy_loss_da(dL, a, b, same, q):
    return gradient_of(losses.siamese_energy_loss, "da")(dL, a, b, same, q)


def energy_gradients(dL, a, b, same, q):
    da = energy_loss_da(dL, a, b, same, q)
    return da, gradient_of(losses.siamese_energy_loss, "db")(dL, a, b, same, q)


def of_energies(near, far):
    """Return the energy loss with other terms near(E, Q) of same pairs and far(E, Q)."""

    def wrong(a, b, same, q):
        E = np.linalg.norm(a - b, axis=1)
        return np.where(same, near(E, q), far(E, q)).mean()

    return wrong


def of_distance(distance):
    """Return the energy loss with another distance(a - b) of each pair."""

    def wrong(a, b, same, q):
        E = distance(a - b)
        return np.where(same, near_term(E, q), far_term(E, q)).mean()

    return wrong


def near_term(E, Q):
    return 2 / Q * E**2


def far_term(E, Q):
    return 2 * Q * np.exp(-RATE / Q * E)


def of_slopes(
    near=lambda E, Q: 4 / Q,
    far=lambda E, Q: -2 * RATE * np.exp(-RATE / Q * E) / E,
    distance=lambda d: np.linalg.norm(d, axis=1),
):
    """Return the gradients of the energy loss with other factors of a - b, or another distance."""

    def wrong(dL, a, b, same, q):
        d, E = a - b, distance(a - b)
        da = dL * np.where(same, near(E, q), far(E, q))[:, None] * d / len(d)
        return da, -da

    return wrong


def contrastive(a, b, same, margin):
    return losses.contrastive_loss(a, b, same, margin)


def contrastive_gradient(dL, a, b, same, margin):
    return gradient_of(losses.contrastive_loss, "da")(dL, a, b, same, margin)


def of_distances(near=lambda E, m: 1.0, far=lambda E, m: -np.maximum(m - E, 0) / E):
    """Return the gradient of the contrastive loss with other factors of a - b."""

    def wrong(dL, a, b, same, margin):
        d, E = a - b, np.linalg.norm(a - b, axis=1)
        return dL * np.where(same, near(E, margin), far(E, margin))[:, None] * d / len(d)

    return wrong


def over_pairs(dL, a, b, same, margin):
    d, E = a - b, np.linalg.norm(a - b, axis=0)
    far = -np.maximum(margin - E, 0) / E
    return dL * np.where(same[:, None], 1.0, far) * d / len(d)


POINTS = {"a": Shape((3, 2)), "b": Shape((3, 2))}
MIXED = {"a": Shape((4, 3)), "b": Shape((4, 3)), "same": Numbers([True, False, False, True])}
SAME, OTHER = Numbers([True] * 3), Numbers([False] * 3)
PAIR = {"a": np.array([[3.0, 4.0]]), "b": np.array([[0.0, 0.0]])}
SUMMED = "The pairs are summed. The loss is their mean."

EXERCISES = [
    Exercise(
        name="energy-loss",
        chapter="likeness-losses",
        title="The energy loss of pairs",
        task="""\
(N, D), (N, D), (N,) -> one number

a and b (N, D) are the points to which a network maps the two pictures of N pairs. same (N,) is true
for the pairs that show the same. Let E[n] be the distance |a[n] - b[n]|, the root of the sum of
squares. Q is a number. The loss of Chopra, Hadsell and LeCun (2005) is the mean over the pairs of

    2 E² / Q                  if the pair shows the same
    2 Q e^(-2.77 E / Q)       if it does not

q is Q. Return the loss, a number.""",
        hint="""\
np.where chooses between two terms for each pair. The second term contains E itself, and not its
square.""",
        right=energy_loss,
        returns=("L",),
        example={**PAIR, "same": np.array([True]), "q": 5.0},
        cases={
            "same pairs": {**POINTS, "same": SAME, "q": 5.0},
            "different pairs": {**POINTS, "same": OTHER, "q": 5.0},
            "both": {**MIXED, "q": 5.0},
            "Q = 2": {**MIXED, "q": 2.0},
        },
        wrong={
            "The exponent contains E². It contains E, the root.":
                of_energies(near_term, lambda E, Q: 2 * Q * np.exp(-RATE / Q * E**2)),
            "The term of same pairs contains E. It contains its square.":
                of_energies(lambda E, Q: 2 / Q * E, far_term),
            "Same and different pairs are exchanged.":
                given(energy_loss, same=np.logical_not),
            SUMMED: lambda a, b, same, q: energy_loss(a, b, same, q) * len(a),
            "The exponent is positive: the loss of different pairs falls with their distance.":
                of_energies(near_term, lambda E, Q: 2 * Q * np.exp(RATE / Q * E)),
            "The factor 2 is missing in both terms.":
                lambda a, b, same, q: energy_loss(a, b, same, q) / 2,
            OVERWRITTEN: lambda a, b, same, q:
                energy_loss(a[-1:], b[-1:], same[-1:], q) / len(a),
            "The loss is divided by all numbers of a. The mean runs over the pairs.":
                lambda a, b, same, q: energy_loss(a, b, same, q) / a.shape[1],
            "The root is missing: E is the distance, and not its square.":
                of_distance(lambda d: (d**2).sum(axis=1)),
            "E is the sum of absolute differences. It is the root of the sum of squares.":
                of_distance(lambda d: abs(d).sum(axis=1)),
            "E is the root of a mean. It is the root of the sum of squares.":
                of_distance(lambda d: np.sqrt((d**2).mean(axis=1))),
            "The factor Q is missing in the term of different pairs.":
                of_energies(near_term, lambda E, Q: 2 * np.exp(-RATE / Q * E)),
            "The factor 2/Q is missing in the term of same pairs.":
                of_energies(lambda E, Q: E**2, far_term),
            "Q is missing in the exponent.":
                of_energies(near_term, lambda E, Q: 2 * Q * np.exp(-RATE * E)),
            "The term of same pairs is multiplied by Q. It is divided by Q.":
                of_energies(lambda E, Q: 2 * Q * E**2, far_term),
            "The distance is that of all pairs together. Each pair has its own.":
                lambda a, b, same, q: np.where(
                    same, near_term(np.linalg.norm(a - b), q), far_term(np.linalg.norm(a - b), q)
                ).mean(),
        },
        op=as_forward(da=energy_loss_da),
        kinds={"a": "smooth"},
    ),
    Exercise(
        name="energy-gradients",
        chapter="likeness-losses",
        title="The gradients of the energy loss",
        task="""\
(N, D), (N, D) -> (N, D), (N, D)

The forward is that of the exercise energy-loss. With E = |a[n] - b[n]|, it is the mean over N pairs
of

    2 E² / Q                  if the pair shows the same
    2 Q e^(-2.77 E / Q)       if it does not

dL is a number, by which the gradients are multiplied. Return da and db (N, D). No two points are
equal. q is Q.""",
        hint="""\
Let d = a - b. By the chain rule, ∂L/∂a = ∂L/∂E d/E, because ∂E/∂a = d/E. The loss depends on b only
through d.""",
        right=energy_gradients,
        returns=("da", "db"),
        example={"dL": 1.0, **PAIR, "same": np.array([True]), "q": 5.0},
        cases={
            "same pairs": {**POINTS, "same": SAME, "q": 5.0},
            "different pairs": {**POINTS, "same": OTHER, "q": 5.0},
            "both": {**MIXED, "q": 5.0},
            "Q = 2": {**MIXED, "q": 2.0},
        },
        wrong={
            "The root is forgotten in the slope of different pairs: ∂E/∂a is d/E, and not d.":
                of_slopes(far=lambda E, Q: -2 * RATE * np.exp(-RATE / Q * E)),
            "The minus of db is missing: the loss depends on a - b only.":
                lambda **given: (energy_gradients(**given)[0],) * 2,
            SUMMED: lambda dL, a, **given: energy_gradients(dL * len(a), a, **given),
            "Same and different pairs are exchanged.":
                given(energy_gradients, same=np.logical_not),
            "Different pairs attract each other: the slope of e^(-2.77 E / Q) is negative.":
                of_slopes(far=lambda E, Q: 2 * RATE * np.exp(-RATE / Q * E) / E),
            "The factor 2 of the derivative of E² is missing.": of_slopes(near=lambda E, Q: 2 / Q),
            "The slope of different pairs lacks the derivative of the exponent, -2.77 / Q.": (
                of_slopes(far=lambda E, Q: 2 * Q * np.exp(-RATE / Q * E) / E),
                of_slopes(far=lambda E, Q: -2 * Q * np.exp(-RATE / Q * E) / E),
            ),
            "The factor 2 is missing in the slope of different pairs.":
                of_slopes(far=lambda E, Q: -RATE * np.exp(-RATE / Q * E) / E),
            "The exponent contains E². It contains E, the root.":
                of_slopes(far=lambda E, Q: -2 * RATE * np.exp(-RATE / Q * E**2) / E),
            "The slopes are not multiplied by ∂E/∂a = d/E, but by d.": of_slopes(
                lambda E, Q: 4 / Q * E, lambda E, Q: -2 * RATE * np.exp(-RATE / Q * E)
            ),
            "The slope of same pairs is 4/Q E. Here, E is missing.":
                of_slopes(near=lambda E, Q: 4 / Q / E),
            "The gradients are divided by all numbers of a. The mean runs over the pairs.":
                lambda dL, a, **given: energy_gradients(dL / a.shape[1], a, **given),
            "The distance is that of all pairs together. Each pair has its own.":
                of_slopes(distance=lambda d: np.full(len(d), np.linalg.norm(d))),
            "The slope of different pairs has kept the factor Q, which cancels.":
                of_slopes(far=lambda E, Q: -2 * Q * RATE * np.exp(-RATE / Q * E) / E),
            UNUSED_DL:
                given(energy_gradients, dL=lambda dL: 1.0),
        },
        op=as_gradient(energy_loss, "a", "b"),
        kinds={"a": "analytic", "b": "analytic"},
    ),
    Exercise(
        name="contrastive-gradient",
        chapter="likeness-losses",
        title="The gradient of the contrastive loss",
        task="""\
(N, D) -> (N, D)

a and b (N, D) are the points of N pairs, and same (N,) is true for pairs that show the same. Let
E = |a[n] - b[n]|. The loss of Hadsell, Chopra and LeCun (2006) is the mean over the pairs of

    1/2 E²                    if the pair shows the same
    1/2 max(0, m - E)²        if it does not,      m: margin

dL is a number, by which the gradient is multiplied. Return da (N, D), the gradient with respect to
a. No two points are equal.""",
        hint="""\
The slopes ∂L/∂E are E and -max(0, m - E). Multiply by ∂E/∂a = (a - b) / E.""",
        right=contrastive_gradient,
        returns=("da",),
        example={"dL": 1.0, **PAIR, "same": np.array([True]), "margin": 1.0},
        cases={
            "same pairs": {**POINTS, "same": SAME, "margin": 1.0},
            "different pairs within the margin": {**POINTS, "same": OTHER, "margin": 9.0},
            "different pairs beyond the margin": {**POINTS, "same": OTHER, "margin": 0.01},
            "both": {**MIXED, "margin": 2.5},
        },
        wrong={
            "The hinge is missing: pairs beyond the margin have no gradient.":
                of_distances(far=lambda E, m: -(m - E) / E),
            "The root is forgotten in the slope of different pairs: ∂E/∂a is (a - b) / E.":
                of_distances(far=lambda E, m: -np.maximum(m - E, 0)),
            SUMMED: lambda dL, a, **given: contrastive_gradient(dL * len(a), a, **given),
            "Same and different pairs are exchanged.":
                given(contrastive_gradient, same=np.logical_not),
            "Different pairs attract each other: the slope of (m - E)² is negative.":
                of_distances(far=lambda E, m: np.maximum(m - E, 0) / E),
            "The gradient is divided by all numbers of a. The mean runs over the pairs.":
                lambda dL, a, **given: contrastive_gradient(dL / a.shape[1], a, **given),
            "The slopes are not multiplied by ∂E/∂a = (a - b) / E, but by a - b.":
                of_distances(lambda E, m: E, lambda E, m: -np.maximum(m - E, 0)),
            "The gradient is half of the right one: the squares have a derivative with a 2.":
                lambda dL, **given: contrastive_gradient(dL / 2, **given),
            "The distances run over the pairs, along axis 0. Each pair has its own.": over_pairs,
            "The gradient is twice too large: the factors 1/2 cancel the 2 of the squares.":
                lambda dL, **given: contrastive_gradient(2 * dL, **given),
            "Different pairs have the slope -1 within the margin: the square is forgotten.":
                of_distances(far=lambda E, m: -1.0 * (m > E) / E),
            "The slope of same pairs is 1: the square is forgotten.":
                of_distances(near=lambda E, m: 1 / E),
            UNUSED_DL:
                given(contrastive_gradient, dL=lambda dL: 1.0),
        },
        op=as_gradient(contrastive, "a"),
        kinds={"a": "analytic"},
    ),
]  # fmt: skip
