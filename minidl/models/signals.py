"""A network in one dimension, which recognises the key of a telephone from the sound of its tones.

It consists of the same layers as a network for pictures, because an op infers the number of spatial
axes from its input. Ng's course ends its chapter on convolutions with an example: 14 samples and
sixteen kernels of 5 taps give 14 - 5 + 1 = 10 positions, on which 32 more kernels follow.

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


def signal_network(samples: int, classes: int, seed: int = 0) -> Sequential:
    """Return the network (N, samples, 1) -> (N, classes), which computes logits.

    tones       16 kernels of 64 taps, long enough to distinguish two tones; ReLU
    loudness    max-pooling over 8 samples: the amplitude of a kernel's tone at any phase, as in an
                envelope detector
    chords      32 kernels of 5 taps: which tones sound together; ReLU
    whenever    the mean over time

    The first kernels have small initial values. Batch normalization removes their scale, and the
    trained kernels contain little of the initial noise.
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
