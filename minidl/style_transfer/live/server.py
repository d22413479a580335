"""The server of the page, which only this computer can reach (see `minidl.loopback`).

It is the server of Python's standard library: nothing has to be installed, it serves no files by
their path, and it is small enough to check.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from sys import exc_info
from typing import TYPE_CHECKING

from minidl.loopback import HEADERS, HOST, REFUSAL, Door

if TYPE_CHECKING:
    from minidl.style_transfer.live.live import Live

FOLDER = Path(__file__).parent
FILES = {  # by the rest of the path after the token
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
MISSING = b"minidl has no such page."


class Server(ThreadingHTTPServer):
    """Serves the page of a Live on a free port of 127.0.0.1, with a thread for each request."""

    allow_reuse_address = False  # on Windows, another program could otherwise take over the port

    def __init__(self, live: "Live") -> None:
        super().__init__((HOST, 0), _Request)
        self.live, self.door = live, Door(self.server_address[1])

    @property
    def url(self) -> str:
        return self.door.url

    def server_bind(self):
        """Bind without looking up the name of this computer, which can take seconds."""
        TCPServer.server_bind(self)

    def handle_error(self, request, client_address):
        """Print the error, except that of a viewer who has gone."""
        if not isinstance(exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Request(BaseHTTPRequestHandler):
    timeout = 10  # seconds without progress after which a connection is closed
    server_version, sys_version = "minidl", ""
    server: Server

    def parse_request(self):
        """Read the request, and return whether `do_GET` or `do_POST` may answer it."""
        if not super().parse_request():
            return False
        self.name = self.path.removeprefix("/").partition("/")[2]
        headers = {name: self.headers[name] for name in ("Host", "Origin", "Sec-Fetch-Site")}
        permitted = self.server.door.admits(self.command, self.path, headers)
        if not permitted:
            self._answer(403, "text/plain", REFUSAL.encode())
        return permitted

    def do_GET(self):
        if self.name in FILES:
            file, kind = FILES[self.name]
            self._answer(200, kind, (FOLDER / file).read_bytes())
        elif self.name == "events":
            self._send_events()
        elif self.name == "picture.png" and (png := self.server.live.png()):
            self._answer(200, "image/png", png)
        else:
            self._answer(404, "text/plain", MISSING)

    def do_POST(self):
        if self.name == "stop":
            self.server.live.stop()
            self._answer(204, "text/plain")
        else:
            self._answer(404, "text/plain", MISSING)

    def _send_events(self):
        """Send messages (server-sent events) until the viewer has gone, or has all of the end."""
        self._answer(200, "text/event-stream")
        with self.server.live.viewer():
            for message in self.server.live.messages():
                self.wfile.write(f"data: {json.dumps(message)}\n\n".encode())
            self.rfile.read(1)  # until the page has loaded the last picture and disconnects

    def _answer(self, status, kind, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self):
        """Add the headers of every answer, also of errors that the library reports."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *message):
        """Print nothing for a request."""
