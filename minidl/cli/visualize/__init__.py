"""`minidl visualize`: pictures of what a network computes. Each action is a file."""

from minidl.cli.visualize import dream, features, invert, patches, report, saliency, unit

ACTIONS = (features, patches, unit, dream, saliency, invert, report)


def register(commands):
    parser = commands.add_parser(
        "visualize",
        help="visualize what a network has learned",
        description="Visualize what a network has learned: VGG19, or with --model a network that "
        "`minidl train` has trained.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for action in ACTIONS:
        action.register(actions)
