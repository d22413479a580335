"""SideBySide: batches of several Batches, resumed together."""

import numpy as np
import pytest

from minidl.data.batches import SideBySide
from minidl.data.identities import IdentityBatches

LABELS = np.repeat(np.arange(6), 5)


def single(seed):
    return IdentityBatches((np.arange(30), LABELS), 3, 5, seed)


def both():
    return SideBySide(single(seed) for seed in (3, 8))


def test_a_batch_contains_one_of_each():
    first, second, together = list(single(3)), list(single(8)), list(both())
    assert len(together) == len(both()) == len(first)
    for a, b, batch in zip(first, second, together, strict=True):
        for found, wanted in zip(batch, (*a, *b), strict=True):
            np.testing.assert_array_equal(found, wanted)
    assert any((batch[0] != batch[2]).any() for batch in together)


def test_an_interrupted_iteration_is_continued():
    batches = both()
    whole = [batch for _ in range(2) for batch in batches]
    stopped = both()
    next(iter(stopped))
    assert stopped.state() == {"epoch": 0, "batch": 1} and stopped.batch == 1
    resumed = both()
    resumed.restore(stopped.state())
    remaining = [batch for _ in range(2) for batch in resumed]
    for found, wanted in zip(remaining, whole[1:], strict=True):
        np.testing.assert_array_equal(np.concatenate(found), np.concatenate(wanted))


def test_other_attributes_are_those_of_the_first():
    assert len(both().arrays[0]) == 30 and both().seed == 3
    with pytest.raises(AttributeError):
        both().nothing  # noqa: B018
