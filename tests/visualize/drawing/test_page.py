"""Pages: one file that loads nothing and runs no script, whatever text the names contain."""

import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from minidl.visualize.drawing.page import LEAST, MOST, Bar, Figure, Row, Scale, Section, page

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


def test_a_table_of_classes_and_a_scale_of_colours():
    scale = Scale([(0, 144, 255), (100.4, 100, 100)], "-0.3<", "0.5")
    row = Row([Figure(np.zeros((200, 200)), "a", scale)])
    text = page("a", "b", [Section("c", "", [row], [Bar("tabby & co", 0.8312, 14.2)])])
    assert '<th scope="row">tabby &amp; co</th>' in text and "<td>83.1%</td><td>14.2</td>" in text
    assert "width:83.1%" in text
    assert "linear-gradient(90deg,rgb(0,144,255),rgb(100,100,100))" in text
    assert "<span>-0.3&lt;</span>" in text and "<span>0.5</span>" in text


def test_every_figure_is_enlarged_by_its_own_button():
    figures = [Figure(np.zeros((200, 200)), f"{number}") for number in range(3)]
    rows = [Row(figures, "one"), Row([], "no pictures"), Row(figures, "two")]
    text = page("a", "b", [Section("c", "", rows), Section("d", "", rows)])
    tags = Parsed(text).tags
    names = [a["id"] for tag, a in tags if tag == "figure"]
    assert len(set(names)) == len(names) == 12 and "no pictures" not in text
    assert [a["popovertarget"] for tag, a in tags if tag == "button"] == names
    assert all("popover" in a for tag, a in tags if tag == "figure")
    assert [a["aria-label"] for tag, a in tags if tag == "button"][1] == "Enlarge or close: 1"


@pytest.mark.parametrize(
    ("size", "count", "style"),
    [
        ("small", 8, "--wide:8;--medium:8;--narrow:4"),
        ("medium", 7, "--wide:4;--medium:4;--narrow:4"),
        ("medium", 4, "--wide:4;--medium:4;--narrow:2"),
        ("large", 2, "--wide:2;--medium:2;--narrow:2"),
        ("large", 1, "--wide:1;--medium:1;--narrow:1"),
    ],
)
def test_the_columns_of_a_row(size, count, style):
    row = Row([Figure(np.zeros((200, 200)), "a")] * count, size=size)
    text = page("a", "b", [Section("c", "", [row])])
    odd = " odd" if count == 7 else ""
    assert f'<div class="row{odd}" style="{style}">' in text
