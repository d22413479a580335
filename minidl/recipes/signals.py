"""Keys of a telephone: a 1-D network hears which one was pressed, and its first kernels become a
bank of filters."""

import numpy as np

from minidl.backend import to_numpy
from minidl.data.signals import COLUMNS, KEYS, RATE, ROWS, SAMPLES, TONES, signals
from minidl.models.signals import TAPS, signal_network
from minidl.plots import new_figure, save_figure
from minidl.recipes import classifiers
from minidl.recipes.classifiers import Trained, classifier, until
from minidl.training.outputs import outputs
from minidl.training.trained import opened

NETWORK = "signals"
PRESETS = {
    "original": {
        "examples": 8000, "learning_rate": 0.003, "schedule": "one-cycle", "epochs": 6, "batch": 64, "clip": None,
    },
    "fast": {
        "examples": 8000, "learning_rate": 0.003, "schedule": "one-cycle", "epochs": 3, "batch": 64, "clip": None,
    },
}  # fmt: skip
SCHEDULES = classifiers.SCHEDULES
KNOWN, TESTED = 8000, 2000
SHOWN = "1", "6", "8", "D"  # a key of each row and of each column
FINE = 4096  # numbers that a kernel is filled up to, for a spectrum that is smooth
MILLISECONDS = np.arange(SAMPLES) * 1000 / RATE


def task(folder=None, *, seed=0, **settings):
    """The Task of training on signals that are made with the seed. settings: those of a preset."""
    return classifier(NETWORK, network(seed), signals, KEYS, draw, seed=seed, **settings)


def network(seed=0):
    return signal_network(SAMPLES, len(KEYS), seed)


def for_report(folder=None):
    """What `report` reads: signals for its baselines to learn from, and the test set"""
    return signals(KNOWN, classifiers.KNOWN), tested()


def tested():
    """The test set"""
    return signals(TESTED, classifiers.TESTED)


report = classifiers.report  # {what: number} on the test set


def trained(path):
    """A Trained from a checkpoint of this task, perhaps a stranger's. Raises FileError where it is
    of anything else."""
    with opened(path, NETWORK) as (_, state):
        return Trained(network().restore(state).train(False), KEYS)


def spectra(kernels):
    """(TAPS, K) -> (frequencies in Hz, how much each kernel lets through of them (frequencies,
    K))"""
    return np.fft.rfftfreq(FINE, 1 / RATE), abs(np.fft.rfft(kernels, FINE, axis=0))


def draw(model, examples, labels, path):
    """The kernels, from low to high; what each lets through; and four keys, with the kernels'
    loudness beneath them"""
    kernels = to_numpy(model.layers["tones"].kernel.data)[:, 0]
    hertz, passed = spectra(kernels)
    peaks = hertz[passed.argmax(axis=0)]
    order = peaks.argsort()
    figure, axes = new_figure(13, 8)
    axes.remove()
    left, right = figure.subfigures(1, 2, width_ratios=(1, 3))
    above, below = right.subfigures(2, 1, height_ratios=(2, 3))
    curves, response = left.subplots(), above.subplots()
    for place, number in enumerate(order):
        colour = f"C{abs(np.array(TONES) - peaks[number]).argmin()}"  # of the nearest tone
        curves.plot(
            MILLISECONDS[:TAPS],
            place + 0.8 * kernels[:, number] / abs(kernels).max(),
            color=colour,
            linewidth=1.2,
        )
        response.plot(hertz, passed[:, number], color=colour, linewidth=1.2)
    curves.set(title="the sixteen kernels", xlabel="milliseconds", ylim=(-0.9, len(order) - 0.1))
    curves.set_yticks(
        range(len(order)), [f"{peaks[number]:.0f} Hz" for number in order], fontsize=8
    )
    for tone in TONES:
        response.axvline(tone, color="black", linewidth=0.6, linestyle=":")
    response.set(
        title="what they let through; dotted: the eight tones of a telephone",
        xlim=(400, 2000),
        yticks=[],
        xlabel="Hz",
    )
    response.set_xticks(TONES, TONES, fontsize=8)
    shown = [
        np.flatnonzero(labels == label)[0] for label in map(KEYS.index, SHOWN) if label in labels
    ]
    loudness = outputs(until(model, "loudness"), examples[shown])
    panels = below.subplots(2, len(shown), sharex=True, squeeze=False, height_ratios=(1, 3))
    begin, end = MILLISECONDS[TAPS // 2], MILLISECONDS[SAMPLES - TAPS // 2]
    for number, loud, (signal, heard) in zip(shown, loudness, panels.T, strict=True):
        row, column = divmod(int(labels[number]), len(COLUMNS))
        signal.plot(MILLISECONDS, examples[number, :, 0], color="0.35", linewidth=0.5)
        signal.set(
            title=f"key {KEYS[labels[number]]}: {ROWS[row]} + {COLUMNS[column]} Hz", yticks=[]
        )
        heard.imshow(
            loud.T[order],
            extent=(begin, end, -0.5, len(order) - 0.5),
            aspect="auto",
            origin="lower",
            cmap="magma",
        )
        heard.set(xlabel="milliseconds", xlim=MILLISECONDS[[0, -1]], facecolor="black", yticks=[])
    panels[1, 0].set_yticks(
        range(len(order)), [f"{peaks[number]:.0f} Hz" for number in order], fontsize=7
    )
    save_figure(figure, path)
