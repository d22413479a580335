"""`minidl faces enroll`: make somebody known, by one picture or more."""

import os
import stat
from hashlib import sha256

import numpy as np
from tqdm import tqdm

from minidl.backend import device
from minidl.cli.faces.options import OTHERS_GO_ON, add_action, add_database, add_pictures
from minidl.cli.faces.pictures import MENDED, Pictures, warn_of_doubt
from minidl.cli.options import add_device
from minidl.cli.output import shown, warn
from minidl.cli.saying import say
from minidl.faces import THRESHOLD, Database, FaceReader, main_face
from minidl.faces.database import proper_name
from minidl.files import must_be_writable


def register(actions):
    action = add_action(
        actions, "enroll", run, "put a person into a database, from one picture or more",
        "One picture is enough; others, in another light or with another look, help. The database is made where there is none.",
        "A picture that shows several faces is refused, unless --largest says whose is meant. No picture is stored, unless "
        "--keep-pictures says so.", OTHERS_GO_ON,
    )  # fmt: skip
    add_database(action)
    action.add_argument("name", metavar="NAME")
    add_pictures(action)
    action.add_argument(
        "--largest", action="store_true", help="of several faces in a picture, take the largest"
    )
    action.add_argument(
        "--keep-pictures",
        action="store_true",
        help="store the files too; `list --pictures` writes them out",
    )
    add_device(action)


def run(arguments):
    name, pictures = proper_name(arguments.name), Pictures(arguments.pictures)
    path = must_be_writable(arguments.database)
    with device(arguments.device):
        reader = FaceReader()
        database = (
            Database(path, reader.identity) if path.exists() and path.stat().st_size else None
        )
        if database and os.name == "posix" and path.stat().st_mode & stat.S_IROTH:
            warn(
                f"every user of this machine may read {path}; run `chmod 600` on it to keep the faces private"
            )
        for other in [] if database is None else database.people():
            if other.name != name and other.name.casefold() == name.casefold():
                warn(
                    f"{other.name} is enrolled already, and {name} is another name: remove one of them if that is one person"
                )
        own, threshold = _known(database, name)
        for picture_path, faces, file in pictures.faces(reader):
            if not faces:
                pictures.refuse(f"{picture_path}: no face was found; {MENDED}")
                continue
            if len(faces) > 1 and not arguments.largest:
                pictures.refuse(
                    f"{picture_path} shows {len(faces)} faces; cut out the one that is meant, or say --largest"
                )
                continue
            if database is None:  # which is made once there is something to put into it
                database = Database(path, reader.identity, create=True)
            face = main_face(faces)
            warn_of_doubt(picture_path, face)
            _warn_of_another_person(
                picture_path, name, np.linalg.norm(own - face.embedding, axis=1), threshold
            )
            own = np.concatenate([own, face.embedding[None]])
            before = database.enroll(
                name, face.embedding, digest=sha256(file).hexdigest(), origin=picture_path.name,
                picture=file if arguments.keep_pictures else None,
            )  # fmt: skip
            told = f"{name} is enrolled{' already' if name in before else ''} with {shown(picture_path)}"
            if others := [shown(other) for other in before if other != name]:
                told += f", which is a picture of {' and '.join(others)} too: is that right?"
            with tqdm.external_write_mode():
                say(told)  # into the void, if need be: the others are enrolled all the same
    return pictures.exit_code


def _known(database, name):
    """(embeddings of the person that the database holds already (N, 128), its threshold)"""
    names, embeddings = (
        ([], np.empty((0, 128), np.float32)) if database is None else database.embeddings()
    )
    threshold, _ = (database and database.calibration()) or (THRESHOLD, None)
    return embeddings[[other == name for other in names]], threshold


def _warn_of_another_person(path, name, distances, threshold):
    """Say where a face is farther from all faces of the person than the threshold."""
    if distances.size and distances.min() > threshold:
        warn(
            f"{path}: the face is {distances.min():.3f} from the nearest of {name}, beyond the threshold of "
            f"{threshold:.3f}; if it is another person, remove {name} and enroll the right pictures"
        )
