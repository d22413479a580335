"""Invalid settings, as a checkpoint of unknown origin can hold them, are found and described."""

import pytest

from minidl.recipes import cifar10, faces, siamese, signals, volumes
from minidl.recipes.ranges import LONGEST, unfit

RECIPES = siamese, cifar10, faces, signals, volumes
INVALID = {
    int: [None, "1", "\x1b[31m", 1.0, float("nan"), True, [1], {}, -1, 10**30],
    float: [None, "1", True, [0.1], {}, float("nan"), float("inf"), 10**400, -1e300],
    bool: [None, 0, 1, "yes", [True]],
    str: [None, 1, ["a"], {}, "\x1b[31m", "a" * (LONGEST + 1)],
}


def settings_of(recipe, preset="original"):
    return {"preset": preset, "seed": 0, **recipe.PRESETS[preset]}


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_presets_are_valid(recipe):
    for preset in recipe.PRESETS:
        assert unfit(recipe, settings_of(recipe, preset)) is None
    assert unfit(recipe, settings_of(recipe) | {"limit": None, "clip": 3}) is None
    assert unfit(recipe, settings_of(recipe) | {"limit": 100, "clip": 0.5}) is None


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_setting_of_a_wrong_type_or_out_of_range_is_found(recipe):
    for name, usual in settings_of(recipe).items():
        kind = float if name == "clip" else type(usual)
        for value in INVALID[kind]:
            if name == "clip" and value is None:
                continue
            setting, shown, wanted = unfit(recipe, settings_of(recipe) | {name: value})
            assert setting == name and wanted
            assert len(shown) < 200 and shown.isprintable()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"epochs": "\x1b[31m"}, ("epochs", r"'\x1b[31m'", "a whole number")),
        ({"epochs": 0}, ("epochs", "0", "at least 1")),
        ({"examples": 10**9}, ("examples", "1000000000", "at most 100,000")),
        ({"learning_rate": float("nan")}, ("learning_rate", "nan", "a finite number")),
        ({"learning_rate": 1e31}, ("learning_rate", "1e+31", "at most 1e+30")),
        ({"clip": 0.0}, ("clip", "0.0", "a number above 0")),
        ({"clip": -1}, ("clip", "-1", "a number above 0")),
        (
            {"schedule": "two-cycles"},
            ("schedule", "'two-cycles'", "one of constant, one-cycle, exponential, plateau"),
        ),
        ({"preset": ["original"]}, ("preset", "['original']", "one of original, fast")),
    ],
)
def test_the_valid_values_are_described(change, expected):
    assert unfit(signals, settings_of(signals) | change) == expected
