"""Lists on the command line: the types of options that take them, and where a list ends.

Items are separated by commas, by spaces or by both: `a,b,c`, `a b c` and `a, b, c` are the same. A
list ends

    at the next option;
    at a word that cannot be an item, such as the name of a picture in a list of layers;
    if it has a comma, at the first word that no comma joins, unless that word is surely an item;
    before words that are needed as arguments and are not surely items: `patches --layers conv1_1
    photos`.
"""

import argparse
from typing import Any

from minidl.cli.words import is_number, is_path_like, is_vgg19_layer, split, suggestion
from minidl.errors import ArgumentError, printable
from minidl.style_transfer.settings import OBJECTIVES


class Listed:
    """The type of an option whose value is a list.

    item     text -> value; raises ValueError or ArgumentTypeError for an invalid item
    wanted   description of the items, for messages
    is_item  returns whether a word is surely an item, and not an argument that follows the list
    may_be   returns whether a word can be an item
    """

    def __init__(self, item, wanted, is_item, may_be=None):
        self._item, self._wanted = item, wanted
        self._is_item, self._may_be = is_item, may_be or is_item

    def __call__(self, text: str) -> Any:
        try:
            words = split(text)
        except ArgumentError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        try:
            return [self._item(word) for word in words]
        except ValueError:
            raise self._refusal(text) from None

    def reach(self, words):
        """Return how many of the words surely belong to the list, and how many can belong to it.

        The first word always does.
        """
        least = most = min(1, len(words))
        while most < len(words):
            has_comma = words[most - 1].endswith(",") or words[most].startswith(",")
            is_sure = has_comma or self._is_item(words[most])
            if not is_sure and ("," in "".join(words[:most]) or not self._may_be(words[most])):
                break
            most += 1
            least = most if is_sure else least
        return least, most

    def _refusal(self, text):
        return argparse.ArgumentTypeError(f"found {printable(text, 80)!r}; wanted {self._wanted}")


class Names(Listed):
    """Names, which may contain spaces, as one text with commas between them."""

    def __call__(self, text: str) -> str:
        names = [name.strip() for name in text.split(",")]
        if not all(names):
            raise self._refusal(text)
        return ",".join(names)


class Classes(Names):
    """Names, which may contain spaces, as a list."""

    def __call__(self, text: str) -> Any:
        return super().__call__(text).split(",")


class Units(Listed):
    """Units of a network. Commas separate them; spaces do so too, unless the text between two
    commas may be the name of a class, such as "tiger cat"."""

    def __call__(self, text: str) -> list[str]:
        items = [item.strip() for item in text.split(",")]
        if not all(items) and len(items) > 1:
            raise self._refusal(text)
        return [part for item in items for part in (split(item) if _has_layer(item) else [item])]


class Weighted(Listed):
    """Names with numbers, as a dict."""

    def __call__(self, text: str) -> dict:
        return dict(super().__call__(text))


def number_list():
    return Listed(float, "numbers, separated by spaces or commas", is_number)


def layer_list():
    """Return the type for names of layers of any network."""
    return Listed(str, "layers", is_vgg19_layer, _is_no_path)


def unit_list():
    """Return the type for units of any network: LAYER:CHANNEL, LAYER CHANNEL, or a class."""
    return Units(str, "units, separated by spaces or commas", is_vgg19_layer, _is_no_path)


def class_list():
    """Return the type for names or numbers of classes, as a list."""
    return Classes(str, "classes, separated by commas", lambda word: False, _is_no_path)


def word_list(known):
    """Return the type for a list of words from `known`."""

    def item(word):
        if word not in known:
            refusal = f"found {printable(word, 80)!r}; wanted {', '.join(known)}"
            raise argparse.ArgumentTypeError(refusal + suggestion(word, known))
        return word

    return Listed(item, ", ".join(known), known.__contains__, _is_no_path)


def name_list():
    return Names(str, "names, separated by commas", lambda word: False, _is_no_path)


def weighted_layer_list():
    """Return the type for LAYER or LAYER=WEIGHT of VGG19 -> {LAYER: WEIGHT}; the weight is 1 by
    default. An objective may precede a layer, as in "moments:conv2_1"."""
    wanted = "LAYER or LAYER=WEIGHT, separated by spaces or commas"
    return Weighted(_layer_and_weight, wanted, _is_entry)


def _is_entry(word):
    objective, colon, layer = word.partition(":")
    return is_vgg19_layer(layer if colon and objective in OBJECTIVES else word)


def _has_layer(text):
    return any(":" in word or is_vgg19_layer(word) for word in text.split())


def _is_no_path(word):
    return not is_path_like(word)


def _layer_and_weight(word):
    name, equals, weight = word.partition("=")
    if not name:
        raise ValueError
    return name, float(weight) if equals else 1.0
