"""The training loop trains a model step by step.

A step computes the loss of a batch and its gradients, and moves the parameters. After each epoch,
the loop validates the model, appends a row to the log and saves a checkpoint. The checkpoint holds
the parameters and running statistics, the optimiser's state, and the position in the batches, which
determines their order and augmentation. A resumed run therefore gives the same bytes as a run that
never stopped. Ctrl-C ends the loop after the current step, with a checkpoint in mid-epoch.
"""

import pathlib
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from math import isfinite
from typing import Any, NamedTuple

from minidl.autograd import no_grad
from minidl.backend import array_module, current_device, is_array, read_numbers, to_device
from minidl.errors import ArgumentError, FileError, NonFiniteError, brief
from minidl.extras import ExtraError
from minidl.files import make_folder, must_be_writable
from minidl.optim import clip_gradients
from minidl.plots import must_be_drawable
from minidl.shapes import is_int
from minidl.training import checkpoint
from minidl.training.folder import CHECKPOINT, CURVES, PICTURE, TABLE, alone_in
from minidl.training.log import OWN_COLUMNS, TensorBoard, plot_curves, write_table
from minidl.training.progress import Progress, Readings
from minidl.training.resuming import identity_of, restore, state_of
from minidl.training.stopping import asked_to_stop
from minidl.training.task import Task
from minidl.typing import Path

READ_EVERY = 20  # steps between readings from a GPU
NEAR = 0.02  # a loss within this share of a baseline is said to stay at it


class Outcome(NamedTuple):
    """The result of `train`.

    rows     the rows of the log, one for each finished epoch
    stopped  whether a signal stopped the run before the last epoch ended
    """

    rows: list[dict[str, Any]]
    stopped: bool


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
    tensorboard: bool = False,
) -> Outcome:
    """Train until `epochs` epochs are done. The model is not in training afterwards.

    folder       where to write checkpoint.h5, log.csv, curves.png, learned.png and tensorboard/.
                 The pictures need matplotlib. None: no files.
    resume       continue from the folder's checkpoint
    watch        called with a sentence for each remark at the start; with a Moment after each step,
                 on a GPU after every 20; and with the row of each epoch, once it is saved
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
    if folder is not None and not resume:
        make_folder(folder)
    run = _Run(task, folder, watch or (lambda event: None))
    with nullcontext() if folder is None else alone_in(folder):
        run.begin(resume, tensorboard)
        with asked_to_stop() as stop:
            while run.batches.epoch < epochs and not stop():
                run.save(run.epoch(stop))
    task.model.train(False)
    return Outcome(run.progress.rows, run.batches.epoch < epochs)


class _Run:
    def __init__(self, task, folder, watch):
        self.task, self.batches, self.watch = task, task.batches, watch
        self.folder = None if folder is None else pathlib.Path(folder)
        self.progress, self.readings = Progress(), Readings()
        self.identity: Mapping[str, Any] = {}
        self.tensorboard: TensorBoard | None = None

    def begin(self, resume, tensorboard):
        """Restore the checkpoint, and check now what could fail after the first epoch."""
        if self.folder is None:
            return
        path = self.folder / CHECKPOINT
        self.identity = identity_of(self.task)
        if resume:
            tree = checkpoint.load(path)
            self.progress, remark = restore(self.task, self.identity, tree, path)
            if remark:
                self.watch(remark)
        elif path.exists():
            raise FileError(f"{path} already exists; resume that run, or choose another folder")
        must_be_writable(path)
        try:
            must_be_drawable(self.folder / CURVES)
        except ExtraError as error:
            self.watch(f"no curves will be drawn: {error}")
        if tensorboard:
            self.tensorboard = TensorBoard(self.folder / "tensorboard")
        if self.progress.rows:  # the run may have been killed before it wrote its table
            self._show(self.folder)

    def epoch(self, stop):
        """Train to the end of the current epoch, and return its row; None if stop() is true before
        its end."""
        task, progress, start = self.task, self.progress, time.perf_counter()
        epoch, count = self.batches.epoch, len(self.batches)
        read_every = 1 if current_device() == "cpu" else READ_EVERY
        task.model.train()
        for arrays in self.batches:
            done = self.batches.batch or count  # .batch is the number of the next one
            self._step(arrays, epoch + (done - 1) / count)
            if len(self.readings) == read_every or done == count:
                self._read()
                rate = task.optimizer.learning_rate
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
        if remark := (task.remark and task.remark(row)) or self._remark(row["loss"]):
            row["remark"] = remark
        progress.end_epoch(row)
        return row

    def _step(self, arrays, epoch):
        """Train on one batch. epoch: the position as a fraction, for the schedule"""
        task, optimizer = self.task, self.task.optimizer
        if task.schedule:
            optimizer.learning_rate = task.schedule(epoch)
        device = current_device()
        loss, measures = task.loss(task.model, *(to_device(array, device) for array in arrays))
        for name in measures:
            if name in OWN_COLUMNS or name.startswith("validation_"):
                raise ArgumentError(
                    f"the task's loss returns a measure {name!r}, but this is a column of the log "
                    "itself; rename the measure"
                )
        for parameter in optimizer.parameters:
            # A parameter that this loss does not reach must not move by its previous gradient.
            parameter.grad = None
        loss.backward(release=True)
        if task.clip is not None:
            clip_gradients(optimizer.parameters, task.clip)
        optimizer.step(loss)
        self.progress.step += 1
        self.readings.note(self.progress.step, len(arrays[0]), {"loss": loss.data, **measures})

    def _read(self):
        """Add the numbers of the last steps to the means of the epoch."""
        for step, examples, numbers in self.readings.fetch():
            if not isfinite(numbers["loss"]):
                raise NonFiniteError(
                    f"the loss is {numbers['loss']} at step {step}; {self._advice()}"
                )
            self.progress.add(examples, numbers)

    def _validate(self, epoch):
        """Return {"validation_loss": number, ...} after this many epochs."""
        self.task.model.train(False)
        with no_grad():
            measures = self.task.validate(self.task.model)
        row = {f"validation_{name}": float(value) for name, value in measures.items()}
        for name, value in row.items():
            if name.endswith("loss") and not isfinite(value):
                raise NonFiniteError(
                    f"the {name} is {value} after epoch {epoch}, at step {self.progress.step}; "
                    f"{self._advice()}"
                )
        return row

    def _remark(self, loss):
        """A sentence on a loss that was near a baseline in this epoch and in the one before, or
        None. A loss that falls past a baseline is near it in one epoch only."""
        losses = [loss, *(row["loss"] for row in self.progress.rows[-1:])]
        for name, baseline in self.task.baselines.items():
            are_near = [abs(value - baseline) <= NEAR * abs(baseline) for value in losses]
            if are_near == [True, True]:
                return (
                    f"the loss stays at {baseline:.4g}, that of {name}: the network learns nothing"
                )
        return None

    def save(self, row):
        """Save a checkpoint. Then, if an epoch has ended, write and report its row.

        row: that of the epoch, or None in the middle of an epoch
        """
        if self.folder is not None:
            state = state_of(self.task, self.identity, self.progress)
            self._must_be_finite(state["model"] | state["optimizer"])
            checkpoint.save(self.folder / CHECKPOINT, state)
        if row is None:
            return
        if self.folder is not None:
            self._show(self.folder)
        if self.tensorboard:
            self.tensorboard.write(row)
        self.watch(row)

    def _must_be_finite(self, state):
        """Raise NonFiniteError rather than replace a good checkpoint by a useless one."""
        arrays = {name: value for name, value in state.items() if is_array(value) and value.ndim}
        are_finite = read_numbers(
            *(array_module(array).isfinite(array).all() for array in arrays.values())
        )
        for name, is_finite in zip(arrays, are_finite, strict=True):
            if not is_finite:
                raise NonFiniteError(
                    f"{name} is not finite after step {self.progress.step}, so no checkpoint was "
                    f"saved; {self._advice()}"
                )

    def _advice(self):
        return (
            "begin again in another folder, with a lower learning rate "
            f"(it was {self.task.optimizer.learning_rate:g}) or with gradients clipped"
        )

    def _show(self, folder):
        """Write the table, the curves and the task's own picture."""
        write_table(folder / TABLE, self.progress.rows)
        try:
            plot_curves(folder / CURVES, self.progress.rows, self.task.baselines)
            if self.task.draw:
                self.task.draw(self.task.model, folder / PICTURE)
        except ExtraError:  # without matplotlib, as `begin` has reported
            pass
