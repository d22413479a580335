"""The training loop trains a model step by step.

A step computes the loss of a batch and its gradients, and moves the parameters. After each epoch,
the loop validates the model, appends a row to the log and saves a checkpoint, and a second one if
the epoch is the best so far. A checkpoint holds the parameters and running statistics, the
optimiser's state, and the position in the batches, which determines their order and augmentation. A
resumed run therefore gives the same bytes as a run that never stopped. Ctrl-C ends the loop after
the current step, with a checkpoint in mid-epoch.
"""

import pathlib
import time
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext
from itertools import islice
from typing import Any, NamedTuple

from minidl.autograd import no_grad
from minidl.backend import current_device
from minidl.errors import ArgumentError, FileError, brief
from minidl.extras import ExtraError
from minidl.files import make_folder, must_be_writable
from minidl.plots import must_be_drawable
from minidl.shapes import is_int
from minidl.training import checkpoint
from minidl.training.finite import must_be_finite, state_must_be_finite
from minidl.training.folder import BEST, CHECKPOINT, CURVES, PICTURE, TABLE, alone_in
from minidl.training.history import History
from minidl.training.log import plot_curves, write_table
from minidl.training.models import about_input, about_network
from minidl.training.progress import Progress, Readings
from minidl.training.rates import must_be_measured, rate_at
from minidl.training.remarks import at_a_baseline
from minidl.training.resuming import identity_of, restore, state_of
from minidl.training.step import take_step
from minidl.training.stopping import asked_to_stop
from minidl.training.stops import MEASURE, best_epoch, check_patience, end_of
from minidl.training.task import Task
from minidl.training.tensorboard import TensorBoard
from minidl.typing import Path

READ_EVERY = 20  # steps between readings from a GPU


class Outcome(NamedTuple):
    """The result of `train`.

    rows     the rows of the log, one for each finished epoch
    stopped  whether a signal stopped the run before the last epoch ended
    best     the number of the epoch with the lowest validation loss, or None without validation
    """

    rows: list[dict[str, Any]]
    stopped: bool
    best: int | None = None


class Moment(NamedTuple):
    """The position of a run after a step, for `watch`.

    epoch, batch   their numbers, from 1
    batches        the number of batches in an epoch
    means          {name: mean over the epoch so far}, of the loss and the measures
    learning_rate  of the step
    """

    epoch: int
    batch: int
    batches: int
    means: dict[str, float]
    learning_rate: float


def train(
    task: Task,
    epochs: int,
    folder: Path | None = None,
    *,
    resume: bool = False,
    watch: Callable[[str | Moment | dict[str, Any]], object] | None = None,
    patience: int | None = None,
    tensorboard: bool = False,
) -> Outcome:
    """Train until `epochs` epochs are done. The model is not in training afterwards.

    folder       where to write checkpoint.h5 (the last state), best.h5 (that after the epoch with
                 the lowest validation loss), log.csv, curves.png, learned.png and tensorboard/. The
                 pictures need matplotlib. None: no files.
    resume       continue from the folder's checkpoint
    watch        called with a sentence for each remark at the start; with a Moment after each step,
                 on a GPU after every 20; and with the row of each epoch, once it is saved
    patience     end the run earlier, after so many epochs in a row without a lower validation loss
    tensorboard  also write a log for TensorBoard

    Raises NonFiniteError if a loss, a parameter or the optimiser's state is not finite: the message
    names the step, and the last checkpoint remains. Raises FileError if `resume` finds no valid
    checkpoint, if a checkpoint exists without `resume`, or if another run uses the folder; and
    ArgumentError if the checkpoint is of a task with other settings.
    """
    if not (is_int(epochs) and epochs >= 1):
        raise ArgumentError(
            f"the number of epochs is {brief(epochs)}; wanted a whole number of at least 1"
        )
    if folder is None and (resume or tensorboard):
        raise ArgumentError(
            "there is no folder to resume from or to write TensorBoard's log to; name one"
        )
    if not (is_int(task.accumulate) and task.accumulate >= 1):
        raise ArgumentError(
            f"the task accumulates {brief(task.accumulate)} batches; wanted a whole number of at "
            "least 1"
        )
    check_patience(patience, task.validate is not None)
    must_be_measured(task)
    if folder is not None and not resume:
        make_folder(folder)
    run = _Run(task, epochs, patience, folder, watch or (lambda event: None))
    with nullcontext() if folder is None else alone_in(folder), closing(run):
        run.begin(resume, tensorboard)
        with asked_to_stop() as stop:
            while not (run.is_over or stop()):
                run.save(run.epoch(stop))
    task.model.train(False)
    rows = run.progress.rows
    return Outcome(rows, not run.is_over, best_epoch(rows))


class _Run:
    def __init__(self, task, epochs, patience, folder, watch):
        self.task, self.batches, self.watch = task, task.batches, watch
        self.epochs, self.patience = epochs, patience
        self.folder = None if folder is None else pathlib.Path(folder)
        self.progress, self.history, self.readings = Progress(), History(), Readings()
        self.identity: Mapping[str, Any] = {}
        self.about: dict[str, Any] = {"end": {"epochs": epochs, "patience": patience}}
        self.tensorboard: TensorBoard | None = None

    def begin(self, resume, tensorboard):
        """Restore the checkpoint, and check now what could fail after the first epoch."""
        if self.folder is None:
            return
        path, best = self.folder / CHECKPOINT, self.folder / BEST
        self.identity = identity_of(self.task)
        self.about |= about_network(self.task.model)
        if resume:
            tree = checkpoint.load(path)
            self.progress, self.history, remark = restore(self.task, self.identity, tree, path)
            self.about |= {name: tree[name] for name in ("input",) if name in tree}
            if remark:
                self.watch(remark)
        elif found := [file for file in (path, best) if file.exists()]:
            raise FileError(f"{found[0]} already exists; resume that run, or choose another folder")
        must_be_writable(path)
        try:
            must_be_drawable(self.folder / CURVES)
        except ExtraError as error:
            self.watch(f"no curves will be drawn: {error}")
        if tensorboard:
            folder, rows = self.folder / "tensorboard", self.progress.rows
            self.tensorboard = TensorBoard(folder, self.history, rows)
        if self.progress.rows:  # the run may have been killed before it wrote its table
            self._show(self.folder)

    def close(self):
        if self.tensorboard:
            self.tensorboard.close()

    @property
    def is_over(self):
        """Whether all epochs are done, or the patience is."""
        ends = end_of(self.progress.rows, self.patience)
        return self.batches.epoch >= self.epochs or ends is not None

    def epoch(self, stop):
        """Train to the end of the current epoch, and return its row; None if stop() is true before
        its end."""
        task, progress, start = self.task, self.progress, time.perf_counter()
        epoch, count = self.batches.epoch, len(self.batches)
        read_every = 1 if current_device() == "cpu" else READ_EVERY
        task.model.train()
        batches = iter(self.batches)
        while group := list(islice(batches, task.accumulate)):
            done = self.batches.batch or count  # .batch is the number of the next one
            position = epoch + (done - len(group)) / count
            task.optimizer.learning_rate = rate_at(task, position, progress.rows)
            self.about.setdefault("input", about_input(group[0][0]))
            numbers = take_step(task, group)
            progress.step += 1
            examples = sum(len(arrays[0]) for arrays in group)
            rate = float(task.optimizer.learning_rate)
            self.readings.note(progress.step, rate, examples, numbers)
            if len(self.readings) == read_every or done == count:
                self._read()
                self.watch(Moment(epoch + 1, done, count, progress.means(), rate))
            if stop() and done < count:
                self._read()
                progress.seconds += time.perf_counter() - start
                return None
        row = {
            "epoch": epoch + 1,
            "step": progress.step,
            "learning_rate": task.optimizer.learning_rate,
            **progress.means(),
        }
        if task.validate:
            row |= self._validate(epoch + 1)
        progress.seconds += time.perf_counter() - start
        row["seconds"] = round(progress.seconds, 1)
        if remarks := self._remarks(row):
            row["remark"] = "; ".join(remarks)
        progress.end_epoch(row)
        return row

    def _remarks(self, row):
        task, rows = self.task, [*self.progress.rows, row]
        remark = (task.remark and task.remark(row)) or at_a_baseline(rows, task.baselines)
        ends = end_of(rows, self.patience) if row["epoch"] < self.epochs else None
        return [words for words in (remark, ends) if words]

    def _read(self):
        """Add the numbers of the last steps to the means of the epoch."""
        for step, rate, examples, numbers in self.readings.fetch():
            self._must_be_finite("loss", numbers["loss"], f"at step {step}")
            self.progress.add(examples, numbers)
            numbers["learning_rate"] = rate
            self.history.add(numbers)
            if self.tensorboard:
                self.tensorboard.write_step(step, numbers)

    def _validate(self, epoch):
        """Return {"validation_loss": number, ...} after this many epochs."""
        self.task.model.train(False)
        with no_grad():
            measures = self.task.validate(self.task.model)
        row = {f"validation_{name}": float(value) for name, value in measures.items()}
        for name, value in row.items():
            if name.endswith("loss"):
                place = f"after epoch {epoch}, at step {self.progress.step}"
                self._must_be_finite(name, value, place)
        check_patience(self.patience, MEASURE in row)
        return row

    def _must_be_finite(self, name, value, place):
        must_be_finite(value, f"the {name} is {value} {place}", self.task.optimizer.learning_rate)

    def save(self, row):
        """Save a checkpoint. Then, if an epoch has ended, write and report its row.

        row: that of the epoch, or None in the middle of an epoch
        """
        if self.folder is not None:
            state = state_of(self.task, self.identity, self.progress, self.history, self.about)
            rate = self.task.optimizer.learning_rate
            state_must_be_finite(state["model"] | state["optimizer"], self.progress.step, rate)
            # The best one is first, so that it is there whenever the last one knows of it.
            if row and best_epoch(self.progress.rows) == row["epoch"]:
                checkpoint.save(self.folder / BEST, state)
            checkpoint.save(self.folder / CHECKPOINT, state)
        if row is None:
            return
        if self.folder is not None:
            self._show(self.folder)
        if self.tensorboard:
            self.tensorboard.write_epoch(row)
        self.watch(row)

    def _show(self, folder):
        """Write the table, the curves and the task's own picture."""
        write_table(folder / TABLE, self.progress.rows)
        try:
            plot_curves(folder / CURVES, self.progress.rows, self.task.baselines)
            if self.task.draw:
                self.task.draw(self.task.model, folder / PICTURE)
        except ExtraError:  # without matplotlib, as `begin` has reported
            pass
