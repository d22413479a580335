"""What a run leaves behind beside its checkpoint: the table of its epochs, and TensorBoard's
files."""

import csv
from pathlib import Path

from minidl.extras import need
from minidl.files import replacing

NO_MEASURES = {"epoch", "step", "learning_rate", "seconds", "remark"}
OWN_COLUMNS = {"loss", *NO_MEASURES}


def write_table(path, rows):
    """The rows as CSV; a column for every name that any row has."""
    columns = dict.fromkeys(name for row in rows for name in row)
    with replacing(path) as beside, open(beside, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


class TensorBoard:
    """The rows for TensorBoard, in a folder of its own."""

    def __init__(self, folder):
        self._writer = need("tensorboardX", "tensorboard", "a log for TensorBoard").SummaryWriter(
            str(Path(folder))
        )

    def write(self, row):
        for name, value in row.items():
            if isinstance(value, (int, float)) and name not in ("epoch", "step"):
                self._writer.add_scalar(name, value, row["step"])
        self._writer.flush()
