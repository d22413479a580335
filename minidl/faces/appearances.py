"""When people appear in a sequence of frames."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from minidl.faces.identification import Match


class Appearance(NamedTuple):
    """A person in a sequence of frames."""

    name: str | None  # None for strangers
    frames: int  # how many of the frames show the person
    nearest: float | None  # the smallest distance to the person in these frames
    times: list[tuple[float, float]]  # seconds of the first and the last of successive frames


def appearances(sightings: Iterable[tuple[float, Sequence[Match]]]) -> list[Appearance]:
    """Return the Appearance of each person, in the order in which they appear, strangers last.

    sightings: of each frame that was looked at, in order, the time in seconds and the matches of
    its faces.

    >>> ann, eve = Match("Ann", 0.25, True), Match("Ann", 0.75, False)
    >>> for who in appearances([(0.0, [ann]), (1.0, [ann, eve]), (2.0, []), (3.0, [ann])]):
    ...     print(who.name, who.frames, who.nearest, who.times)
    Ann 3 0.25 [(0.0, 1.0), (3.0, 3.0)]
    None 1 0.75 [(1.0, 1.0)]
    """
    times: dict[str | None, list[tuple[float, float]]] = {}
    frames: dict[str | None, int] = {}
    nearest: dict[str | None, float | None] = {}
    before: set[str | None] = set()
    for seconds, matches in sightings:
        names = {match.name for match in matches}
        for name in dict.fromkeys(match.name for match in matches):
            spans = times.setdefault(name, [])
            begin = spans.pop()[0] if name in before else seconds
            spans.append((begin, seconds))
            frames[name] = frames.get(name, 0) + 1
        for match in matches:
            known = [d for d in (nearest.get(match.name), match.distance) if d is not None]
            nearest[match.name] = min(known, default=None)
        before = names
    order = sorted(times, key=lambda name: name is None)
    return [Appearance(name, frames[name], nearest[name], times[name]) for name in order]
