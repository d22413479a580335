"""The log for TensorBoard: the numbers of each step, and those of each epoch."""

import pathlib
from collections.abc import Iterable, Mapping
from math import isnan
from typing import Any

from minidl.extras import need
from minidl.training.history import History
from minidl.typing import Path

FILES = "events.out.tfevents.*"


class TensorBoard:
    """Writes the numbers of a run to a folder for TensorBoard.

    The numbers of a step have names such as "step/loss". Those of an epoch, such as "loss" and
    "validation_loss", are at its last step. The log begins with the numbers so far. It replaces the
    log of a run before it was resumed, which may end later than the checkpoint.

    Raises ExtraError if tensorboardX is not installed.
    """

    def __init__(self, folder: Path, history: History, rows: Iterable[Mapping[str, Any]]) -> None:
        tensorboard = need("tensorboardX", "tensorboard", "a log for TensorBoard")
        replaced = [*pathlib.Path(folder).glob(FILES)]
        for path in replaced:
            path.unlink()
        # A TensorBoard that is running then forgets the numbers that it has read.
        options = {"purge_step": 0} if replaced else {}
        self._writer = tensorboard.SummaryWriter(str(folder), **options)
        for step, numbers in history:
            self.write_step(step, numbers)
        for row in rows:
            self.write_epoch(row)

    def write_step(self, step: int, numbers: Mapping[str, float]) -> None:
        """Write the numbers {name: number} of a step. NaN is left out."""
        for name, value in numbers.items():
            if not isnan(value):
                self._writer.add_scalar(f"step/{name}", value, step)

    def write_epoch(self, row: Mapping[str, Any]) -> None:
        """Write each number of a row of the log at the row's step."""
        for name, value in row.items():
            if isinstance(value, (int, float)) and name not in ("epoch", "step"):
                self._writer.add_scalar(name, value, row["step"])
        self._writer.flush()

    def close(self) -> None:
        """Wait until all numbers are in the file, and close it."""
        self._writer.close()
