"""Training: one loop for all networks.

task.py         what is trained, on what, and how
loop.py         epoch by epoch, batch by batch
outputs.py      what a network makes of many examples
stopping.py     Ctrl-C ends a run at the end of a step
checkpoint.py   all that it takes to go on as if the run had never stopped
trained.py      a trained network from its checkpoint, perhaps a stranger's
log.py          the table, the curves, TensorBoard
"""

from minidl.training.checkpoint import load, save
from minidl.training.loop import Outcome, train
from minidl.training.task import Task

__all__ = ["Outcome", "Task", "load", "save", "train"]
