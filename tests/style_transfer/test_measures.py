"""Measures: each objective of style by name, regions, and the balance of content and style."""

import numpy as np
import pytest

from minidl import Tensor, losses, ops
from minidl.errors import ArgumentError
from minidl.style_transfer import Losses, Objective, Settings
from minidl.style_transfer.balance import balanced_factor
from minidl.style_transfer.measures import MEASURES
from minidl.style_transfer.objective import Masks, joined
from minidl.style_transfer.settings import LAYERS, OBJECTIVES

PUBLIC = {
    "gram": lambda F, S: losses.style_loss(F, S, "positions_mean"),
    "wasserstein": losses.wasserstein_loss,
    "moments": losses.moments_loss,
    "histogram": losses.histogram_loss,
    "nearest": losses.nearest_loss,
    "patches": losses.patch_loss,
}
LEFT = np.repeat([[1.0] * 14 + [0.0] * 14], 20, axis=0).astype(np.float32)


@pytest.fixture
def image(content):
    noise = np.random.default_rng(3).normal(0, 30, content.shape)
    return np.clip(content + noise, 0, 255).astype(np.float32)


def parts(model, content, styles, image, masks=None, **settings):
    """Return the losses by name, of the style only."""
    settings = Settings(content_weight=0.0, tv_weight=0.0, **settings)
    objective = Objective(model, content, styles, settings, masks=masks)
    return Losses.read(*objective(Tensor(image))).layers


def test_each_objective_has_a_measure_and_layers():
    assert OBJECTIVES == tuple(MEASURES) == tuple(LAYERS) == tuple(PUBLIC)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_is_the_loss_of_this_name(small_model, content, style, image, name):
    layers = {"conv1_1": 2.0, "conv2_1": 0.5}
    found = parts(small_model, content, [style], image, style_objective=name, style_layers=layers)
    F, S = (small_model.features(picture, layers) for picture in (image, style))
    wanted = {f"style_{layer}": w * PUBLIC[name](F[layer], S[layer]) for layer, w in layers.items()}
    assert found == pytest.approx(wanted, rel=1e-4)


def test_objectives_are_mixed_by_layer(small_model, content, style, image):
    layers = {"conv1_1": 1.0, "moments:conv2_1": 3.0, "nearest:conv1_1+conv2_1": 2.0}
    found = parts(small_model, content, [style], image, style_layers=layers)
    F, S = (small_model.features(picture, ["conv1_1", "conv2_1"]) for picture in (image, style))
    columns = [
        np.concatenate([ops.avg_pool(seen["conv1_1"], 2), seen["conv2_1"]], axis=-1)
        for seen in (F, S)
    ]
    wanted = {
        "style_conv1_1": PUBLIC["gram"](F["conv1_1"], S["conv1_1"]),
        "style_moments:conv2_1": 3 * losses.moments_loss(F["conv2_1"], S["conv2_1"]),
        "style_nearest:conv1_1+conv2_1": 2 * losses.nearest_loss(*columns),
    }
    assert found == pytest.approx(wanted, rel=1e-4)


def test_the_order_of_the_layers_of_an_entry_has_no_effect(small_model, content, style, image):
    one, other = (
        parts(small_model, content, [style], image, style_layers={f"nearest:{names}": 1.0})
        for names in ("conv1_1+conv2_1", "conv2_1+conv1_1")
    )
    assert [*one.values()] == [*other.values()]


@pytest.mark.parametrize("shape", [(20, 28), (21, 29), (7, 40), (33, 9)])
def test_channels_of_several_layers_are_on_the_grid_of_the_deepest(shape):
    rng = np.random.default_rng(0)
    deepest = rng.standard_normal((1, shape[0] // 4, shape[1] // 4, 3))
    shallow = rng.standard_normal((1, *shape, 2))
    columns = joined([shallow, deepest])
    assert columns.shape == (1, shape[0] // 4, shape[1] // 4, 5)
    np.testing.assert_allclose(columns[0, 0, 0, :2], shallow[0, :4, :4].mean(axis=(0, 1)))


@pytest.mark.parametrize("name", ["gram", "wasserstein", "moments", "histogram", "nearest"])
def test_a_region_sees_nothing_outside_of_it(small_model, content, style, image, name):
    changed = image.copy()
    changed[:, 20:] = 255 - changed[:, 20:]  # more than the receptive field of conv2_1 away
    options = {"style_objective": name, "style_layers": {"conv1_1": 1.0, "conv2_1": 1.0}}
    masks, right = Masks(regions=[LEFT]), Masks(regions=[1 - LEFT])
    before, after = (
        parts(small_model, content, [style], x, masks, **options) for x in (image, changed)
    )
    assert before == pytest.approx(after, rel=1e-5)
    before, after = (
        parts(small_model, content, [style], x, right, **options) for x in (image, changed)
    )
    assert before != pytest.approx(after, rel=1e-2)


@pytest.mark.parametrize("name", ["gram", "wasserstein", "moments", "histogram", "nearest"])
def test_a_part_of_the_style_is_that_part_alone(small_model, content, style, image, name):
    """Positions near the edge of the part see beyond it, so the style is constant there."""
    part = np.zeros(style.shape[:2], np.float32)
    part[:, :8] = 1
    changed = style.copy()
    changed[:, 14:] = 0
    options = {"style_objective": name, "style_layers": {"conv1_1": 1.0, "conv2_1": 1.0}}
    one, other = (
        parts(small_model, content, [s], image, Masks(parts=[part]), **options)
        for s in (style, changed)
    )
    whole = parts(small_model, content, [style], image, **options)
    assert one == pytest.approx(other, rel=1e-5)
    assert one != pytest.approx(whole, rel=1e-3)


def test_patches_take_no_masks(small_model, content, style, image):
    with pytest.raises(ArgumentError, match="'patches' cannot be limited to a region"):
        parts(
            small_model, content, [style], image, Masks(regions=[LEFT]),
            style_objective="patches", style_layers={"conv1_1": 1.0},
        )  # fmt: skip


def test_the_mask_of_the_content_is_where_it_counts(small_model, content, style, image):
    changed = image.copy()
    changed[:, 20:] = 255 - changed[:, 20:]
    settings = Settings(content_weight=1.0, content_layers={"conv2_1": 1.0}, style_weight=0.0)
    objective = Objective(small_model, content, [style], settings, masks=Masks(content=LEFT))
    one, other = (Losses.read(*objective(Tensor(x))).content for x in (image, changed))
    assert one == pytest.approx(other, rel=1e-6) and one > 0


def test_each_region_has_its_terms(small_model, content, style, image):
    styles, masks = [style, style[::-1], style], Masks(regions=[LEFT, 1 - LEFT, LEFT.copy()])
    found = parts(small_model, content, styles, image, masks, style_layers={"conv1_1": 1.0})
    assert [*found] == ["style1_conv1_1", "style2_conv1_1"]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_content_is_balanced_with_the_style(small_model, content, style, name):
    layers = {"conv1_1": 1.0, "conv2_1": 0.3}
    settings = Settings(style_objective=name, style_layers=layers, tv_weight=0.0)
    objective = Objective(small_model, content, [style], settings)
    objective.weigh_content(balanced_factor(objective, 0.25, content))
    noise = np.array([124.0, 117.0, 104.0]) + np.random.default_rng(0).uniform(
        -20, 20, content.shape
    )
    lengths = []
    for kind, picture in (("content", noise), ("style", content)):
        image = Tensor(picture.astype(np.float32), requires_grad=True)
        _, terms = objective(image)
        sum(term for key, term in terms.items() if key.startswith(kind)).backward()
        lengths.append(np.linalg.norm(image.grad.astype(np.float64)))
    assert lengths[0] / lengths[1] == pytest.approx(0.25, rel=1e-3)


def test_without_content_or_style_nothing_is_balanced(small_model, content, style):
    for weights in ({"content_weight": 0.0}, {"style_weight": 0.0}):
        objective = Objective(small_model, content, [style], Settings(**weights))
        assert balanced_factor(objective, 0.25, content) == 1
