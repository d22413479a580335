"""What a drawing contains: the words of its tables, and its pictures."""

import base64
import io
import re

import numpy as np
from PIL import Image


def tables(svg):
    """Return for each table of a drawing the list of its words, without those of empty cells."""
    texts = re.findall(r"<text [^>]*>((?:<tspan [^>]*>[^<]*</tspan>)+)</text>", svg)
    return [re.findall(r">([^<]+)</tspan>", text) for text in texts]


def numbers(array):
    """Return the words of an array of whole numbers in a table. NaN is an empty cell."""
    return [f"{value + 0.0:.0f}" for value in np.ravel(array) if not np.isnan(value)]


def pictures(svg):
    """Return the pictures of a drawing as arrays of levels."""
    files = re.findall(r'href="data:image/png;base64,([^"]*)"', svg)
    return [np.array(Image.open(io.BytesIO(base64.b64decode(file))), float) for file in files]
