"""The one training loop: epoch by epoch, batch by batch.

A step is: the loss of a batch, its gradients, a move of the optimiser. After every epoch the model
is validated, a row of the log is written and a checkpoint saved, from which the run goes on to the
same bytes as if it had never stopped: it holds the parameters and running statistics, the
optimiser's state, and the position among the batches, from which their order and their augmentation
follow. Asked to stop (Ctrl-C), the loop ends the step and saves a checkpoint in the middle of the
epoch.
"""

import time
from contextlib import nullcontext
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from minidl.autograd import no_grad
from minidl.backend import array_module, current_device, is_array, read_numbers, to_device
from minidl.errors import ArgumentError, FileError, NonFiniteError, brief
from minidl.extras import ExtraError
from minidl.files import make_folder, must_be_writable
from minidl.optim import clip_gradients
from minidl.plots import must_be_drawable
from minidl.shapes import is_int
from minidl.training import checkpoint
from minidl.training.curves import plot_curves
from minidl.training.folder import CHECKPOINT, CURVES, PICTURE, TABLE, alone_in
from minidl.training.log import OWN_COLUMNS, TensorBoard, write_table
from minidl.training.progress import Progress
from minidl.training.readings import Readings
from minidl.training.resuming import identity_of, restore, state_of
from minidl.training.stopping import asked_to_stop

READ_EVERY = 20  # steps, on a GPU
NEAR = 0.02  # of a baseline


class Outcome(NamedTuple):
    """rows: of the log, one an epoch; stopped: whether somebody asked to stop before the last
    one."""

    rows: list
    stopped: bool


class Moment(NamedTuple):
    """What `watch` is told: numbers that count from 1, the means of this epoch so far, its learning
    rate."""

    epoch: int
    batch: int
    batches: int
    means: dict
    learning_rate: float


def train(task, epochs, folder=None, *, resume=False, watch=None, tensorboard=False):
    """Train until `epochs` epochs are done, and return an Outcome; the model is then no longer in
    training.

    folder: for checkpoint.h5, log.csv, curves.png (where matplotlib is installed) and tensorboard/;
    None: nothing is kept. resume: go on from the folder's checkpoint. watch: called at the start
    with sentences, should there be something to know; with a Moment after each step (on a GPU after
    every 20 of them); and with a row after each epoch, when that is kept. Raises NonFiniteError,
    naming the step, where a loss or what is learned is no number any more, and keeps the checkpoint
    before; FileError where there is no checkpoint to go on from, or is one that would be
    overwritten, or where another run is at work in the folder; ArgumentError where the checkpoint
    belongs to another task.
    """
    if not (is_int(epochs) and epochs >= 1):
        raise ArgumentError(
            f"the number of epochs is {brief(epochs)}; wanted a whole number of at least 1"
        )
    if folder is None and (resume or tensorboard):
        raise ArgumentError(
            "there is no folder to resume from or to log for TensorBoard in; name one"
        )
    if folder is not None and not resume:
        make_folder(folder)
    run = _Run(task, folder, watch or (lambda told: None))
    with nullcontext() if folder is None else alone_in(folder):
        run.begin(resume, tensorboard)
        with asked_to_stop() as stop:
            while run.batches.epoch < epochs and not stop():
                run.keep(run.epoch(stop))
    task.model.train(False)
    return Outcome(run.progress.rows, run.batches.epoch < epochs)


class _Run:
    def __init__(self, task, folder, watch):
        self.task, self.batches, self.watch, self.progress = task, task.batches, watch, Progress()
        self.folder, self.tensorboard, self.readings = (
            None if folder is None else Path(folder),
            None,
            Readings(),
        )

    def begin(self, resume, tensorboard):
        """Find out now what would fail after an epoch."""
        if self.folder is None:
            return
        path = self.folder / CHECKPOINT
        self.identity = identity_of(self.task)
        if resume:
            self.progress, trouble = restore(self.task, self.identity, checkpoint.load(path), path)
            if trouble:
                self.watch(trouble)
        elif path.exists():
            raise FileError(f"{path} is there already; resume that run, or choose another folder")
        must_be_writable(path)
        try:
            must_be_drawable(self.folder / CURVES)
        except ExtraError as error:
            self.watch(f"no curves will be drawn: {error}")
        if tensorboard:
            self.tensorboard = TensorBoard(self.folder / "tensorboard")
        if self.progress.rows:
            self._show()  # it may have been killed between keeping and showing

    def epoch(self, stop):
        """What is left of the current epoch -> its row; None where somebody asks to stop before its
        end."""
        task, number, progress, begun = (
            self.task,
            self.batches.epoch,
            self.progress,
            time.perf_counter(),
        )
        task.model.train()
        for arrays in self.batches:
            done = self.batches.batch or len(self.batches)
            self._step(arrays, number + (done - 1) / len(self.batches))
            if len(self.readings) == (
                1 if current_device() == "cpu" else READ_EVERY
            ) or done == len(self.batches):
                self._read()
                self.watch(
                    Moment(
                        number + 1,
                        done,
                        len(self.batches),
                        progress.means(),
                        task.optimizer.learning_rate,
                    )
                )
            if stop() and done < len(self.batches):
                self._read()
                progress.seconds += time.perf_counter() - begun
                return None
        row = {
            "epoch": number + 1,
            "step": progress.step,
            "learning_rate": task.optimizer.learning_rate,
            **progress.means(),
        }
        if task.validate:
            row |= self._validate(number + 1)
        progress.seconds += time.perf_counter() - begun
        row["seconds"] = round(progress.seconds, 1)
        if remark := (task.remark and task.remark(row)) or self._remark(row["loss"]):
            row["remark"] = remark
        progress.end_epoch(row)
        return row

    def _validate(self, epoch):
        self.task.model.train(False)
        with no_grad():
            found = {
                f"validation_{name}": float(value)
                for name, value in self.task.validate(self.task.model).items()
            }
        for name, value in found.items():
            if name.endswith("loss") and not isfinite(value):
                raise NonFiniteError(
                    f"the {name} is {value} after epoch {epoch}, at step {self.progress.step}; {self._advice()}"
                )
        return found

    def keep(self, row):
        """Keep everything that it takes to go on; then, where an epoch has ended with this row,
        show what there is."""
        if self.folder is not None:
            state = state_of(self.task, self.identity, self.progress)
            self._must_be_finite(state["model"] | state["optimizer"])
            checkpoint.save(self.folder / CHECKPOINT, state)
        if row is None:
            return
        if self.folder is not None:
            self._show()
        if self.tensorboard:
            self.tensorboard.write(row)
        self.watch(row)

    def _must_be_finite(self, state):
        """Rather than a good checkpoint replaced by one from which nothing can go on"""
        arrays = {name: value for name, value in state.items() if is_array(value) and value.ndim}
        are_finite = read_numbers(
            *(array_module(array).isfinite(array).all() for array in arrays.values())
        )
        if broken := [
            name for name, is_finite in zip(arrays, are_finite, strict=True) if not is_finite
        ]:
            raise NonFiniteError(
                f"{broken[0]} is not finite after step {self.progress.step}, and was not kept; {self._advice()}"
            )

    def _advice(self):
        rate = self.task.optimizer.learning_rate
        return f"begin again in another folder, with a lower learning rate (it was {rate:g}) or with gradients clipped"

    def _show(self):
        write_table(self.folder / TABLE, self.progress.rows)
        try:
            plot_curves(self.folder / CURVES, self.progress.rows, self.task.baselines)
            if self.task.draw:
                self.task.draw(self.task.model, self.folder / PICTURE)
        except ExtraError:  # which was said at the beginning
            pass

    def _step(self, arrays, epoch):
        task = self.task
        if task.schedule:
            task.optimizer.learning_rate = task.schedule(epoch)
        loss, measures = task.loss(
            task.model, *(to_device(array, current_device()) for array in arrays)
        )
        if taken := [
            name for name in measures if name in OWN_COLUMNS or name.startswith("validation_")
        ]:
            raise ArgumentError(
                f"the task's loss gives a measure {taken[0]!r}, which the log has as a column of its own; rename it"
            )
        for parameter in task.optimizer.parameters:
            # where this step does not come, the gradient of an earlier one must not move it again
            parameter.grad = None
        loss.backward(release=True)
        if task.clip is not None:
            clip_gradients(task.optimizer.parameters, task.clip)
        task.optimizer.step(loss)
        self.progress.step += 1
        self.readings.note(self.progress.step, len(arrays[0]), {"loss": loss.data, **measures})

    def _read(self):
        for step, examples, numbers in self.readings.fetch():
            if not isfinite(numbers["loss"]):
                raise NonFiniteError(
                    f"the loss is {numbers['loss']} at step {step}; {self._advice()}"
                )
            self.progress.add(examples, numbers)

    def _remark(self, loss):
        """Of a loss that has not left a baseline for two epochs; a falling one passes by within
        one"""
        losses = [loss, *(row["loss"] for row in self.progress.rows[-1:])]
        for name, baseline in self.task.baselines.items():
            if len(losses) == 2 and all(
                abs(each - baseline) <= NEAR * abs(baseline) for each in losses
            ):
                return f"the loss sits at {baseline:.4g}, that of {name}: nothing is being learned"
        return None
