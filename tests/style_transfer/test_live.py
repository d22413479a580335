"""The page of a painting while it forms: what it is told, and which requests are refused."""

import json
import socket
import time
import webbrowser
from http.client import HTTPConnection
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from minidl.loopback import open_page
from minidl.style_transfer import Losses, Step, stylize
from minidl.style_transfer.live import Live
from minidl.style_transfer.record import row

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def a_step(number, picture=None, total=10.0, seconds=0.0):
    picture = np.full((4, 6, 3), number, np.float32) if picture is None else picture
    losses = Losses(total, total / 2, total / 4, total / 4, {})
    return Step(number, 5, losses, picture, picture, seconds or number, 24.0)


@pytest.fixture
def live():
    with Live("cat") as live:
        yield live


def request(live, name="", method="GET", path=None, **headers):
    """Send a request and return the response, whose body is not read yet."""
    host, token = live.url.removeprefix("http://").rstrip("/").split("/")
    connection = HTTPConnection(host, timeout=20)
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    connection.request(method, path or f"/{token}/{name}", headers=named)
    return connection.getresponse()


def origin(live):
    return live.url[: live.url.index("/", 7)]


def stop(live):
    return request(live, "stop", "POST", Origin=origin(live)).status


def messages(response):
    """Yield the messages of an event stream."""
    for line in response:
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))


# ---- what is served ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("", "text/html; charset=utf-8", b'<script src="page.js"'),
        ("page.css", "text/css; charset=utf-8", b"prefers-color-scheme: dark"),
        ("page.js", "text/javascript; charset=utf-8", b"EventSource"),
        ("icon.svg", "image/svg+xml", b"<svg"),
    ],
)
def test_the_page_and_its_files_load_nothing_from_elsewhere(live, name, kind, words):
    response = request(live, name)
    text = response.read()
    assert response.status == 200 and response.headers["Content-Type"] == kind
    assert {key: response.headers[key] for key in HEADERS} == HEADERS
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert words in text
    assert b"//" not in text.replace(b"http://www.w3.org/2000/svg", b"").replace(b"// ", b"")


def test_a_viewer_is_told_the_history_then_each_change_then_the_end(live):
    live(a_step(1))
    live(a_step(2))
    told = messages(request(live, "events"))
    first = next(told)
    assert (first["title"], first["steps"], first["done"], first["end"]) == ("cat", 5, 2, "")
    assert [row["step"] for row in first["rows"]] == [1, 2]
    live(a_step(3))
    second = next(told)
    assert [row["step"] for row in second["rows"]] == [3]
    expected = {"total": 10, "content": 5, "style": 2.5, "total_variation": 2.5}
    assert second["rows"][0] == {"step": 3, **expected, "seconds": 3, "size": 6}
    live.finish(np.zeros((4, 6, 3)), "It is in cat.png.")
    assert next(told)["end"] == "It is in cat.png."


def test_a_viewer_of_a_resumed_run_is_told_the_steps_before():
    rows = [row(step.number, step.losses, step.seconds) for step in map(a_step, (1, 2))]
    with Live("cat", rows) as live:
        live(a_step(3))
        message = next(messages(request(live, "events")))
    assert message["done"] == len(message["rows"]) == 3
    assert [row["step"] for row in message["rows"]] == [1, 2, 3]


def test_a_loss_that_is_not_finite_is_told_as_none(live):
    live(a_step(1, total=float("nan")))
    assert next(messages(request(live, "events")))["rows"][0]["total"] is None


def test_the_time_left_is_that_of_the_last_step():
    with Live("cat") as live:
        assert next(messages(request(live, "events")))["left"] is None
        live(a_step(1, seconds=3.0))
        live(a_step(2, seconds=6.0))
        message = next(messages(request(live, "events")))
    assert message["left"] == pytest.approx(24, abs=1)
    assert message["left"] + message["seconds"] == pytest.approx(30)


def test_the_picture_is_the_best_one_in_any_size(live):
    assert request(live, "picture.png").status == 404
    rng = np.random.default_rng(0)
    for number, shape in enumerate([(8, 9, 3), (16, 18, 3)], start=1):
        best = rng.uniform(0, 255, shape).astype(np.float32)
        live(a_step(number, best)._replace(image=np.zeros(shape)))
        response = request(live, "picture.png")
        assert response.headers["Content-Type"] == "image/png"
        np.testing.assert_array_equal(Image.open(BytesIO(response.read())), np.rint(best))


def test_a_picture_is_encoded_once_and_only_if_it_is_asked_for(live, monkeypatch):
    encoded = []
    monkeypatch.setattr(
        "minidl.style_transfer.live.live.as_png", lambda picture: encoded.append(picture) or b"png"
    )
    for number in range(1, 5):
        live(a_step(number))
    assert not encoded
    assert request(live, "picture.png").read() == request(live, "picture.png").read() == b"png"
    assert len(encoded) == 1 and encoded[0].max() == 4


# ---- stop and end --------------------------------------------------------------------------------


def test_stop_interrupts_the_painting_at_its_next_step(live):
    live(a_step(1))
    assert not live.stopped
    assert stop(live) == 204
    assert live.stopped and next(messages(request(live, "events")))["stopping"]
    with pytest.raises(KeyboardInterrupt):
        live(a_step(2))
    assert next(messages(request(live, "events")))["done"] == 2


@pytest.mark.usefixtures("paint_with_the_small_model")
def test_stylize_returns_the_best_picture_if_stop_was_pressed(live, content, style):
    def callback(step):
        if step.number == 3:
            stop(live)
        live(step)

    painting = stylize(content, style, steps=5, callback=callback)
    assert painting.steps == 3 and isinstance(painting.trouble, KeyboardInterrupt)


def test_the_end_waits_until_the_viewers_have_the_last_picture():
    with Live("cat") as live:
        live(a_step(1))
        response = request(live, "events")
        told = messages(response)
        next(told)
        begun = time.perf_counter()
        live.finish(np.full((4, 6, 3), 77.0), "done")
        assert next(told)["end"] == "done"
        assert (
            Image.open(BytesIO(request(live, "picture.png").read())).getpixel((0, 0)) == (77,) * 3
        )
        response.close()
    assert time.perf_counter() - begun < 2
    with pytest.raises(ConnectionError):
        request(live)


def test_the_end_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr("minidl.style_transfer.live.live.PATIENCE", 0.1)
    with Live("cat") as live:
        told = messages(request(live, "events"))
        next(told)
        begun = time.perf_counter()
    assert 0.1 <= time.perf_counter() - begun < 2
    assert next(told)["end"] == "The painting has ended."


# ---- what is refused -----------------------------------------------------------------------------


def test_only_this_computer_can_connect_and_every_address_is_new(live):
    assert live._server.server_address[0] == "127.0.0.1"
    with Live("dog") as other:
        assert other.url != live.url
        token = other.url.split("/")[3]
        assert len(token) > 40 and request(live, path=f"/{token}/").status == 403


@pytest.mark.parametrize("path", ["/", "/events", "/picture.png", "//", "/%/"])
def test_a_request_without_the_token_is_refused(live, path):
    live(a_step(1))
    assert request(live, path=path).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Host": "evil.example:{port}"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://localhost:{port}"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_requests_of_other_hosts_and_pages_are_refused(live, headers):
    port = live.url.split(":")[2].split("/")[0]
    headers = {name: value.format(port=port) for name, value in headers.items()}
    live(a_step(1))
    for name in ("", "picture.png", "events"):
        response = request(live, name, **headers)
        assert response.status == 403 and b"address that minidl printed" in response.read()
    assert request(live, "stop", "POST", **{"Origin": origin(live), **headers}).status == 403
    assert not live.stopped


def test_requests_of_the_page_and_of_the_address_bar_are_answered(live):
    port = live.url.split(":")[2].split("/")[0]
    assert request(live, Sec_Fetch_Site="none").status == 200
    assert request(live, Sec_Fetch_Site="same-origin", Origin=origin(live)).status == 200
    named = f"localhost:{port}"
    assert request(live, Host=named, Origin=f"http://{named}").status == 200


def test_stop_has_to_be_a_post_of_the_page(live):
    assert request(live, "stop").status == 404
    assert request(live, "stop", "POST").status == 403
    assert request(live, "picture.png", "POST", Origin=origin(live)).status == 404
    assert request(live, "stop", "PUT", Origin=origin(live)).status == 501
    assert not live.stopped


@pytest.mark.parametrize("path", [b"/", b"/\xc3\xa9\xff/"])
def test_a_request_that_no_browser_sends_is_refused(live, path, capfd):
    with socket.create_connection(live._server.server_address, timeout=20) as connection:
        connection.sendall(b"GET " + path + b" HTTP/1.0\r\n\r\n")
        assert connection.makefile("rb").readline().split()[1] == b"403"
    assert request(live).status == 200
    assert capfd.readouterr() == ("", "")


def test_a_path_does_not_reach_other_files(live):
    for name in ("live.py", "../live/live.py", "page.html", "%2e%2e/"):
        assert request(live, name).status == 404


# ---- the browser ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("browser", "opens"),
    [(webbrowser.Chrome("x"), True), (webbrowser.GenericBrowser("w3m"), False)],
)
def test_a_browser_is_opened_unless_it_runs_in_the_terminal(monkeypatch, browser, opens):
    opened = []
    browser.open = lambda url: opened.append(url) or True
    monkeypatch.setattr(webbrowser, "get", lambda: browser)
    assert open_page("http://127.0.0.1/") is opens
    assert opened == ["http://127.0.0.1/"] * opens


def test_a_computer_without_a_browser_opens_none(monkeypatch):
    def get():
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "get", get)
    assert open_page("http://127.0.0.1/") is False
