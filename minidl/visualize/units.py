"""Units of a network: a channel of a layer, a whole layer, or a class."""

from typing import TYPE_CHECKING, Any, NamedTuple

from minidl.errors import ArgumentError, printable
from minidl.typing import Operand

if TYPE_CHECKING:
    from minidl.visualize.network import Network

DIGITS = 9  # the most digits of a channel's number


class Unit(NamedTuple):
    """A channel of a layer.

    layer: name of a step of the network
    channel: index of the channel, or None for all channels
    """

    layer: str
    channel: int | None = None

    def __str__(self) -> str:
        return self.layer if self.channel is None else f"{self.layer}:{self.channel}"

    def of(self, activations: Operand) -> Any:
        """Return the unit's part (N, *spatial) of its layer's activations (N, *spatial, C), or all
        of them if the unit has no channel. Raise ArgumentError if the layer has no such channel."""
        if self.channel is None:
            return activations
        return activations[..., self.among(activations.shape[-1])]

    def among(self, channels: int) -> int:
        """Return the unit's channel. Raise ArgumentError if it is None, or if a layer of `channels`
        channels does not have it."""
        if self.channel is None:
            raise ArgumentError(f"{self} is a whole layer; wanted a channel, such as {self}:0")
        if self.channel >= channels:
            raise ArgumentError(
                f"{self.layer} has {channels} channels; "
                f"found {self}, wanted one from 0 to {channels - 1}"
            )
        return self.channel


def parse_unit(network: "Network", text: str) -> Unit:
    """Return the Unit that a text describes: LAYER:CHANNEL, LAYER for all its channels, or the name
    of a class.

    Raise ArgumentError if the text has another form or the network has no such layer. The number of
    channels of a layer is not known here; `Unit.of` checks the channel.
    """
    if network.classes and text in network.classes:
        return Unit(network.steps[-1].name, network.classes.index(text))
    layer, colon, channel = text.partition(":")
    if colon and not is_channel(channel):
        raise ArgumentError(
            f"the unit is {printable(text, 80)!r}; "
            "wanted LAYER:CHANNEL with a number, such as block4_conv2:17"
        )
    return Unit(network.canonical(layer), int(channel) if colon else None)


def is_channel(text: str) -> bool:
    """Return whether a text is a possible number of a channel.

    >>> is_channel("17"), is_channel("-1"), is_channel("9" * 5000)
    (True, False, False)
    """
    return text.isdecimal() and len(text) <= DIGITS
