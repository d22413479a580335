"""The content of the page of a network, which is complete without JavaScript."""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from minidl.book.network.arrays import unpacked
from minidl.book.network.pictures import colour_sheet, png, signed_sheet
from minidl.book.network.words import extent

FOLDER = Path(__file__).parent
SCRIPTS = (
    "elements",
    "sums",
    "maps",
    "overview",
    "place",
    "terms",
    "numbers",
    "weights",
    "unit",
    "explorer",
)
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# The files beside the page: the exploration, the script and the style sheet.
DATA, SCRIPT, STYLE = "network-data.js", "network.js", "network.css"


def files(exploration: Mapping[str, Any]) -> dict[str, str]:
    """Return {name: content} of the files beside the page. The page loads the style sheet STYLE,
    and at its end the scripts DATA and SCRIPT."""
    scripts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return {
        DATA: f"globalThis.minidlNetwork = {json.dumps(exploration, separators=(',', ':'))};\n",
        SCRIPT: "".join(scripts),
        STYLE: (FOLDER / STYLE).read_text(encoding="utf-8"),
    }


def body(exploration: Mapping[str, Any]) -> str:
    """Return the HTML of the content of the page, to be put below its heading."""
    parts = [_introduction(exploration), _answer(exploration), _sheets(exploration)]
    return "\n".join(['<div id="network">', *parts, "</div>"])


def _introduction(exploration):
    layers, chosen = exploration["layers"], exploration["classes"][exploration["chosen"]]
    score = exploration["targets"][0]["name"]
    largest = max(len(layer["units"]) for layer in layers)
    selection = (
        f"<p>A layer with more than {largest} units shows the {largest} for which the sum of "
        "|activation · gradient| is largest. What its other units add to a sum is one of the terms "
        "of this sum.</p>"
        if any(len(layer["units"]) < layer["shape"][-1] for layer in layers)
        else ""
    )
    return f"""\
<p>The network {escape(exploration["name"])} has {exploration["parameters"]:,} parameters. Its input
here is a picture {escape(exploration["source"])} with {extent(layers[0])} numbers, and its largest
score is that of {escape(_largest(exploration))}. This page shows every step between them.</p>
<p><b>Forward</b>, each layer computes its maps from the maps of the layer before it. <b>Back</b>,
each layer computes the gradient of its input from the gradient of its output. A gradient says how
much {escape(score)} changes with a number: it begins with 1 for {escape(chosen)} itself, and ends
at the pixels.</p>
<ol>
<li>The overview shows each unit of each layer as a picture. Choose a unit.</li>
<li>The unit shows which windows of which maps make one of its numbers. Choose the position of this
number.</li>
<li>The formula shows the numbers in these windows. Choose “Back” to see the same for the
gradient.</li>
</ol>
<p>minidl computed all numbers when this page was built. A script only multiplies and adds the terms
that it shows. Below each sum is the number that minidl computed.</p>
{selection}"""


def _largest(exploration):
    scores = unpacked(_scores(exploration)["y"]).ravel()
    return _scores(exploration)["names"][scores.argmax()]


def _scores(exploration):
    """Return the last layer before the probabilities."""
    return exploration["layers"][-2 if exploration["is_classifier"] else -1]


def _answer(exploration):
    """Return the picture, and the scores as a table."""
    first, last = exploration["layers"][0], exploration["layers"][-1]
    scores = _scores(exploration)
    columns = {"Score": scores["y"]}
    if exploration["is_classifier"]:
        columns = {"Logit": scores["y"], "Probability": last["y"], "Gradient of the loss":
                   scores["dy"][1]}  # fmt: skip
    numbers = np.stack([unpacked(entry).ravel() for entry in columns.values()], axis=1)
    rows = "".join(
        f'<tr{_mark(unit, exploration)}><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{number(value)}</td>" for value in row)
        + "</tr>"
        for unit, name, row in zip(scores["units"], scores["names"], numbers, strict=True)
    )
    first_head = "Class" if exploration["is_classifier"] else "Output"
    heads = "".join(f'<th scope="col">{head}</th>' for head in (first_head, *columns))
    pixels = unpacked(first["y"])
    picture = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    return f"""\
<div class="answer">
<figure><img src="{png(picture)}" alt="The picture {escape(exploration["source"])}, enlarged">
<figcaption>The input: {extent(first)} numbers</figcaption></figure>
<table><caption>The scores</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>
</div>"""


def _mark(unit, exploration):
    return ' class="chosen"' if unit == exploration["chosen"] else ""


def _sheets(exploration):
    """Return the overview as a table of pictures. The script replaces it."""
    heads = ["Activations", *(f"Gradient of {escape(t['name'])}" for t in exploration["targets"])]
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Layer", *heads))
    rows = "".join(_sheet_row(layer, heads) for layer in exploration["layers"])
    return f"""\
<h2 id="network-overview">All units</h2>
<div id="network-explorer">
<table class="sheets"><caption>All units of all layers. Blue is positive and orange is negative. The
strength of a colour is the square root of the share of the largest number.</caption>
<thead><tr>{head}</tr></thead>
<tbody>{rows}</tbody></table>
</div>"""


def _sheet_row(layer, heads):
    y, is_picture = unpacked(layer["y"]), layer["kind"] == "picture"
    shown = colour_sheet(_channels(y, layer["names"])) if is_picture else signed_sheet(y)
    name, count = escape(layer["name"]), len(layer["units"])
    images = [shown, *(signed_sheet(unpacked(dy)) for dy in layer["dy"])]
    cells = "".join(
        f'<td data-label="{head}"><img src="{image}" alt="{head}: {name}, {count} units"></td>'
        for head, image in zip(heads, images, strict=False)
    )
    what = f"{escape(layer['title'])}, {extent(layer)}"
    return f'<tr><th scope="row">{name}<br><small>{what}</small></th>{cells}</tr>'


def _channels(y, names):
    """Return the maps (H, W, C) of a picture as colours (H, W, C, 3)."""
    masks = [[name in (part, "grey") for part in ("red", "green", "blue")] for name in names]
    return y[..., None] * np.array(masks, float)


def number(value: float) -> str:
    """Return a number in four digits.

    >>> number(-0.12345), number(0.0), number(2e-5)
    ('−0.1235', '0', '2·10⁻⁵')
    """
    figures, _, exponent = f"{float(value) + 0.0:.4g}".partition("e")
    power = f"·10{str(int(exponent)).translate(RAISED)}" if exponent else ""
    return f"{figures}{power}".replace("-", "−")
