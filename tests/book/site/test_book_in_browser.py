"""The book in Chromium: search, figures, marked variables, a phone, and the served book."""

import threading

import pytest

from minidl.book.exercises import exercise
from minidl.book.site.server import server
from tests.book.site.solutions import CONVOLUTION_DX
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
    wait,
)

webdriver = pytest.importorskip("selenium.webdriver")
Keys = webdriver.Keys

__all__ = ["chromium", "page"]
pytestmark = needs_chromium


def test_search_with_the_keyboard_leads_to_the_section(page, book):
    page.get((book / "index.html").as_uri())
    one(page, "body").send_keys("/")
    wait(lambda: page.execute_script("return Boolean(window.SEARCH)"))
    press(page, "convolution-dx")
    wait(lambda: "convolution-dx" in one(page, "#results").text)
    press(page, Keys.ENTER)
    wait(lambda: page.current_url.endswith("convolution.html#exercise-convolution-dx"))


def test_search_says_that_nothing_was_found(page, book):
    page.get((book / "index.html").as_uri())
    one(page, "#query").send_keys("xyzzy")
    wait(lambda: "Nothing found" in one(page, "#results").text)
    press(page, Keys.ESCAPE)
    assert not one(page, "#results").is_displayed()


def test_a_figure_steps_with_the_keyboard(page, book):
    page.get((book / "pooling.html").as_uri())
    slider = one(page, "#figure-max_pool_tie input[type=range]")
    assert slider.get_attribute("aria-valuetext") == "A."
    slider.send_keys(Keys.ARROW_RIGHT)
    assert slider.get_attribute("aria-valuetext") == "B."
    assert one(page, "#figure-max_pool_tie output").text == "2 of 2"


def marked(page):
    return {
        (element.tag_name, element.text)
        for element in page.find_elements("css selector", "#max_pool .marked")
    }


def test_a_button_marks_a_variable_in_the_formula_and_in_the_code(page, book):
    page.get((book / "pooling.html").as_uri())
    button = one(page, '#max_pool [data-mark="stride"]')
    page.execute_script("arguments[0].focus()", button)
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-pressed") == "true"
    assert {("mi", "stride"), ("span", "stride")} <= marked(page)
    button.send_keys(Keys.ENTER)
    assert marked(page) == set()


def test_pointing_at_a_symbol_marks_the_variable(page, book):
    page.get((book / "pooling.html").as_uri())
    symbol = one(page, '#max_pool .formulas [data-name="x"]')
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", symbol)
    webdriver.ActionChains(page).move_to_element(symbol).perform()
    wait(lambda: ("span", "x") in marked(page))


def test_the_colours_that_a_reader_chose_stay(page, book):
    page.get((book / "index.html").as_uri())
    before = page.execute_script("return document.documentElement.dataset.theme")
    one(page, "#theme").click()
    page.get((book / "pooling.html").as_uri())
    after = page.execute_script("return document.documentElement.dataset.theme")
    assert {before, after} == {"light", "dark"}
    one(page, "#theme").click()


@pytest.mark.thorough
def test_no_page_is_wider_than_a_phone(page, book):
    on_phone(page)
    for path in sorted(book.glob("*.html")):
        page.get(path.as_uri())
        width = page.execute_script("return document.documentElement.scrollWidth")
        assert width <= PHONE["width"], path.name


def test_the_contents_open_on_a_phone(page, book):
    on_phone(page)
    page.get((book / "pooling.html").as_uri())
    assert not one(page, "#contents").is_displayed()
    one(page, "#contents-button").click()
    assert one(page, "#contents").is_displayed()


@needs_axe
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("theme", "pages"), [("light", "*.html"), ("dark", "[inp]*.html")], ids=["light", "dark"]
)
def test_axe_finds_nothing_serious(page, book, theme, pages):
    for path in sorted(book.glob(pages)):
        page.get(path.as_uri())
        page.execute_script(f"document.documentElement.dataset.theme = '{theme}'")
        assert serious_findings(page) == [], path.name


@pytest.fixture
def served(page, book):
    made, url = server(book)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield url
    page.get("about:blank")
    made.shutdown()


def output_of(page, selector):
    """Press the button of the first editor in an element, and return what it then shows."""
    editor = one(page, f"{selector} .editor")
    page.execute_script("arguments[0].querySelector('button').click()", editor)
    shown = editor.find_element("css selector", ".output")
    return wait(lambda: shown.text if shown.text not in ("", "Running …") else "")


def test_examples_and_proofs_run_in_the_served_book(page, served):
    page.get(f"{served}pooling.html")
    for selector, wanted in ((".example", "[0. 1. 0. 0.]"), (".prove", "True")):
        page.execute_script("arguments[0].click()", one(page, f"{selector} > button"))
        assert wanted in output_of(page, selector)


def test_an_exercise_is_checked_in_the_served_book(page, served):
    page.get(f"{served}convolution.html")
    place = "#exercise-convolution-dx .solve"
    assert "not filled in yet" in output_of(page, place)
    area = one(page, f"{place} textarea")
    page.execute_script("arguments[0].value = arguments[1]", area, CONVOLUTION_DX)
    page.execute_script("arguments[0].textContent = ''", one(page, f"{place} .output"))
    assert exercise("convolution-dx").name in output_of(page, place)
    assert "is right for" in one(page, f"{place} .output").text
