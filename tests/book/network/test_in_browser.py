"""The page of a network in headless Chromium: its sums, its keyboard, and its addresses.

The tests need Chromium and its driver, which Debian has as chromium-driver.
"""

import shutil
import time

import pytest

from tests.book.network.networks import of_the_shipped_network, random_exploration, write_page

webdriver = pytest.importorskip("selenium.webdriver")
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
PROGRAMS = [shutil.which(name) for name in ("chromium", "chromedriver")]
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(None in PROGRAMS, reason="Chromium or its driver is not installed"),
]
PATIENCE = 20  # seconds

# The largest error of a sum of terms, relative to the size of the terms, and the number of sums
CHECK = """
const { layers, reaches, forward, back, parameter, range } = networkSums(minidlNetwork);
const step = arguments[0];
let worst = 0, count = 0;
const check = (sum, truth, sizes) => {
  const size = sizes.reduce((total, one) => total + Math.abs(one), 0);
  worst = Math.max(worst, size ? Math.abs(sum - truth) / size : Math.abs(truth));
  count += 1;
};
const checkTerms = ({ windows, others, sum, truth }) => check(sum, truth, [
  ...windows.flatMap((window) => window.cells.flat().map((cell) => cell.product)),
  ...others.map((term) => term.sum)]);
layers.forEach((layer, l) => {
  const [height, width, units] = layer.y.shape;
  range(units).forEach((u) => {
    for (let place = u; place < height * width; place += height * width > 1 ? step : 1) {
      const [r, s] = [Math.floor(place / width), place % width];
      if (l && layer.kind !== "softmax") checkTerms(forward(l, u, r, s));
      layer.dy.forEach((_, t) => checkTerms(back(t, l, u, r, s)));
    }
    layer.dy.forEach((_, t) => {
      const of = (which) => {
        const { sum, truth, products } = parameter(t, l, u, which);
        check(sum, truth, products.flat());
      };
      ["gamma", "beta", "bias"].filter((name) => layer[name]).forEach((name) => of({ name }));
      if (!layer.kernel) return;
      const [rows, columns, inputs] = layer.kernel.shape;
      for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++)
        for (let c = u % 3; c < inputs; c += 3)
          if (reaches(l, c, u)) of({ name: "kernel", i, j, c });
    });
  });
});
return [worst, count];
"""


@pytest.fixture(scope="module")
def chromium():
    options = webdriver.ChromeOptions()
    options.binary_location, driver = PROGRAMS
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """{name: address} of the page of the shipped network and of a random one"""
    explored = {"shipped": of_the_shipped_network(), "random": random_exploration()}
    return {
        name: write_page(tmp_path_factory.mktemp(name), data) for name, data in explored.items()
    }


@pytest.fixture
def page(chromium):
    chromium.set_window_size(1280, 900)
    yield chromium
    complaints = chromium.get_log("browser")
    chromium.get("about:blank")
    assert not complaints


def show(page, address, place=""):
    page.get("about:blank")
    page.get(address + place)


def press(page, *keys):
    page.switch_to.active_element.send_keys(*keys)


def shown(page):
    """The part of the address after #"""
    return page.execute_script("return location.hash.slice(1)")


def wait_for(condition):
    last = time.perf_counter() + PATIENCE
    while not (value := condition()):
        assert time.perf_counter() < last, "the page did not change as it should"
        time.sleep(0.02)
    return value


def follow(page, selector):
    """Focus an element and press Enter. Return the new address."""
    before = shown(page)
    page.execute_script("document.querySelector(arguments[0]).focus()", selector)
    press(page, Keys.ENTER)
    wait_for(lambda: shown(page) != before)
    return shown(page)


def heading(page):
    """The heading of the unit that is shown, or None"""
    return page.execute_script(
        "return document.querySelector('.unit:not([hidden]) h2')?.textContent ?? null"
    )


def totals(page):
    """The sum of the terms that are shown, and the number that minidl computed"""
    return [cell.text for cell in page.find_elements("css selector", ".terms .total .sum")]


@pytest.mark.parametrize("name", ["shipped", "random"])
def test_the_terms_that_are_shown_add_up_to_the_numbers_of_minidl(page, addresses, name):
    show(page, addresses[name])
    worst, count = page.execute_script(CHECK, 41 if name == "shipped" else 1)
    assert worst < 2e-6 and count > 2000


def test_the_keyboard_leads_from_the_overview_forward_to_a_formula_and_back_to_a_pixel(
    page, addresses
):
    show(page, addresses["shipped"])
    for _ in range(20):
        press(page, Keys.TAB)
        if page.execute_script("return document.activeElement.closest('.layers') !== null"):
            break
    press(page, *[Keys.ARROW_RIGHT] * 4, *[Keys.ARROW_DOWN] * 3)
    name = page.switch_to.active_element.accessible_name
    press(page, Keys.ENTER)
    wait_for(lambda: shown(page).startswith("forward/block1_conv2/3/"))
    assert name.startswith("unit 3: largest size ")
    assert heading(page) == "block1_conv2, unit 3"
    assert page.execute_script("return document.activeElement.className") == "unit"

    page.execute_script("document.querySelector('.map.large').focus()")
    before = shown(page)
    press(page, Keys.ARROW_UP, Keys.ARROW_LEFT)
    row, column = map(int, before.split("/")[3].split(","))
    assert shown(page) == f"forward/block1_conv2/3/{row - 1},{column - 1}"
    value = page.find_element("css selector", ".value").text
    sum_of_terms, computed = totals(page)
    assert sum_of_terms == computed
    assert value == f"Value at row {row - 1}, column {column - 1}: {computed}"

    assert follow(page, ".terms tbody tr:nth-child(3) .choice").endswith("/2")
    assert page.execute_script("return document.activeElement.id") == "network-numbers"
    tables = page.find_elements("css selector", "#network-numbers .window")
    assert [len(table.find_elements("css selector", "td")) for table in tables] == [10] * 3
    assert "·" in page.find_element("css selector", "#network-numbers .equation").text

    assert follow(page, ".beside a[href^='#score']").startswith("score/block1_conv2/3/")
    assert page.execute_script("return document.activeElement.className") == "unit"
    follow(page, ".beside a[href='#score']")
    assert page.switch_to.active_element.accessible_name.startswith("unit 3")

    press(page, *[Keys.ARROW_LEFT] * 4)  # to the picture, whose third unit is its last
    press(page, Keys.ENTER)
    wait_for(lambda: shown(page).startswith("score/picture/2/"))
    assert heading(page) == "The gradient of the logit of cat with respect to picture, blue"
    sum_of_terms, computed = totals(page)
    assert sum_of_terms == computed != "0"


@pytest.mark.thorough
def test_the_links_of_terms_lead_from_the_score_down_to_a_pixel(page, addresses):
    show(page, addresses["shipped"], "#forward/predictions/3")
    layers = []
    while not shown(page).startswith("forward/picture"):
        layers.append(follow(page, ".terms tbody th a").split("/")[1])
    assert layers[0] == "block2_pool" and layers[-3:] == ["block1_conv1", "input", "picture"]
    assert page.find_element("css selector", ".value").text.startswith("Value at row ")


def test_a_parameter_is_chosen_with_its_gradient(page, addresses):
    show(page, addresses["random"], "#loss/scores/" + str(random_exploration()["chosen"]))
    buttons = page.find_elements("css selector", ".weights button")
    bias = next(button for button in buttons if button.text.startswith("db"))
    bias.send_keys(Keys.ENTER)
    assert page.find_element("css selector", ".weights h4").text == "db"
    line = page.find_element("css selector", ".weights .equation").text
    assert line.splitlines()[0].split(" = ")[1] == line.splitlines()[1].split(": ")[1]
    assert page.switch_to.active_element.get_attribute("aria-pressed") == "true"


def test_units_that_are_not_shown_are_one_term(page, addresses):
    layers = {layer["name"]: layer for layer in random_exploration()["layers"]}
    show(page, addresses["random"], f"#forward/dilated/{layers['dilated']['units'][0]}")
    assert "2 units that are not shown" in page.find_element("css selector", ".terms").text
    show(page, addresses["random"], f"#score/average/{layers['average']['units'][0]}")
    assert "4 units that are not shown" in page.find_element("css selector", ".terms").text


@pytest.mark.thorough
def test_an_address_leads_to_a_unit_and_anything_else_to_the_overview(page, addresses):
    show(page, addresses["shipped"], "#loss/block2_pool/4/2,3")
    assert heading(page) == "The gradient of the loss of cat with respect to block2_pool, unit 4"
    for place, title in {
        "forward/block2_pool/4/99,3": "block2_pool, unit 4",
        "content": "block2_pool, unit 4",  # another part of the page, such as the skip link's
        "nowhere/%": "block2_pool, unit 4",
        "loss/block2_pool/99": None,
        "forward/input/2/31,31": "input, blue",
        "loss/probabilities/3": None,
    }.items():
        page.execute_script("location.hash = arguments[0]", place)
        wait_for(lambda title=title: heading(page) == title)
    links = page.find_elements("css selector", ".layers a")
    assert len(links) > 100 and sum(link.get_attribute("tabindex") == "0" for link in links) == 1


@pytest.mark.thorough
def test_the_page_fits_a_phone_and_follows_the_theme(page, addresses):
    metrics = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        for place in ("", "#forward/block1_conv2/3", "#score/block1_conv2_relu/3"):
            show(page, addresses["shipped"], place)
            assert page.execute_script("return document.documentElement.scrollWidth") == 390
        corner = """
            const canvas = document.querySelector(".layers canvas");
            return [...canvas.getContext("2d").getImageData(0, 0, 1, 1).data];"""
        light = page.execute_script(corner)
        page.execute_script(
            "const style = document.documentElement.style;"
            "style.setProperty('--paper', '#000'); style.setProperty('--first', '#0f0');"
            "style.setProperty('--second', '#0f0'); document.documentElement.dataset.theme = 'dark'"
        )
        wait_for(lambda: page.execute_script(corner) != light)
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
