"""The progress of commands that look at many pictures or frames."""

import sys
import time

from tqdm import tqdm

from minidl.cli.output import warn
from minidl.cli.progress import duration

PATIENCE = 30  # seconds between two lines about the progress


def watched(items, unit="picture", total=None):
    """Yield the items, and show the progress, the pace and the time left, if there are several: as
    a bar on a terminal, or as a line every PATIENCE seconds elsewhere.

    total: their number; None for the length of the items, if they have one
    """
    total = len(items) if total is None and hasattr(items, "__len__") else total
    if sys.stderr and sys.stderr.isatty():
        disable = total is not None and total < 2
        return tqdm(items, unit=unit, total=total, leave=False, disable=disable)
    return _with_lines(items, unit, total)


def _with_lines(items, unit, total):
    start = last = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if now - last >= PATIENCE:
            last, pace = now, done / (now - start)
            of = f"{done:,} {unit}s" if total is None else f"{done:,} of {total:,} {unit}s"
            left = "" if total is None else f", about {duration((total - done) / pace)} left"
            warn(f"{of}, {pace:.2g} a second{left}")
        yield item
