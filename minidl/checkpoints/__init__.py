"""Files of trained weights: read, translate, check, write and load them.

    read         any supported file -> Checkpoint as found    reading.py, and a file per format
    translate    -> Checkpoint in minidl's names and axes     translation.py, names.py, axes.py,
                                                              tops.py
    diagnose     -> the errors and oddities of a Checkpoint   diagnosis.py, recognition.py
    write        -> minidl's own HDF5 file, or .safetensors   native.py, levels.py, safetensors.py
    load         minidl's own HDF5 file -> what a model needs loading.py

The readers never run code from a file. They check each size that a file claims before they
allocate memory for it.
"""

from minidl.checkpoints.checkpoint import Architecture, Checkpoint, Landmark, Preprocessing
from minidl.checkpoints.diagnosis import Finding, diagnose
from minidl.checkpoints.loading import load, shipped
from minidl.checkpoints.native import write
from minidl.checkpoints.reading import files_of, read
from minidl.checkpoints.safetensors import write_safetensors
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
    "write_safetensors",
]
