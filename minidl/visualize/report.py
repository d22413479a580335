"""The chapters of an HTML report on one picture. Each chapter applies one of the other modules."""

from collections.abc import Collection

import numpy as np

from minidl.backend import current_device, to_device, to_numpy
from minidl.visualize.choosing import most_distinctive, shipped_examples, small_example
from minidl.visualize.drawing.frames import GREYS, HATCHED, frames, in_frame
from minidl.visualize.drawing.page import Figure, Row, Scale, Section
from minidl.visualize.drawing.shades import shades
from minidl.visualize.dream import dream, in_full_size, octave_sizes
from minidl.visualize.dream import passes as passes_of_dream
from minidl.visualize.effort import WITH_GRADIENT, multiply_adds
from minidl.visualize.features import SCALES, default_layers, features
from minidl.visualize.inversion import Descent
from minidl.visualize.inversion import Settings as InversionSettings
from minidl.visualize.maximization import Maximization
from minidl.visualize.opening import read_for
from minidl.visualize.patches import activation_gradient, scaled
from minidl.visualize.receptive_fields import fields_that_fit, receptive_fields
from minidl.visualize.subject import Settings, Subject
from minidl.visualize.units import Unit
from minidl.visualize.verdict import passes_of_maps, saliency_maps, verdict

CHANNELS = 8  # of each layer
# Pixels, for a network that takes pictures of any size: the longer side of an inversion, and the
# side of a picture that maximises an activation.
INVERTED, MAXIMIZED = 160, 112
DREAMS = 2  # layers
PATCH = 224  # pixels: the longer side of a patch in its place of the receptive field


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
    # The channels of the first layer depend on a few pixels only.
    first = default_layers(network, subject.example.shape[:2])[:1]
    layers = [layer for layer in subject.layers if layer not in first] or subject.layers
    fields = receptive_fields(network, subject.example.shape[:2], layers)
    activations = network.activations(subject.picture[None], layers)
    units = most_distinctive(network, layers, small, others)
    for layer, unit in subject.steps(zip(layers, units, strict=True)):
        field, values = fields[layer], unit.of(to_numpy(activations[layer])[0])
        position = np.unravel_index(values.argmax(), values.shape)
        place = field.seen(position)
        around = field.around(position)
        gradient = activation_gradient(network, unit, subject.example, around, "guided")
        [frame] = frames(field, [position])
        hatched = f"\n{HATCHED}" if frame.cuts(place) else ""
        parts = [
            in_frame(part, place, frame, PATCH, GREYS)
            for part in (subject.example[place], scaled(gradient[place]))
        ]
        shaded = shades(values, subject.example)
        figures = [
            Figure(shaded.laid_over, "activation", Scale(shaded.colours, *shaded.ends)),
            Figure(parts[0], f"the part with the largest activation{hatched}"),
            Figure(parts[1], "guided gradient of this activation"),
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
    for _ in subject.steps(range(subject.settings.likes)):
        maximization.step()
    return to_numpy(maximization.pictures())[0]


def inversions(subject: Subject) -> Section:
    """Return the chapter of pictures reconstructed from the content and style of layers. They are
    smaller than the picture if the network takes pictures of any size."""
    network = subject.network
    settings = InversionSettings(steps=subject.settings.inversion, seed=subject.settings.seed)
    longest = min(INVERTED, max(subject.example.shape[:2]))
    example = read_for(network, subject.path, longest)
    picture = to_device(example, current_device())
    extent = example.shape[:2]
    fitting = {step.name for step, _ in fields_that_fit(network, extent)}
    layers = [layer for layer in subject.layers if layer in fitting] or default_layers(
        network, extent
    )
    content, style = [Figure(example, "the picture")], [Figure(example, "the picture")]
    for number, layer in subject.steps(enumerate(layers, start=1)):
        for figures, match, matched, text in (
            (content, "content", [layer], layer),
            (style, "style", layers[:number], f"up to {layer}"),
        ):
            descent = Descent(network, picture, matched, match, settings)
            for _ in subject.steps(descent):
                pass
            if descent.losses:
                inversion = descent.result()
                figures.append(Figure(inversion.image, f"{text}\n{inversion.distance:.2%} off"))
    words = (
        "Pictures reconstructed from noise so that a layer has nearly the same activations "
        f"(content) or Gram matrices (style) as for the picture, in at most {settings.steps} steps "
        "and with a preference for smooth pictures. Details that are missing have little influence "
        "on the layer. Gram matrices state which channels are active together, but not where."
    )
    rows = [
        Row(figures, title, "medium")
        for figures, title in ((content, "content"), (style, "style"))
        if len(figures) > 1
    ]
    return Section("Inversion", words, rows)


def dreams(subject: Subject) -> Section:
    """Return the chapter of DeepDream for the two deepest layers."""
    settings, figures = subject.settings, [Figure(subject.example, "the picture")]
    octaves, steps, seed = settings.octaves, settings.steps, settings.seed
    for layer in subject.steps(subject.layers[-DREAMS:]):
        last = None
        for step in subject.steps(
            dream(subject.network, subject.picture, [Unit(layer)], octaves, steps, seed=seed)
        ):
            last = step.picture
        if last is not None:
            dreamt = to_numpy(in_full_size(subject.picture, last))
            figures.append(Figure(dreamt, f"for the activations of {layer}"))
    words = "The picture, changed so that a layer's activations become larger."
    return Section("DeepDream", words, [Row(figures, size="large")] if len(figures) > 1 else [])


def passes(subject: Subject, names: Collection[str] | None = None) -> float:
    """Return the cost of chapters in forward passes of the picture to the subject's unit.

    names: of the chapters, by default all of NAMES
    """
    network, settings, extent = subject.network, subject.settings, subject.example.shape[:2]
    inverted, maximized = extent, network.size or (MAXIMIZED, MAXIMIZED)
    if network.size is None:
        factor = min(1.0, INVERTED / max(extent))
        inverted = tuple(max(1, round(length * factor)) for length in extent)

    def work(size, layers=subject.layers):
        return sum(multiply_adds(network, size, [layer]) for layer in layers)

    dreamt = passes_of_dream(octave_sizes(extent, settings.octaves), settings.steps)
    costs = {
        "channels": WITH_GRADIENT * settings.likes * work(maximized),
        "inversion": WITH_GRADIENT * 2 * settings.inversion * work(inverted),
        "dream": dreamt * work(extent, subject.layers[-DREAMS:]),
    }
    names = NAMES if names is None else names
    total = sum(cost for name, cost in costs.items() if name in names)
    maps = passes_of_maps(subject) if "saliency" in names else 0
    return maps + total / work(extent, [subject.unit.layer])


CHAPTERS = saliency_maps, distinctive_units, activation_maps, inversions, dreams
NAMES = ("saliency", "channels", "maps", "inversion", "dream")  # of the CHAPTERS, for users
__all__ = ["CHAPTERS", "NAMES", "Settings", "Subject", "passes", "verdict"]
