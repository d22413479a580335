"""The book: what minidl says about itself. The text is read from the docstrings, the code and the
table of proofs when it is needed, so that it cannot differ from them.

subjects.py       what can be explained: ops, losses, layers, optimisers, schedules, ...
sources.py        the file, the lines and the code of a function or class, and its helpers
completeness.py   what a docstring lacks
sizes.py          the arrays on which an op is timed
measure.py        the worked example, the proof and the time of a subject, computed now
explanation.py    the text about one subject, for a terminal

chapters/         the chapters, and the order in which they are read
writing/          docstrings and chapters as blocks, and formulas in mathematical typography
figures/          moving pictures
network/          a network that can be explored, forward and back
exercises/        functions that a reader writes, and their check
process.py, child.py   a reader's code in a process of its own, with limits
programs.py       examples and ops as programs that a reader can change
site/             all of this as a static site, and its server
notebooks.py      all of this as Jupyter notebooks
things.py         functions and modules by their dotted names
"""

from minidl.book.explanation import explanation, overview
from minidl.book.subjects import SUBJECTS, Subject, subject

__all__ = ["SUBJECTS", "Subject", "explanation", "overview", "subject"]
