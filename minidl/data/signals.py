"""Generate signals of telephone keys heard over a bad line, for a network that recognises the key.

A key sounds as two tones, one for its row and one for its column (ITU-T Q.23, "DTMF"):

    Hz     1209  1336  1477  1633
    697      1     2     3     A
    770      4     5     6     B
    852      7     8     9     C
    941      *     0     #     D

The phases of the tones are random, so each sample is as often positive as negative, whichever the
key: the mean signal of each key is zero. A linear classifier of the samples therefore learns next
to nothing. A network needs filters that respond to a tone, and a nonlinearity that makes their
response independent of its phase.
"""

from itertools import product

import numpy as np

from minidl.errors import ArgumentError, brief
from minidl.shapes import is_int
from minidl.typing import Array

ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # Hz
TONES = ROWS + COLUMNS
KEYS = tuple("123A456B789C*0#D")
RATE = 4000  # samples per second
SAMPLES = 400  # of a signal, which lasts a tenth of a second
SHORTEST = 0.04  # seconds; the shortest time that a key is pressed (ITU-T Q.24)
OFF = 0.015  # the largest relative error of a tone's frequency (ITU-T Q.24)
TWIST = 6.0  # decibels; the largest difference between the levels of the two tones
NOISE = 0.5, 2.0  # range of the noise's standard deviation; a tone has an amplitude of about 1


def signals(count: int, seed: int | tuple[int, ...] = 0) -> tuple[Array, Array]:
    """Return signals (count, SAMPLES, 1) float32, and their labels (count,), which index KEYS.

    All keys are equally frequent, in random order. A signal contains two tones with errors of up to
    OFF and a level difference of up to TWIST, pressed for a random time, with fading as on a radio
    link, mains hum and white noise.

    Raises ArgumentError if `count` is no int of at least the number of keys.
    """
    if not (is_int(count) and count >= len(KEYS)):
        raise ArgumentError(
            f"{brief(count)} signals are requested; wanted at least {len(KEYS)}, one for each key"
        )
    rng, time = np.random.default_rng(seed), np.arange(SAMPLES) / RATE

    def draw(low, high, *shape):
        return rng.uniform(low, high, (count, *(shape or (1,))))

    def wave(hertz):
        return np.sin(2 * np.pi * (hertz * time + draw(0, 1, *hertz.shape[1:])))

    labels = rng.permutation(np.arange(count) % len(KEYS))
    pitch = np.array(list(product(ROWS, COLUMNS)))[labels] * (1 + draw(-OFF, OFF, 2))
    # Half of the difference in decibels raises one tone, the other half lowers the other one.
    gain = 10 ** (draw(-TWIST, TWIST) / 40)
    sound = (wave(pitch[:, :, None]) * np.stack([gain, 1 / gain], axis=1)).sum(axis=1)
    duration = draw(SHORTEST, time[-1])
    begin = draw(0, 1) * (time[-1] - duration)
    sound = sound * ((time >= begin) & (time <= begin + duration))
    sound = sound * (1 + draw(0, 0.5) * wave(draw(3, 15)))  # fading
    hum = draw(0, 1) * wave(draw(50, 60))
    noise = draw(*NOISE) * rng.standard_normal((count, SAMPLES))
    sound = sound + hum + noise
    return sound[..., None].astype(np.float32), labels
