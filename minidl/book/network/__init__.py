"""A network, explored: every number between a picture and a score, and back to the pixels.

parts.py        the layers of a network that the page can explain
passes.py       the passes forward and back, and the units that are shown
layers.py       the data of one layer
exploration.py  the data of the page, as JSON can hold them
opening.py      the shipped network, and runs of `minidl train`
formulas.py     the formulas; words.py: the sentences
arrays.py       arrays as text; pictures.py: as PNG
page.py         the page, and the files beside it

The script of the page consists of these files, in the order of page.SCRIPTS:

elements.js     elements and numbers
sums.js         the terms of each number
maps.js         maps as pictures
overview.js     all units; unit.js: one of them; weights.js: the gradients of its parameters
explorer.js     what is shown, and its address
"""

from minidl.book.network.exploration import exploration
from minidl.book.network.opening import (
    Explorable,
    shipped_exploration,
    shipped_network,
    trained_network,
)
from minidl.book.network.page import DATA, SCRIPT, STYLE, body, files

__all__ = [
    "DATA",
    "SCRIPT",
    "STYLE",
    "Explorable",
    "body",
    "exploration",
    "files",
    "shipped_exploration",
    "shipped_network",
    "trained_network",
]
