"""Batches of P people with K pictures: their contents, and how they depend on the seed."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.data.identities import IdentityBatches
from minidl.errors import ArgumentError


def batches(counts, people, pictures, seed=0, **options):
    """Return batches of `counts` pictures of each person, in random order, and their labels. Each
    picture is its own number."""
    labels = np.random.default_rng(9).permutation(np.repeat(np.arange(len(counts)) * 3, counts))
    return IdentityBatches(
        (np.arange(len(labels)), labels), people, pictures, seed, **options
    ), labels


@given(
    counts=st.lists(st.integers(1, 11), min_size=2, max_size=7),
    people=st.integers(2, 8),
    pictures=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_batches_contain_p_people_and_epochs_all_pictures(counts, people, pictures, seed):
    made, labels = batches(counts, people, pictures, seed, prefetch=0)
    for _ in range(2):
        epoch = list(made)
        assert len(epoch) == len(made)
        all_numbers = np.concatenate([numbers for numbers, _ in epoch])
        assert set(all_numbers.tolist()) == set(range(len(labels)))
        for numbers, batch_labels in epoch:
            assert (labels[numbers] == batch_labels).all()
            assert len(set(numbers.tolist())) == len(numbers)
            sizes = Counter(batch_labels.tolist())
            assert len(sizes) == min(people, len(counts))
            assert all(n == min(pictures, counts[person // 3]) for person, n in sizes.items())
    groups = [-(-count // pictures) for count in counts]
    assert len(made) == max(*groups, -(-sum(groups) // min(people, len(counts))))


def test_an_epoch_of_the_orl_faces():
    """30 people with 10 pictures give 60 groups of 5, and 6 batches of 10 groups. Each picture
    occurs once."""
    made, _ = batches([10] * 30, 10, 5)
    epoch = list(made)
    assert len(epoch) == 6 and all(len(numbers) == 50 for numbers, _ in epoch)
    assert set(Counter(np.concatenate([numbers for numbers, _ in epoch]).tolist()).values()) == {1}


def test_the_batches_depend_on_the_seed():
    def numbers(seed):
        return [numbers.tolist() for numbers, _ in batches([4, 6, 5, 9], 3, 2, seed)[0]]

    assert numbers(1) == numbers(1)
    assert numbers(1) != numbers(2)
    made, _ = batches([4, 6, 5, 9], 3, 2)
    assert [n.tolist() for n, _ in made] != [n.tolist() for n, _ in made]  # each epoch differs


def test_an_interrupted_epoch_is_continued():
    def change(rng, numbers, labels):
        return numbers + rng.random(len(numbers)), labels

    whole, part, resumed = (batches([4, 6, 5, 9], 3, 2, transform=change)[0] for _ in range(3))
    wanted = [numbers.tolist() for _ in range(2) for numbers, _ in whole]
    for count, _ in enumerate(part, 1):
        if count == 2:
            break
    resumed.restore(part.state())
    assert [numbers.tolist() for _ in range(2) for numbers, _ in resumed] == wanted[2:]


@pytest.mark.parametrize(
    ("counts", "people", "pictures", "words"),
    [
        ([5], 2, 2, "5 pictures of one person make no triplets"),
        ([5, 5], 1, 2, "the people of a batch are 1; wanted a whole number of at least 2"),
        ([5, 5], 2, 1, "the pictures of a batch are 1; wanted a whole number of at least 2"),
        ([5, 5], 2, 2.5, "the pictures of a batch are 2.5"),
    ],
)
def test_invalid_arguments_are_refused(counts, people, pictures, words):
    with pytest.raises(ArgumentError, match=words):
        batches(counts, people, pictures)
