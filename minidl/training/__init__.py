"""Training: one loop for all networks.

task.py         what is trained, on what, and how
loop.py         epoch by epoch, batch by batch
stopping.py     Ctrl-C ends a run at the end of a step
progress.py     how far it has come; readings.py: its numbers, fetched some at a time
folder.py       where it keeps its files, alone
checkpoint.py   a tree of numbers in a file; resuming.py: what it holds of a run, and that the same run goes on from it
log.py          the table, TensorBoard; curves.py: the picture of it
outputs.py      what a network makes of many examples
trained.py      a trained network from its checkpoint, perhaps a stranger's
"""

from minidl.training.checkpoint import load, save
from minidl.training.loop import Outcome, train
from minidl.training.task import Task

__all__ = ["Outcome", "Task", "load", "save", "train"]
