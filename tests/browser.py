"""Pages in headless Chromium, for tests that need it and its driver.

Those of accessibility need the script of axe-core, which is in the npm package of this name. The
environment variable MINIDL_AXE says where it is.
"""

import os
import shutil
import time
from pathlib import Path

import pytest

PROGRAMS = [shutil.which(name) for name in ("chromium", "chromedriver")]
AXE = os.environ.get("MINIDL_AXE")
PATIENCE = 30  # seconds
PHONE = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
SERIOUS = ("serious", "critical")
RUN_AXE = """
const done = arguments[0];
axe.run(document, {resultTypes: ["violations"], preload: false}).then(
  (found) => done(found.violations.map((v) => [v.impact, v.id, v.nodes[0].html.slice(0, 200)])),
  (error) => done([["critical", String(error), ""]]));
"""
needs_chromium = [
    pytest.mark.thorough,
    pytest.mark.skipif(None in PROGRAMS, reason="Chromium or its driver is not installed"),
]
needs_axe = pytest.mark.skipif(
    AXE is None, reason="MINIDL_AXE does not name the script of axe-core"
)


@pytest.fixture(scope="module")
def chromium():
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location, driver = PROGRAMS
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    browser.set_script_timeout(120)
    yield browser
    browser.quit()


@pytest.fixture
def page(chromium):
    chromium.set_window_size(1280, 900)
    yield chromium
    complaints = chromium.get_log("browser")
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    chromium.get("about:blank")
    assert complaints == []


def on_phone(page):
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)


def one(page, selector):
    return page.find_element("css selector", selector)


def wait(condition):
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def press(page, *keys):
    page.switch_to.active_element.send_keys(*keys)


def serious_findings(page):
    """Return what axe-core finds on the page that is serious or critical."""
    page.execute_script(Path(AXE or "").read_text(encoding="utf-8"))
    return [found for found in page.execute_async_script(RUN_AXE) if found[0] in SERIOUS]
