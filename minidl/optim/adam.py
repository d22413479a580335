"""Adam (Kingma & Ba 2015), and AdamW (Loshchilov & Hutter 2019)."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from minidl.backend import array_module
from minidl.errors import ArgumentError, one_of
from minidl.optim.optimizer import GroupedParameters, Optimizer

EPSILON_FORMS = ("pytorch", "tensorflow")


def adam(x, g, m, v, *, rate, decay, t, beta1, beta2, epsilon, form, decoupled):
    """m' = β1 m + (1 - β1) g,  v' = β2 v + (1 - β2) g²,  and x' in one of the forms that Adam
    documents

    t: the number of this step, from 1.
    """
    sqrt = array_module(x).sqrt
    if not decoupled:
        g = g + decay * x
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    if form == "pytorch":
        step = rate * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + epsilon)
    else:
        step = rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * m / (sqrt(v) + epsilon)
    if decoupled:
        x = (1 - rate * decay) * x
    return x - step, m, v


class Adam(Optimizer):
    """m ← β1 m + (1 - β1) g,      v ← β2 v + (1 - β2) g²,      and after t steps, with the rate α

    "pytorch"      x ← x - α · m / (1 - β1^t) / (√(v / (1 - β2^t)) + ε)     Algorithm 1 of the paper
    "tensorflow"   x ← x - α · √(1 - β2^t) / (1 - β1^t) · m / (√v + ε)      its section 2, "ε hat"

    In the second form ε is in effect divided by √(1 - β2^t). It is larger in the first steps, which
    matters if gradients are as small as ε.

    weight_decay: λ adds λ x to g, which is then divided by √v, so that parameters with large
    gradients decay less. decoupled: AdamW, in which g stays as it is and x is multiplied by (1 - α
    λ) before the step. (This is PyTorch's λ. The paper's is α λ.) parameters: see Optimizer.

    Raises ArgumentError for betas outside of [0, 1).
    """

    NUMBERS = {"learning_rate": float, "steps": int}
    SETTINGS = ("beta1", "beta2", "epsilon", "epsilon_form", "decoupled")

    def __init__(
        self,
        parameters: GroupedParameters,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        epsilon_form: Literal["pytorch", "tensorflow"] = "pytorch",
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, ["m", "v"])
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= beta < 1:
                raise ArgumentError(f"Adam's {name} is {beta}; wanted a number from 0 to below 1")
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.epsilon_form = one_of("epsilon_form", epsilon_form, EPSILON_FORMS)
        self.decoupled = decoupled
        self.steps = 0
        # How many steps did not change the parameter. Its t does not count them.
        self._idle = dict.fromkeys(self.names, 0)

    def step(self, loss: float | None = None) -> None:
        """Move the parameters against their gradients."""
        numbers = self._to_move()
        self.steps += 1
        for name in {*self.names} - {self.names[number] for number in numbers}:
            self._idle[name] += 1
        options = {
            "beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon,
            "form": self.epsilon_form, "decoupled": self.decoupled,
        }  # fmt: skip
        t = [self.steps - idle for idle in self._idle.values()]
        self._move(adam, numbers, options=options, each={"t": t})

    def state(self) -> dict[str, Any]:
        return super().state() | {f"idle/{name}": idle for name, idle in self._idle.items() if idle}

    def restore(self, state: Mapping[str, Any]) -> None:
        idle = {name: state[f"idle/{name}"] for name in self.names if f"idle/{name}" in state}
        for name, count in idle.items():
            if np.shape(count) or not (
                count >= 0 and count == int(count) and np.all(count <= state.get("steps", 0))
            ):
                raise ArgumentError(
                    f"idle/{name} is {count} in the state; wanted a whole number of its steps"
                )
        super().restore(
            {name: value for name, value in state.items() if name.removeprefix("idle/") not in idle}
        )
        self._idle |= dict.fromkeys(self.names, 0) | {
            name: int(count) for name, count in idle.items()
        }
