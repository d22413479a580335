"""The page of a painting in headless Chromium: what it shows, its buttons, and lost connections.

The tests need Chromium and its driver, which Debian has as chromium-driver.
"""

import shutil
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from minidl.data import read_image
from minidl.style_transfer import Losses, Step
from minidl.style_transfer.live import Live

webdriver = pytest.importorskip("selenium.webdriver")
PROGRAMS = [shutil.which(name) for name in ("chromium", "chromedriver")]
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(None in PROGRAMS, reason="Chromium or its driver is not installed"),
]
PATIENCE = 20  # seconds

PROGRAM = """
import time
import numpy as np
from minidl.style_transfer import Losses, Step
from minidl.style_transfer.live import Live
with Live("cat") as live:
    print(live.url, flush=True)
    picture = np.full((4, 6, 3), 9.0)
    live(Step(1, 5, Losses(4.0, 1.0, 2.0, 1.0, {}), picture, picture, 1.0, 4.0))
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location, driver = PROGRAMS
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    folder = str(tmp_path_factory.mktemp("downloads"))
    options.add_experimental_option("prefs", {"download.default_directory": folder})
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    browser.downloads = folder
    yield browser
    browser.quit()


@pytest.fixture
def page(chromium):
    yield chromium
    complaints = chromium.get_log("browser")
    chromium.get("about:blank")
    assert not [entry for entry in complaints if "net::ERR" not in entry["message"]]


def show(live, number, level=None, size=6):
    level = 20 * number if level is None else level
    picture = np.full((4, size, 3), level, np.float32)
    losses = Losses(1e6 / number, 0.0 if number == 1 else 2e5, 4e5 / number, 300.0, {})
    live(Step(number, 5, losses, picture, picture, float(number), 5.0 - number))


def text(page, name):
    return page.execute_script("return document.getElementById(arguments[0]).textContent", name)


def wait_for(condition):
    """Wait until the condition is true, and return its value."""
    last = time.perf_counter() + PATIENCE
    while not (value := condition()):
        assert time.perf_counter() < last, "the page did not change as it should"
        time.sleep(0.05)
    return value


def level(page):
    """Return the first number of the picture on the page, or None if there is none."""
    return page.execute_script("""
        const picture = document.getElementById("picture");
        if (picture.hidden) return null;
        const canvas = document.createElement("canvas").getContext("2d");
        canvas.drawImage(picture, 0, 0);
        return canvas.getImageData(0, 0, 1, 1).data[0];""")


def test_the_page_shows_the_picture_the_progress_and_the_curves(page):
    with Live("cat <b>") as live:
        page.get(live.url)
        wait_for(lambda: text(page, "status") == "Painting")
        assert level(page) is None and not page.find_element("id", "save").is_enabled()
        show(live, 1)
        show(live, 2)
        wait_for(lambda: level(page) == 40)
        assert page.title == "2/5 cat <b>" and text(page, "title") == "cat <b>"
        assert text(page, "steps") == "Step 2 of 5"
        assert text(page, "time").endswith(" s left")
        assert page.execute_script("return document.getElementById('progress').position") == 0.4
        values = [row.text for row in page.find_elements("css selector", "td")]
        assert values == ["5.000 × 10⁵", "2.000 × 10⁵", "2.000 × 10⁵", "3.000 × 10²"]
        points = {
            path.get_attribute("class"): path.get_attribute("d").count("L") + 1
            for path in page.find_elements("css selector", "#curves path")
        }
        # the content loss is 0 at the first step, which is not drawn
        assert points == {"total": 2, "content": 1, "style": 2, "total_variation": 2}
        assert not page.find_elements("css selector", "#curves .size")
        show(live, 3, size=12)
        wait_for(lambda: "12 px" in text(page, "curves"))


def test_a_page_that_is_loaded_again_shows_the_history(page):
    with Live("cat") as live:
        for number in (1, 2, 3):
            show(live, number)
        for _ in range(2):
            page.get(live.url)
            wait_for(lambda: level(page) == 60)
            total = page.find_element("css selector", "#curves path.total")
            assert total.get_attribute("d").count("L") == 2


def test_stop_is_pressed_with_the_keyboard(page):
    with Live("cat") as live:
        page.get(live.url)
        show(live, 1)
        button = page.find_element("id", "stop")
        wait_for(button.is_enabled)
        assert button.accessible_name == "Stop painting and keep the best picture"
        button.send_keys("\n")
        wait_for(lambda: live.stopped)
        wait_for(lambda: text(page, "status") == "Stopping after this step")
        assert not button.is_enabled()
        with pytest.raises(KeyboardInterrupt):
            show(live, 2)


def test_the_page_keeps_the_painting_after_the_end_and_saves_it(page):
    with Live("cat") as live:
        page.get(live.url)
        show(live, 1)
        wait_for(lambda: level(page) == 20)
        painting = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.float32)
        live.finish(painting, "The painting is done. It is in /pictures/cat.png.")
    assert text(page, "status") == "The painting is done. It is in /pictures/cat.png."
    assert page.title == "cat" and not page.find_element("id", "stop").is_enabled()
    page.find_element("id", "save").click()
    saved = Path(page.downloads, "painting-step-1.png")
    wait_for(saved.exists)
    np.testing.assert_array_equal(read_image(saved), painting)


def test_the_page_says_that_the_program_is_gone_and_keeps_the_picture(page):
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    try:
        page.get(program.stdout.readline().strip())
        wait_for(lambda: level(page) == 9)
    finally:
        program.kill()
        program.communicate()
    wait_for(lambda: "minidl does not answer" in text(page, "status"))
    assert level(page) == 9 and page.find_element("id", "save").is_enabled()
    assert not page.find_element("id", "stop").is_enabled()


@pytest.fixture
def foreign_page():
    """The address of an empty page of another server on this computer."""

    class EmptyPage(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *message):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_a_foreign_page_can_neither_stop_the_painting_nor_show_it(page, foreign_page):
    with Live("cat") as live:
        show(live, 1)
        page.get(foreign_page)
        page.execute_async_script(
            "fetch(arguments[0], {method: 'POST', mode: 'no-cors'}).finally(arguments[1])",
            live.url + "stop",
        )
        assert not live.stopped
        loaded = page.execute_async_script(
            """const image = new Image();
            image.onload = () => arguments[1](true);
            image.onerror = () => arguments[1](false);
            image.src = arguments[0];""",
            live.url + "picture.png",
        )
        assert not loaded
        page.get_log("browser")  # the refusals
