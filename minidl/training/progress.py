"""How far a run has come: what its log and its means are made of."""

from dataclasses import dataclass, field
from numbers import Real

from minidl.errors import FileError
from minidl.shapes import is_int


@dataclass
class Progress:
    """step: of all that were done; sums: of this epoch's numbers so far, over `examples` of them; rows: one an epoch; seconds:
    of all epochs."""

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
        """From the vars() of one after so many epochs, out of the file `path`. Raises FileError where they make none."""
        found = cls(**stored)
        wrong = [name for name in ("step", "examples") if not (is_int(stored[name]) and stored[name] >= 0)]
        wrong += [] if isinstance(found.seconds, Real) else ["seconds"]
        wrong += [] if isinstance(found.sums, dict) and all(_has(found.sums, name) for name in found.sums) else ["sums"]
        wrong += (
            [] if isinstance(found.rows, list) and len(found.rows) == epochs and all(map(_is_row, found.rows)) else ["rows"]
        )
        if wrong:
            raise FileError(f"{path} holds no {wrong[0]} that a run could have had; begin again in another folder")
        return found


def _is_row(row):
    return isinstance(row, dict) and all(_has(row, name) for name in ("epoch", "step", "learning_rate", "loss"))


def _has(numbers, name):
    return isinstance(numbers.get(name), Real)
