"""VGG19: the same activations and gradients as PyTorch's operations give with the same weights."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.checkpoints import Preprocessing
from minidl.data import read_image, shipped_picture
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
    """{layer: activation} by PyTorch, channels first: image (1, 3, H, W) in RGB, 0..255."""
    functional = torch.nn.functional
    x = (
        image[:, [2, 1, 0]]
        - torch.tensor([103.939, 116.779, 123.68], dtype=image.dtype)[:, None, None]
    )
    found = {}
    for name, layer in model.layers.items():
        if isinstance(layer, (AvgPool, MaxPool)):
            x = (functional.avg_pool2d if isinstance(layer, AvgPool) else functional.max_pool2d)(
                x, 2
            )
        else:
            kernel, bias = (
                torch.tensor(p.data, dtype=image.dtype) for p in (layer.kernel, layer.bias)
            )
            x = found[f"{name}.pre"] = functional.conv2d(
                x, kernel.permute(3, 2, 0, 1), bias, padding=1
            )
            x = functional.relu(x)
        found[name] = x
    return found


def channels_first(image, torch, dtype):
    return torch.tensor(np.ascontiguousarray(image.transpose(2, 0, 1)[None]), dtype=dtype)


def test_features_agree_with_pytorch(model, photograph):
    torch = pytest.importorskip("torch")
    ours = model.features(photograph, LAYERS)
    theirs = torch_features(model, channels_first(photograph, torch, torch.float32), torch)
    for name in LAYERS:
        expected = theirs[name].permute(0, 2, 3, 1).numpy()
        assert ours[name].dtype == np.float32
        assert abs(ours[name] - expected).max() <= 1e-4 * abs(expected).max(), name


def test_gradient_of_a_style_transfer_objective_agrees_with_pytorch(model, photograph):
    """In float64: in float32 a ReLU or a maximum may fall on either side of its kink."""
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
    loss = content_loss(
        features["block4_conv2"], targets[0]["block4_conv2"], "mean"
    ) + 0.1 * total_variation(image)
    for name in STYLE_LAYERS:
        loss = loss + 0.2 * style_loss(features[name], targets[1][name], "gatys")
    loss.backward()

    def unrolled(tensor):
        return tensor.reshape(tensor.shape[1], -1)

    x = channels_first(start, torch, torch.float64).requires_grad_()
    found = torch_features(model, x, torch)
    content = torch_features(model, channels_first(photograph, torch, torch.float64), torch)[
        "block4_conv2"
    ]
    painted = torch_features(model, channels_first(style, torch, torch.float64), torch)
    expected = ((found["block4_conv2"] - content) ** 2).mean()
    expected = (
        expected
        + 0.1 * ((x[..., 1:, :] - x[..., :-1, :]) ** 2).sum()
        + 0.1 * ((x[..., 1:] - x[..., :-1]) ** 2).sum()
    )
    for name in STYLE_LAYERS:
        F, S = unrolled(found[name]), unrolled(painted[name])
        difference = F @ F.T / F.shape[1] - S @ S.T / S.shape[1]
        expected = expected + 0.2 * (difference**2).sum() / (4 * F.shape[0] ** 2)
    expected.backward()

    gradient = x.grad[0].permute(1, 2, 0).numpy()
    assert image.grad.dtype == np.float64
    assert loss.data.item() == pytest.approx(expected.item(), rel=1e-10)
    assert abs(image.grad - gradient).max() <= 1e-10 * abs(gradient).max()


def test_frozen_weights_get_no_gradient_and_others_do(model, photograph):
    image = Tensor(photograph[:32, :32], requires_grad=True)
    model.features(image, ["conv1_2"])["conv1_2"].sum().backward()
    assert image.grad.shape == (32, 32, 3)
    assert all(p.grad is None for p in model.parameters())
    model.freeze(False)
    try:
        model.features(image, ["conv1_2"])["conv1_2"].sum().backward()
        reached = [name for name, p in model.named_parameters().items() if p.grad is not None]
        assert reached == [
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
    found = model.features(
        photograph, ["conv2_2", "relu2_2", "block2_conv2", "pool2", "block2_pool", "conv2_2.pre"]
    )
    assert list(found) == [
        "conv2_2",
        "relu2_2",
        "block2_conv2",
        "pool2",
        "block2_pool",
        "conv2_2.pre",
    ]
    assert found["conv2_2"] is found["block2_conv2"] is found["relu2_2"]
    assert found["pool2"] is found["block2_pool"]
    assert found["conv2_2.pre"].min() < 0 <= found["conv2_2"].min()


def test_arrays_in_arrays_out_and_tensors_in_tensors_out(model, photograph):
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


def test_nothing_deeper_than_asked_is_computed(model, photograph, monkeypatch):
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
def test_unknown_layers_are_refused_with_the_list(model, photograph, name):
    with pytest.raises(ArgumentError, match=r"no layer .* it has block1_conv1, block1_conv2"):
        model.features(photograph, [name])


def test_unknown_layers_are_refused_in_a_short_sentence(model):
    for name in (*UNKNOWN, "x" * 5000, "\x1b[31m"):
        with pytest.raises(ArgumentError) as caught:
            model.canonical(name)
        assert len(str(caught.value)) < 300 and str(caught.value).isprintable()
    for name, meant in {
        "Conv4_2": "conv4_2",
        "conv6_1": "conv5_1",
        "block4-conv2": "block4_conv2",
    }.items():
        with pytest.raises(ArgumentError, match=rf"did you mean '{meant}'\?"):
            model.canonical(name)
    # which the network has with its dense layers alone
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


def test_a_layer_that_was_replaced_by_a_subclass_is_called():
    class Doubled(Convolution):
        def __call__(self, x):
            return super().__call__(x) * 2.0

    rng, shapes = np.random.default_rng(0), {}
    for name in CONVOLUTIONS:
        shapes[f"{name}/kernel"], shapes[f"{name}/bias"] = (3, 3, 2 if shapes else 3, 2), (2,)
    arrays = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    model = VGG19(arrays, Preprocessing("RGB", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
    picture = rng.uniform(0, 255, (8, 8, 3)).astype(np.float32)
    before = model.features(picture, ["conv1_1"])["conv1_1"]
    model.layers["block1_conv1"] = Doubled(
        arrays["block1_conv1/kernel"], arrays["block1_conv1/bias"], padding=1
    )
    np.testing.assert_allclose(
        model.features(picture, ["conv1_1"])["conv1_1"], 2 * before, rtol=1e-5
    )
