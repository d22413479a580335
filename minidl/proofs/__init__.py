"""The table of proofs: for every op, what sort of function it is in each argument, and geometries
to prove it on.

geometry.py    shapes and options, drawn
numbers.py     the numbers in the arrays
table.py       one row an op
"""

from minidl.proofs.geometry import RandomChooser, Shape
from minidl.proofs.numbers import fill
from minidl.proofs.table import ROWS, Row, run

__all__ = ["ROWS", "RandomChooser", "Row", "Shape", "fill", "run"]
