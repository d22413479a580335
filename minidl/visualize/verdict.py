"""The first chapters of a report: the likeliest classes of a picture, and what the first depends
on."""

import numpy as np

from minidl.visualize.classes import predictions
from minidl.visualize.drawing import percent
from minidl.visualize.drawing.page import Bar, Figure, Row, Scale, Section
from minidl.visualize.drawing.shades import shades
from minidl.visualize.saliency.methods import Map, Settings, fitted, passes, saliency
from minidl.visualize.subject import Subject

MOST = 5  # classes
MAIN = "grad-cam", "occlusion"  # the method of the first map: the first of these that is possible


def verdict(subject: Subject) -> Section:
    """Return the chapter of the likeliest classes, with the picture and one map of what the class
    or the unit depends on."""
    network, (height, width, _) = subject.network, subject.example.shape
    methods, settings = fitted(subject.scalar, subject.picture, None, _settings(subject))
    main = next(method for method in MAIN if method in methods)
    figures = [Figure(subject.example, subject.path.name)]
    for made in subject.steps(saliency(subject.scalar, subject.picture, [main], settings)):
        figures.append(map_figure(made, subject.example, f"what {subject.scalar} depends on"))
    bars: list[Bar] = []
    title = "The picture"
    first = "The network has no classes."
    if network.classes:
        best = predictions(network, subject.picture, MOST)
        bars = [Bar(found.name, found.probability, found.score) for found in best]
        title = "The verdict"
        first = f"The likeliest class is {best[0].name}: {percent(best[0].probability)}."
    words = (
        f"{first} The map shows the parts of the picture that {subject.scalar} depends on. "
        f"The picture is {width}x{height}, as the network saw it."
    )
    return Section(title, words, [Row(figures, size="large")], bars)


def saliency_maps(subject: Subject) -> Section:
    """Return the chapter of the saliency maps of the class or the unit, by all methods."""
    figures, settings = [], _settings(subject)
    for made in subject.steps(saliency(subject.scalar, subject.picture, settings=settings)):
        figures.append(map_figure(made, subject.example))
    words = (
        f"The parts of the picture that {subject.scalar} depends on, by {len(figures)} methods "
        "with different definitions of dependence. Some show only how strong it is, others also "
        "its sign. Each map is scaled separately. It changes the colours of the picture, not its "
        "lightness."
    )
    return Section("Saliency", words, [Row(figures, size="medium")])


def passes_of_maps(subject: Subject) -> int:
    """Return the cost of the maps of all methods in forward passes."""
    methods, settings = fitted(subject.scalar, subject.picture, None, _settings(subject))
    return sum(passes(method, subject.example.shape[:2], settings) for method in methods)


def map_figure(made: Map, example: np.ndarray, title: str = "") -> Figure:
    """Return a map laid over the picture, with its scale. title: the first line of the caption"""
    shaded = shades(made.values, example)
    largest = abs(made.values).max()
    lines = title, made.method, made.note, "" if largest else shaded.scale, made.colours
    caption = "\n".join(filter(None, lines))
    return Figure(shaded.laid_over, caption, Scale(shaded.colours, *shaded.ends))


def _settings(subject):
    return Settings(seed=subject.settings.seed)
