"""Neural style transfer: paint the content of one picture in the style of another (Gatys, Ecker,
Bethge 2015).

settings.py    all options
presets.py     the options of well-known programs
objective.py   the loss that the painting minimises
painting.py    the minimisation, step by step
record.py      the losses as a table and as curves; the settings that are stored in the picture
colour.py      keeping the colours of the photograph
masks.py       masks of regions, read from pictures and semantic maps
guides.py      the masks at the layers of the network
parity.py      a comparison of the same steps on CPU and GPU
"""

from minidl.style_transfer.colour import match_colours, with_colours_of, without_colours
from minidl.style_transfer.masks import feathered, read_mask, regions
from minidl.style_transfer.objective import Losses, Objective
from minidl.style_transfer.painting import Painting, Step, paint, stylize
from minidl.style_transfer.presets import PRESETS
from minidl.style_transfer.settings import Settings

__all__ = [
    "PRESETS", "Losses", "Objective", "Painting", "Settings", "Step", "feathered", "match_colours",
    "paint", "read_mask", "regions", "stylize", "with_colours_of", "without_colours",
]  # fmt: skip
