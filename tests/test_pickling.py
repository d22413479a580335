"""Networks, Tensors and optimisers can be pickled and deep-copied, also after they were used."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from minidl import Tensor, layers
from minidl.checkpoints import Preprocessing
from minidl.frozen import is_frozen
from minidl.models import face_detector, face_landmarks, face_recognition
from minidl.models.embedding import verifier
from minidl.models.signals import signal_network
from minidl.models.vgg19 import BLOCKS, VGG19
from minidl.models.vgg19_bn import vgg19_bn
from minidl.models.volumes import volume_network
from minidl.optim import LBFGS, SGD, Adam, Cosine, Warmup

COPIES = {"pickle": lambda value: pickle.loads(pickle.dumps(value)), "deepcopy": copy.deepcopy}
PICTURE = np.random.default_rng(0).uniform(0, 255, (32, 32, 3)).astype(np.float32)


@pytest.fixture(params=COPIES.values(), ids=COPIES)
def copied(request):
    return request.param


def narrow_vgg19():
    """Return a frozen VGG-19 with four channels in each layer that was used once."""
    rng, arrays, inputs = np.random.default_rng(0), {}, 3
    for block, count, _ in BLOCKS:
        for number in range(1, count + 1):
            kernel = rng.standard_normal((3, 3, inputs, 4)).astype(np.float32) / 3
            arrays[f"block{block}_conv{number}/kernel"] = kernel
            arrays[f"block{block}_conv{number}/bias"] = np.zeros(4, np.float32)
            inputs = 4
    mean, std = (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)
    model = VGG19(arrays, Preprocessing(channels="BGR", mean=mean, std=std)).freeze()
    deep_features(model)
    return model


def deep_features(model):
    return model.features(PICTURE, ["block4_conv2"])["block4_conv2"]


def test_a_used_vgg19_is_copied_with_its_frozen_kernels(copied):
    model = narrow_vgg19()
    other = copied(model)
    np.testing.assert_array_equal(deep_features(other), deep_features(model))
    for original, duplicate in zip(model.parameters(), other.parameters(), strict=True):
        assert duplicate is not original and duplicate.data is not original.data
        assert not duplicate.requires_grad
        assert is_frozen(duplicate.data) and not duplicate.data.flags.writeable
    other.freeze(False)
    assert all(is_frozen(parameter.data) for parameter in model.parameters())


def test_a_used_vgg19_can_be_sent_to_a_spawned_process():
    model = narrow_vgg19()
    wanted = deep_features(model)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        features = pool.submit(deep_features, model).result()
    # not the same bytes, because the process may have another number of threads
    np.testing.assert_allclose(features, wanted, rtol=1e-4, atol=1e-5 * abs(wanted).max())


NETWORKS = {
    "face_detector": (face_detector, (160, 160, 3)),
    "face_landmarks": (face_landmarks, (112, 112, 3)),
    "face_recognition": (face_recognition, (150, 150, 3)),
    "verifier": (lambda: verifier((32, 32, 3), head="chi-square", members=2), (2, 32, 32, 3)),
    "vgg19_bn": (lambda: vgg19_bn("512-10", width=0.1), (2, 32, 32, 3)),
    "signals": (lambda: signal_network(2048, 3), (2, 2048, 1)),
    "volumes": (lambda: volume_network(16, 3), (2, 16, 16, 16, 1)),
}


def contents(y):
    """Return the bytes of an output, or of each of several outputs."""
    outputs = [y.data] if isinstance(y, Tensor) else y
    return [np.asarray(output).tobytes() for output in outputs]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_can_be_copied_after_use(name, copied):
    """Some networks are in training: the copy has dropout's number of calls."""
    make, shape = NETWORKS[name]
    model, x = make(), Tensor(np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32))
    model(x)
    other = copied(model)
    assert contents(other(x)) == contents(model(x))


def test_every_layer_can_be_copied_after_use(copied):
    rng = np.random.default_rng(0)
    depthwise, pointwise = np.ones((3, 3, 1, 4)), np.ones((1, 1, 4, 2))
    model = layers.Sequential(
        layers.Convolution.new(rng, (3, 3), 3, 4, padding=1),
        layers.BatchNorm(4),
        layers.ReLU(),
        layers.SeparableConvolution(depthwise, pointwise, np.zeros(2)),
        layers.LeakyReLU(0.1),
        layers.PReLU(2),
        layers.GELU("tanh"),
        layers.MaxPool(2),
        layers.AvgPool(2),
        layers.Dropout(0.5),
        layers.Flatten(),
        layers.Dense.new(rng, 2 * 7 * 7, 3),
    )
    model(PICTURE[None]).sum().backward()
    other = copied(model)
    assert other(PICTURE[None]).data.tobytes() == model(PICTURE[None]).data.tobytes()
    for original, duplicate in zip(model.parameters(), other.parameters(), strict=True):
        assert duplicate.grad is not original.grad
        assert duplicate.grad.tobytes() == original.grad.tobytes()


@pytest.mark.parametrize(
    "make",
    [
        lambda p: SGD(p, 0.1, 0.9, weight_decay=0.1),
        lambda p: Adam(p, Warmup(2, Cosine(0.1, 5))(1), weight_decay=0.1),
        lambda p: LBFGS(p, history=3),
    ],
)
def test_an_optimizer_that_is_copied_with_its_model_continues_in_the_same_way(make, copied):
    def steps(model, optimizer, count):
        for _ in range(count):
            loss = (model(PICTURE.reshape(-1, 12)[:8] / 255) ** 2).mean()
            loss.backward()
            optimizer.step(loss)
        return [p.data.tobytes() for p in model.parameters()]

    model = layers.Dense.new(np.random.default_rng(0), 12, 3)
    optimizer = make(model.parameters())
    steps(model, optimizer, 3)
    other_model, other = copied((model, optimizer))
    assert steps(other_model, other, 3) == steps(model, optimizer, 3)


def test_a_computed_tensor_is_copied_as_a_constant(copied):
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = copied(x * x)
    assert (y.data.tolist(), y.requires_grad) == ([1, 4], False)
    leaf = copied(x)
    (leaf * leaf).sum().backward()
    assert (leaf.grad.tolist(), x.grad) == ([2, 4], None)


def test_a_shallow_copy_stays_on_the_tape():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    copy.copy(x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]
