"""The search in one pass, against one that keeps everything."""

import numpy as np
import pytest

from minidl.backend import to_numpy
from minidl.data import write_image
from minidl.errors import ArgumentError, FileError
from minidl.visualize import strongest as searching
from minidl.visualize.albums import DataSet, Folder
from minidl.visualize.strongest import Hit, Strongest, strongest
from tests.devices import GPUS, at
from tests.random_numbers import begun_anew
from tests.visualize import tiny

RNG = np.random.default_rng(0)
begin = begun_anew(RNG)


class Album:
    """Pictures in parts, all given"""

    def __init__(self, pictures):
        self.pictures = pictures

    def __len__(self):
        return len(self.pictures)

    def read(self, number):
        if self.pictures[number] is None:
            raise FileError(f"picture {number} is damaged")
        return self.pictures[number]


def album(count, parts=1, levels=None):
    """levels: so few numbers that there are ties"""
    draw = (
        (lambda shape: RNG.integers(0, levels, shape))
        if levels
        else (lambda shape: RNG.uniform(0, 255, shape))
    )
    return Album([[draw((8, 6, 3)).astype(np.float32) for _ in range(parts)] for _ in range(count)])


def brute_force(network, pictures, layer, channel, count):
    """Every activation of every picture, sorted by (-value, file, part, position)"""
    found = []
    for number in range(len(pictures)):
        everywhere = []
        for part, picture in enumerate(pictures.read(number)):
            values = to_numpy(network.activations(picture[None], [layer])[layer])[0, ..., channel]
            everywhere += [(-values[at], number, part, at) for at in np.ndindex(values.shape)]
        found.append(min(everywhere))
    return [
        Hit(float(-value), (number, part), at)
        for value, number, part, at in sorted(found)[:count]
        if value < 0
    ]


@pytest.mark.parametrize(
    "pictures",
    [album(40), album(40, levels=3), album(13, parts=4, levels=3), album(4), album(1, parts=3)],
    ids=["pictures", "ties", "ties of parts", "fewer than nine", "one in parts"],
)
@pytest.mark.parametrize("together", [1, 3, 1000])
def test_the_strongest_are_those_of_a_search_by_brute_force(monkeypatch, pictures, together):
    monkeypatch.setattr(searching, "NUMBERS_AT_ONCE", together * 8 * 6 * 3)
    network = tiny.two_convolutions()
    found = strongest(network, pictures, ["near", "far_relu"])
    for layer, channels in (("near", 6), ("far_relu", 8)):
        for channel in range(channels):
            wanted = brute_force(network, pictures, layer, channel, 9)
            hits = found[layer].hits(channel)
            assert [hit[1:] for hit in hits] == [hit[1:] for hit in wanted]
            np.testing.assert_allclose(
                [hit.value for hit in hits], [hit.value for hit in wanted], rtol=1e-5
            )


def test_ties_go_to_the_earlier_picture_part_and_position():
    pictures = Album([[np.full((4, 4, 3), 7, np.float32)] * 2 for _ in range(12)])
    found = strongest(tiny.colours(), pictures, ["relu"])["relu"]
    assert [hit.picture for hit in found.hits(0)] == [(number, 0) for number in range(9)]
    assert {hit.position for hit in found.hits(0)} == {(0, 0)}


def test_units_that_never_fire_are_told():
    found = strongest(tiny.colours(), album(5), ["relu"])["relu"]
    assert found.silent() == [3] and found.hits(3) == []
    assert strongest(tiny.colours(bias=-2.0), album(5), ["colours"])["colours"].silent() == [
        0,
        1,
        2,
        3,
    ]
    with pytest.raises(ArgumentError, match="no channel 4 among 4"):
        found.hits(4)


def test_what_is_kept_does_not_grow():
    found = Strongest(9)
    for number in range(60):
        found.take(RNG.uniform(size=(5, 3, 3, 2)), [(5 * number + each, 0) for each in range(5)])
        assert (
            sum(value.size for value in vars(found).values() if isinstance(value, np.ndarray))
            <= 9 * 2 * 4 + 2
        )


def test_the_choosiest_stand_out_from_the_mean():
    found = Strongest(3)
    # pictures, channels
    firing = np.array([[5.0, 9.0, 0.0], [5.0, 9.0, 0.0], [5.0, 1.0, 0.0], [5.0, 1.0, 9.0]])
    found.take(firing, [(number, 0) for number in range(4)])
    assert found.choosiest(3) == [1, 0, 2]  # the second best of channel 2 is 0, and the mean more


def test_layers_without_positions():
    found = strongest(
        tiny.classifier(4, ("dim", "bright")),
        Album([[np.full((4, 4, 3), n, np.float32)] for n in (3, 9, 5)]),
        ["scores"],
    )
    assert [(hit.picture[0], hit.position) for hit in found["scores"].hits(1)] == [
        (1, ()),
        (2, ()),
        (0, ()),
    ]


def test_damaged_pictures_are_passed_over():
    pictures, refused = album(6), []
    whole = strongest(
        tiny.colours(),
        Album([each for n, each in enumerate(pictures.pictures) if n != 2]),
        ["relu"],
    )["relu"]
    pictures.pictures[2] = None
    found = strongest(tiny.colours(), pictures, ["relu"], refuse=refused.append)["relu"]
    np.testing.assert_array_equal(found.values, whole.values)
    assert list(map(str, refused)) == ["picture 2 is damaged"]
    with pytest.raises(FileError, match="damaged"):
        strongest(tiny.colours(), pictures, ["relu"])
    with pytest.raises(FileError, match="none of the files is a picture"):
        strongest(tiny.colours(), Album([None, None]), ["relu"], refuse=refused.append)


@pytest.mark.parametrize("place", GPUS)
def test_the_same_on_a_gpu(place):
    pictures = album(12)
    here = strongest(tiny.two_convolutions(), pictures, ["far_relu"])["far_relu"]
    with at(place):
        there = strongest(tiny.two_convolutions(), pictures, ["far_relu"])["far_relu"]
    np.testing.assert_allclose(there.values, here.values, rtol=1e-4, atol=1e-6)


def test_folders_are_walked_in_the_order_of_their_paths(tmp_path):
    for name in ("b/2.png", "a.png", "b/1.jpg", ".hidden.png", ".git/x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_image(tmp_path / name, np.full((6, 9, 3), 100.0))
    (tmp_path / "b" / "README.md").write_text("about the pictures")
    found = Folder(tmp_path, (4, 4))
    assert list(map(str, found.names)) == ["a.png", "b/1.jpg", "b/2.png"]
    assert list(
        map(str, Folder(tmp_path, (4, 4), without=tmp_path / "b" / ".." / "a.png").names)
    ) == ["b/1.jpg", "b/2.png"]
    assert [part.shape for part in found.read(1)] == [(4, 4, 3)]
    for folder, said in (
        (tmp_path / "none", "no folder"),
        (tmp_path / ".git" / "x.png", "no folder"),
    ):
        with pytest.raises(FileError, match=said):
            Folder(folder, (4, 4))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="no pictures"):
        Folder(tmp_path / "empty", (4, 4))


def test_tiles_lie_beside_each_other_around_the_middle(tmp_path):
    picture = RNG.integers(0, 256, (11, 9, 3)).astype(np.float32)
    write_image(tmp_path / "a.png", picture)
    parts = Folder(tmp_path, (4, 4), tiles=True).read(0)
    np.testing.assert_array_equal(
        parts, [picture[y : y + 4, x : x + 4] for y in (1, 5) for x in (0, 4)]
    )
    assert len(Folder(tmp_path, (12, 4), tiles=True).read(0)) == 1  # too small for a whole one


def test_data_sets_are_given_as_rgb():
    [part] = DataSet(np.arange(32, dtype=np.uint8).reshape(2, 4, 4)).read(1)
    assert part.shape == (4, 4, 3) and part.dtype == np.float32 and (part[0, 0] == 16).all()
    assert DataSet(np.zeros((1, 4, 4, 3), np.uint8), (2, 2)).read(0)[0].shape == (2, 2, 3)
