"""Keys of a telephone, heard over a bad line: signals made with a seed, for a network that hears
which key was pressed.

A key sounds as two tones at once, one for its row and one for its column (ITU-T Q.23, "DTMF"):

    Hz     1209  1336  1477  1633
    697      1     2     3     A
    770      4     5     6     B
    852      7     8     9     C
    941      *     0     #     D

In which phase its tones begin says nothing about a key, so that each sample is above 0 as often as
below, whichever key it is: the mean signal of each is silence, and what adds up the samples learns
next to nothing. It takes filters that answer to a tone in any phase, and something that notices
that they do.
"""

from itertools import product

import numpy as np

from minidl.errors import ArgumentError, brief
from minidl.shapes import is_int

ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # Hz
TONES = ROWS + COLUMNS
KEYS = tuple("123A456B789C*0#D")
RATE, SAMPLES = 4000, 400  # a second; of a signal: a tenth of one
SHORTEST = 0.04  # seconds that a key is held, at least (ITU-T Q.24)
OFF = 0.015  # share by which a tone may be too high or too low (ITU-T Q.24)
TWIST = 6.0  # decibels by which one tone may be louder than the other
NOISE = 0.5, 2.0  # standard deviation, where a tone's amplitude is about 1


def signals(count, seed=0):
    """-> (signals (count, SAMPLES, 1) float32, labels (count,), places in KEYS), all keys as often,
    in random order

    In each: two tones that are off by up to OFF, one up to TWIST louder than the other; from a
    random moment on for a random time; faded in and out, as radio is; the hum of the mains; white
    noise.
    """
    if not (is_int(count) and count >= len(KEYS)):
        raise ArgumentError(
            f"{brief(count)} signals are wanted; wanted at least {len(KEYS)}, one for each key"
        )
    rng, time = np.random.default_rng(seed), np.arange(SAMPLES) / RATE

    def draw(least, most, *shape):
        return rng.uniform(least, most, (count, *(shape or (1,))))

    def wave(hertz):
        return np.sin(2 * np.pi * (hertz * time + draw(0, 1, *hertz.shape[1:])))

    labels = rng.permutation(np.arange(count) % len(KEYS))
    pitch = np.array(list(product(ROWS, COLUMNS)))[labels] * (1 + draw(-OFF, OFF, 2))
    louder = 10 ** (draw(-TWIST, TWIST) / 40)  # half of it up, half of it down
    sound = (wave(pitch[:, :, None]) * np.stack([louder, 1 / louder], axis=1)).sum(axis=1)
    held = draw(SHORTEST, time[-1])
    begun = draw(0, 1) * (time[-1] - held)
    sound = sound * ((time >= begun) & (time <= begun + held))
    sound = sound * (1 + draw(0, 0.5) * wave(draw(3, 15)))
    sound = (
        sound
        + draw(0, 1) * wave(draw(50, 60))
        + draw(*NOISE) * rng.standard_normal((count, SAMPLES))
    )
    return sound[..., None].astype(np.float32), labels
