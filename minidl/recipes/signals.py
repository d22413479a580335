"""The keys of a telephone: a 1-D network learns which key a noisy signal is of.

The first kernels of the network become a bank of filters, each for one of the eight tones.
"""

import numpy as np

from minidl.backend import to_numpy
from minidl.data.signals import COLUMNS, KEYS, RATE, ROWS, SAMPLES, TONES, signals
from minidl.layers import Sequential
from minidl.models.signals import TAPS, signal_network
from minidl.plots import new_figure, save_figure
from minidl.recipes import classifiers
from minidl.recipes.classifiers import GeneratedExamples, until
from minidl.training.trained import outputs
from minidl.typing import Array, Path

NETWORK = "signals"
ORIGINAL = {
    "examples": 8000,
    "learning_rate": 0.003,
    "schedule": "one-cycle",
    "epochs": 6,
    "batch": 64,
    "clip": None,
}
PRESETS = {"original": ORIGINAL, "fast": ORIGINAL | {"epochs": 3}}
SCHEDULES = classifiers.SCHEDULES
SHOWN = "1", "6", "8", "D"  # one key of each row and of each column
SPECTRUM = 4096  # samples of a kernel padded with zeros, which makes its spectrum smooth
MILLISECONDS = np.arange(SAMPLES) * 1000 / RATE


def network(seed: int = 0) -> Sequential:
    """Return the network before training: signals (N, SAMPLES, 1) -> logits (N, keys)."""
    return signal_network(SAMPLES, len(KEYS), seed)


def spectra(kernels: Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the frequencies (F,) in Hz, and the gains (F, K) there of kernels (TAPS, K)."""
    return np.fft.rfftfreq(SPECTRUM, 1 / RATE), abs(np.fft.rfft(kernels, SPECTRUM, axis=0))


def draw(model: Sequential, examples: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Write a picture of a model to `path`: the kernels, sorted by frequency; their spectra; and
    four of the examples with their labels, each with the outputs of the layer "loudness" below
    it."""
    kernels = to_numpy(model.named_parameters()["tones/kernel"].data)[:, 0]
    hertz, gains = spectra(kernels)
    peaks = hertz[gains.argmax(axis=0)]
    order = peaks.argsort()
    figure = new_figure(13, 8)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 3))
    above, below = right.subfigures(2, 1, height_ratios=(2, 3))
    _draw_kernels(left.subplots(), kernels[:, order], peaks[order])
    _draw_spectra(above.subplots(), hertz, gains[:, order], peaks[order])
    keys = [np.flatnonzero(labels == key)[0] for key in map(KEYS.index, SHOWN) if key in labels]
    loudness = outputs(until(model, "loudness"), examples[keys])[..., order]
    _draw_signals(below, examples[keys], labels[keys], loudness, peaks[order])
    save_figure(figure, path)


def _colours(peaks):
    """A colour for each kernel, that of the nearest tone"""
    return [f"C{abs(np.array(TONES) - peak).argmin()}" for peak in peaks]


def _draw_kernels(panel, kernels, peaks):
    scaled = 0.8 * kernels / abs(kernels).max()
    for number, colour in enumerate(_colours(peaks)):
        curve = number + scaled[:, number]
        panel.plot(MILLISECONDS[:TAPS], curve, color=colour, linewidth=1.2)
    panel.set(title="the sixteen kernels", xlabel="milliseconds", ylim=(-0.9, len(peaks) - 0.1))
    _label_rows(panel, peaks, fontsize=8)


def _draw_spectra(panel, hertz, gains, peaks):
    for number, colour in enumerate(_colours(peaks)):
        panel.plot(hertz, gains[:, number], color=colour, linewidth=1.2)
    for tone in TONES:
        panel.axvline(tone, color="black", linewidth=0.6, linestyle=":")
    title = "their spectra; dotted: the eight tones of a telephone"
    panel.set(title=title, xlim=(400, 2000), yticks=[], xlabel="Hz")
    panel.set_xticks(TONES, TONES, fontsize=8)


def _draw_signals(figure, examples, labels, loudness, peaks):
    """loudness: (signals, positions, kernels)"""
    panels = figure.subplots(2, len(labels), sharex=True, squeeze=False, height_ratios=(1, 3))
    first, last = MILLISECONDS[TAPS // 2], MILLISECONDS[SAMPLES - TAPS // 2]
    image = {
        "extent": (first, last, -0.5, len(peaks) - 0.5),
        "aspect": "auto",
        "origin": "lower",
        "cmap": "magma",
    }
    for column, (above, below) in enumerate(panels.T):
        label = int(labels[column])
        row_tone, column_tone = ROWS[label // len(COLUMNS)], COLUMNS[label % len(COLUMNS)]
        above.plot(MILLISECONDS, examples[column, :, 0], color="0.35", linewidth=0.5)
        above.set(title=f"key {KEYS[label]}: {row_tone} + {column_tone} Hz", yticks=[])
        below.imshow(loudness[column].T, **image)
        below.set(xlabel="milliseconds", xlim=MILLISECONDS[[0, -1]], facecolor="black", yticks=[])
    _label_rows(panels[1, 0], peaks, fontsize=7)


def _label_rows(panel, peaks, fontsize):
    panel.set_yticks(range(len(peaks)), [f"{peak:.0f} Hz" for peak in peaks], fontsize=fontsize)


RECIPE = GeneratedExamples(NETWORK, network, signals, KEYS, draw, for_baselines=8000, for_test=2000)
task, for_report, tested, trained = (RECIPE.task, RECIPE.for_report, RECIPE.tested, RECIPE.trained)
answers = RECIPE.answers
report = classifiers.report
