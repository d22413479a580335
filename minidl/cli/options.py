"""Options that several commands share."""

from minidl.backend import DEVICES
from minidl.cli.parser import Last
from minidl.cli.saying import say
from minidl.errors import printable
from minidl.models.vgg19 import ALIASES
from minidl.visualize.opening import open_network


def add_device(parser):
    parser.add_argument(
        "--device", choices=DEVICES, default="cpu", help="where to compute (default: cpu)"
    )


class _ListLayers(Last):
    def __call__(self, parser, arguments, values, option_string=None):
        source = getattr(arguments, "model", "vgg19")
        names = ALIASES if source == "vgg19" else [step.name for step in open_network(source).steps]
        for name in names:
            say("  ".join([f"{printable(name):14}", *ALIASES.get(name, ())]).rstrip())
        if source == "vgg19":
            say(
                "Append .pre, as in block4_conv2.pre or conv4_2.pre, for the numbers before the ReLU."
            )
        parser.exit()


def add_list_layers(parser):
    purpose = "print the names of the layers, those of Keras and those of papers, and exit"
    parser.add_argument("--list-layers", action=_ListLayers, nargs=0, help=purpose)


def add_tf32(parser):
    parser.add_argument(
        "--tf32", action="store_true", help="let matrix products on the GPU drop digits (TF32)"
    )
