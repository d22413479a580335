"""When people appear in a sequence of frames."""

import pytest

from minidl.faces.appearances import appearances
from minidl.faces.identification import Match


def match(name, distance):
    return Match(name or "Ann", distance, name is not None)


def test_times_of_successive_frames_are_joined():
    sightings = [
        (0.0, [match("Ann", 0.3)]),
        (0.5, [match("Ann", 0.2), match("Bob", 0.4), match(None, 0.9)]),
        (1.0, []),
        (1.5, [match("Bob", 0.3), match("Ann", 0.4)]),
        (2.5, [match("Bob", 0.45)]),
    ]
    ann, bob, stranger = appearances(sightings)
    assert ann == ("Ann", 3, pytest.approx(0.2), [(0.0, 0.5), (1.5, 1.5)])
    assert bob == ("Bob", 3, pytest.approx(0.3), [(0.5, 0.5), (1.5, 2.5)])
    assert stranger == (None, 1, pytest.approx(0.9), [(0.5, 0.5)])


def test_two_strangers_in_a_frame_count_once():
    [stranger] = appearances([(1.0, [match(None, 0.9), match(None, 0.7)]), (2.0, [match(None, 1)])])
    assert stranger == (None, 2, 0.7, [(1.0, 2.0)])


def test_nobody_is_known_and_nobody_is_seen():
    assert appearances([(0.0, [Match(None, None, False)])]) == [(None, 1, None, [(0.0, 0.0)])]
    assert appearances([(0.0, []), (1.0, [])]) == [] == appearances([])
