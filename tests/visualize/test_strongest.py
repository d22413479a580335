"""The search in one pass, compared with a search that keeps all activations."""

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
    """An album of arrays: the parts of each picture, or None for a damaged one"""

    def __init__(self, pictures):
        self.pictures = pictures

    def __len__(self):
        return len(self.pictures)

    def read(self, number):
        if self.pictures[number] is None:
            raise FileError(f"picture {number} is damaged")
        return self.pictures[number]


def album(count, parts=1, levels=None):
    """Return an Album of random pictures. levels: the number of different pixels; a small number
    causes equal activations."""

    def picture():
        shape = 8, 6, 3
        pixels = RNG.integers(0, levels, shape) if levels else RNG.uniform(0, 255, shape)
        return pixels.astype(np.float32)

    return Album([[picture() for _ in range(parts)] for _ in range(count)])


def brute_force(network, pictures, layer, channel, count):
    """Return the Hits: the least (-value, file, part, position) of each file, sorted."""
    least = []
    for number in range(len(pictures)):
        activations = []
        for part, picture in enumerate(pictures.read(number)):
            values = to_numpy(network.activations(picture[None], [layer])[layer])[0, ..., channel]
            positions = np.ndindex(values.shape)
            activations += [(-values[position], number, part, position) for position in positions]
        least.append(min(activations))
    return [
        Hit(float(-negated), (number, part), position)
        for negated, number, part, position in sorted(least)[:count]
        if negated < 0
    ]


@pytest.mark.parametrize(
    "pictures",
    [album(40), album(40, levels=3), album(13, parts=4, levels=3), album(4), album(1, parts=3)],
    ids=["pictures", "ties", "ties of parts", "fewer than nine", "one file of parts"],
)
@pytest.mark.parametrize("together", [1, 3, 1000])
def test_the_search_finds_the_hits_of_brute_force(monkeypatch, pictures, together):
    monkeypatch.setattr(searching, "NUMBERS_AT_ONCE", together * 8 * 6 * 3)
    network = tiny.two_convolutions()
    by_layer = strongest(network, pictures, ["near", "far_relu"])
    for layer, channels in (("near", 6), ("far_relu", 8)):
        for channel in range(channels):
            wanted = brute_force(network, pictures, layer, channel, 9)
            hits = by_layer[layer].hits(channel)
            assert [hit[1:] for hit in hits] == [hit[1:] for hit in wanted]
            values = [hit.value for hit in hits]
            np.testing.assert_allclose(values, [hit.value for hit in wanted], rtol=1e-5)


def test_of_equal_activations_the_first_picture_part_and_position_count():
    pictures = Album([[np.full((4, 4, 3), 7, np.float32)] * 2 for _ in range(12)])
    hits = strongest(tiny.colours(), pictures, ["relu"])["relu"].hits(0)
    assert [hit.picture for hit in hits] == [(number, 0) for number in range(9)]
    assert {hit.position for hit in hits} == {(0, 0)}


def test_silent_channels_have_no_hits():
    search = strongest(tiny.colours(), album(5), ["relu"])["relu"]
    assert search.silent() == [3] and search.hits(3) == []
    search = strongest(tiny.colours(bias=-2.0), album(5), ["colours"])["colours"]
    assert search.silent() == [0, 1, 2, 3]


@pytest.mark.parametrize("channel", [-1, 4])
def test_a_channel_that_the_layer_does_not_have_is_refused(channel):
    search = strongest(tiny.colours(), album(5), ["relu"])["relu"]
    with pytest.raises(ArgumentError, match=f"no channel {channel} among 4"):
        search.hits(channel)


def test_the_memory_does_not_grow():
    search = Strongest(9)
    for first in range(0, 300, 5):
        search.take(RNG.uniform(size=(5, 3, 3, 2)), [(first + n, 0) for n in range(5)])
        arrays = [value for value in vars(search).values() if isinstance(value, np.ndarray)]
        assert sum(array.size for array in arrays) <= 9 * 2 * 4 + 2


def test_selective_channels_exceed_their_mean():
    search = Strongest(3)
    activations = np.array([[5.0, 9.0, 0.0], [5.0, 9.0, 0.0], [5.0, 1.0, 0.0], [5.0, 1.0, 9.0]])
    search.take(activations, [(number, 0) for number in range(4)])
    # median - mean of each channel: 0, 4, -2.25
    assert search.most_selective(3) == [1, 0, 2]


def test_hits_of_layers_without_positions():
    pictures = Album([[np.full((4, 4, 3), n, np.float32)] for n in (3, 9, 5)])
    search = strongest(tiny.classifier(4, ("dim", "bright")), pictures, ["scores"])["scores"]
    files = [(hit.picture[0], hit.position) for hit in search.hits(1)]
    assert files == [(1, ()), (2, ()), (0, ())]


def test_damaged_pictures_are_skipped():
    pictures, refused = album(6), []
    without = Album([parts for n, parts in enumerate(pictures.pictures) if n != 2])
    wanted = strongest(tiny.colours(), without, ["relu"])["relu"].values
    pictures.pictures[2] = None
    search = strongest(tiny.colours(), pictures, ["relu"], refuse=refused.append)["relu"]
    np.testing.assert_array_equal(search.values, wanted)
    assert list(map(str, refused)) == ["picture 2 is damaged"]
    with pytest.raises(FileError, match="damaged"):
        strongest(tiny.colours(), pictures, ["relu"])
    with pytest.raises(FileError, match="none of the files is a picture"):
        strongest(tiny.colours(), Album([None, None]), ["relu"], refuse=refused.append)


@pytest.mark.parametrize("place", GPUS)
def test_values_on_a_gpu_are_those_of_the_cpu(place):
    pictures = album(12)

    def values():
        return strongest(tiny.two_convolutions(), pictures, ["far_relu"])["far_relu"].values

    on_cpu = values()
    with at(place):
        on_gpu = values()
    np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-4, atol=1e-6)


def test_folders_are_read_in_the_order_of_their_paths_without_hidden_files(tmp_path):
    for name in ("b/2.png", "a.png", "b/1.jpg", ".hidden.png", ".git/x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_image(tmp_path / name, np.full((6, 9, 3), 100.0))
    (tmp_path / "b" / "README.md").write_text("about the pictures")
    folder = Folder(tmp_path, (4, 4))
    assert list(map(str, folder.names)) == ["a.png", "b/1.jpg", "b/2.png"]
    assert [part.shape for part in folder.read(1)] == [(4, 4, 3)]
    without = Folder(tmp_path, (4, 4), without=tmp_path / "b" / ".." / "a.png")
    assert list(map(str, without.names)) == ["b/1.jpg", "b/2.png"]


def test_folders_that_do_not_exist_or_have_no_pictures_are_refused(tmp_path):
    write_image(tmp_path / "x.png", np.full((6, 9, 3), 100.0))
    (tmp_path / "empty").mkdir()
    names = {"none": "no folder", "x.png": "no folder", "empty": "no pictures"}
    for name, message in names.items():
        with pytest.raises(FileError, match=message):
            Folder(tmp_path / name, (4, 4))


def test_tiles_are_adjacent_and_around_the_centre(tmp_path):
    picture = RNG.integers(0, 256, (11, 9, 3)).astype(np.float32)
    write_image(tmp_path / "a.png", picture)
    parts = Folder(tmp_path, (4, 4), tiles=True).read(0)
    np.testing.assert_array_equal(
        parts, [picture[y : y + 4, x : x + 4] for y in (1, 5) for x in (0, 4)]
    )
    assert len(Folder(tmp_path, (12, 4), tiles=True).read(0)) == 1  # smaller than a tile


def test_pictures_of_data_sets_are_rgb():
    [part] = DataSet(np.arange(32, dtype=np.uint8).reshape(2, 4, 4)).read(1)
    assert part.shape == (4, 4, 3) and part.dtype == np.float32 and (part[0, 0] == 16).all()
    assert DataSet(np.zeros((1, 4, 4, 3), np.uint8), (2, 2)).read(0)[0].shape == (2, 2, 3)


def test_parts_are_counted_from_the_sizes_of_the_files(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((11, 9, 3)))
    write_image(tmp_path / "b.png", np.zeros((3, 30, 3)))
    (tmp_path / "c.png").write_text("no picture")
    assert Folder(tmp_path, (4, 4), tiles=True).count_parts() == 2 * 2 + 1
    assert Folder(tmp_path, (4, 4)).count_parts() == 3
    assert DataSet(np.zeros((5, 4, 4))).count_parts() == 5
