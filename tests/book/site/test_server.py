"""The served book: what it answers, what it refuses, and code that breaks its limits."""

import json
import threading
import urllib.error
import urllib.request

import pytest

from minidl.book import process
from minidl.book.exercises import exercise
from minidl.book.site import server as serving

pytest.importorskip("flask")


@pytest.fixture(scope="module")
def url(book):
    server, address = serving.server(book)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield address
    server.shutdown()


def request(address, body=None, **headers):
    """Return (status, text, headers) of a request; with a body, of a POST from the page itself."""
    origin = {"Origin": "/".join(address.split("/")[:3])} if body is not None else {}
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    named = {"Content-Type": "application/json", **origin, **headers}
    made = urllib.request.Request(address, data, {k: v for k, v in named.items() if v is not None})
    try:
        with urllib.request.urlopen(made, timeout=60) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def lines_of(address, code):
    status, text, _ = request(address, {"code": code})
    assert status == 200
    return json.loads(text)["lines"]


def test_the_pages_are_served_with_a_policy(url):
    status, text, headers = request(url)
    assert status == 200
    assert "<title>The book of minidl" in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert request(f"{url}convolution.html")[0] == 200
    assert "offer(place" in request(f"{url}book.js")[1]


def test_a_missing_or_wrong_token_is_refused(url):
    root = "/".join(url.split("/")[:3])
    for path in ("/", "/index.html", "/wrong/", "/wrong/run", f"/{url.split('/')[3]}x/"):
        status, text, _ = request(root + path)
        assert status == 403
        assert "Open the address that minidl printed" in text


def test_foreign_hosts_origins_and_sites_are_refused(url):
    for headers in (
        {"Host": "example.com"},
        {"Origin": "http://example.com"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert request(url, **headers)[0] == 403


def test_a_post_needs_the_origin_of_the_page(url):
    body = {"code": "print(1)"}
    for origin in (None, "null", "http://example.com", "http://127.0.0.1:1"):
        assert request(f"{url}run", body, Origin=origin)[0] == 403
    assert request(f"{url}run", body)[0] == 200


def test_only_files_of_the_book_are_served(url, book):
    (book.parent / "secret.txt").write_text("secret")
    for path in ("../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "/etc/passwd"):
        assert request(url + path)[0] in (403, 404)


def test_code_runs_and_its_output_comes_back(url):
    code = "import numpy as np\nfrom minidl import ops\nprint(ops.relu(np.array([-1.0, 2.0])))"
    assert lines_of(f"{url}run", code) == ["[0. 2.]"]
    assert lines_of(f"{url}run", "x = 1") == ["It printed nothing."]


def test_an_error_is_reported_with_its_line(url):
    [line] = lines_of(f"{url}run", "x = 1\ny = x + z\n")
    assert "line 2 raises NameError" in line


def test_an_endless_loop_ends(url, monkeypatch):
    monkeypatch.setattr(
        process.run, "__kwdefaults__", {**process.run.__kwdefaults__, "seconds": 1.0}
    )
    printed, ended = lines_of(f"{url}run", "print('begun')\nwhile True:\n    pass\n")
    assert printed == "begun"
    assert "still running after 1 second" in ended


@pytest.mark.skipif(not hasattr(process.os, "fork"), reason="Windows has no limit of memory")
def test_a_memory_hog_ends(url):
    [line] = lines_of(f"{url}run", "x = bytearray(2**33)\nprint(len(x))\n")
    assert "needs more memory than the limit allows" in line


def test_an_exercise_is_checked(url):
    name = "convolution-dx"
    stub = exercise(name).stub
    lines = lines_of(f"{url}check/{name}", f"import numpy as np\n\n{stub}\n")
    assert "not filled in yet" in "\n".join(lines)


def test_an_unknown_exercise_and_bad_requests_are_named(url):
    assert "convolution-dx" in lines_of(f"{url}check/convolution-dxx", "")[0]
    assert request(f"{url}run", b"no json")[0] == 400
    assert request(f"{url}run", {"other": 1})[0] == 400
    assert request(f"{url}run", {"code": "x" * 2**19})[0] == 413


def test_two_programs_run_at_once_and_a_third_is_told(url, monkeypatch):
    begun, go_on = threading.Semaphore(0), threading.Event()

    def waits(code):
        begun.release()
        go_on.wait(30)
        return process.Run("done", None, True, [], [])

    monkeypatch.setattr(serving, "run", waits)
    threads = [threading.Thread(target=lines_of, args=(f"{url}run", "1")) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert begun.acquire(timeout=30)
    assert begun.acquire(timeout=30)
    assert lines_of(f"{url}run", "1") == [serving.BUSY]
    go_on.set()
    for thread in threads:
        thread.join()
