"""The networks for signals and volumes: shapes, receptive fields and initial values."""

import numpy as np
import pytest

from minidl.models.signals import signal_network
from minidl.models.volumes import volume_network
from tests.training.small import bytes_of


def test_the_network_of_signals():
    lines = {line.name: line for line in signal_network(400, 16).summary((400, 1))}
    assert lines["tones"].shape == (400 - 64 + 1, 16) and lines["tones"].receptive_field == (64,)
    assert lines["loudness"].shape == (337 // 8, 16)
    assert lines["loudness"].receptive_field == (64 + 7,)
    assert lines["chords"].shape == (42 - 5 + 1, 32)
    assert lines["chords"].receptive_field == (71 + 4 * 8,)
    assert lines["whenever"].shape == (1, 32) and lines["key"].shape == (16,)
    products = 337 * 64 * 16 + 38 * 5 * 16 * 32 + 32 * 16
    assert sum(line.multiply_adds for line in lines.values()) == products


def test_the_network_of_volumes():
    lines = {line.name: line for line in volume_network(16, 6).summary((16, 16, 16, 1))}
    assert lines["surfaces"].shape == (8, 8, 8, 16)
    assert lines["surfaces"].receptive_field == (5, 5, 5)
    assert lines["parts"].shape == (8, 8, 8, 32) and lines["parts"].receptive_field == (9, 9, 9)
    assert lines["pool"].shape == lines["wholes"].shape == (4, 4, 4, 32)
    assert lines["wherever"].shape == (1, 1, 1, 32) and lines["solid"].shape == (6,)
    products = 512 * 125 * 16 + 512 * 27 * 16 * 32 + 64 * 27 * 32 * 32 + 32 * 6
    assert sum(line.multiply_adds for line in lines.values()) == products


@pytest.mark.parametrize(
    "build", [lambda seed: signal_network(400, 16, seed), lambda seed: volume_network(16, 6, seed)]
)
def test_the_seed_determines_the_initial_values(build):
    assert bytes_of(build(1).state()) == bytes_of(build(1).state()) != bytes_of(build(2).state())
    parameters = build(0).named_parameters().items()
    names = [name for name, parameter in parameters if np.ptp(parameter.data) > 0]
    assert all(name.endswith("kernel") for name in names) and len(names) >= 3
