"""`minidl visualize`: what a network sees; one file an action."""

from minidl.cli.visualize import dream, features, invert, patches, report, saliency, unit

ACTIONS = (features, patches, unit, dream, saliency, invert, report)


def register(commands):
    parser = commands.add_parser(
        "visualize",
        help="look inside a network: features, patches, dream, unit, saliency, invert, report",
        description="Pictures of what a network has learned.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for action in ACTIONS:
        action.register(actions)
