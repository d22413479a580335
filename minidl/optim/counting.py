"""The steps of each parameter are counted, for rules that depend on their number."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minidl.errors import ArgumentError
from minidl.optim.optimizer import GroupedParameters, Optimizer


class CountingOptimizer(Optimizer):
    """An optimiser whose rule depends on the number t of steps that changed the parameter.

    steps: the number of steps so far. parameters and the others: see Optimizer.
    """

    NUMBERS = {"learning_rate": float, "steps": int}

    def __init__(
        self,
        parameters: GroupedParameters,
        learning_rate: float,
        weight_decay: float,
        histories: Sequence[str],
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, histories)
        self.steps = 0
        # name -> number of steps that did not change the parameter. Its t does not count them.
        self._idle = dict.fromkeys(self.names, 0)

    def state(self) -> dict[str, Any]:
        return super().state() | {f"idle/{name}": idle for name, idle in self._idle.items() if idle}

    def restore(self, state: Mapping[str, Any]) -> None:
        keys = {f"idle/{name}": name for name in self.names}
        idle = {name: state[key] for key, name in keys.items() if key in state}
        for name, count in idle.items():
            if np.shape(count) or not (
                count >= 0 and count == int(count) and np.all(count <= state.get("steps", 0))
            ):
                raise ArgumentError(
                    f"idle/{name} is {count} in the state; wanted a whole number of its steps"
                )
        super().restore({key: value for key, value in state.items() if key not in keys})
        self._idle = {name: int(idle.get(name, 0)) for name in self.names}

    def _count(self, indices: Sequence[int]) -> list[int]:
        """Count a step that changes the parameters of these indices, and return t of each
        parameter, from 1 for its first step."""
        self.steps += 1
        for name in {*self.names} - {self.names[index] for index in indices}:
            self._idle[name] += 1
        return [self.steps - idle for idle in self._idle.values()]


def must_be_shares(optimiser: str, **betas: float) -> None:
    """Raise ArgumentError for a number, such as beta1, below 0 or not below 1."""
    for name, beta in betas.items():
        if not 0 <= beta < 1:
            raise ArgumentError(
                f"{optimiser}'s {name} is {beta}; wanted a number from 0 to below 1"
            )
