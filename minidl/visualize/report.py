"""The chapters of an HTML report on one picture. Each chapter applies one of the other modules."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from minidl import typing
from minidl.backend import current_device, to_device, to_numpy
from minidl.typing import Array
from minidl.visualize.choosing import most_distinctive, shipped_examples, small_example, unit_for
from minidl.visualize.drawing import short
from minidl.visualize.drawing.page import Figure, Row, Section
from minidl.visualize.drawing.shades import shades
from minidl.visualize.dream import dream
from minidl.visualize.features import SCALES, default_layers, features
from minidl.visualize.inversion import Settings as InversionSettings
from minidl.visualize.inversion import invert
from minidl.visualize.maximization import Maximization
from minidl.visualize.network import Network
from minidl.visualize.opening import read_for
from minidl.visualize.patches import activation_gradient, scaled
from minidl.visualize.receptive_fields import receptive_fields
from minidl.visualize.saliency.methods import Settings as SaliencySettings
from minidl.visualize.saliency.methods import saliency
from minidl.visualize.scalars import Scalar
from minidl.visualize.units import Unit

CHANNELS = 8  # of each layer
# Pixels, for a network that takes pictures of any size: the longer side of an inversion, and the
# side of a picture that maximises an activation.
INVERTED, MAXIMIZED = 160, 112


class Settings(NamedTuple):
    """Settings of a report.

    likes: steps of each activation maximisation
    inversion: steps of each inversion
    octaves, steps: of DeepDream
    seed: of all random numbers
    """

    likes: int = 64
    inversion: int = 50
    octaves: int = 3
    steps: int = 10
    seed: int = 0


class Subject(NamedTuple):
    """The subject of a report: a network and a picture.

    path: the picture file
    example: (H, W, 3), RGB, 0..255, the picture as the network takes it, in NumPy
    picture: the example on the current device
    layers: names of the layers that are shown
    """

    network: Network
    path: Path
    example: np.ndarray
    picture: Array
    layers: list[str]
    settings: Settings

    @classmethod
    def of(
        cls,
        network: Network,
        path: typing.Path,
        example: np.ndarray,
        settings: Settings | None = None,
    ) -> "Subject":
        """Return the Subject with the `default_layers` of the network for an example.

        path: of the picture file; example: (*spatial, C), the file as the network takes it;
        settings: by default `Settings()`
        """
        picture = to_device(example, current_device())
        layers = default_layers(network, example.shape[:2])
        return cls(network, Path(path), example, picture, layers, settings or Settings())


def activation_maps(subject: Subject) -> Section:
    """Return the chapter of the maps of the strongest channels of each layer."""
    layers, _ = features(subject.network, subject.example, subject.layers, CHANNELS)
    rows = []
    for maps in layers:
        pairs = zip(maps.pictures(), maps.captions(), strict=True)
        figures = [Figure(picture, caption) for picture, caption in pairs]
        rows.append(Row(figures, maps.label.replace("\n", " · ")))
    words = (
        f"The channels with the largest mean activation in each layer; {SCALES['map']}. The title "
        "of a row gives the layer's height, width and number of channels, and the size of its "
        "receptive field, which is the part of the picture that one number depends on."
    )
    return Section("Activation maps", words, rows)


def distinctive_units(subject: Subject) -> Section:
    """Return the chapter of the most distinctive channel of each layer."""
    network, rows = subject.network, []
    small, others = small_example(network, subject.path), shipped_examples(network)
    # The first layer is left out if there are others: its channels depend on a few pixels only.
    layers = subject.layers[1:] or subject.layers
    fields = receptive_fields(network, subject.example.shape[:2], layers)
    activations = network.activations(subject.picture[None], layers)
    for layer, unit in zip(layers, most_distinctive(network, layers, small, others), strict=True):
        field, values = fields[layer], unit.of(to_numpy(activations[layer])[0])
        position = np.unravel_index(values.argmax(), values.shape)
        place = field.seen(position)
        around = field.around(position)
        gradient = activation_gradient(network, unit, subject.example, around, "guided")
        map_over_picture = shades(values, subject.example).laid_over
        figures = [
            Figure(map_over_picture, f"activation, up to {short(values.max())}"),
            Figure(subject.example[place], "the part with the largest activation"),
            Figure(scaled(gradient[place]), "guided gradient of this activation"),
            Figure(_maximized(subject, unit), "activation maximisation"),
        ]
        rows.append(Row(figures, str(unit), "medium"))
    words = (
        "For each layer after the first, the channel whose mean activation exceeds its average "
        "over other pictures by the most. The guided gradient shows which pixels increase the "
        "largest activation; it shows edges more clearly than their influence. The last picture "
        "was painted from noise by gradient ascent on the activation of the channel."
    )
    return Section("Distinctive channels", words, rows)


def _maximized(subject, unit):
    size = subject.network.size or (MAXIMIZED, MAXIMIZED)
    maximization = Maximization(subject.network, [unit], size, subject.settings.seed)
    for _ in range(subject.settings.likes):
        maximization.step()
    return to_numpy(maximization.pictures())[0]


def saliency_maps(subject: Subject) -> Section:
    """Return the chapter of the saliency maps of the default unit or class."""
    unit = unit_for(subject.network, subject.path, subject.picture)
    scalar, figures = Scalar(subject.network, unit), []
    settings = SaliencySettings(seed=subject.settings.seed)
    for saliency_map in saliency(scalar, subject.picture, settings=settings):
        shaded = shades(saliency_map.values, subject.example)
        lines = saliency_map.method, saliency_map.note, shaded.scale, saliency_map.colours
        figures.append(Figure(shaded.laid_over, "\n".join(filter(None, lines))))
    words = (
        f"The parts of the picture that {scalar} depends on, by {len(figures)} methods with "
        "different definitions of dependence. Some show only how strong it is, others also its "
        "sign. Each map is scaled separately."
    )
    return Section("Saliency", words, [Row(figures, size="medium")])


def inversions(subject: Subject) -> Section:
    """Return the chapter of pictures reconstructed from the content and style of layers. They are
    smaller than the picture if the network takes pictures of any size."""
    network = subject.network
    settings = InversionSettings(steps=subject.settings.inversion, seed=subject.settings.seed)
    longest = min(INVERTED, max(subject.example.shape[:2]))
    example = read_for(network, subject.path, longest)
    picture = to_device(example, current_device())
    layers = default_layers(network, example.shape[:2])
    content, style = [], []
    for number, layer in enumerate(layers, start=1):
        inversion = invert(network, picture, [layer], "content", settings)
        content.append(Figure(inversion.image, f"{layer}\n{inversion.distance:.2%} off"))
        inversion = invert(network, picture, layers[:number], "style", settings)
        style.append(Figure(inversion.image, f"up to {layer}\n{inversion.distance:.2%} off"))
    words = (
        "Pictures reconstructed from noise so that a layer has nearly the same activations "
        f"(content) or Gram matrices (style) as for the picture, in at most {settings.steps} steps "
        "and with a preference for smooth pictures. Details that are missing have little influence "
        "on the layer. Gram matrices state which channels are active together, but not where."
    )
    rows = [Row(content, "content", "medium"), Row(style, "style", "medium")]
    return Section("Inversion", words, rows)


def dreams(subject: Subject) -> Section:
    """Return the chapter of DeepDream for the two deepest layers."""
    settings, figures = subject.settings, []
    octaves, steps, seed = settings.octaves, settings.steps, settings.seed
    for layer in subject.layers[-2:]:
        *_, last = dream(subject.network, subject.picture, [Unit(layer)], octaves, steps, seed=seed)
        figures.append(Figure(to_numpy(last.picture), f"for the activations of {layer}"))
    words = "The picture, changed so that a layer's activations become larger."
    return Section("DeepDream", words, [Row(figures, size="large")])


CHAPTERS = activation_maps, distinctive_units, saliency_maps, inversions, dreams
