"""Networks from files: each sees of a picture what it was trained to see."""

import numpy as np
import pytest

from minidl.autograd import Tensor
from minidl.checkpoints import shipped
from minidl.data import to_size, write_image
from minidl.errors import FileError, MinidlError, ShapeError
from minidl.models import vgg19
from minidl.models.embedding import verifier, verifier_on_top
from minidl.models.siamese import siamese
from minidl.models.vgg19_bn import vgg19_bn
from minidl.recipes import cifar10, faces, signals, volumes
from minidl.recipes.siamese import as_input
from minidl.training import save
from minidl.visualize.opening import open_network, read_for
from tests.random_numbers import begun_anew

RNG = np.random.default_rng(0)
begin = begun_anew(RNG)


def opened(tmp_path, network, model, **settings):
    save(
        tmp_path / "checkpoint.h5",
        {"settings": {"network": network, **settings}, "model": model.state()},
    )
    return open_network(str(tmp_path))


def last(network, examples):
    name = network.steps[-1].name
    return network.activations(examples, [name])[name]


def outputs(model, examples):
    return model.train(False)(Tensor(examples)).data


def test_vgg19_pools_by_the_maximum():
    picture = RNG.uniform(0, 255, (1, 20, 24, 3)).astype(np.float32)
    wanted = vgg19(pooling="max").features(picture, ["pool2"])["pool2"]
    for source in ("vgg19", shipped("vgg19")):
        assert np.array_equal(open_network(source).activations(picture, ["pool2"])["pool2"], wanted)


def test_a_network_of_cifar10_sees_pixels_as_in_training(tmp_path):
    model = vgg19_bn("8-10", 0.05)
    network = opened(
        tmp_path, "cifar10", model, head="8-10", width=0.05, keep=0.5, classes=list(cifar10.CLASSES), mean=cifar10.MEAN,
        std=cifar10.STD,
    )  # fmt: skip
    pictures = RNG.integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    np.testing.assert_allclose(
        last(network, pictures), cifar10.scores(model, pictures), rtol=1e-5, atol=1e-5
    )
    assert network.size == (32, 32) and network.classes == tuple(cifar10.CLASSES)


def test_a_siamese_network_sees_the_grey_of_a_picture(tmp_path):
    model = siamese()
    network = opened(tmp_path, "siamese", model, keep=0.6)
    digits = RNG.integers(0, 256, (2, 28, 28)).astype(np.uint8)
    pictures = np.repeat(digits[..., None], 3, axis=-1).astype(np.float32)
    np.testing.assert_allclose(
        last(network, pictures), outputs(model, as_input(digits)), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("members", [1, 2])
def test_a_network_of_faces_sees_the_mean_of_the_colours(tmp_path, members):
    """Of a committee the first member is looked into"""
    model = verifier((*faces.SIZE, 1), dimensions=4, members=members)
    settings = {
        "head": "triplet",
        "on_top": False,
        "example": [*faces.SIZE, 1],
        "dimensions": 4,
        "keep": 1.0,
    }
    settings["members"] = members
    network = opened(tmp_path, "faces", model, **settings)
    pictures = RNG.uniform(0, 255, (2, *faces.SIZE, 3)).astype(np.float32)
    wanted = outputs(model, faces.as_input(pictures.mean(axis=-1, keepdims=True)))[:, :4]
    wanted = wanted * members**0.5
    np.testing.assert_allclose(last(network, pictures), wanted, rtol=1e-4, atol=1e-5)
    assert network.size == faces.SIZE


def test_a_network_on_top_of_another_sees_no_pictures(tmp_path):
    settings = {
        "head": "triplet",
        "on_top": True,
        "example": [6],
        "dimensions": 4,
        "members": 1,
        "keep": 1.0,
    }
    with pytest.raises(FileError, match="sees no pictures"):
        opened(tmp_path, "faces", verifier_on_top(6), **settings)


@pytest.mark.parametrize("recipe", [signals, volumes], ids=["signals", "volumes"])
def test_networks_of_arrays_take_them_as_they_are(tmp_path, recipe):
    model = recipe.network(seed=3)
    network = opened(tmp_path, recipe.NETWORK, model)
    example = RNG.standard_normal((*network.size, 1)).astype(np.float32)
    np.testing.assert_array_equal(last(network, example[None]), outputs(model, example[None]))
    np.save(tmp_path / "one.npy", example)
    np.testing.assert_array_equal(read_for(network, tmp_path / "one.npy"), example)
    np.save(tmp_path / "short.npy", example[:-1])
    with pytest.raises(ShapeError, match="the network takes"):
        read_for(network, tmp_path / "short.npy")
    with pytest.raises(ShapeError, match="takes no pictures"):
        read_for(network, tmp_path / "picture.png")


def test_the_pixels_have_a_gradient(tmp_path):
    network = opened(tmp_path, "siamese", siamese(), keep=0.6)
    x = Tensor(RNG.uniform(0, 255, (1, 28, 28, 3)).astype(np.float32), requires_grad=True)
    last(network, x).sum().backward()
    assert x.grad.any() and np.allclose(x.grad[..., 0], x.grad[..., 2])
    assert all(
        step.layer is None or not any(p.requires_grad for p in step.layer.parameters())
        for step in network.steps
    )


def test_a_picture_is_cut_to_the_proportions_that_are_wanted(tmp_path):
    picture = np.zeros((40, 100, 3), np.float32)
    picture[:, 30:70] = 200
    assert (to_size(picture, (10, 10)) == 200).all()
    assert (to_size(picture.swapaxes(0, 1), (8, 8)) == 200).all()
    write_image(tmp_path / "wide.png", picture)
    assert read_for(open_network(), tmp_path / "wide.png", 50).shape == (20, 50, 3)


@pytest.mark.parametrize(
    "contents",
    [b"", b"no network", b"\x89HDF\r\n\x1a\n" + bytes(100)],
    ids=["empty", "text", "cut off"],
)
def test_what_is_no_network_is_refused(tmp_path, contents):
    (tmp_path / "checkpoint.h5").write_bytes(contents)
    with pytest.raises(MinidlError):
        open_network(tmp_path)


@pytest.mark.parametrize(
    "tree",
    [{}, {"settings": {"network": "other"}}, {"settings": 3}, {"settings": {"network": [1]}}],
)
def test_checkpoints_of_other_networks_are_refused(tmp_path, tree):
    save(tmp_path / "checkpoint.h5", tree)
    with pytest.raises(FileError, match="wanted one of cifar10, siamese, faces"):
        open_network(tmp_path)
    with pytest.raises(FileError, match="there is no such network"):
        open_network(tmp_path / "elsewhere")


def test_what_is_no_array_is_refused(tmp_path):
    network = open_network()
    for name, array in (
        ("text", np.array(["a"])),
        ("number", np.float32(3)),
        ("object", np.array([{}], dtype=object)),
    ):
        np.save(tmp_path / f"{name}.npy", array, allow_pickle=True)
        with pytest.raises(FileError, match=name):
            read_for(network, tmp_path / f"{name}.npy")


@pytest.mark.parametrize("shape", [(20, 3), (20, 20, 1), (8, 8, 8, 3)])
def test_arrays_that_are_no_pictures_are_refused_where_pictures_are_wanted(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    with pytest.raises(ShapeError, match=r"wanted a picture \(H, W, 3\)"):
        read_for(open_network(), tmp_path / "a.npy")


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e300])
def test_numbers_that_are_none_are_refused(tmp_path, number):
    array = np.zeros((4, 4, 3))
    array[1, 2, 0] = number
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(FileError, match=r"a\.npy holds NaN, or numbers"):
        read_for(open_network(), tmp_path / "a.npy")


def test_several_arrays_in_the_place_of_one_are_refused(tmp_path):
    with open(tmp_path / "a.npy", "wb") as file:
        np.savez(file, np.zeros((4, 4, 3)))
    with pytest.raises(FileError, match=r"a\.npy is an .npz file of several arrays"):
        read_for(open_network(), tmp_path / "a.npy")


@pytest.mark.parametrize(
    "shape",
    ["(100000000000, 1, 3)", "(" * 1500 + "1" + ")" * 1500, "(20000, 20000, 3)", "(1.0, 1)"],
)
def test_an_array_with_a_header_of_more_numbers_than_the_file(tmp_path, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    (tmp_path / "a.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(48)
    )
    with pytest.raises(
        FileError,
        match=r"a\.npy (holds 48 bytes of numbers, but its header says|is damaged: the header of the array is)",
    ):
        read_for(open_network(), tmp_path / "a.npy")
