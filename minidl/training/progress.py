"""The numbers of a run's steps: fetched from the device, averaged over an epoch, kept as rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from minidl.backend import device_of, is_array, read_numbers
from minidl.errors import FileError
from minidl.limits import NUMBERS, is_count
from minidl.shapes import is_int
from minidl.typing import Path

EVERY_ROW = {"epoch", "step", "learning_rate", "loss", "seconds"}  # columns that a row must have


class Readings:
    """The loss and the measures of steps, kept on the device until `fetch` copies them all.

    A GPU computes asynchronously. Reading a number makes the host wait for it, so the numbers of
    several steps are read at once.
    """

    def __init__(self) -> None:
        self._steps: list[tuple[int, float, int, Mapping[str, Any]]] = []

    def __len__(self) -> int:
        return len(self._steps)

    def note(self, step: int, rate: float, examples: int, numbers: Mapping[str, Any]) -> None:
        """Keep the means {name: number or array of one element} of a step over its examples.

        rate: the learning rate
        """
        self._steps.append((step, rate, examples, numbers))

    def fetch(self) -> list[tuple[int, float, int, dict[str, float]]]:
        """Return [(step, rate, examples, {name: float})] of the steps since the last call."""
        steps, self._steps = self._steps, []
        values = [value for *_, numbers in steps for value in numbers.values()]
        on_gpu = iter(read_numbers(*filter(_is_on_gpu, values)))
        fetched = []
        for step, rate, examples, numbers in steps:
            floats = {
                name: next(on_gpu) if _is_on_gpu(value) else float(value)
                for name, value in numbers.items()
            }
            fetched.append((step, rate, examples, floats))
        return fetched


def _is_on_gpu(number):
    return is_array(number) and device_of(number) == "gpu"


@dataclass
class Progress:
    """The position of a run and the numbers of its log.

    step      the number of steps done
    sums      {name: sum over the current epoch of examples times mean}
    examples  the number of examples in the sums
    seconds   the duration of all epochs
    rows      one row of the log for each finished epoch
    """

    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    examples: int = 0
    seconds: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, examples: int, numbers: Mapping[str, float]) -> None:
        """Add the means {name: number} of a step over its examples."""
        self.examples += examples
        for name, number in numbers.items():
            self.sums[name] = self.sums.get(name, 0.0) + examples * number

    def means(self) -> dict[str, float]:
        """Return {name: mean over the examples of the current epoch so far}."""
        return {name: total / self.examples for name, total in self.sums.items()}

    def end_epoch(self, row: dict[str, Any]) -> None:
        """Append the row of the finished epoch and clear the sums."""
        self.rows.append(row)
        self.sums, self.examples = {}, 0

    @classmethod
    def restored(cls, stored: Mapping[str, Any], epochs: int, path: Path) -> "Progress":
        """Return the Progress whose vars() a checkpoint holds.

        stored: the vars(); epochs: the number of finished epochs; path: of the checkpoint, for the
        message. Raises FileError if a value is impossible for such a run.
        """
        progress = cls(**stored)
        rows = progress.rows
        has_all_rows = isinstance(rows, list) and len(rows) == epochs
        valid = {
            "step": is_count(stored["step"]),
            "examples": is_count(stored["examples"]),
            "seconds": _is_number(progress.seconds) and isfinite(progress.seconds),
            "sums": _are_numbers(progress.sums),
            "rows": has_all_rows and all(_is_row(row, i) for i, row in enumerate(rows, start=1)),
        }
        if invalid := [name for name, is_valid in valid.items() if not is_valid]:
            raise FileError(
                f"{path} holds an invalid progress ({', '.join(invalid)}); wanted that of a run "
                f"after {epochs} epochs: begin again in another folder"
            )
        return progress


def _is_row(row, epoch):
    """Whether a value is the row of this epoch: numbers and optionally a remark."""
    if not (isinstance(row, dict) and row.keys() >= EVERY_ROW):
        return False
    remark = row.get("remark", "")
    numbers = {name: value for name, value in row.items() if name != "remark"}
    counts = row["epoch"] == epoch and is_count(row["step"])
    return counts and isinstance(remark, str) and remark.isprintable() and _are_numbers(numbers)


def _are_numbers(numbers):
    """Whether a value is {name: number} and each name is an identifier, as the curves show it."""
    return isinstance(numbers, dict) and all(
        name.isidentifier() and len(name) <= 100 and _is_number(value)
        for name, value in numbers.items()
    )


def _is_number(value):
    return isinstance(value, float) or (is_int(value) and abs(value) <= NUMBERS)
