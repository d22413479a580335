"""Exercises of the chapter about optimisers."""

import numpy as np

from minidl.book.exercises.exercise import Exercise, given
from minidl.optim.adam import adam
from minidl.optim.sgd import momentum_descent
from minidl.proofs import Shape


def momentum_step(x, g, v, rate, momentum):
    options = {"form": "pytorch", "nesterov": False, "decay": 0.0}
    return momentum_descent(x, g, v, rate=rate, momentum=momentum, **options)


def adam_step(x, g, m, v, t, rate, beta1, beta2, epsilon):
    options = {"rate": rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon, "t": t}
    return adam(x, g, m, v, decay=0.0, form="pytorch", decoupled=False, **options)


def of_averages(
    step,
    m_of=lambda g, m, beta: beta * m + (1 - beta) * g,
    v_of=lambda g, v, beta: beta * v + (1 - beta) * g**2,
):
    """Return an Adam with another step(m, v, t, beta1, beta2, epsilon) or other averages."""

    def wrong(x, g, m, v, t, rate, beta1, beta2, epsilon):
        m, v = m_of(g, m, beta1), v_of(g, v, beta2)
        return x - rate * step(m, v, t, beta1, beta2, epsilon), m, v

    return wrong


def corrected(m, v, t, beta1, beta2, epsilon):
    return m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + epsilon)


VECTORS = dict.fromkeys(("x", "g", "m", "v"), Shape((4,)))
ADAM = {"rate": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 0.1}
START = {"x": Shape((4,)), "g": Shape((4,)), "m": np.zeros(4), "v": np.zeros(4)}

EXERCISES = [
    Exercise(
        name="momentum-step",
        chapter="optimisers",
        title="A step of gradient descent with momentum",
        task="""\
x is a parameter, g the gradient of the loss with respect to it, and v its velocity, arrays of one
shape. A step computes

    v' = momentum·v + g,      x' = x - rate·v'

Return x' and v'. Do not change the arrays that are passed in.""",
        hint="""\
x' uses the new velocity. x -= ... would write to the array that was passed in.""",
        right=momentum_step,
        returns=("x", "v"),
        example={
            "x": np.array([1.0, 2.0]), "g": np.array([1.0, -1.0]), "v": np.array([0.0, 2.0]),
            "rate": 0.5, "momentum": 0.5,
        },
        cases={
            "no momentum": {
                **dict.fromkeys("xgv", Shape((3,))), "rate": 0.1, "momentum": 0.0,
            },
            "momentum": {**dict.fromkeys("xgv", Shape((2, 3))), "rate": 0.1, "momentum": 0.9},
        },
        wrong={
            "x moves by the old velocity. It has to move by the new one.":
                lambda x, g, v, rate, momentum: (x - rate * v, momentum * v + g),
            "x moves by the gradient. It has to move by the new velocity.":
                lambda x, g, v, rate, momentum: (x - rate * g, momentum * v + g),
            "The velocity contains the rate. Here, only the step of x does.": (
                lambda x, g, v, rate, momentum:
                    (x - momentum * v - rate * g, momentum * v + rate * g),
                lambda x, g, v, rate, momentum:
                    (x - rate * (momentum * v + rate * g), momentum * v + rate * g),
            ),
            "x moves by the velocity without the rate: x' = x - rate·v'.":
                lambda x, g, v, rate, momentum: (x - momentum * v - g, momentum * v + g),
            "The momentum is missing: v' = momentum·v + g.":
                given(momentum_step, momentum=lambda momentum: 1.0),
            "The momentum multiplies g too: v' = momentum·v + g.":
                lambda x, g, v, rate, momentum: (
                    x - rate * momentum * (v + g), momentum * (v + g)
                ),
            "The velocity is an average, with the factor 1 - momentum of g. Here, g is added.":
                lambda x, g, v, rate, momentum: (
                    x - rate * (momentum * v + (1 - momentum) * g),
                    momentum * v + (1 - momentum) * g,
                ),
            "The sign is wrong: x moves against the velocity.":
                lambda x, g, v, rate, momentum: (
                    x + rate * (momentum * v + g), momentum * v + g
                ),
            "The gradient is subtracted from the velocity. It is added, and x' = x - rate·v'.":
                (
                    lambda x, g, v, rate, momentum: (
                        x + rate * (momentum * v - g), momentum * v - g
                    ),
                    lambda x, g, v, rate, momentum: (
                        x - rate * (momentum * v - g), momentum * v - g
                    ),
                ),
            "This is Nesterov's step, which looks ahead: x' = x - rate·(g + momentum·v').":
                lambda x, g, v, rate, momentum: momentum_descent(
                    x, g, v, rate=rate, momentum=momentum, decay=0.0, form="pytorch", nesterov=True
                ),
        },
    ),
    Exercise(
        name="adam-step",
        chapter="optimisers",
        title="A step of Adam",
        task="""\
x is a parameter, g the gradient of the loss with respect to it, and m and v moving averages of g
and of its square, arrays of one shape. t is the number of the step, from 1. A step computes

    m' = β1 m + (1 - β1) g,      v' = β2 v + (1 - β2) g²

    x' = x - rate·m̂ / (√v̂ + ε),      m̂ = m' / (1 - β1^t),  v̂ = v' / (1 - β2^t)

m and v begin as 0. The divisions by 1 - β^t correct this in the first steps. beta1, beta2 and
epsilon are β1, β2 and ε. Return x', m' and v'. Return the averages m' and v' as they are, without
the correction.""",
        hint="""\
Translate the formulas in their order. Keep m' and m̂ apart.""",
        right=adam_step,
        returns=("x", "m", "v"),
        example={
            "x": np.array([1.0]), "g": np.array([2.0]), "m": np.array([0.0]), "v": np.array([0.0]),
            "t": 1, "rate": 0.5, "beta1": 0.5, "beta2": 0.75, "epsilon": 2.0,
        },
        cases={
            "the first step": {**START, "t": 1, **ADAM},
            "the third step": {**VECTORS, "t": 3, **ADAM},
            "a late step": {**VECTORS, "t": 1000, **ADAM},
        },
        wrong={
            "The bias correction is missing: m and v begin as 0.":
                of_averages(lambda m, v, t, beta1, beta2, epsilon: m / (np.sqrt(v) + epsilon)),
            "The bias correction of v is missing.": of_averages(
                lambda m, v, t, beta1, beta2, epsilon: m / (1 - beta1**t) / (np.sqrt(v) + epsilon)
            ),
            "The bias correction of m is missing.": of_averages(
                lambda m, v, t, beta1, beta2, epsilon: m / (np.sqrt(v / (1 - beta2**t)) + epsilon)
            ),
            "The bias correction has no power t: divide by 1 - β^t.": of_averages(
                lambda m, v, t, beta1, beta2, epsilon:
                    m / (1 - beta1) / (np.sqrt(v / (1 - beta2)) + epsilon)
            ),
            "The bias correction is off by one step: t begins with 1.":
                given(adam_step, t=lambda t: t + 1),
            "ε is inside of the root: √v̂ + ε, and not √(v̂ + ε).": of_averages(
                lambda m, v, t, beta1, beta2, epsilon:
                    m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t) + epsilon)
            ),
            "ε is forgotten.": given(adam_step, epsilon=lambda epsilon: 0.0),
            "The root is missing: m̂ is divided by √v̂ + ε, and not by v̂ + ε.": of_averages(
                lambda m, v, t, beta1, beta2, epsilon:
                    m / (1 - beta1**t) / (v / (1 - beta2**t) + epsilon)
            ),
            "v is an average of g. It is an average of g².": (
                of_averages(corrected, v_of=lambda g, v, beta: beta * v + (1 - beta) * g),
                of_averages(corrected, v_of=lambda g, v, beta: beta * v + (1 - beta) * abs(g)),
            ),
            "The factor 1 - β is squared with g in v. Only g is squared.":
                of_averages(corrected, v_of=lambda g, v, beta: beta * v + ((1 - beta) * g) ** 2),
            "g has no factor 1 - β in the averages.": (
                of_averages(
                    corrected, lambda g, m, beta: beta * m + g, lambda g, v, beta: beta * v + g**2
                ),
                of_averages(corrected, m_of=lambda g, m, beta: beta * m + g),
                of_averages(corrected, v_of=lambda g, v, beta: beta * v + g**2),
            ),
            "β and 1 - β are exchanged.": (
                of_averages(
                    corrected, lambda g, m, beta: (1 - beta) * m + beta * g,
                    lambda g, v, beta: (1 - beta) * v + beta * g**2,
                ),
                of_averages(corrected, m_of=lambda g, m, beta: (1 - beta) * m + beta * g),
                of_averages(corrected, v_of=lambda g, v, beta: (1 - beta) * v + beta * g**2),
            ),
            "β1 and β2 are exchanged.": (
                lambda beta1, beta2, **given: adam_step(beta1=beta2, beta2=beta1, **given),
                lambda beta2, **given: adam_step(beta2=given["beta1"], **given),
                of_averages(
                    lambda m, v, t, beta1, beta2, epsilon:
                        corrected(m, v, t, beta2, beta2, epsilon)
                ),
            ),
            "x moves by the step without the rate: x' = x - rate·m̂ / (√v̂ + ε).":
                given(adam_step, rate=lambda rate: 1.0),
            "v is divided by 1 - β2^t after the root. It is divided before.": of_averages(
                lambda m, v, t, beta1, beta2, epsilon:
                    m / (1 - beta1**t) / (np.sqrt(v) / (1 - beta2**t) + epsilon)
            ),
            "x moves by g instead of m̂.": lambda m, beta1, **given: (
                adam_step(m=0 * m, beta1=0.0, **given)[0],
                *adam_step(m=m, beta1=beta1, **given)[1:],
            ),
            "The sign is wrong: x moves against the gradient.":
                lambda x, **given: (2 * x - adam_step(x, **given)[0], *adam_step(x, **given)[1:]),
            "The corrected m̂ and v̂ are returned. Return m' and v', which the next step needs.":
                lambda t, beta1, beta2, **given: tuple(
                    array / divisor for array, divisor in zip(
                        adam_step(t=t, beta1=beta1, beta2=beta2, **given),
                        (1, 1 - beta1**t, 1 - beta2**t), strict=True,
                    )
                ),
        },
        data={"v": "positive"},
    ),
]  # fmt: skip
