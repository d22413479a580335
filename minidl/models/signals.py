"""A network in one dimension: which key of a telephone sounds in a signal.

What a 2-D network does over a picture this one does along a line, with the same layers: an op takes
its rank from what it is given. The example with which Ng's course ends its chapter on convolutions,
14 samples and sixteen kernels of 5 taps, which leave 14 - 5 + 1 = 10 positions, and on top of them
32 more:

>>> rng = np.random.default_rng(0)
>>> example = Sequential(Convolution.new(rng, (5,), 1, 16), Convolution.new(rng, (5,), 16, 32))
>>> [line.shape for line in example.summary((14, 1))]
[(10, 16), (6, 32)]
"""

from functools import partial

import numpy as np

from minidl.layers import AvgPool, BatchNorm, Convolution, Dense, Flatten, MaxPool, ReLU, Sequential
from minidl.layers.initializers import truncated_normal

KERNELS, TAPS = 16, 64
PER_WINDOW = 8


def signal_network(samples, classes, seed=0):
    """(N, samples, 1) -> (N, classes)

    tones       sixteen kernels, long enough to tell two tones apart, and with ReLU
    loudness    the largest of every eight samples: how strong a kernel's tone is, in whatever phase: a radio's detector
    chords      32 of 5 on top: which of them sound together, and ReLU
    whenever    the mean over time

    The first kernels begin small: batch normalization takes their scale away again, and in what
    they become little is left of the noise that they began with.
    """
    rng, small = np.random.default_rng(seed), partial(truncated_normal, std=0.01)
    chords = (samples - TAPS + 1) // PER_WINDOW - 4
    return Sequential(
        {
            "tones": Convolution.new(rng, (TAPS,), 1, KERNELS, bias=False, initializer=small),
            "tones_norm": BatchNorm(KERNELS),
            "tones_relu": ReLU(),
            "loudness": MaxPool(PER_WINDOW),
            "chords": Convolution.new(rng, (5,), KERNELS, 32, bias=False),
            "chords_norm": BatchNorm(32),
            "chords_relu": ReLU(),
            "whenever": AvgPool(chords),
            "flatten": Flatten(),
            "key": Dense.new(rng, 32, classes),
        }
    )
