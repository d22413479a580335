"""Pages of pictures in Chromium: columns, enlarged figures, the keyboard, a phone, and paper."""

import numpy as np
import pytest

from minidl.visualize.drawing.page import SIZES, Bar, Figure, Row, Scale, Section
from minidl.visualize.drawing.page import page as page_of
from tests.browser import (
    PHONE,
    chromium,
    needs_axe,
    needs_chromium,
    on_phone,
    one,
    page,
    press,
    serious_findings,
)

webdriver = pytest.importorskip("selenium.webdriver")
Keys = webdriver.Keys
__all__ = ["chromium", "page"]
pytestmark = needs_chromium
MOST = 13  # pictures in a row
FIND_ROWS = """
return [...document.querySelectorAll(".row")].map((row) => {
  const counts = new Map();
  for (const cell of row.children) {
    const top = Math.round(cell.getBoundingClientRect().top);
    counts.set(top, (counts.get(top) || 0) + 1);
  }
  return [...counts.values()];
});
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a page with rows of all sizes and of 1 to MOST pictures."""
    picture, scale = np.full((90, 120, 3), 128.0), Scale([(0, 0, 0), (255, 96, 0)], "-0.25", "12")
    rows = [
        Row([Figure(picture, f"{n}\nits colours", scale) for n in range(count)], f"{count}", size)
        for size in SIZES
        for count in range(1, MOST + 1)
    ]
    sections = [
        Section("The verdict", "words", rows[:1], [Bar("a cat", 0.83, 14.2), Bar("x" * 90, 0, -3)]),
        Section("Rows", "words", rows),
    ]
    path = tmp_path_factory.mktemp("pages") / "page.html"
    path.write_text(page_of("A page", "words", sections, "foot"), encoding="utf-8")
    return path.as_uri()


def with_theme(page, theme):
    features = [{"name": "prefers-color-scheme", "value": theme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_no_picture_is_alone_in_a_row(page, address, width):
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE | {"width": width})
    page.get(address)
    rows = page.execute_script(FIND_ROWS)
    assert len(rows) == 1 + 3 * MOST
    assert all(1 not in counts for counts in rows if counts != [1])
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def opened(page):
    return page.execute_script("return document.querySelector(':popover-open')?.id ?? null")


@pytest.mark.parametrize("is_phone", [False, True])
def test_a_click_enlarges_a_picture_and_closes_it(page, address, is_phone):
    if is_phone:
        on_phone(page)
    page.get(address)
    image, button = one(page, "#s1r2f1 img"), one(page, "#s1r2f1 button")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    before, place = image.size, page.execute_script("return scrollY")
    button.click()
    assert opened(page) == "s1r2f1" and image.size["height"] > 2 * before["height"]
    assert "its colours" in one(page, "#s1r2f1 figcaption").text
    button.click()
    assert opened(page) is None and image.size == before
    assert page.execute_script("return scrollY") == place


def test_the_keyboard_enlarges_pictures_and_closes_them(page, address):
    page.get(address)
    page.execute_script("arguments[0].focus()", one(page, "#s1r2f0 button"))
    press(page, Keys.TAB)
    press(page, Keys.ENTER)
    assert opened(page) == "s1r2f1"
    press(page, Keys.ESCAPE)
    assert opened(page) is None
    press(page, Keys.ENTER)
    press(page, Keys.ENTER)
    assert opened(page) is None


def test_the_contents_lead_to_the_sections(page, address):
    page.get(address)
    second = page.find_elements("css selector", "nav a")[1]
    assert second.text == "Rows"
    second.click()
    top = page.execute_script("return document.getElementById('s1').getBoundingClientRect().top")
    assert abs(top) < 5


def test_paper_is_white_and_has_no_buttons(page, address):
    page.get(address)
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": features})
    colour = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(255, 255, 255)"
    assert not one(page, "nav").is_displayed() and not one(page, "figure button").is_displayed()
    assert one(page, "table").is_displayed()


@needs_axe
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("is_phone", [False, True])
def test_axe_finds_nothing_serious(page, address, theme, is_phone):
    if is_phone:
        on_phone(page)
    with_theme(page, theme)
    page.get(address)
    assert serious_findings(page) == []
    one(page, "#s1r2f1 button").click()
    assert serious_findings(page) == []
