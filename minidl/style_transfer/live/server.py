"""The server of the page, which only this computer can reach.

It is the server of Python's standard library: nothing has to be installed, it serves no files by
their path, and it is small enough to check. Other users of the computer, and other pages in the
same browser, can send requests to it too. Every request is therefore refused unless

- its path begins with a random token,
- its host is this server, so that no foreign name can be made to point here (DNS rebinding),
- it comes from the page itself or from the address bar, as Origin and Sec-Fetch-Site say.

A request that changes something has to be a POST with an Origin. The page loads only from here.
"""

import json
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from sys import exc_info
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minidl.style_transfer.live.live import Live

FOLDER = Path(__file__).parent
FILES = {  # by the rest of the path after the token
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
REFUSAL = b"minidl refused this request. Open the address that minidl printed."
MISSING = b"minidl has no such page."


class Server(ThreadingHTTPServer):
    """Serves the page of a Live on a free port of 127.0.0.1, with a thread for each request."""

    allow_reuse_address = False  # on Windows, another program could otherwise take over the port

    def __init__(self, live: "Live") -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.live, self.token = live, secrets.token_urlsafe()
        self.hosts = [f"{name}:{self.server_address[1]}" for name in ("127.0.0.1", "localhost")]

    @property
    def url(self) -> str:
        return f"http://{self.hosts[0]}/{self.token}/"

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
        token, _, self.name = self.path.removeprefix("/").partition("/")
        host, origin = self.headers["Host"], self.headers["Origin"]
        own, changing = f"http://{host}", self.command != "GET"
        permitted = (
            secrets.compare_digest(token.encode(), self.server.token.encode())
            and host in self.server.hosts
            and origin in ([own] if changing else [own, None])
            and self.headers["Sec-Fetch-Site"] in (None, "same-origin", "none")
        )
        if not permitted:
            self._answer(403, "text/plain", REFUSAL)
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
