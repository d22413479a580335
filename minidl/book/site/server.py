"""The book, served: code that can be edited and run, and exercises that are checked in the page.

Only this computer can reach it (see `minidl.loopback`). Each run has a process of its own, with
limits of time and memory (see `minidl.book.process`), and the rights of the user.
"""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from minidl.book.exercises import check, exercise
from minidl.book.process import run
from minidl.book.site.build import ASSETS
from minidl.errors import MinidlError
from minidl.loopback import HEADERS, HOST, REFUSAL, Door

LONGEST = 2**18  # bytes of a request
AT_ONCE = 2  # processes
BUSY = "Other code is still running. Wait until it has ended, then run this again."
CHECKED = "Host", "Origin", "Sec-Fetch-Site"  # headers


def server(folder: Path) -> tuple[BaseWSGIServer, str]:
    """Return a server of the book in a folder, on a free port, and the address of its first page.

    Call its method `serve_forever`.
    """
    waiting = make_server(HOST, 0, _nothing, threaded=True, request_handler=_Silent)
    door = Door(waiting.port)
    waiting.app = application(folder, door)
    return waiting, door.url


class _Silent(WSGIRequestHandler):
    """Prints nothing for a request."""

    def log_request(self, *words):
        pass


def application(folder: Path, door: Door) -> flask.Flask:
    """Return the program that answers requests for the book in a folder."""
    app = flask.Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LONGEST
    script = "".join(
        (ASSETS / name).read_text(encoding="utf-8") for name in ("book.js", "workshop.js")
    ).replace('"use strict";', "")
    processes = threading.BoundedSemaphore(AT_ONCE)

    @app.before_request
    def refuse():
        headers = {name: flask.request.headers.get(name) for name in CHECKED}
        if not door.admits(flask.request.method, flask.request.path, headers):
            return REFUSAL, 403, {"Content-Type": "text/plain"}
        return None

    @app.after_request
    def add_headers(response):
        response.headers.update(HEADERS)
        return response

    @app.get("/<token>/")
    def first(token):
        return flask.send_from_directory(folder.resolve(), "index.html")

    @app.get("/<token>/book.js")
    def scripts(token):
        return flask.Response(f'"use strict";\n{script}', mimetype="text/javascript")

    @app.get("/<token>/<name>")
    def file(token, name):
        return flask.send_from_directory(folder.resolve(), name)

    @app.post("/<token>/run")
    def run_code(token):
        return _lines(processes, _ran)

    @app.post("/<token>/check/<name>")
    def check_solution(token, name):
        return _lines(processes, lambda code: check(exercise(name), code).lines)

    return app


def _lines(processes, answer: Callable[[str], list[str]]):
    """Return the lines of an answer to the code of the request, or those of an error."""
    try:
        body = flask.request.get_json(silent=True)
    except RecursionError:  # arrays within arrays
        body = None
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, str):
        return {"lines": ["The request has no code."]}, 400
    with _one_of(processes) as is_free:
        if not is_free:
            return {"lines": [BUSY]}
        try:
            return {"lines": answer(code)}
        except MinidlError as error:
            return {"lines": [str(error)]}


@contextmanager
def _one_of(processes):
    is_free = processes.acquire(timeout=1)
    try:
        yield is_free
    finally:
        if is_free:
            processes.release()


def _ran(code):
    """Run a program, and return the lines that it printed and why it ended."""
    done = run(code)
    ended = [f"The code stopped: {done.problem}."] if done.problem else []
    return [*done.output.splitlines(), *ended] or ["It printed nothing."]


def _nothing(environ, start_response):
    raise AssertionError("the program is set before the server starts")
