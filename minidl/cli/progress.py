"""How a training goes on: a bar for each epoch, a line when it is done, and how long all of it will
take."""

import sys
import time

from tqdm import tqdm

from minidl.cli.output import counted
from minidl.cli.saying import say
from minidl.training.loop import Moment

FIRST_GUESS = 10.0  # seconds of steps that say how long the others will take


class Progress:
    """What `training.train` may tell about a run of so many epochs."""

    def __init__(self, epochs):
        self._epochs, self._batches, self._bar = epochs, 0, None  # batches: of an epoch
        # (seconds of the clock, steps) at the first step seen
        self._begun, self._guessed = None, False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._close()

    def __call__(self, told):
        if isinstance(told, Moment):
            self._step(told)
        elif isinstance(told, str):
            say(told)
        else:
            self._epoch(told)

    def _step(self, moment):
        self._batches = moment.batches
        done = (moment.epoch - 1) * self._batches + moment.batch
        if self._begun is None:
            self._begun = time.perf_counter(), done
        if self._bar is None:
            interval = 0.5 if sys.stderr and sys.stderr.isatty() else 30
            self._bar = tqdm(
                total=self._batches,
                unit="batch",
                leave=False,
                mininterval=interval,
                disable=not sys.stderr,
            )
        words = ", ".join(f"{name} {value:.4g}" for name, value in moment.means.items())
        self._bar.set_description(f"epoch {moment.epoch} of {self._epochs}", refresh=False)
        self._bar.set_postfix_str(f"{words}, rate {moment.learning_rate:.3g}", refresh=False)
        self._bar.update(moment.batch - self._bar.n)
        if not self._guessed and time.perf_counter() - self._begun[0] > FIRST_GUESS:
            self._guessed = True
            with tqdm.external_write_mode():
                say(f"{self._left(done)} for {counted(self._epochs, 'epoch')}")

    def _epoch(self, row):
        self._close()
        self._guessed = True
        words = [
            f"{name.replace('_', ' ')} {value:.4g}"
            for name, value in row.items()
            if name != "remark"
        ]
        if row["epoch"] < self._epochs:
            words.append(self._left(row["epoch"] * self._batches))
        say(", ".join(words))
        if "remark" in row:
            say(row["remark"])

    def _left(self, done):
        """In words, after so many steps: the others take as long as those that were seen."""
        begun, first = self._begun
        each = (time.perf_counter() - begun) / max(1, done - first)
        return f"about {_duration(each * (self._epochs * self._batches - done))} left"

    def _close(self):
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _duration(seconds):
    """
    >>> _duration(45), _duration(300), _duration(86400)
    ('45 s', '5 min', '24 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
