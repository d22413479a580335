"""pairing: half of the pairs are of one class, and no example is paired with itself if there is
another one of its class."""

import numpy as np
import pytest

from minidl.data import pairing
from minidl.errors import ArgumentError

LABELS = np.array([3, 1, 3, 1, 1, 9, 3], np.uint8)


def test_all_valid_second_examples_are_equally_likely():
    numbers = np.repeat(np.arange(7), 6000)
    others, same = pairing(LABELS)(np.random.default_rng(0), numbers)
    assert same.sum() == len(numbers) / 2
    for number, label in enumerate(LABELS[:5]):
        for alike in (True, False):
            found = np.bincount(others[(numbers == number) & (same == alike)], minlength=7)
            allowed = (np.arange(7) != number) & ((label == LABELS) == alike)
            assert (found[~allowed] == 0).all()
            assert abs(found[allowed] / found.sum() * allowed.sum() - 1).max() < 0.15


def test_an_example_alone_in_its_class_is_paired_with_itself():
    others, same = pairing(LABELS)(np.random.default_rng(0), np.full(100, 5))
    assert (others[same] == 5).all() and (others[~same] != 5).all()


def test_the_same_seed_gives_the_same_pairs():
    first, second = (pairing(LABELS)(np.random.default_rng(1), np.arange(7)) for _ in range(2))
    assert all(np.array_equal(*arrays) for arrays in zip(first, second, strict=True))


@pytest.mark.parametrize("labels", [np.zeros(4, int), np.full(1, 7), np.zeros(0, int)])
def test_one_class_is_refused(labels):
    with pytest.raises(
        ArgumentError,
        match=f"{len(labels)} examples of one class make no pairs of different ones; take more",
    ):
        pairing(labels)
