"""VGG19: the activations and gradients of PyTorch's operations with the same weights, the names of
layers, and errors."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.checkpoints import Preprocessing
from minidl.data import imagenet_classes, read_image, shipped_picture
from minidl.errors import ArgumentError, FileError, ShapeError
from minidl.layers import AvgPool, Convolution, MaxPool
from minidl.losses import content_loss, style_loss, total_variation
from minidl.models import VGG19, vgg19

BLOCKS = {"block1": 2, "block2": 2, "block3": 4, "block4": 4, "block5": 4}
CONVOLUTIONS = [f"{block}_conv{i}" for block, count in BLOCKS.items() for i in range(1, count + 1)]
LAYERS = [
    *CONVOLUTIONS,
    *(f"{name}.pre" for name in CONVOLUTIONS),
    *(f"{block}_pool" for block in BLOCKS),
]
STYLE_LAYERS = [f"block{i}_conv1" for i in range(1, 6)]


@pytest.fixture(scope="module", params=["avg", "max"])
def model(request):
    return vgg19(pooling=request.param)


@pytest.fixture(scope="module")
def photograph():
    return read_image(shipped_picture("chelsea"), 112)


def torch_features(model, image, torch):
    """Return {layer: activation} by PyTorch, channels first. image: (1, 3, H, W), RGB, 0..255."""
    functional, dtype = torch.nn.functional, image.dtype
    mean = torch.tensor([103.939, 116.779, 123.68], dtype=dtype)[:, None, None]
    x = image[:, [2, 1, 0]] - mean
    activations = {}
    for name, layer in model.layers.items():
        if isinstance(layer, AvgPool):
            x = functional.avg_pool2d(x, 2)
        elif isinstance(layer, MaxPool):
            x = functional.max_pool2d(x, 2)
        else:
            kernel, bias = (torch.tensor(p.data, dtype=dtype) for p in (layer.kernel, layer.bias))
            x = functional.conv2d(x, kernel.permute(3, 2, 0, 1), bias, padding=1)
            activations[f"{name}.pre"] = x
            x = functional.relu(x)
        activations[name] = x
    return activations


def channels_first(image, torch, dtype):
    return torch.tensor(np.ascontiguousarray(image.transpose(2, 0, 1)[None]), dtype=dtype)


def test_features_agree_with_pytorch(model, photograph):
    torch = pytest.importorskip("torch")
    features = model.features(photograph, LAYERS)
    of_torch = torch_features(model, channels_first(photograph, torch, torch.float32), torch)
    for name in LAYERS:
        expected = of_torch[name].permute(0, 2, 3, 1).numpy()
        assert features[name].dtype == np.float32
        assert abs(features[name] - expected).max() <= 1e-4 * abs(expected).max(), name


def test_gradient_of_a_style_transfer_objective_agrees_with_pytorch(model, photograph):
    """The gradient is computed in float64. In float32, rounding can change the side of its kink on
    which a ReLU or a maximum falls."""
    torch = pytest.importorskip("torch")
    rng, photograph = np.random.default_rng(0), photograph[:48, :48].astype(float)
    start = np.clip(photograph + rng.uniform(-40, 40, photograph.shape), 0, 255)
    style = read_image(shipped_picture("van-gogh-cafe-terrace"), 48).astype(float)
    doubles = {name: p.data.astype(float) for name, p in model.named_parameters().items()}
    pooling = "avg" if isinstance(model.layers["block1_pool"], AvgPool) else "max"
    model = VGG19(doubles, model.preprocessing, pooling).freeze()

    targets = model.features(photograph, ["block4_conv2"]), model.features(style, STYLE_LAYERS)
    image = Tensor(start, requires_grad=True)
    features = model.features(image, ["block4_conv2", *STYLE_LAYERS])
    loss = content_loss(features["block4_conv2"], targets[0]["block4_conv2"], "mean")
    loss = loss + 0.1 * total_variation(image)
    for name in STYLE_LAYERS:
        loss = loss + 0.2 * style_loss(features[name], targets[1][name], "gatys")
    loss.backward()

    def unrolled(tensor):
        return tensor.reshape(tensor.shape[1], -1)

    x = channels_first(start, torch, torch.float64).requires_grad_()
    of_image, of_content, of_style = (
        torch_features(model, picture, torch)
        for picture in (
            x,
            channels_first(photograph, torch, torch.float64),
            channels_first(style, torch, torch.float64),
        )
    )
    expected = ((of_image["block4_conv2"] - of_content["block4_conv2"]) ** 2).mean()
    expected = expected + 0.1 * ((x[..., 1:, :] - x[..., :-1, :]) ** 2).sum()
    expected = expected + 0.1 * ((x[..., 1:] - x[..., :-1]) ** 2).sum()
    for name in STYLE_LAYERS:
        F, S = unrolled(of_image[name]), unrolled(of_style[name])
        difference = F @ F.T / F.shape[1] - S @ S.T / S.shape[1]
        expected = expected + 0.2 * (difference**2).sum() / (4 * F.shape[0] ** 2)
    expected.backward()

    gradient = x.grad[0].permute(1, 2, 0).numpy()
    assert image.grad.dtype == np.float64
    assert loss.data.item() == pytest.approx(expected.item(), rel=1e-10)
    assert abs(image.grad - gradient).max() <= 1e-10 * abs(gradient).max()


def test_weights_have_gradients_unless_they_are_frozen(model, photograph):
    image = Tensor(photograph[:32, :32], requires_grad=True)
    model.features(image, ["conv1_2"])["conv1_2"].sum().backward()
    assert image.grad.shape == (32, 32, 3)
    assert all(p.grad is None for p in model.parameters())
    model.freeze(False)
    try:
        model.features(image, ["conv1_2"])["conv1_2"].sum().backward()
        parameters = model.named_parameters().items()
        with_gradient = [name for name, p in parameters if p.grad is not None]
        assert with_gradient == [
            "block1_conv1/kernel",
            "block1_conv1/bias",
            "block1_conv2/kernel",
            "block1_conv2/bias",
        ]
    finally:
        model.freeze()
        for p in model.parameters():
            p.grad = None


def test_the_papers_names_are_aliases(model, photograph):
    names = ["conv2_2", "relu2_2", "block2_conv2", "pool2", "block2_pool", "conv2_2.pre"]
    features = model.features(photograph, names)
    assert list(features) == names
    assert features["conv2_2"] is features["block2_conv2"] is features["relu2_2"]
    assert features["pool2"] is features["block2_pool"]
    assert features["conv2_2.pre"].min() < 0 <= features["conv2_2"].min()


def test_arrays_give_arrays_and_tensors_give_tensors(model, photograph):
    image = photograph[:32, :32]
    [array] = model.features(image, ["conv1_1"]).values()
    [tensor] = model.features(Tensor(image), ["conv1_1"]).values()
    [batch] = model.features(np.stack([image, image]), ["conv1_1"]).values()
    assert isinstance(array, np.ndarray) and isinstance(tensor, Tensor)
    assert not tensor.requires_grad
    np.testing.assert_array_equal(array, tensor.data)
    assert batch.shape == (2, 32, 32, 64)
    np.testing.assert_allclose(batch[1], array[0], rtol=1e-4, atol=1e-3)
    [from_bytes] = model.features(image.astype(np.uint8), ["conv1_1"]).values()
    assert from_bytes.dtype == np.float32


def test_deeper_layers_than_requested_are_not_computed(model, photograph, monkeypatch):
    monkeypatch.setitem(model.layers, "block1_conv2", None)
    assert model.features(photograph, ["conv1_1"])["conv1_1"].shape[-1] == 64


UNKNOWN = [
    "conv6_1",
    "block1_conv3",
    "relu",
    "block1_conv1.post",
    "block1_pool.pre",
    "conv1_1.",
    "fc1",
    "",
]


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_layers_are_refused_with_the_known_ones(model, photograph, name):
    with pytest.raises(ArgumentError, match=r"no layer .* it has block1_conv1, block1_conv2"):
        model.features(photograph, [name])


def test_unknown_layers_are_refused_in_a_short_sentence(model):
    for name in (*UNKNOWN, "x" * 5000, "\x1b[31m"):
        with pytest.raises(ArgumentError) as caught:
            model.canonical(name)
        assert len(str(caught.value)) < 300 and str(caught.value).isprintable()
    similar = {"Conv4_2": "conv4_2", "conv6_1": "conv5_1", "block4-conv2": "block4_conv2"}
    for name, known in similar.items():
        with pytest.raises(ArgumentError, match=rf"did you mean '{known}'\?"):
            model.canonical(name)
    # This network has no dense layers.
    with pytest.raises(ArgumentError, match=r"pool5$"):
        model.canonical("fc1")


def test_a_picture_too_small_for_the_deepest_layer_is_refused(model, photograph):
    with pytest.raises(
        ShapeError,
        match="20x15 is too small for block5_conv1, which needs at least 16 pixels a side",
    ):
        model.features(photograph[:15, :20], ["conv1_1", "conv5_1"])
    assert model.features(photograph[:16, :20], ["conv5_1"])["conv5_1"].shape == (1, 1, 1, 512)
    with pytest.raises(ShapeError, match=r"wanted \(H, W, 3\)"):
        model.features(photograph[..., 0], ["conv1_1"])


def test_the_shipped_file_has_no_dense_layers():
    with pytest.raises(FileError, match="fc1"):
        vgg19(top=True)


RGB = Preprocessing("RGB", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def narrow_arrays(outputs):
    """Return the arrays of a VGG19 with few channels and units."""
    rng, shapes, inputs = np.random.default_rng(0), {}, 3
    for name in CONVOLUTIONS:
        shapes[f"{name}/kernel"], shapes[f"{name}/bias"] = (3, 3, inputs, 2), (2,)
        inputs = 2
    for name, inputs, units in (
        ("fc1", 7 * 7 * 2, 4),
        ("fc2", 4, 4),
        ("predictions", 4, outputs),
    ):
        shapes[f"{name}/kernel"], shapes[f"{name}/bias"] = (inputs, units), (units,)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def test_the_classes_are_those_of_the_weights_or_imagenets():
    animals = ("cat", "dog", "cow")
    assert VGG19(narrow_arrays(3), RGB, top=True, classes=animals).classes == animals
    assert VGG19(narrow_arrays(3), RGB, top=True).classes is None
    assert VGG19(narrow_arrays(1000), RGB, classes=animals).classes is None
    assert VGG19(narrow_arrays(1000), RGB, top=True).classes == imagenet_classes()
    with pytest.raises(ArgumentError, match="there are 3 names of classes for 4 outputs"):
        VGG19(narrow_arrays(4), RGB, top=True, classes=animals)


def test_a_layer_of_a_subclass_is_called():
    class Doubled(Convolution):
        def __call__(self, x):
            return super().__call__(x) * 2.0

    arrays = narrow_arrays(3)
    model = VGG19(arrays, RGB)
    picture = np.random.default_rng(0).uniform(0, 255, (8, 8, 3)).astype(np.float32)
    before = model.features(picture, ["conv1_1"])["conv1_1"]
    kernel, bias = arrays["block1_conv1/kernel"], arrays["block1_conv1/bias"]
    model.layers["block1_conv1"] = Doubled(kernel, bias, padding=1)
    after = model.features(picture, ["conv1_1"])["conv1_1"]
    np.testing.assert_allclose(after, 2 * before, rtol=1e-5)
