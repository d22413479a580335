"""How far a run has come: what its log and its means are made of."""

from dataclasses import dataclass, field
from math import isfinite

from minidl.errors import FileError
from minidl.limits import NUMBERS, is_count
from minidl.shapes import is_int


@dataclass
class Progress:
    """step: of all that were done; sums: of this epoch's numbers so far, over `examples` of them;
    rows: one an epoch; seconds: of all epochs."""

    step: int = 0
    sums: dict = field(default_factory=dict)
    examples: int = 0
    seconds: float = 0.0
    rows: list = field(default_factory=list)

    def add(self, examples, numbers):
        """The means of a step: {name: number} over so many examples"""
        self.examples += examples
        for name, number in numbers.items():
            self.sums[name] = self.sums.get(name, 0.0) + examples * number

    def means(self):
        return {name: total / self.examples for name, total in self.sums.items()}

    def end_epoch(self, row):
        self.rows.append(row)
        self.sums, self.examples = {}, 0

    @classmethod
    def restored(cls, stored, epochs, path):
        """From the vars() of one after so many epochs, out of the file `path`. Raises FileError
        where they make none."""
        found = cls(**stored)
        wrong = [name for name in ("step", "examples") if not is_count(stored[name])]
        wrong += [] if _is_number(found.seconds) and isfinite(found.seconds) else ["seconds"]
        wrong += [] if _are_numbers(found.sums) else ["sums"]
        rows = found.rows if isinstance(found.rows, list) and len(found.rows) == epochs else [None]
        wrong += (
            [] if all(_is_row(row, epoch) for epoch, row in enumerate(rows, start=1)) else ["rows"]
        )
        if wrong:
            raise FileError(
                f"{path} holds no {wrong[0]} that a run could have had; begin again in another folder"
            )
        return found


def _is_row(row, epoch):
    """Whether it is a row of the log: the numbers of this epoch, and optionally a remark."""
    if not isinstance(row, dict) or not row.keys() >= {
        "epoch",
        "step",
        "learning_rate",
        "loss",
        "seconds",
    }:
        return False
    remark = row.get("remark", "")
    numbers = {name: value for name, value in row.items() if name != "remark"}
    counts = row["epoch"] == epoch and is_count(row["step"])
    return counts and isinstance(remark, str) and remark.isprintable() and _are_numbers(numbers)


def _are_numbers(numbers):
    """Whether it is {name: number}, where the names are identifiers. The drawing of the curves
    shows them."""
    return isinstance(numbers, dict) and all(
        name.isidentifier() and len(name) <= 100 and _is_number(value)
        for name, value in numbers.items()
    )


def _is_number(value):
    return isinstance(value, float) or (is_int(value) and abs(value) <= NUMBERS)
