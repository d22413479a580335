"""Adam (Kingma & Ba 2015), and AdamW (Loshchilov & Hutter 2019)."""

import numpy as np

from minidl.backend import array_module
from minidl.errors import ArgumentError, one_of
from minidl.memory import scratch
from minidl.optim.optimizer import Optimizer
from minidl.optim.sgd import decayed

EPSILON_FORMS = ("pytorch", "tensorflow")


class Adam(Optimizer):
    """m ← β1 m + (1 - β1) g,      v ← β2 v + (1 - β2) g²,      after t steps:

    "pytorch"      x ← x - learning_rate · m / (1 - β1^t) / (√(v / (1 - β2^t)) + ε)           Algorithm 1 of the paper
    "tensorflow"   x ← x - learning_rate · √(1 - β2^t) / (1 - β1^t) · m / (√v + ε)            its section 2, "ε hat"

    In the second form ε is in effect divided by √(1 - β2^t): larger in the first steps, which
    matters where gradients are as small as ε.

    weight_decay λ adds λ x to g, which √v then divides too: what has large gradients decays less.
    decoupled (AdamW): g stays as it is, and x ← (1 - learning_rate·λ) x before the step. (This is
    PyTorch's λ; the paper's is learning_rate·λ.)
    """

    NUMBERS = {"learning_rate": float, "steps": int}

    def __init__(
        self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, epsilon_form="pytorch", weight_decay=0.0,
        decoupled=False,
    ):  # fmt: skip
        super().__init__(parameters, learning_rate, weight_decay, ["m", "v"])
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= beta < 1:
                raise ArgumentError(f"Adam's {name} is {beta}; wanted a number from 0 to below 1")
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.epsilon_form = one_of("epsilon_form", epsilon_form, EPSILON_FORMS)
        self.decoupled = decoupled
        self.steps = 0
        # how many steps did not change the parameter; t does not count them
        self._idle = dict.fromkeys(self.names, 0)

    def step(self, loss=None):
        numbers = self._to_move()
        self.steps += 1
        for name in {*self.names} - {self.names[number] for number in numbers}:
            self._idle[name] += 1
        self._move(self._change, numbers, [self.steps - idle for idle in self._idle.values()])

    def state(self):
        return super().state() | {f"idle/{name}": idle for name, idle in self._idle.items() if idle}

    def restore(self, state):
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

    def _change(self, new, x, g, m, v, decay, rate, t):
        xp, m_bias, v_bias = array_module(x), 1 - self.beta1**t, 1 - self.beta2**t
        is_first_form = self.epsilon_form == "pytorch"
        step_rate, v_scale = (
            (rate / m_bias, v_bias**-0.5) if is_first_form else (rate * v_bias**0.5 / m_bias, 1.0)
        )
        if not self.decoupled:
            g = decayed(g, x, decay)
        part = scratch(xp, "part of a step", x.shape, x.dtype)
        m *= self.beta1
        m += xp.multiply(g, 1 - self.beta1, out=part)
        v *= self.beta2
        xp.multiply(g, g, out=part)
        part *= 1 - self.beta2
        v += part
        xp.sqrt(v, out=part)
        part *= v_scale
        part += self.epsilon
        xp.multiply(m, step_rate, out=new)
        new /= part
        if self.decoupled and decay:
            x = xp.multiply(x, 1 - rate * decay, out=part)
        xp.subtract(x, new, out=new)
