"""The progress of long computations: progress bars, and messages about the epochs of a training
run with the time that is left."""

import sys
import time

from tqdm import tqdm

from minidl.cli.output import counted, say
from minidl.errors import printable
from minidl.training.loop import Moment

ESTIMATE_AFTER = 10.0  # seconds of training, before the first estimate of the time left


def progress_bar(total, unit, *, log_interval=10, quiet=False, **options):
    """Return a tqdm bar on the standard error.

    It is redrawn twice a second on a terminal, and every `log_interval` seconds elsewhere. options:
    of tqdm
    """
    interval = 0.5 if sys.stderr and sys.stderr.isatty() else log_interval
    disable = quiet or not sys.stderr
    return tqdm(total=total, unit=unit, disable=disable, mininterval=interval, **options)


def announce(text):
    """Print a line about work that begins, on the standard error, where its progress is shown."""
    if sys.stderr:
        with tqdm.external_write_mode(sys.stderr):
            print(printable(text), file=sys.stderr, flush=True)


class Progress:
    """Show what `training.train` reports about a run of so many epochs: a bar for each epoch, a
    line after it, and estimates of the time left."""

    def __init__(self, epochs):
        self._epochs, self._batches_per_epoch, self._bar = epochs, 0, None
        self._start_seconds, self._start_step = 0.0, 0  # at the first report
        self._has_estimate = False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._close()

    def __call__(self, report):
        """Show a Moment, the row of an epoch (a dict), or a message."""
        if isinstance(report, Moment):
            self._show_step(report)
        elif isinstance(report, str):
            say(report)
        else:
            self._show_epoch(report)

    def _show_step(self, moment):
        is_first_report = not self._batches_per_epoch
        self._batches_per_epoch = moment.batches
        step = (moment.epoch - 1) * self._batches_per_epoch + moment.batch
        if is_first_report:
            self._start_seconds, self._start_step = time.perf_counter(), step
        if self._bar is None:
            self._bar = progress_bar(moment.batches, "batch", log_interval=30, leave=False)
        means = ", ".join(f"{name} {value:.4g}" for name, value in moment.means.items())
        self._bar.set_description(f"epoch {moment.epoch} of {self._epochs}", refresh=False)
        self._bar.set_postfix_str(f"{means}, rate {moment.learning_rate:.3g}", refresh=False)
        self._bar.update(moment.batch - self._bar.n)
        seconds = time.perf_counter() - self._start_seconds
        if not self._has_estimate and seconds > ESTIMATE_AFTER:
            self._has_estimate = True
            with tqdm.external_write_mode():
                say(f"{self._time_left(step)} for {counted(self._epochs, 'epoch')}")

    def _show_epoch(self, row):
        self._close()
        self._has_estimate = True
        figures = {name: value for name, value in row.items() if name != "remark"}
        words = [f"{name.replace('_', ' ')} {value:.4g}" for name, value in figures.items()]
        if row["epoch"] < self._epochs:
            words.append(self._time_left(row["epoch"] * self._batches_per_epoch))
        say(", ".join(words))
        if "remark" in row:
            say(row["remark"])

    def _time_left(self, step):
        """Return the estimated time after this step, if the next steps take as long as those of
        this run so far."""
        seconds = time.perf_counter() - self._start_seconds
        seconds_per_step = seconds / max(1, step - self._start_step)
        steps_left = self._epochs * self._batches_per_epoch - step
        return f"about {duration(seconds_per_step * steps_left)} left"

    def _close(self):
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def duration(seconds):
    """
    >>> duration(45), duration(300), duration(86400)
    ('45 s', '5 min', '24 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
