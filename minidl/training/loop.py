"""The one training loop: epoch by epoch, batch by batch.

A step is: the loss of a batch, its gradients, a move of the optimiser. After every epoch the model is validated, a row of the
log is written and a checkpoint saved, from which the run goes on to the same bytes as if it had never stopped: it holds the
parameters and running statistics, the optimiser's state, and the position among the batches, from which their order and their
augmentation follow. Asked to stop (Ctrl-C), the loop ends the step and saves a checkpoint in the middle of the epoch.
"""

import json
import time
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import no_grad
from minidl.backend import array_module, current_device, is_array, read_numbers, to_device
from minidl.errors import ArgumentError, FileError, NonFiniteError
from minidl.extras import ExtraError
from minidl.files import must_be_writable
from minidl.optim import clip_gradients
from minidl.training import checkpoint
from minidl.training.log import TensorBoard, plot_curves, write_table
from minidl.training.stopping import asked_to_stop

CHECKPOINT, TABLE, CURVES, PICTURE = "checkpoint.h5", "log.csv", "curves.png", "learned.png"
READ_EVERY = 20  # steps, on a GPU: it works on while their numbers are on their way
NEAR = 0.02  # of a baseline
PROGRESS = ("step", "sums", "examples", "seconds", "rows")  # of a _Run


class Outcome(NamedTuple):
    """rows: of the log, one an epoch; stopped: whether somebody asked to stop before the last one."""

    rows: list
    stopped: bool


class Moment(NamedTuple):
    """What `watch` is told: numbers that count from 1, the means of this epoch so far, its learning rate."""

    epoch: int
    batch: int
    batches: int
    means: dict
    learning_rate: float


def train(task, epochs, folder=None, *, resume=False, watch=None, tensorboard=False):
    """Train until `epochs` epochs are done, and return an Outcome.

    folder: for checkpoint.h5, log.csv, curves.png (where matplotlib is installed) and tensorboard/; None: nothing is kept.
    resume: go on from the folder's checkpoint. watch: called with a Moment after each step (on a GPU after every 20 of them),
    and with a row after each epoch, when that is kept.
    Raises NonFiniteError, naming the step, where the loss or what is learned is no number any more, and keeps the checkpoint
    before; FileError where there is no checkpoint to go on from, or is one that would be overwritten; ArgumentError where it
    belongs to another task.
    """
    run = _Run(task, folder, watch or (lambda told: None))
    run.begin(resume, tensorboard)
    with asked_to_stop() as stop:
        while run.batches.epoch < epochs and not stop():
            run.keep(run.epoch(stop))
    return Outcome(run.rows, run.batches.epoch < epochs)


class _Run:
    """rows: one an epoch; sums: of this epoch's numbers so far, over `examples` of them; seconds: of all epochs."""

    def __init__(self, task, folder, watch):
        self.task, self.batches, self.watch = task, task.batches, watch
        self.folder, self.tensorboard = None if folder is None else Path(folder), None
        self.rows, self.step, self.sums, self.examples, self.seconds = [], 0, {}, 0, 0.0
        self._unread: list[Any] = []  # (step, examples, {name: number}) of the steps since the last reading

    def begin(self, resume, tensorboard):
        """Find out now what would fail after an epoch."""
        if self.folder is None:
            if resume or tensorboard:
                raise ArgumentError("there is no folder to resume from or to log for TensorBoard in; name one")
            return
        path = self.folder / CHECKPOINT
        if resume:
            self._restore(checkpoint.load(path), path)
        elif path.exists():
            raise FileError(f"{path} is there already; go on from it with --resume, or choose another folder")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"cannot make the folder {self.folder}: {error.strerror.lower()}; choose another") from None
        must_be_writable(path)
        if tensorboard:
            self.tensorboard = TensorBoard(self.folder / "tensorboard")
        if self.rows:
            self._show()  # it may have been killed between keeping and showing

    def epoch(self, stop):
        """What is left of the current epoch -> its row; None where somebody asks to stop before its end."""
        task, number, begun = self.task, self.batches.epoch, time.perf_counter()
        task.model.train()
        for arrays in self.batches:
            position = self.batches.state()
            done = position["batch"] or len(self.batches)
            self._step(arrays, number + (done - 1) / len(self.batches))
            if len(self._unread) == (1 if current_device() == "cpu" else READ_EVERY) or done == len(self.batches):
                self._read()
                self.watch(Moment(number + 1, done, len(self.batches), self._means(), task.optimizer.learning_rate))
            if stop() and done < len(self.batches):
                self._read()
                self.seconds += time.perf_counter() - begun
                return None
        row = {"epoch": number + 1, "step": self.step, "learning_rate": task.optimizer.learning_rate, **self._means()}
        if task.validate:
            task.model.train(False)
            with no_grad():
                row |= {f"validation_{name}": float(value) for name, value in task.validate(task.model).items()}
        self.seconds += time.perf_counter() - begun
        row["seconds"] = round(self.seconds, 1)
        if remark := (self.task.remark and self.task.remark(row)) or self._remark(row["loss"]):
            row["remark"] = remark
        self.rows.append(row)
        self.sums, self.examples = {}, 0
        return row

    def keep(self, row):
        """Keep everything that it takes to go on; then, where an epoch has ended with this row, show what there is."""
        if self.folder is not None:
            state = self._state()
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
        are_finite = read_numbers(*(array_module(array).isfinite(array).all() for array in arrays.values()))
        if broken := [name for name, is_finite in zip(arrays, are_finite, strict=True) if not is_finite]:
            raise NonFiniteError(f"{broken[0]} is not finite after step {self.step}, and was not kept; {self._advice()}")

    def _advice(self):
        rate = self.task.optimizer.learning_rate
        return f"begin again in another folder with a lower --learning-rate (it was {rate:g}) or with --clip"

    def _show(self):
        write_table(self.folder / TABLE, self.rows)
        try:
            plot_curves(self.folder / CURVES, self.rows, self.task.baselines)
            if self.task.draw:
                self.task.draw(self.task.model, self.folder / PICTURE)
        except ExtraError:  # without matplotlib the table will do
            pass

    def _step(self, arrays, epoch):
        task = self.task
        if task.schedule:
            task.optimizer.learning_rate = task.schedule(epoch)
        loss, measures = task.loss(task.model, *(to_device(array, current_device()) for array in arrays))
        for parameter in task.optimizer.parameters:
            parameter.grad = None  # where this step does not come, the gradient of an earlier one must not move it again
        loss.backward(release=True)
        if task.clip is not None:
            clip_gradients(task.optimizer.parameters, task.clip)
        task.optimizer.step(loss)
        self.step += 1
        self._unread.append((self.step, len(arrays[0]), {"loss": loss.data, **measures}))

    def _read(self):
        """Fetch the numbers of the last steps at once, and add them up."""
        numbers = iter(read_numbers(*(value for *_, found in self._unread for value in found.values() if _is_far(value))))
        for step, examples, found in self._unread:
            values = {name: next(numbers) if _is_far(value) else float(value) for name, value in found.items()}
            if not isfinite(values["loss"]):
                raise NonFiniteError(f"the loss is {values['loss']} at step {step}; {self._advice()}")
            self.examples += examples
            for name, value in values.items():
                self.sums[name] = self.sums.get(name, 0.0) + examples * value
        self._unread = []

    def _means(self):
        return {name: total / self.examples for name, total in self.sums.items()}

    def _remark(self, loss):
        """Of a loss that has not left a baseline for two epochs; a falling one passes by within one"""
        losses = [loss, *(row["loss"] for row in self.rows[-1:])]
        for name, baseline in self.task.baselines.items():
            if len(losses) == 2 and all(abs(each - baseline) <= NEAR * abs(baseline) for each in losses):
                return f"the loss sits at {baseline:.4g}, that of {name}: nothing is being learned"
        return None

    def _state(self):
        task = self.task
        progress = {name: getattr(self, name) for name in PROGRESS}
        parts = {"model": task.model.state(), "optimizer": task.optimizer.state(), "batches": self.batches.state()}
        return {**parts, "progress": progress, "settings": task.settings}

    def _restore(self, state, path):
        try:
            before, now = state["settings"], json.loads(json.dumps(self.task.settings))
            if other := sorted(name for name in before | now if before.get(name) != now.get(name)):
                raise ArgumentError(f"{path} was trained with other settings ({', '.join(other)}); resume with the same ones")
            self.task.model.restore(state["model"])
            self.task.optimizer.restore(state["optimizer"])
            self.batches.restore(state["batches"])
            for name in PROGRESS:
                setattr(self, name, state["progress"][name])
        except (KeyError, TypeError, AttributeError) as error:
            raise FileError(f"{path} does not hold a training run ({error!r}); begin again in another folder") from None


def _is_far(number):
    """Whether it is on a GPU"""
    return is_array(number) and not isinstance(number, np.ndarray | np.generic)
