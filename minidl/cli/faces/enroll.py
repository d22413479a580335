"""`minidl faces enroll`: add a person to a database."""

import os
import stat
from hashlib import sha256

import numpy as np
from tqdm import tqdm

from minidl.backend import device
from minidl.cli.faces.options import SKIPS, add_action, add_database, add_pictures
from minidl.cli.faces.pictures import ADVICE, Pictures, warn_of_doubt
from minidl.cli.options import add_device
from minidl.cli.output import say, shown, warn
from minidl.faces import THRESHOLD, Database, FaceReader, main_face
from minidl.faces.database import proper_name
from minidl.files import must_be_writable


def register(actions):
    action = add_action(
        actions,
        "enroll",
        run,
        "add a person to a database, from one or more pictures",
        "One picture is enough; more pictures, in another light or with another expression, make "
        "identification more reliable. The database is created if it does not exist. It stores "
        "embeddings, and the pictures only with --keep-pictures.",
        f"A picture with several faces is refused unless --largest is given. {SKIPS}",
    )
    add_database(action)
    action.add_argument("name", metavar="NAME", help="name of the person")
    add_pictures(action)
    action.add_argument(
        "--largest", action="store_true", help="use the largest of several faces in a picture"
    )
    action.add_argument(
        "--keep-pictures",
        action="store_true",
        help="store the picture files too; `minidl faces list --pictures` writes them to a folder",
    )
    add_device(action)


def run(arguments):
    name, pictures = proper_name(arguments.name), Pictures(arguments.pictures)
    path = must_be_writable(arguments.database)
    with device(arguments.device):
        reader = FaceReader()
        database = None
        if path.exists() and path.stat().st_size:
            database = Database(path, reader.identity)
            _warn_of_permissions(path)
            _warn_of_similar_names(database, name)
        own, threshold = _enrolled(database, name)
        for picture_path, faces, file in pictures.faces(reader):
            if not faces:
                pictures.refuse(f"{picture_path}: no face was found; {ADVICE}")
                continue
            if len(faces) > 1 and not arguments.largest:
                pictures.refuse(
                    f"{picture_path} shows {len(faces)} faces; crop it to the one to enroll, or "
                    "use --largest"
                )
                continue
            if database is None:  # create it only once there is a face to store
                database = Database(path, reader.identity, create=True)
            face = main_face(faces)
            warn_of_doubt(picture_path, face)
            distances = np.linalg.norm(own - face.embedding, axis=1)
            _warn_of_another_person(picture_path, name, distances, threshold)
            own = np.concatenate([own, face.embedding[None]])
            names_before = database.enroll(
                name,
                face.embedding,
                digest=sha256(file).hexdigest(),
                origin=picture_path.name,
                picture=file if arguments.keep_pictures else None,
            )
            with tqdm.external_write_mode():
                say(_enrolled_in_words(name, picture_path, names_before))
    return pictures.exit_code


def _enrolled(database, name):
    """Return the embeddings (N, 128) of the person in the database, and its threshold."""
    if database is None:
        return np.empty((0, 128), np.float32), THRESHOLD
    names, embeddings = database.embeddings()
    threshold, _ = database.calibration() or (THRESHOLD, None)
    return embeddings[[other == name for other in names]], threshold


def _enrolled_in_words(name, path, names_before):
    """Return a line about an enrolled picture. names_before: people who had this picture already"""
    already = " already" if name in names_before else ""
    line = f"{name} is enrolled{already} with {shown(path)}"
    others = " and ".join(shown(other) for other in names_before if other != name)
    return f"{line}, which is also a picture of {others}: is that right?" if others else line


def _warn_of_permissions(path):
    if os.name == "posix" and path.stat().st_mode & stat.S_IROTH:
        warn(
            f"every user of this machine may read {path}; "
            "run `chmod 600` on it to keep the faces private"
        )


def _warn_of_similar_names(database, name):
    for other in database.people():
        if other.name != name and other.name.casefold() == name.casefold():
            warn(
                f"{other.name} is enrolled already, and {name} is another name: "
                "remove one of them if they are the same person"
            )


def _warn_of_another_person(path, name, distances, threshold):
    """Warn if a face is farther from all faces of the person than the threshold."""
    if distances.size and distances.min() > threshold:
        warn(
            f"{path}: the distance of the face to the nearest face of {name} is "
            f"{distances.min():.3f}, beyond the threshold of {threshold:.3f}; "
            f"if it is another person, remove {name} and enroll the right pictures"
        )
