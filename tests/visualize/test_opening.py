"""Opening networks and examples: each network gets its input as in its training."""

import numpy as np
import pytest

from minidl.autograd import Tensor
from minidl.checkpoints import shipped
from minidl.data import to_size, write_image
from minidl.errors import FileError, MinidlError, ShapeError
from minidl.layers import BatchNorm, Convolution, Dense, Flatten, ReLU, Sequential
from minidl.models import vgg19
from minidl.models.embedding import verifier, verifier_on_top
from minidl.models.siamese import siamese
from minidl.models.vgg19_bn import vgg19_bn
from minidl.recipes import cifar10, faces, signals, volumes
from minidl.recipes.siamese import as_input
from minidl.training import save, save_model
from minidl.visualize.opening import open_network, read_for
from tests.random_numbers import begun_anew

RNG = np.random.default_rng(0)
begin = begun_anew(RNG)


def opened(tmp_path, network, model, **settings):
    tree = {"settings": {"network": network, **settings}, "model": model.state()}
    save(tmp_path / "checkpoint.h5", tree)
    return open_network(str(tmp_path))


def last(network, examples):
    name = network.steps[-1].name
    return network.activations(examples, [name])[name]


def outputs(model, examples):
    return model.train(False)(Tensor(examples)).data


def test_vgg19_uses_max_pooling():
    picture = RNG.uniform(0, 255, (1, 20, 24, 3)).astype(np.float32)
    wanted = vgg19(pooling="max").features(picture, ["pool2"])["pool2"]
    for source in ("vgg19", shipped("vgg19")):
        y = open_network(source).activations(picture, ["pool2"])["pool2"]
        assert np.array_equal(y, wanted)


def test_a_network_of_cifar10_gives_the_scores_of_training(tmp_path):
    model = vgg19_bn("8-10", 0.05)
    settings = {"head": "8-10", "width": 0.05, "keep": 0.5, "classes": list(cifar10.CLASSES)}
    settings |= {"mean": cifar10.MEAN, "std": cifar10.STD}
    network = opened(tmp_path, "cifar10", model, **settings)
    pictures = RNG.integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    wanted = cifar10.scores(model, pictures)
    np.testing.assert_allclose(last(network, pictures), wanted, rtol=1e-5, atol=1e-5)
    assert network.size == (32, 32) and network.classes == tuple(cifar10.CLASSES)


def test_a_siamese_network_takes_pictures_in_grey(tmp_path):
    model = siamese()
    network = opened(tmp_path, "siamese", model, keep=0.6)
    digits = RNG.integers(0, 256, (2, 28, 28)).astype(np.uint8)
    pictures = np.repeat(digits[..., None], 3, axis=-1).astype(np.float32)
    wanted = outputs(model, as_input(digits))
    np.testing.assert_allclose(last(network, pictures), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_of_a_program_in_python_is_opened(tmp_path, channels):
    rng, mean, std = np.random.default_rng(0), [100.0] * channels, [50.0] * channels
    model = Sequential(
        Convolution.new(rng, (3, 3), channels, 4), BatchNorm(4), ReLU(), Flatten(),
        Dense.new(rng, 6 * 4 * 4, 2),
    )  # fmt: skip
    shape = (8, 6, channels)
    save_model(tmp_path / "a.h5", model, shape, classes=["cats", "dogs"], mean=mean, std=std)
    network = open_network(tmp_path / "a.h5")
    pictures = RNG.uniform(0, 255, (2, 8, 6, 3)).astype(np.float32)
    seen = pictures if channels == 3 else pictures.mean(axis=-1, keepdims=True)
    wanted = outputs(model, (seen - 100) / 50)
    np.testing.assert_allclose(last(network, pictures), wanted, rtol=1e-4, atol=1e-5)
    assert network.size == (8, 6) and network.classes == ("cats", "dogs")
    assert [step.name for step in network.steps][:2] == ["convolution1", "batchnorm1"]
    assert all(not parameter.requires_grad for parameter in model_parameters(network))


def model_parameters(network):
    return [p for step in network.steps if step.layer for p in step.layer.parameters()]


def test_a_network_of_vectors_of_a_program_is_refused(tmp_path):
    save_model(tmp_path / "a.h5", Sequential(Dense(np.ones((5, 2), np.float32))), (5,))
    with pytest.raises(FileError, match="takes vectors of 5 numbers; wanted one that takes pic"):
        open_network(tmp_path / "a.h5")


@pytest.mark.parametrize("members", [1, 2])
def test_a_network_of_faces_takes_pictures_in_grey(tmp_path, members):
    """Of a committee the first member is opened."""
    shape = *faces.SIZE, 1
    model = verifier(shape, dimensions=4, members=members)
    settings = {"head": "triplet", "on_top": False, "example": list(shape), "dimensions": 4}
    network = opened(tmp_path, "faces", model, **settings, keep=1.0, members=members)
    pictures = RNG.uniform(0, 255, (2, *faces.SIZE, 3)).astype(np.float32)
    wanted = outputs(model, faces.as_input(pictures.mean(axis=-1, keepdims=True)))[:, :4]
    wanted = wanted * members**0.5
    np.testing.assert_allclose(last(network, pictures), wanted, rtol=1e-4, atol=1e-5)
    assert network.size == faces.SIZE


def test_a_network_of_vectors_is_refused(tmp_path):
    settings = {"head": "triplet", "on_top": True, "example": [6], "dimensions": 4}
    settings |= {"members": 1, "keep": 1.0}
    with pytest.raises(FileError, match="takes no pictures"):
        opened(tmp_path, "faces", verifier_on_top(6), **settings)


@pytest.mark.parametrize("recipe", [signals, volumes], ids=["signals", "volumes"])
def test_networks_of_arrays_take_them_unchanged(tmp_path, recipe):
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


def test_pixels_have_gradients_and_parameters_are_frozen(tmp_path):
    network = opened(tmp_path, "siamese", siamese(), keep=0.6)
    x = Tensor(RNG.uniform(0, 255, (1, 28, 28, 3)).astype(np.float32), requires_grad=True)
    last(network, x).sum().backward()
    assert x.grad.any() and np.allclose(x.grad[..., 0], x.grad[..., 2])
    assert all(
        step.layer is None or not any(p.requires_grad for p in step.layer.parameters())
        for step in network.steps
    )


def test_pictures_are_cropped_around_their_centre_or_keep_their_proportions(tmp_path):
    picture = np.zeros((40, 100, 3), np.float32)
    picture[:, 30:70] = 200
    assert (to_size(picture, (10, 10)) == 200).all()
    assert (to_size(picture.swapaxes(0, 1), (8, 8)) == 200).all()
    write_image(tmp_path / "wide.png", picture)
    assert read_for(open_network(), tmp_path / "wide.png", 50).shape == (20, 50, 3)


@pytest.mark.parametrize(
    "contents",
    [b"", b"no network", b"\x89HDF\r\n\x1a\n" + bytes(100)],
    ids=["empty", "text", "truncated"],
)
def test_files_that_are_not_networks_are_refused(tmp_path, contents):
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


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(FileError, match="there is no such network"):
        open_network(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("text", np.array(["a"])),
        ("number", np.float32(3)),
        ("object", np.array([{}], dtype=object)),
    ],
)
def test_arrays_of_other_types_are_refused(tmp_path, name, array):
    np.save(tmp_path / f"{name}.npy", array, allow_pickle=True)
    with pytest.raises(FileError, match=name):
        read_for(open_network(), tmp_path / f"{name}.npy")


@pytest.mark.parametrize("shape", [(20, 3), (20, 20, 1), (8, 8, 8, 3)])
def test_arrays_that_are_not_pictures_are_refused_by_a_network_of_pictures(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    with pytest.raises(ShapeError, match=r"wanted a picture \(H, W, 3\)"):
        read_for(open_network(), tmp_path / "a.npy")


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e300])
def test_numbers_that_are_not_finite_are_refused(tmp_path, number):
    array = np.zeros((4, 4, 3))
    array[1, 2, 0] = number
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(FileError, match=r"a\.npy holds NaN, or numbers"):
        read_for(open_network(), tmp_path / "a.npy")


def test_a_file_of_several_arrays_is_refused(tmp_path):
    with open(tmp_path / "a.npy", "wb") as file:
        np.savez(file, np.zeros((4, 4, 3)))
    with pytest.raises(FileError, match=r"a\.npy is an .npz file of several arrays"):
        read_for(open_network(), tmp_path / "a.npy")


@pytest.mark.parametrize(
    "shape",
    ["(100000000000, 1, 3)", "(" * 1500 + "1" + ")" * 1500, "(20000, 20000, 3)", "(1.0, 1)"],
)
def test_a_header_that_does_not_fit_the_file_is_refused(tmp_path, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    length = len(header).to_bytes(2, "little")
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + length + header + bytes(48))
    too_short = "holds 48 bytes of numbers, but its header says"
    damaged = "is damaged: the header of the array is"
    with pytest.raises(FileError, match=rf"a\.npy ({too_short}|{damaged})"):
        read_for(open_network(), tmp_path / "a.npy")
