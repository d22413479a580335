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

from minidl.autograd import no_grad
from minidl.backend import current_device, read_numbers, to_device
from minidl.errors import ArgumentError, FileError, NonFiniteError
from minidl.extras import ExtraError
from minidl.optim import clip_gradients
from minidl.training import checkpoint
from minidl.training.log import TensorBoard, plot_curves, write_table
from minidl.training.stopping import asked_to_stop

CHECKPOINT, TABLE, CURVES, PICTURE = "checkpoint.h5", "log.csv", "curves.png", "learned.png"
READ_EVERY = 20  # steps, on a GPU: it works on while their numbers are on their way
NEAR = 0.02  # of a baseline


class Outcome(NamedTuple):
    """rows: of the log, one an epoch; stopped: whether somebody asked to stop before the last one."""

    rows: list
    stopped: bool


class Moment(NamedTuple):
    """What `watch` is told after every step: numbers that count from 1, the means of this epoch so far, its learning rate."""

    epoch: int
    batch: int
    batches: int
    means: dict
    learning_rate: float


def train(task, epochs, folder=None, *, resume=False, watch=None, tensorboard=False):
    """Train until `epochs` epochs are done, and return an Outcome.

    folder: for checkpoint.h5, log.csv, curves.png (where matplotlib is installed) and tensorboard/; None: nothing is kept.
    resume: go on from the folder's checkpoint. watch: called with a Moment after each step, and with a row after each epoch.
    Raises NonFiniteError, naming the step, where the loss is no number any more; FileError where there is no checkpoint to go
    on from, or is one that would be overwritten; ArgumentError where it belongs to another task.
    """
    run = _Run(task, folder, watch or (lambda told: None), tensorboard)
    run.begin(resume)
    with asked_to_stop() as stop:
        while run.batches.epoch < epochs and not stop():
            run.epoch(stop)
            run.keep()
    return Outcome(run.rows, run.batches.epoch < epochs)


class _Run:
    def __init__(self, task, folder, watch, tensorboard):
        self.task, self.batches, self.watch = task, task.batches, watch
        self.folder = None if folder is None else Path(folder)
        if tensorboard and folder is None:
            raise ArgumentError("a log for TensorBoard wants a folder to be in; name one")
        self.tensorboard = TensorBoard(self.folder / "tensorboard") if tensorboard else None
        self.rows, self.step, self.sums, self.seconds = [], 0, {}, 0.0
        self._unread: list[Any] = []  # (step, examples, names, arrays of one number) of the steps since the last reading

    def begin(self, resume):
        if self.folder is None:
            if resume:
                raise ArgumentError("a run without a folder leaves no checkpoint to resume from; name its folder")
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

    def epoch(self, stop):
        """What is left of the current epoch, or until somebody asks to stop."""
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
                return
        row = {"epoch": number + 1, "step": self.step, "learning_rate": task.optimizer.learning_rate, **self._means()}
        if task.validate:
            task.model.train(False)
            with no_grad():
                row |= {f"validation_{name}": float(value) for name, value in task.validate(task.model).items()}
        self.seconds += time.perf_counter() - begun
        row["seconds"] = round(self.seconds, 1)
        if remark := self._remark(row["loss"]):
            row["remark"] = remark
        self.rows.append(row)
        self.sums = {}
        self.watch(row)

    def keep(self):
        """Everything that it takes to go on, and what there is to look at."""
        if self.folder is None:
            return
        checkpoint.save(self.folder / CHECKPOINT, self._state())
        if not self.rows or self.sums:
            return
        write_table(self.folder / TABLE, self.rows)
        if self.tensorboard:
            self.tensorboard.write(self.rows[-1])
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
        loss.backward(release=True)
        if task.clip is not None:
            clip_gradients(task.optimizer.parameters, task.clip)
        task.optimizer.step(loss)
        self.step += 1
        self._unread.append((self.step, len(arrays[0]), ("loss", *measures), (loss.data, *measures.values())))

    def _read(self):
        """Fetch the numbers of the last steps at once, and add them up."""
        numbers = iter(read_numbers(*(array for *_, arrays in self._unread for array in arrays)))
        for step, examples, names, _ in self._unread:
            found = {name: next(numbers) for name in names}
            if not isfinite(found["loss"]):
                rate = self.task.optimizer.learning_rate
                raise NonFiniteError(
                    f"the loss is {found['loss']} at step {step}; try a learning rate below {rate:g}, or clip the gradients"
                )
            for name, value in {**found, "": 1.0}.items():
                self.sums[name] = self.sums.get(name, 0.0) + examples * value
        self._unread = []

    def _means(self):
        return {name: total / self.sums[""] for name, total in self.sums.items() if name}

    def _remark(self, loss):
        for name, baseline in self.task.baselines.items():
            if abs(loss - baseline) <= NEAR * abs(baseline):
                return f"the loss sits at {baseline:.4g}, that of {name}: nothing is being learned"
        return None

    def _state(self):
        task = self.task
        progress = {"step": self.step, "sums": self.sums, "seconds": self.seconds, "rows": self.rows}
        parts = {"model": task.model.state(), "optimizer": task.optimizer.state(), "batches": self.batches.state()}
        return {**parts, "progress": progress, "settings": json.dumps(task.settings)}

    def _restore(self, state, path):
        try:
            progress = state["progress"]
            before, now = json.loads(state["settings"]), json.loads(json.dumps(self.task.settings))
            if other := sorted(name for name in before | now if before.get(name) != now.get(name)):
                raise ArgumentError(f"{path} was trained with other settings ({', '.join(other)}); resume with the same ones")
            self.task.model.restore(state["model"])
            self.task.optimizer.restore(state["optimizer"])
            self.batches.restore(state["batches"])
            self.step, self.sums = progress["step"], progress["sums"]
            self.seconds, self.rows = progress["seconds"], progress["rows"]
        except (KeyError, TypeError) as error:
            raise FileError(f"{path} is no checkpoint of a training run: it lacks {error}; begin again") from None
