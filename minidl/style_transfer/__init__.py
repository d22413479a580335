"""Neural style transfer: paint the content of one picture in the style of another (Gatys, Ecker,
Bethge 2015).

settings.py    all options
presets.py     the options of well-known programs
objective.py   the loss that the painting minimises
painting.py    the minimisation, step by step
record.py      the losses as a table and as curves; the settings that are stored in the picture
parity.py      a comparison of the same steps on CPU and GPU
live/          a page on this computer that shows a painting while it forms
notebook.py    the same in a notebook
"""

from minidl.style_transfer.objective import Losses, Objective
from minidl.style_transfer.painting import Painting, Step, paint, stylize
from minidl.style_transfer.presets import PRESETS
from minidl.style_transfer.settings import Settings

__all__ = ["PRESETS", "Losses", "Objective", "Painting", "Settings", "Step", "paint", "stylize"]
