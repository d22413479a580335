"""The numbers of every step of a run, which its checkpoint keeps for TensorBoard."""

from array import array
from collections.abc import Iterator, Mapping
from math import isnan, nan
from typing import Any

import numpy as np

from minidl.errors import FileError
from minidl.limits import is_count
from minidl.typing import Path

NAME = 100  # characters of a name


class History:
    """The loss, the measures and the learning rate of the steps since step `first`.

    A run that began before checkpoints kept these numbers has a `first` above 1.
    """

    def __init__(self, first: int = 1) -> None:
        self.first, self._count = first, 0
        self._columns: dict[str, array[float]] = {}

    def add(self, numbers: Mapping[str, float]) -> None:
        """Append the numbers {name: number} of the next step."""
        for name in numbers:
            if name not in self._columns:
                self._columns[name] = array("d", [nan]) * self._count
        for name, column in self._columns.items():
            column.append(numbers.get(name, nan))
        self._count += 1

    def __iter__(self) -> Iterator[tuple[int, dict[str, float]]]:
        """Yield (step, {name: number}) of each step."""
        for index in range(self._count):
            numbers = {name: column[index] for name, column in self._columns.items()}
            yield self.first + index, {n: value for n, value in numbers.items() if not isnan(value)}

    def state(self) -> dict[str, Any]:
        """Return the numbers as arrays (steps,), for a checkpoint."""
        columns = {name: np.array(column) for name, column in self._columns.items()}
        return {"first": self.first, "numbers": columns if self._count else {}}

    @classmethod
    def restored(cls, state: Any, steps: int, path: Path) -> "History":
        """Return the History whose `state()` a checkpoint holds after this number of steps.

        state: None if the checkpoint has none; path: of the checkpoint, for the message. Raises
        FileError if the state is not that of such a run.
        """
        if state is None:
            return cls(steps + 1)
        if not (_is_state(state) and _fits(state, steps)):
            raise FileError(
                f"{path} holds invalid numbers of its steps; wanted those of a run after {steps} "
                "steps: begin again in another folder"
            )
        history = cls(state["first"])
        history._columns = {name: array("d", column) for name, column in state["numbers"].items()}
        history._count = steps + 1 - history.first
        return history


def _is_state(value):
    """Whether a value is a first step and columns of numbers with names."""
    columns = value.get("numbers") if isinstance(value, dict) else None
    return (
        isinstance(columns, dict)
        and is_count(value.get("first"))
        and all(
            name.isidentifier()
            and len(name) <= NAME
            and isinstance(column, np.ndarray)
            and column.ndim == 1
            and column.dtype == np.float64
            for name, column in columns.items()
        )
    )


def _fits(state, steps):
    """Whether each column has a number for every step from the first one on."""
    count = steps + 1 - state["first"]
    lengths = {len(column) for column in state["numbers"].values()}
    return 0 <= count <= steps and lengths == ({count} if count else set())
