"""The words of the command line: how lists are split, and what a word looks like or may mean."""

import re
from pathlib import Path

from minidl.errors import ArgumentError, did_you_mean, printable
from minidl.models.vgg19 import LAYER_NAMES

# Words that users know from other programs, and the choice of minidl with the same meaning
SYNONYMS = {
    "random": "noise",
    "white": "noise",
    "photo": "content",
    "photograph": "content",
    "painting": "style",
    "cuda": "gpu",
    "average": "avg",
    "mean": "avg",
    "maximum": "max",
    "l-bfgs": "lbfgs",
    "mnist": "siamese",
}


def split(text):
    """Return the items of a list that is separated by commas, spaces or both.

    Raise ArgumentError for an empty list, and if two commas have no item between them.

    >>> split("a,b"), split("a b"), split(" a, b"), split("a ,b")
    (['a', 'b'], ['a', 'b'], ['a', 'b'], ['a', 'b'])
    """
    items = re.split(r"\s*,\s*|\s+", text.strip())
    if not all(items):
        problem = (
            "an empty list"
            if len(items) == 1
            else f"a list with nothing between two commas, {printable(text, 80)!r}"
        )
        raise ArgumentError(f"found {problem}; separate the items by spaces or commas")
    return items


def joined(words):
    """Return the words of a list as one text, with a comma between neighbouring words.

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
    """Return whether a word ends like the name of a file or begins like a path.

    >>> is_path_like("photo.jpg"), is_path_like("./photos")
    (True, True)
    >>> is_path_like("conv1_1.pre"), is_path_like("conv1_1=0.5")
    (False, False)
    """
    suffix = Path(word).suffix.removesuffix(".pre")
    return word.startswith((".", "/", "~", "\\")) or bool(re.fullmatch(r"\.[A-Za-z]\w*", suffix))


def is_vgg19_layer(word):
    """Return whether a word is, or looks like, the name of a layer of VGG19.

    >>> is_vgg19_layer("conv9_9"), is_vgg19_layer("photo")
    (True, False)
    """
    name = word.partition("=")[0].partition("+")[0].partition(":")[0].removesuffix(".pre")
    looks_like_one = re.fullmatch(r"(block_?\d|(conv|relu|pool)_?\d)\w*", name)
    return name in LAYER_NAMES or bool(looks_like_one)


def suggestion(word, known):
    """Return the end of an error message about an unknown word: the known word that is probably
    meant, or "" if there is none.

    >>> suggestion("random", ["content", "noise"]), suggestion("nois", ["content", "noise"])
    ("; did you mean 'noise'?", "; did you mean 'noise'?")
    """
    synonym = SYNONYMS.get(word.lower())
    return f"; did you mean {synonym!r}?" if synonym in known else did_you_mean(word, known)
