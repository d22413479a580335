"""Remarks about an epoch, which follow from the rows of the log alone."""

from collections.abc import Mapping, Sequence
from typing import Any

NEAR = 0.02  # a loss within this share of a baseline is said to stay at it


def at_a_baseline(rows: Sequence[Mapping[str, Any]], baselines: Mapping[str, float]) -> str | None:
    """Return a sentence on a loss that was near a baseline in the last two rows, or None.

    A loss that falls past a baseline is near it in one epoch only.
    """
    losses = [row["loss"] for row in rows[-2:]]
    for name, baseline in baselines.items():
        are_near = [abs(loss - baseline) <= NEAR * abs(baseline) for loss in losses]
        if are_near == [True, True]:
            return f"the loss stays at {baseline:.4g}, that of {name}: the network learns nothing"
    return None
