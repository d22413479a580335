"""Options that several commands share."""

from minidl.backend import DEVICES
from minidl.cli.order import Last
from minidl.cli.output import say
from minidl.errors import printable
from minidl.models.vgg19 import ALIASES
from minidl.visualize.opening import open_network

LOOKUP = "(default: $MINIDL_DATA, then minidl's folder in the user's cache)"  # of data sets


def flag(name):
    """Return the option for the name of a setting.

    >>> flag("style_weight")
    '--style-weight'
    """
    return "--" + name.replace("_", "-")


def as_sentence(phrase):
    """Return a phrase with a capital letter and a full stop.

    >>> as_sentence("check the gradients of the ops")
    'Check the gradients of the ops.'
    """
    return f"{phrase[0].upper()}{phrase[1:]}."


def add_device(parser):
    parser.add_argument(
        "--device", choices=DEVICES, default="cpu", help="device to compute on (default: cpu)"
    )
    purpose = (
        "compute by the definitions in minidl/ops and minidl/losses, without the fast "
        "implementations: for debuggers; takes several times as long"
    )
    parser.add_argument("--textbook", action="store_true", help=purpose)


def add_tf32(parser):
    purpose = "compute matrix products on the GPU in TF32, which is faster but less precise"
    parser.add_argument("--tf32", action="store_true", help=purpose)


def add_list_layers(parser):
    purpose = "print the names of the layers, as in Keras and as in papers, and exit"
    parser.add_argument("--list-layers", action=_ListLayers, nargs=0, help=purpose)


class _ListLayers(Last):
    def __call__(self, parser, arguments, values, option_string=None):
        source = getattr(arguments, "model", "vgg19")
        if source == "vgg19":
            aliases = ALIASES
        else:
            network = open_network(source)
            aliases = {step.name: network.aliases.get(step.name, ()) for step in network.steps}
        for name, others in aliases.items():
            say("  ".join([f"{printable(name):14}", *others]).rstrip())
        if source == "vgg19":
            say(
                "Append .pre for the values before the ReLU, as in block4_conv2.pre or conv4_2.pre."
            )
        parser.exit()
