"""Neural style transfer: paint the content of one picture in the style of another (Gatys, Ecker,
Bethge 2015).

settings.py    all options
presets.py     the options of well-known programs
objective.py   the loss that the painting minimises, a sum of terms
measures.py    what a term measures in the features of a layer
scales.py      coarse to fine
run.py         the minimisation, scale by scale and step by step
checkpoint.py  a file from which a run continues
painting.py    from files or arrays to the painting
record.py      the losses as a table and as curves; the settings that are stored in the picture
parity.py      a comparison of the same steps on CPU and GPU
"""

from minidl.style_transfer.objective import Losses, Objective
from minidl.style_transfer.painting import Painting, paint, resume, stylize
from minidl.style_transfer.presets import PRESETS
from minidl.style_transfer.run import Run, Step
from minidl.style_transfer.settings import Settings

__all__ = [
    "PRESETS", "Losses", "Objective", "Painting", "Run", "Settings", "Step", "paint",
    "resume", "stylize",
]  # fmt: skip
