"""`minidl faces`: who is this, from one picture; one file an action."""

from minidl.cli.faces import calibrate, compare, enroll, evaluate, find, identify, known

ACTIONS = (compare, enroll, identify, known, find, calibrate, evaluate)


def register(commands):
    parser = commands.add_parser(
        "faces",
        help="find faces in pictures, and say whose they are",
        description="Find faces in pictures, and say whose they are. Two faces are one person's where the Euclidean distance "
        "between their embeddings is at most a threshold.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for action in ACTIONS:
        action.register(actions)
