"""The best epoch of a run, and the end of a run that no longer improves.

Both follow from the rows of the log alone. A resumed run therefore decides as one that never
stopped. An epoch is better than another if its validation loss is lower.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minidl.errors import ArgumentError, brief
from minidl.shapes import is_int

MEASURE = "validation_loss"
Rows = Sequence[Mapping[str, Any]]


def best_epoch(rows: Rows) -> int | None:
    """Return the number of the best epoch, the first of equal ones; None without validation losses.

    >>> best_epoch([{"epoch": 1, "validation_loss": 0.5}, {"epoch": 2, "validation_loss": 0.3}])
    2
    """
    validated = [row for row in rows if MEASURE in row]
    return min(validated, key=lambda row: row[MEASURE])["epoch"] if validated else None


def end_of(rows: Rows, patience: int | None) -> str | None:
    """Return a sentence if the last `patience` epochs brought no better one, and None otherwise.

    patience: None lets a run continue
    """
    best = best_epoch(rows)
    if patience is None or best is None or rows[-1]["epoch"] - best < patience:
        return None
    [loss] = [row[MEASURE] for row in rows if row["epoch"] == best]
    return (
        f"the run ends here: the validation loss has not fallen below {loss:.4g}, that of epoch "
        f"{best}, for {rows[-1]['epoch'] - best} epochs"
    )


def check_patience(patience: Any, validates: bool) -> None:
    """Raise ArgumentError for an invalid patience, or for one without validation."""
    if patience is None:
        return
    if not (is_int(patience) and patience >= 1):
        raise ArgumentError(
            f"the patience is {brief(patience)}; wanted a whole number of epochs, at least 1, or "
            "None"
        )
    if not validates:
        raise ArgumentError(
            "the patience counts epochs without a lower validation loss, and there is none; give "
            "the Task a function `validate` that returns a loss, or leave the patience out"
        )
