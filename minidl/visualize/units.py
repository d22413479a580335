"""What is asked about: a unit of a network, which is a channel of a layer, or a class."""

from typing import NamedTuple

from minidl.errors import ArgumentError, printable

DIGITS = 9  # of a channel's number, at most


class Unit(NamedTuple):
    """layer: a step's name; channel: which of its numbers, or None for all of them."""

    layer: str
    channel: int | None = None

    def __str__(self):
        return self.layer if self.channel is None else f"{self.layer}:{self.channel}"

    def of(self, activations):
        """(N, *spatial, C) -> (N, *spatial), the channel's; or, of all channels, what they are.
        Raises ArgumentError for a channel that the layer does not have."""
        return (
            activations
            if self.channel is None
            else activations[..., self.among(activations.shape[-1])]
        )

    def among(self, channels):
        """Its channel, if its layer has so many. Raises ArgumentError where it has fewer."""
        if self.channel >= channels:
            raise ArgumentError(
                f"{self.layer} has {channels} channels; found {self}, wanted one from 0 to {channels - 1}"
            )
        return self.channel


def parse_unit(network, text):
    """LAYER:CHANNEL, LAYER (all its channels) or the name of a class -> Unit. Raises ArgumentError
    for what the network does not have; a channel is compared with its layer's number of channels
    where that is known, when it runs."""
    if network.classes and text in network.classes:
        return Unit(network.steps[-1].name, network.classes.index(text))
    layer, colon, channel = text.partition(":")
    if colon and not is_channel(channel):
        raise ArgumentError(
            f"the unit is {printable(text, 80)!r}; wanted LAYER:CHANNEL with a number, such as block4_conv2:17"
        )
    return Unit(network.canonical(layer), int(channel) if colon else None)


def is_channel(text):
    """Whether it is a number that a channel may have

    >>> is_channel("17"), is_channel("-1"), is_channel("9" * 5000)
    (True, False, False)
    """
    return text.isdecimal() and len(text) <= DIGITS
