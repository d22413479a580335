"""Neural style transfer: paint the content of one picture in the style of another (Gatys, Ecker,
Bethge 2015).

settings.py    all options
presets.py     the options of well-known programs
settings_files.py  options in TOML files, presets of one's own, the options of a painting
objective.py   the loss that the painting minimises, a sum of terms
measures.py    what a term measures in the features of a layer
inputs.py      the pictures and masks of a painting, read in its size
gradients.py   the gradient of the loss: whole, block by block, or tile by tile
memory.py      which of these ways a painting takes
balance.py     content against style, by the lengths of the first gradients
tiles.py       tiles of a picture, whose features are those of the whole picture
costs.py       memory, arithmetic and time of a painting, from a probe of small pictures
plan.py        the costs before a painting begins, and how it is made to fit into the memory
masks.py       masks of regions, read from pictures and semantic maps
guides.py      the masks at the layers of the network
colour.py      keeping the colours of the photograph
scales.py      coarse to fine
run.py         the minimisation, scale by scale and step by step
checkpoint.py  a file from which a run continues
painting.py    from files or arrays to the painting
record.py      the losses as a table and as curves; the settings that are stored in the picture
rerun.py       a picture painted again from its record, and the comparison of both
film.py        the painting as it is painted, as an animation or a video
sheet.py       pictures side by side, with labels
frames.py      the frames of a film, and the start of each painting from the one before
sequence.py    paint the frames of a film one after the other
live/          a page on this computer that shows a painting while it forms
notebook.py    the same in a notebook
parity.py      a comparison of the same steps on CPU and GPU
"""

from minidl.style_transfer.colour import match_colours, with_colours_of, without_colours
from minidl.style_transfer.film import Film
from minidl.style_transfer.frames import Frames, next_start
from minidl.style_transfer.inputs import MaskFiles
from minidl.style_transfer.masks import feathered, read_mask, regions
from minidl.style_transfer.memory import Memory
from minidl.style_transfer.objective import Losses, Objective
from minidl.style_transfer.painting import Painter, Painting, paint, resume, stylize
from minidl.style_transfer.plan import Plan, plan
from minidl.style_transfer.presets import PRESETS
from minidl.style_transfer.run import Run, Step
from minidl.style_transfer.sequence import paint_frames
from minidl.style_transfer.settings import Settings
from minidl.style_transfer.settings_files import read_settings, write_settings

__all__ = [
    "PRESETS", "Film", "Frames", "Losses", "MaskFiles", "Memory", "Objective", "Painter",
    "Painting", "Plan", "Run", "Settings", "Step", "feathered", "match_colours", "next_start",
    "paint", "paint_frames", "plan", "read_mask", "read_settings", "regions", "resume", "stylize",
    "with_colours_of", "without_colours", "write_settings",
]  # fmt: skip
