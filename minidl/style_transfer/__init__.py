"""Neural style transfer: paint the content of one picture in the style of another (Gatys, Ecker,
Bethge 2015).

settings.py    all options
presets.py     the options of well-known programs
objective.py   the loss that the painting minimises
painting.py    the minimisation, step by step
record.py      the losses as a table and as curves; the settings that are stored in the picture
film.py        the painting as it is painted, as an animation or a video
sheet.py       pictures side by side, with labels
frames.py      the frames of a film, and the start of each painting from the one before
parity.py      a comparison of the same steps on CPU and GPU
"""

from minidl.style_transfer.film import Film
from minidl.style_transfer.frames import Frames, next_start
from minidl.style_transfer.objective import Losses, Objective
from minidl.style_transfer.painting import Painting, Step, paint, stylize
from minidl.style_transfer.presets import PRESETS
from minidl.style_transfer.settings import Settings

__all__ = [
    "PRESETS",
    "Film",
    "Frames",
    "Losses",
    "Objective",
    "Painting",
    "Settings",
    "Step",
    "next_start",
    "paint",
    "stylize",
]
