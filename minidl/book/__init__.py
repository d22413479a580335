"""What minidl says about itself. The text is read from the docstrings, the code and the table of
proofs when it is needed, so that it cannot differ from them.

subjects.py     what can be explained: ops, losses, layers, optimisers, algorithms
sources.py      the file, the lines and the code of a function or class
sizes.py        the arrays on which an op is timed
measure.py      the worked example, the proof and the time of a subject, computed now
explanation.py  the text about one subject
"""

from minidl.book.explanation import explanation, overview
from minidl.book.subjects import SUBJECTS, Subject, subject

__all__ = ["SUBJECTS", "Subject", "explanation", "overview", "subject"]
