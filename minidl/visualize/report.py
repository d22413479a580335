"""One picture, looked into from all sides: chapters for a page, each of what another file of this
room makes."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minidl.backend import current_device, to_device, to_numpy
from minidl.visualize.choosing import most_particular, shipped_examples, small_example, unit_for
from minidl.visualize.drawing.page import Figure, Row, Section
from minidl.visualize.drawing.shades import shades
from minidl.visualize.drawing.words import short
from minidl.visualize.dream import dream
from minidl.visualize.features import SCALES, default_layers, features
from minidl.visualize.inversion import Settings as InversionSettings
from minidl.visualize.inversion import invert
from minidl.visualize.maximization import Maximization
from minidl.visualize.opening import read_for
from minidl.visualize.patches import scaled, way_back
from minidl.visualize.receptive_fields import receptive_fields
from minidl.visualize.saliency.methods import Settings as SaliencySettings
from minidl.visualize.saliency.methods import saliency
from minidl.visualize.scalars import Scalar
from minidl.visualize.units import Unit

CHANNELS = 8  # of a layer
# pixels of the longer side of what is made again from noise, where the network takes any
INVERTED = 160
LIKED = 112  # pixels a side of the picture that a unit likes best, where the network takes any


class Settings(NamedTuple):
    """likes, inversion: steps uphill or down; octaves, steps: of the dream; seed: of all that is
    random."""

    likes: int = 64
    inversion: int = 50
    octaves: int = 3
    steps: int = 10
    seed: int = 0


class Subject(NamedTuple):
    """What the report is about: a picture file and what a network is to see of it. example: (H, W,
    3), RGB, 0..255, in NumPy; picture: the same on the current device."""

    network: Any
    path: Path
    example: np.ndarray
    picture: Any
    layers: list
    settings: Settings

    @classmethod
    def of(cls, network, path, example, settings=None):
        layers = default_layers(network, example.shape[:2])
        return cls(
            network,
            path,
            example,
            to_device(example, current_device()),
            layers,
            settings or Settings(),
        )


def what_fires(subject):
    """The maps of the strongest channels"""
    found, _ = features(subject.network, subject.example, subject.layers, CHANNELS)
    rows = [
        Row(
            [Figure(*pair) for pair in zip(each.pictures(), each.captions(), strict=True)],
            each.label.replace("\n", " · "),
        )
        for each in found
    ]
    words = (
        "Of each layer the channels with the largest mean activation, and where in the picture they fire: "
        f"{SCALES['map']}. Beside a layer's name stand its height, width and channels, and how many pixels one number sees."
    )
    return Section("What fires", words, rows)


def what_units_look_for(subject):
    """Of each layer the channel that this picture excites more than others do: where, by what, and
    what it would like best"""
    network, rows = subject.network, []
    small, others = small_example(network, subject.path), shipped_examples(network)
    # the first sees a few pixels, of which there is little to show
    layers = subject.layers[1:] or subject.layers
    for layer, field in receptive_fields(network, subject.example.shape[:2], layers).items():
        unit = most_particular(network, layer, small, others)
        fires = unit.of(to_numpy(network.activations(subject.picture[None], [layer])[layer])[0])
        position = np.unravel_index(fires.argmax(), fires.shape)
        place = field.seen(position)
        back = way_back(network, unit, subject.example, field.around(position), "guided")
        rows.append(
            Row(
                [
                    Figure(
                        shades(fires, subject.example).laid_over,
                        f"where it fires, at most {short(fires.max())}",
                    ),
                    Figure(subject.example[place], "what it sees where it fires most"),
                    Figure(scaled(back[place]), "what of that makes it fire"),
                    Figure(_liked(subject, unit), "what it would like best"),
                ],
                str(unit),
                "medium",
            )
        )
    words = (
        "In each layer but the first the channel that this picture excites the furthest above the mean of other pictures. What "
        "makes it fire is the guided gradient: the way back from its strongest activation, through units that fired and along "
        "what excites alone; it shows more clearly where edges are than how much they matter. The last picture was "
        "painted from noise by going uphill on the channel's activation."
    )
    return Section("What units look for", words, rows)


def _liked(subject, unit):
    size = subject.network.size or (LIKED, LIKED)
    maximization = Maximization(subject.network, [unit], size, subject.settings.seed)
    for _ in range(subject.settings.likes):
        maximization.step()
    return to_numpy(maximization.pictures())[0]


def what_it_depends_on(subject):
    """Saliency of a class or of the deepest layer's unit, by all methods"""
    unit = unit_for(subject.network, subject.path, subject.picture)
    scalar, figures = Scalar(subject.network, unit), []
    for each in saliency(
        scalar, subject.picture, settings=SaliencySettings(seed=subject.settings.seed)
    ):
        shaded = shades(each.values, subject.example)
        figures.append(
            Figure(
                shaded.laid_over,
                "\n".join(filter(None, (each.method, each.note, shaded.scale, each.colours))),
            )
        )
    words = (
        f"Which parts of the picture {scalar} depends on, by {len(figures)} methods that mean different things by that. Some "
        "tell only how much it depends on a pixel; others also what speaks for it and what against. Each map is scaled alone."
    )
    return Section("What it depends on", words, [Row(figures, size="medium")])


def what_layers_keep(subject):
    """The picture, smaller, made again from noise by what single layers say of it"""
    network, settings = (
        subject.network,
        InversionSettings(steps=subject.settings.inversion, seed=subject.settings.seed),
    )
    example = read_for(network, subject.path, min(INVERTED, max(subject.example.shape[:2])))
    picture, layers = (
        to_device(example, current_device()),
        default_layers(network, example.shape[:2]),
    )
    content, style = [], []
    for number, layer in enumerate(layers, start=1):
        found = invert(network, picture, [layer], "content", settings)
        content.append(Figure(found.image, f"{layer}\n{found.distance:.2%} off"))
        found = invert(network, picture, layers[:number], "style", settings)
        style.append(Figure(found.image, f"up to {layer}\n{found.distance:.2%} off"))
    words = (
        "Pictures painted from noise until a layer says nearly the same of them, as near as "
        f"{settings.steps} steps and a liking for smooth pictures come. What differs from the picture the layer hardly tells. "
        "Of the style it is told only which channels fire together, not where."
    )
    return Section(
        "What layers keep",
        words,
        [Row(content, "content", "medium"), Row(style, "style", "medium")],
    )


def what_it_dreams(subject):
    """The picture with all that fires made to fire more"""
    settings, figures = subject.settings, []
    for layer in subject.layers[-2:]:
        steps = dream(
            subject.network,
            subject.picture,
            [Unit(layer)],
            settings.octaves,
            settings.steps,
            seed=settings.seed,
        )
        *_, last = steps
        figures.append(Figure(to_numpy(last.picture), f"more of what fires in {layer}"))
    return Section(
        "What it dreams",
        "The picture, changed so that what fires in it fires more.",
        [Row(figures, size="large")],
    )


CHAPTERS = what_fires, what_units_look_for, what_it_depends_on, what_layers_keep, what_it_dreams
