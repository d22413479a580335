"""Whose face is this? Finding faces in pictures, and telling them apart by 128 numbers each.

finding.py         boxes around the faces of a picture, on sampling.py
alignment.py       the squares that the networks want to see
reader.py          from a picture to its faces with their 128 numbers
portraits.py       the same from files, and from a folder of people
database.py        who is known: names and numbers in one file
sqlite_file.py     that file: private permissions, and limits on what it may cost
identification.py  whose face it is, or that it is a stranger's
calibration.py     up to which distance two faces are one person's
evaluation.py      how often all this is right
drawing.py         what was found, drawn
"""

from minidl.faces.calibration import Calibration, calibrate
from minidl.faces.database import Database
from minidl.faces.drawing import draw_faces
from minidl.faces.evaluation import Evaluation, evaluate, plot_evaluation
from minidl.faces.identification import THRESHOLD, Gallery, Match, between
from minidl.faces.portraits import Album, certain, main_face, nearest_pair, read_album, read_faces
from minidl.faces.reader import Face, FaceReader

__all__ = [
    "THRESHOLD",
    "Album",
    "Calibration",
    "Database",
    "Evaluation",
    "Face",
    "FaceReader",
    "Gallery",
    "Match",
    "between",
    "calibrate",
    "certain",
    "draw_faces",
    "evaluate",
    "main_face",
    "nearest_pair",
    "plot_evaluation",
    "read_album",
    "read_faces",
]
