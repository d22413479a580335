"""The table of proofs states for every op the kind of function that it is in each argument. Random
geometries and numbers are drawn to prove it on.

geometry.py    shapes and options
numbers.py     the numbers in the arrays
table.py       one row for each op
"""

from minidl.proofs.geometry import RandomChooser, Shape
from minidl.proofs.numbers import fill
from minidl.proofs.table import ROWS, Row, run

__all__ = ["ROWS", "RandomChooser", "Row", "Shape", "fill", "run"]
