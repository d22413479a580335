"""Face recognition: find the faces of a picture and compare them by 128 numbers each.

finding.py         boxes around the faces of a picture
sampling.py        scaled pictures, and squares cut out of a picture
reader.py          the faces of a picture, with landmarks and embeddings
looking.py         sideways, upside-down, dark and faint pictures: quarter turns, more contrast
portraits.py       the faces of picture files and of a folder of people
trained.py         networks of `minidl train faces` in the place of the shipped one
framing.py         where a face is in the pictures of their training
database.py        names and embeddings of known people, in one file
model.py           the network that made the embeddings of a database
names.py           what a person may be called
editing.py         renaming, merging and removing people and pictures
sqlite_file.py     the file: private permissions, and limits on what a malicious file can cost
lookalikes.py      people of a database who look alike
identification.py  the known person whose embeddings are nearest to a face, or none
clustering.py      groups of faces without names
cutting.py         a face cut out of its picture, upright and alone
appearances.py     when people appear in a sequence of frames
calibration.py     the largest distance at which two faces count as one person
evaluation.py      the error rates on a folder of people
pairs.py           lists of pairs of pictures, such as LFW's
folds.py           the accuracy on pairs by LFW's protocol
cache.py           the faces of pictures that were read before
drawing.py         boxes and landmarks drawn into a picture
"""

from minidl.faces.calibration import Calibration, calibrate
from minidl.faces.clustering import group_faces
from minidl.faces.database import Database
from minidl.faces.drawing import draw_faces
from minidl.faces.evaluation import Evaluation, evaluate, plot_evaluation
from minidl.faces.identification import THRESHOLD, Gallery, Match, between
from minidl.faces.looking import look
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
    "group_faces",
    "look",
    "main_face",
    "nearest_pair",
    "plot_evaluation",
    "read_album",
    "read_faces",
]
