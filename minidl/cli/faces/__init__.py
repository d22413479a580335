"""`minidl faces`: find, compare and identify faces. Each action is a file."""

from minidl.cli.faces import (
    calibrate,
    cluster,
    compare,
    editing,
    embed,
    enroll,
    evaluate,
    find,
    identify,
    known,
)

ACTIONS = (compare, enroll, identify, known, editing, find, embed, cluster, calibrate, evaluate)


def register(commands):
    parser = commands.add_parser(
        "faces",
        help="find, compare and identify faces in pictures",
        description="Find, compare and identify faces in pictures. Two faces count as the faces "
        "of one person if the Euclidean distance between their embeddings is at most a threshold.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for action in ACTIONS:
        action.register(actions)
