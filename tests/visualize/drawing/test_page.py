"""The page: all in one file, nothing fetched, nothing run, whatever the names are."""

import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from minidl.visualize.drawing.page import LEAST, MOST, Figure, Row, Section, page

WICKED = '<script>alert("1")</script> & \'"><img src=http://a.b>'


class Read(HTMLParser):
    """tags: [(name, attributes)]; text: all that is shown"""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def of(picture, words="words"):
    figures = [Figure(picture, words)]
    return page(
        words,
        words,
        [Section(words, words, [Row(figures, words), Row(figures, size="large")])],
        words,
    )


def images(text):
    """The pictures that a page holds"""
    sources = [attributes["src"] for tag, attributes in Read(text).tags if tag == "img"]
    return [
        Image.open(BytesIO(base64.b64decode(source.removeprefix("data:image/webp;base64,"))))
        for source in sources
    ]


def test_names_are_shown_as_they_are_and_are_no_html():
    read = Read(of(np.zeros((200, 200)), WICKED))
    assert {tag for tag, _ in read.tags}.isdisjoint({"script", "link", "iframe"})
    # twice the title, words, link, the chapter's two, row, two figures, foot
    assert read.text.count(WICKED) == 10
    assert [attributes["alt"] for tag, attributes in read.tags if tag == "img"] == [WICKED] * 2


def test_nothing_is_fetched_and_no_script_may_run():
    text = of(np.zeros((200, 200)), "a picture")
    tags = Read(text).tags
    [policy] = [
        a["content"]
        for tag, a in tags
        if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    addresses = [
        value
        for _, a in tags
        for name, value in a.items()
        if name in ("src", "href", "srcset", "action")
    ]
    assert addresses and all(
        re.match(r"data:image/webp;base64,|#s\d+$", address) for address in addresses
    )
    assert "url(" not in text and "://" not in text


def test_links_lead_to_chapters():
    tags = Read(page("a", "b", [Section(f"chapter {number}", "", []) for number in range(3)])).tags
    links = [a["href"] for tag, a in tags if tag == "a"]
    assert len(links) == 3 and links == ["#" + a["id"] for tag, a in tags if tag == "section"]


def test_bytes_of_a_name_that_are_no_utf8_are_told():
    text = of(np.zeros((200, 200)), b"bad\xff.png".decode("utf-8", "surrogateescape"))
    assert "bad\\udcff.png" in text and text.encode("utf-8")


def test_small_pictures_are_enlarged_as_squares():
    image, _ = images(of(np.array([[0.0, 255.0], [255.0, 0.0]])))
    assert image.size == (LEAST, LEAST)
    red = np.asarray(image.convert("RGB"), float)[..., 0]
    np.testing.assert_allclose(red[10:70, 10:70], 0, atol=3)
    np.testing.assert_allclose(red[10:70, 90:150], 255, atol=3)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((1, 144), (113 * 144, 113)), ((300, 1), (54, 54 * 300)), ((2, 20000), (MOST, 2))],
)
def test_no_picture_is_longer_than_webp_allows(shape, size):
    image, _ = images(of(np.full(shape, 100.0)))
    assert image.size == size and max(size) <= MOST
