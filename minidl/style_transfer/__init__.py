"""Neural style transfer: paint one picture's content in another's style (Gatys, Ecker, Bethge
2015).

settings.py    everything that can be chosen
presets.py     the choices of well-known programs
objective.py   what the painting should come close to
painting.py    the way there, step by step
record.py      the losses as a table and as curves; the settings inside the picture
"""

from minidl.style_transfer.objective import Losses, Objective
from minidl.style_transfer.painting import Painting, Step, paint, stylize
from minidl.style_transfer.presets import PRESETS
from minidl.style_transfer.settings import Settings

__all__ = ["PRESETS", "Losses", "Objective", "Painting", "Settings", "Step", "paint", "stylize"]
