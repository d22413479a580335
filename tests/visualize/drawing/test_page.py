"""Pages: one file that loads nothing and runs no script, whatever text the names contain."""

import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from minidl.visualize.drawing.page import LEAST, MOST, Figure, Row, Section, page

MALICIOUS = '<script>alert("1")</script> & \'"><img src=http://a.b>'


class Parsed(HTMLParser):
    """tags: [(name, attributes)]; text: all visible text"""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def page_of(picture, words="words"):
    """Return a page that shows the picture twice and contains `words` in each place for text."""
    figures = [Figure(picture, words)]
    rows = [Row(figures, words), Row(figures, size="large")]
    return page(words, words, [Section(words, words, rows)], words)


def images(text):
    """Return the pictures of a page."""
    sources = [attributes["src"] for tag, attributes in Parsed(text).tags if tag == "img"]
    return [
        Image.open(BytesIO(base64.b64decode(source.removeprefix("data:image/webp;base64,"))))
        for source in sources
    ]


def test_names_are_shown_unchanged_and_are_not_html():
    parsed = Parsed(page_of(np.zeros((200, 200)), MALICIOUS))
    assert {tag for tag, _ in parsed.tags}.isdisjoint({"script", "link", "iframe"})
    # title (2), words, link, title and words of the section, title of a row, captions (2), foot
    assert parsed.text.count(MALICIOUS) == 10
    assert [attributes["alt"] for tag, attributes in parsed.tags if tag == "img"] == [MALICIOUS] * 2


def test_the_page_loads_nothing_and_allows_no_script():
    text = page_of(np.zeros((200, 200)), "a picture")
    tags = Parsed(text).tags
    metas = [a for tag, a in tags if tag == "meta"]
    [policy] = [a["content"] for a in metas if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    names = "src", "href", "srcset", "action"
    addresses = [value for _, a in tags for name, value in a.items() if name in names]
    assert addresses
    assert all(re.match(r"data:image/webp;base64,|#s\d+$", address) for address in addresses)
    assert "url(" not in text and "://" not in text


def test_each_section_has_a_link():
    tags = Parsed(
        page("a", "b", [Section(f"chapter {number}", "", []) for number in range(3)])
    ).tags
    links = [a["href"] for tag, a in tags if tag == "a"]
    assert len(links) == 3 and links == ["#" + a["id"] for tag, a in tags if tag == "section"]


def test_bytes_of_a_name_that_are_not_utf8_are_shown_as_escapes():
    text = page_of(np.zeros((200, 200)), b"bad\xff.png".decode("utf-8", "surrogateescape"))
    assert "bad\\udcff.png" in text and text.encode("utf-8")


def test_pixels_of_small_pictures_become_squares():
    image, _ = images(page_of(np.array([[0.0, 255.0], [255.0, 0.0]])))
    assert image.size == (LEAST, LEAST)
    red = np.asarray(image.convert("RGB"), float)[..., 0]
    np.testing.assert_allclose(red[10:70, 10:70], 0, atol=3)
    np.testing.assert_allclose(red[10:70, 90:150], 255, atol=3)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((1, 144), (113 * 144, 113)), ((300, 1), (54, 54 * 300)), ((2, 20000), (MOST, 2))],
)
def test_no_side_of_a_picture_exceeds_the_limit_of_webp(shape, size):
    image, _ = images(page_of(np.full(shape, 100.0)))
    assert image.size == size and max(size) <= MOST
