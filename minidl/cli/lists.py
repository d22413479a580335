"""Lists of words on the command line: their separators, and where they end.

Items are separated by commas, by spaces or by both: `a,b,c`, `a b c` and `a, b, c` are the same. A
list ends

    at the next option;
    at a word that cannot be an item, such as the name of a picture in a list of layers;
    if it has a comma, at the first word that no comma joins, unless that word is surely an item;
    before words that are needed as arguments and are not surely items: `patches --layers conv1_1
    photos`.
"""

import argparse
import re
from pathlib import Path

from minidl.cli.suggesting import suggestion
from minidl.errors import ArgumentError, printable
from minidl.models.vgg19 import LAYER_NAMES


class Listed:
    """The type of an option whose value is a list.

    item    text -> value; raises ValueError or ArgumentTypeError for an invalid item
    wanted  the items in words, for messages
    sure    whether a word is surely an item, and not an argument that follows the list
    maybe   whether a word can be an item
    """

    def __init__(self, item, wanted, sure, maybe=None):
        self._item, self._wanted, self._sure, self._maybe = item, wanted, sure, maybe or sure

    def __call__(self, text):
        try:
            words = split(text)
        except ArgumentError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        try:
            return [self._item(word) for word in words]
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"found {printable(text, 80)!r}; wanted {self._wanted}"
            ) from None

    def reach(self, words):
        """(how many of the words surely belong to the list, how many can belong to it). The first
        word always does."""
        least = most = min(1, len(words))
        while most < len(words):
            joined = words[most - 1].endswith(",") or words[most].startswith(",")
            sure = joined or self._sure(words[most])
            if not sure and ("," in "".join(words[:most]) or not self._maybe(words[most])):
                break
            most += 1
            least = most if sure else least
        return least, most


def split(text):
    """
    >>> split("a,b"), split("a b"), split(" a, b"), split("a ,b")
    (['a', 'b'], ['a', 'b'], ['a', 'b'], ['a', 'b'])
    """
    words = re.split(r"\s*,\s*|\s+", text.strip())
    if not all(words):
        found = (
            "an empty list"
            if len(words) == 1
            else f"a list with nothing between two commas, {printable(text, 80)!r}"
        )
        raise ArgumentError(f"found {found}; separate the items by spaces or commas")
    return words


def joined(words):
    """The words of a list as one text, with a comma between neighbouring words

    >>> joined(["a", "b,", "c", ",d e"])
    'a,b, c ,d e'
    """
    text = words[0]
    for word in words[1:]:
        text += (" " if text.endswith(",") or word.startswith(",") else ",") + word
    return text


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_path_like(word):
    """Whether a word ends like the name of a file or begins like a path

    >>> is_path_like("photo.jpg"), is_path_like("./photos"), is_path_like("conv1_1.pre"), is_path_like("conv1_1=0.5")
    (True, True, False, False)
    """
    return (
        word.startswith((".", "/", "~", "\\"))
        or re.fullmatch(r"\.[A-Za-z]\w*", Path(word).suffix.removesuffix(".pre")) is not None
    )


def is_vgg19_layer(word):
    """Whether a word is, or looks like, the name of a layer of VGG19: "conv9_9" does, "photo" does
    not"""
    name = word.partition("=")[0].partition(":")[0].removesuffix(".pre")
    return (
        name in LAYER_NAMES
        or re.fullmatch(r"(block_?\d|(conv|relu|pool)_?\d)\w*", name) is not None
    )


def number_list():
    return Listed(float, "numbers, separated by spaces or commas", is_number)


def layer_list():
    """Names of layers, or units, of any network"""
    return Listed(str, "layers", is_vgg19_layer, lambda word: not is_path_like(word))


def word_list(known):
    """A list of words from `known`"""

    def item(word):
        if word not in known:
            refusal = f"found {printable(word, 80)!r}; wanted {', '.join(known)}"
            raise argparse.ArgumentTypeError(refusal + suggestion(word, known))
        return word

    return Listed(item, ", ".join(known), known.__contains__, lambda word: not is_path_like(word))


class Names(Listed):
    """Names, which may contain spaces, as one text with commas between them"""

    def __call__(self, text):
        names = [name.strip() for name in text.split(",")]
        if not all(names):
            raise argparse.ArgumentTypeError(
                f"found {printable(text, 80)!r}; wanted {self._wanted}"
            )
        return ",".join(names)


def name_list():
    return Names(
        str, "names, separated by commas", lambda word: False, lambda word: not is_path_like(word)
    )


def weighted_layer_list():
    """LAYER or LAYER=WEIGHT of VGG19 -> {LAYER: WEIGHT}; without a weight, 1"""
    return Weighted(
        _weighted, "LAYER or LAYER=WEIGHT, separated by spaces or commas", is_vgg19_layer
    )


class Weighted(Listed):
    def __call__(self, text):
        return dict(super().__call__(text))


def _weighted(word):
    name, equals, weight = word.partition("=")
    if not name:
        raise ValueError
    return name, float(weight) if equals else 1.0
