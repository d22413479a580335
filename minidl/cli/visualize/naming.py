"""How layers, units and classes are named in every action of `minidl visualize`.

One or several, separated by spaces or commas. A layer has the name in its network; layers of VGG19
also have those in papers: block4_conv2, conv4_2 and relu4_2 are the same. A unit is a channel of a
layer, `conv4_2:17`, and further channels of a layer follow as numbers, `conv4_2:17,40` or `conv4_2
17 40`. A class has a name, such as "tiger cat", and a number.
"""

from collections.abc import Sequence
from itertools import chain

from minidl.cli.lists import class_list, layer_list, unit_list
from minidl.errors import ArgumentError, did_you_mean, printable
from minidl.visualize.classes import matching, parse_class
from minidl.visualize.network import Network
from minidl.visualize.units import Unit, is_channel, parse_unit

CHANNELS = "a layer and numbers of its channels, such as conv4_2 17 40"


def add_layers(group, purpose):
    """Add --layers, also called --layer, to a parser or a group of its options."""
    group.add_argument("--layers", "--layer", metavar="LAYER,...", type=layer_list(), help=purpose)


def add_units(group, purpose):
    """Add --units, also called --unit."""
    group.add_argument("--units", "--unit", metavar="UNIT,...", type=unit_list(), help=purpose)


def add_classes(group, purpose):
    """Add --class, also called --classes."""
    group.add_argument(
        "--class",
        "--classes",
        dest="classes",
        metavar="CLASS,...",
        type=class_list(),
        help=f"{purpose}, by name or number; names are separated by commas",
    )


def layers_of(network: Network, names: Sequence[str]) -> list[str]:
    """Return the names of the steps that the names of layers mean, each once. Raise ArgumentError
    for an unknown one."""
    return list(dict.fromkeys(map(network.canonical, names)))


def units_of(network: Network, texts: Sequence[str]) -> list[Unit]:
    """Return the Units that texts mean, each once. A unit without a channel is a whole layer.

    texts: as `unit_list` returns them; a number after a unit is another channel of its layer

    Raises ArgumentError for a text that means none or, as the name of a class, several.
    """
    return list(_by_unit(network, texts))


def channels_of(network: Network, texts: Sequence[str], instead: str = "--layers") -> list[Unit]:
    """Return the Units that texts mean: see `units_of`. Raise ArgumentError for a whole layer.

    instead: the option that takes whole layers, or ""
    """
    by_unit = _by_unit(network, texts)
    for unit, word in by_unit.items():
        if unit.channel is None:
            wanted = f"LAYER:CHANNEL, or {instead} {word}" if instead else CHANNELS
            raise ArgumentError(f"{printable(word, 80)} is a whole layer; wanted {wanted}")
    return list(by_unit)


def classes_of(network: Network, texts: Sequence[str]) -> list[Unit]:
    """Return the Units of classes, each once. Raise ArgumentError for an unknown one, and for a
    text that means several."""
    return list(dict.fromkeys(parse_class(network, text) for text in texts))


def channels_or_classes(network: Network, arguments) -> list[Unit]:
    """Return the Units of --units or of --class, or [] if neither was typed."""
    return [
        *channels_of(network, arguments.units or ()),
        *classes_of(network, arguments.classes or ()),
    ]


def _by_unit(network, texts):
    """Return {Unit: the word that means it}."""
    named: list[tuple[Unit, str]] = []
    for word in [word for text in texts for word in _words(network, text)]:
        before, name = named[-1] if named else (None, "")
        if before and is_channel(word):
            if before.channel is None:
                named.pop()
            named.append((Unit(before.layer, int(word)), word))
            continue
        try:
            named.append((_unit(network, word), word))
        except ArgumentError as error:
            if not before or before.channel is not None:
                raise
            found = printable(f"{name} {word}", 80)
            raise ArgumentError(f"found {found!r}: {error}; wanted {CHANNELS}") from None
    return dict(named)


def _words(network, text):
    """Return the words of a text that names several units, or the text if it names a class."""
    if network.classes and matching(network.classes, text):
        return [text]
    return text.split() or [""]


def _unit(network, word):
    try:
        return parse_unit(network, word)
    except ArgumentError:
        if not network.classes or ":" in word:
            raise
        if matching(network.classes, word):
            return parse_class(network, word)
        steps = [step.name for step in network.steps]
        aliases = chain.from_iterable(network.aliases.values())
        near = did_you_mean(word, [*steps, *aliases, *network.classes])
        raise ArgumentError(
            f"{printable(word, 80)!r} is neither a layer nor a class of the network; wanted "
            f"LAYER:CHANNEL or a class{near}"
        ) from None
