"""The page without a script, and the sizes of its files."""

import re

import numpy as np
import pytest

from minidl.book.network import DATA, SCRIPT, body, exploration, files
from minidl.data import CIFAR10_CLASSES
from minidl.layers import Dense, Flatten, Sequential
from minidl.models.vgg19_bn import vgg19_bn
from tests.book.network.networks import of_the_shipped_network, random_exploration


def test_the_page_is_complete_without_a_script():
    explored = of_the_shipped_network()
    page = body(explored)
    rows = re.findall(r'<tr[^>]*><th scope="row">(\w+)</th>((?:<td>[^<]+</td>){3})</tr>', page)
    assert [name for name, _ in rows] == list(CIFAR10_CLASSES)
    numbers = [re.findall(r"<td>([^<]+)</td>", cells) for _, cells in rows]
    largest = max(numbers, key=lambda row: float(row[0].replace("−", "-")))
    assert float(largest[1]) > 0.4
    for layer in explored["layers"]:
        assert page.count(f'alt="Activations: {layer["name"]}, ') == 1
    assert page.count("data:image/png;base64,") == 1 + 3 * len(explored["layers"]) - 2


@pytest.mark.parametrize("width", [0.25, pytest.param(1.0, marks=pytest.mark.thorough)])
def test_the_data_stay_small(width):
    assert len(files(of_the_shipped_network())[DATA]) < 1_500_000
    picture = np.random.default_rng(0).uniform(0, 255, (32, 32, 3))
    explored = exploration(vgg19_bn("4096-4096-10", width), picture, CIFAR10_CLASSES)
    assert len(files(explored)[DATA]) < 5_000_000
    assert len(body(explored)) < 1_500_000


def test_names_of_unknown_origin_are_escaped():
    model = Sequential({"<i>": Flatten(), "<em>": Dense(np.eye(12, 3, dtype=np.float32))})
    names = {"name": "<u>", "source": '"<s>'}
    explored = exploration(model, np.full((2, 2, 3), 7.0), ["<b>", "a&b", "c"], **names)
    page = body(explored)
    assert not re.search("<([ius]|em|b>(?!Forward|Back))>", page) and "&lt;b&gt;" in page


def test_layers_that_show_some_units_are_explained():
    assert "more than 12 units" in body(random_exploration())
    assert "more than" not in body(of_the_shipped_network())


def test_the_script_fetches_nothing():
    script = files(random_exploration())[SCRIPT]
    assert not re.search(r"\bfetch\(|\bimport\b|https?://|XMLHttpRequest", script)
