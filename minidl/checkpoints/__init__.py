"""Weight files: reading, translating, checking and writing the numbers that a network has learnt.

    read         any known file -> Checkpoint as found        reading.py, native.py, pytorch.py, tfjs.py, npz.py
    translate    -> Checkpoint in minidl's names and axes     translation.py
    diagnose     -> what is wrong with it                     diagnosis.py, recognition.py
    write        -> minidl's own HDF5                         native.py, levels.py
    load         minidl's own HDF5 -> what a model needs      loading.py

A file from a stranger is material, never an instruction: nothing in it is run, and it gets no more
memory than it fills.
"""

from minidl.checkpoints.checkpoint import Architecture, Checkpoint, Landmark, Preprocessing
from minidl.checkpoints.diagnosis import Finding, diagnose
from minidl.checkpoints.loading import load, shipped
from minidl.checkpoints.native import write
from minidl.checkpoints.reading import files_of, read
from minidl.checkpoints.translation import likeliest, translate

__all__ = [
    "Architecture",
    "Checkpoint",
    "Finding",
    "Landmark",
    "Preprocessing",
    "diagnose",
    "files_of",
    "likeliest",
    "load",
    "read",
    "shipped",
    "translate",
    "write",
]
