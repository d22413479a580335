"""The losses and the gradient are the same in one pass, block by block, and tile by tile."""

from dataclasses import replace

import numpy as np
import pytest

from minidl import Tensor, no_grad
from minidl.backend import current_device, current_module, to_numpy
from minidl.errors import ArgumentError
from minidl.models import vgg19
from minidl.models.vgg19 import VGG19
from minidl.style_transfer import Losses, Memory, Objective, Run, Settings
from minidl.style_transfer.gradients import losses_and_gradient
from minidl.style_transfer.objective import Masks
from minidl.style_transfer.run import evaluate
from minidl.style_transfer.scales import scale_sizes
from minidl.style_transfer.tiles import tiles
from tests.devices import GPUS, at

BLOCKS, TILES = Memory(blocks=True), Memory(side=16)
STYLE = dict.fromkeys(("conv1_1", "conv2_2", "conv3_1", "conv4_1", "conv5_1"), 1.0)
MIXED = {
    "gram:conv1_1": 1.0,
    "wasserstein:conv2_1": 2.0,
    "moments:pool2": 0.5,
    "nearest:conv3_1+conv4_1": 3.0,
    "gram:conv2_2+conv5_1": 1.0,
    "gram:conv3_2.pre": 1.0,
}


@pytest.fixture(scope="module")
def model(small_model):
    return copied(small_model, np.float64)


def copied(model, dtype, pooling="avg"):
    """Return a model with the same weights, of a dtype."""
    arrays = {}
    for name, layer in model.layers.items():
        if "conv" in name:
            arrays[f"{name}/kernel"] = layer.kernel.data.astype(dtype)
            arrays[f"{name}/bias"] = layer.bias.data.astype(dtype)
    return VGG19(arrays, model.preprocessing, pooling).freeze()


def picture(height, width, seed, dtype=np.float64):
    return np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(dtype)


def mask(height, width, edge):
    """Ones on the left of an edge, zeros on the right, and a soft step between."""
    return np.clip(edge - np.arange(width) + np.zeros((height, 1)), 0, 3) / 3.0


def painted(model, settings, memory, size=(53, 70), masks=None, styles=((45, 37), (33, 66))):
    """Return the Losses and the gradient of a picture."""
    content, image = picture(*size, 1), picture(*size, 2)
    pictures = [picture(*style, 3 + number) for number, style in enumerate(styles)]
    objective = Objective(model, content, pictures, settings, masks=masks, memory=memory)
    x = Tensor(image, requires_grad=True)
    losses = Losses.read(*losses_and_gradient(objective, x))
    return losses, x.grad


def must_agree(result, expected, tolerance=1e-10):
    (losses, gradient), (of_whole, of_gradient) = result, expected
    assert losses.layers.keys() == of_whole.layers.keys()
    for name, loss in of_whole.layers.items():
        assert losses.layers[name] == pytest.approx(loss, rel=tolerance), name
    assert losses.total == pytest.approx(of_whole.total, rel=tolerance)
    atol = tolerance * abs(of_gradient).max()
    np.testing.assert_allclose(gradient, of_gradient, rtol=0, atol=atol)
    assert abs(of_gradient).max() > 0


@pytest.mark.parametrize("memory", [BLOCKS, TILES, Memory(side=48)], ids=str)
@pytest.mark.parametrize("objective", ["gram", "wasserstein", "moments", "nearest", "mixed"])
def test_all_ways_have_the_same_gradient(model, objective, memory):
    layers = MIXED if objective == "mixed" else STYLE
    name = "gram" if objective == "mixed" else objective
    settings = Settings(
        content_layers={"conv2_2": 0.5, "conv4_2": 1.0}, style_layers=layers,
        style_objective=name, content_weight=1.0,
    )  # fmt: skip
    must_agree(painted(model, settings, memory), painted(model, settings, Memory()))


@pytest.mark.parametrize("memory", [BLOCKS, TILES], ids=str)
@pytest.mark.parametrize("way", ["simple", "inside"])
def test_masks_are_cut_with_the_tiles(model, memory, way):
    """The region of the second style lies outside of the first tiles, and the guides differ between
    the positions of a tile."""
    settings = Settings(
        style_layers={"conv1_1": 1.0, "wasserstein:conv3_1": 1.0, "nearest:conv3_1": 1.0,
                      "moments:conv4_1": 1.0},
        content_layers={"conv3_1": 1.0}, mask_way=way, content_weight=1.0,
    )  # fmt: skip
    left = mask(90, 110, 60)
    masks = Masks(mask(90, 110, 70), [left, 1 - left], [mask(70, 80, 60), None])
    found = [
        painted(model, settings, memory, (90, 110), masks, ((70, 80), (33, 66)))
        for memory in (memory, Memory())
    ]
    must_agree(*found)


@pytest.mark.parametrize(
    "size", [(16, 16), (16, 95), (47, 31), (95, 17), (33, 64), (100, 20)], ids=str
)
@pytest.mark.parametrize("memory", [BLOCKS, TILES, Memory(side=32)], ids=str)
def test_any_size_can_be_divided(model, size, memory):
    """The sides are no multiples of the tiles, and the tiles are narrower than the halo of 70."""
    settings = Settings(style_layers=STYLE, content_weight=1.0)
    must_agree(painted(model, settings, memory, size), painted(model, settings, Memory(), size))


@pytest.mark.parametrize("pooling", ["avg", "max"])
@pytest.mark.parametrize("memory", [BLOCKS, TILES], ids=str)
def test_the_ways_agree_with_both_poolings_and_shallow_layers(model, pooling, memory):
    model = copied(model, np.float64, pooling)
    settings = Settings(
        style_layers={"conv2_1": 1.0}, content_layers={"conv1_2": 1.0}, content_weight=1.0
    )
    must_agree(painted(model, settings, memory), painted(model, settings, Memory()))


@pytest.mark.thorough
@pytest.mark.parametrize("memory", [BLOCKS, Memory(side=32)], ids=str)
def test_the_ways_agree_with_the_weights_of_vgg19(memory):
    model = vgg19()
    settings = Settings(style_layers=STYLE, content_weight=1.0)
    content, image, style = (picture(72, 56, seed, np.float32) for seed in range(3))
    found = []
    for way in (memory, Memory()):
        x = Tensor(image, requires_grad=True)
        objective = Objective(model, content, [style], settings, memory=way)
        found.append((evaluate(objective, x), x.grad))
    must_agree(*found, tolerance=2e-4)


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("memory", [BLOCKS, TILES], ids=str)
def test_the_ways_agree_on_a_gpu(small_model, place, memory):
    settings = Settings(style_layers=STYLE, content_weight=1.0)
    pictures = [picture(33, 37, seed, np.float32) for seed in range(3)]
    left = mask(33, 37, 20).astype(np.float32)

    def found(memory):
        content, image, style, region = map(current_module().asarray, [*pictures, left])
        model = copied(small_model, np.float32).to(current_device())
        masks, x = Masks(None, [region]), Tensor(image, requires_grad=True)
        objective = Objective(model, content, [style], settings, masks=masks, memory=memory)
        return evaluate(objective, x), to_numpy(x.grad)

    with at(place):
        result = found(memory)
    must_agree(result, found(Memory()), tolerance=1e-4)


def test_without_a_gradient_only_the_losses_are_computed(model):
    settings = Settings(style_layers=MIXED, content_weight=1.0)
    expected, _ = painted(model, settings, Memory())
    for memory in (Memory(), BLOCKS, TILES):
        content, image = picture(53, 70, 1), Tensor(picture(53, 70, 2))
        styles = [picture(45, 37, 3), picture(33, 66, 4)]
        objective = Objective(model, content, styles, settings, memory=memory)
        with no_grad():
            losses = evaluate(objective, image)
        assert losses.total == pytest.approx(expected.total, rel=1e-10)
        assert image.grad is None


@pytest.mark.usefixtures("small_scales")
def test_a_whole_painting_is_the_same_in_all_ways(model):
    """The balance of content and style, the scales and the optimiser take part."""
    settings = Settings(steps=3, scales=2)
    content, style = picture(130, 140, 1, np.float32), picture(90, 60, 2, np.float32)
    pictures = [
        [step.best for step in Run(model, content, [style], settings, memory=memory)][-1]
        for memory in (Memory(), BLOCKS, Memory(side=48))
    ]
    assert len(scale_sizes(content.shape, settings.scales)) == 2
    for other in pictures[1:]:
        np.testing.assert_allclose(other, pictures[0], atol=0.05)


def test_only_the_variation_of_a_picture_needs_no_tiles(model):
    settings = Settings(content_weight=0.0, style_weight=0.0, tv_weight=1.0)
    for memory in (BLOCKS, TILES):
        must_agree(painted(model, settings, memory), painted(model, settings, Memory()))


@pytest.mark.parametrize("name", ["histogram", "patches"])
def test_measures_of_the_whole_painting_refuse_tiles(model, name):
    settings = Settings(style_objective=name, style_layers={"conv3_1": 1.0})
    with pytest.raises(ArgumentError, match=f"'{name}' compares the whole painting at once"):
        painted(model, settings, TILES)
    must_agree(painted(model, settings, BLOCKS), painted(model, settings, Memory()))


def test_the_history_is_that_of_the_memory(model):
    run = Run(model, picture(32, 32, 1), [picture(32, 32, 2)], Settings(steps=8, scales=1),
              memory=Memory(history=3))  # fmt: skip
    for _ in run:
        pass
    assert len(run.optimizer.pairs) == run.optimizer.history == 3


def test_a_run_continues_with_its_memory(model):
    content, style = picture(48, 48, 1, np.float32), picture(32, 32, 2, np.float32)
    settings = Settings(steps=4, scales=1)
    first = Run(model, content, [style], settings, memory=Memory(history=2, side=32))
    steps = iter(first)
    next(steps)
    state = first.state()
    expected = [step.losses.total for step in steps]
    second = Run(model, content, [style], settings)
    second.restore(state)
    assert second.memory == Memory(history=2, side=32)
    assert [step.losses.total for step in second] == expected


def test_tiles_divide_the_positions_of_every_layer(model):
    """Every position of a layer, and every pixel, belongs to one tile."""
    for size, side in (((37, 100), 16), ((16, 33), 64), ((95, 31), 48)):
        divided = tiles(size, side, *model.reach(["conv5_1"]))
        for stride in (1, 2, 4, 8, 16):
            count = np.zeros([length // stride for length in size], int)
            for tile in divided:
                count[tile.positions(stride)] += 1
                assert 0 not in count[tile.positions(stride)].shape
            assert (count == 1).all()


def test_the_reach_of_a_layer_is_its_receptive_field(model):
    """Published receptive fields: 3, 10, 24, 68, 84 and 156 pixels."""
    fields = {"relu1_1": 3, "relu2_1": 10, "relu3_1": 24, "relu4_1": 68, "relu4_2": 84,
              "relu5_1": 156}  # fmt: skip
    for layer, field in fields.items():
        stride, halo = model.reach([layer])
        assert stride + 2 * halo == field
    assert model.reach(["conv5_1", "conv1_1", "pool3"]) == (16, 70)


def test_the_network_continues_after_a_layer(model):
    image = picture(40, 33, 1)
    whole = model.features(image, ["pool2", "conv3_2", "conv4_1.pre"])
    rest = model.features(whole["pool2"], ["conv3_2", "conv4_1.pre"], after="block2_pool")
    for layer, F in rest.items():
        np.testing.assert_array_equal(F, whole[layer])
        assert model.shape_at((40, 33), layer) == F.shape


def test_a_region_without_positions_is_refused_in_tiles(model):
    settings = Settings(style_layers={"nearest:conv3_1": 1.0})
    faint = np.full((53, 70), 0.2)
    with pytest.raises(ArgumentError, match="at least half inside of a mask"):
        painted(model, replace(settings, content_weight=1.0), TILES, masks=Masks(None, [faint] * 2))
