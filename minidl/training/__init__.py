"""This package contains the training loop, its log and its checkpoints.

task.py         Task: what is trained, on which data, and how
loop.py         train: the loop over epochs and batches
step.py         one step: the loss of a batch, its gradients, the move of the parameters
rates.py        the learning rate of a step, by the schedule of a task
finder.py       find_rate: which learning rates a task can be trained with
progress.py     the numbers of the steps, and their means over an epoch
remarks.py      remarks about an epoch, such as a loss that stays at that of guessing
finite.py       numbers that are not finite end a run
stops.py        the best epoch, and the end of a run that no longer improves
stopping.py     the signals that stop a run at the end of a step, such as Ctrl-C
folder.py       the names of a run's files, and the lock on its folder
history.py      the numbers of every step
log.py          the table of the epochs, and its curves
tensorboard.py  the log for TensorBoard
checkpoint.py   a tree of arrays and numbers in an HDF5 file
resuming.py     the contents of a run's checkpoint, and resuming from it
confusion.py    the confusion matrix of a classifier
models.py       save_model, load_model: networks that can be opened without their program
trained.py      trained networks: opening a checkpoint, computing the outputs for many examples
"""

from minidl.training.checkpoint import load, save
from minidl.training.finder import find_rate
from minidl.training.loop import Outcome, train
from minidl.training.models import TrainedModel, load_model, save_model
from minidl.training.task import Task

__all__ = [
    "Outcome",
    "Task",
    "TrainedModel",
    "find_rate",
    "load",
    "load_model",
    "save",
    "save_model",
    "train",
]
