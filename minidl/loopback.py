"""Pages that only this computer can reach.

Other users of the computer, and other pages in the same browser, can send requests to a server of
this computer too. A request is therefore refused unless

- its path begins with a random token,
- its host is this server, so that no foreign name can be made to point here (DNS rebinding),
- it comes from the page itself or from the address bar, as Origin and Sec-Fetch-Site say.

A request that changes something has to be a POST with an Origin. A page loads only from here.
"""

import secrets
import webbrowser
from collections.abc import Mapping

HOST = "127.0.0.1"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
REFUSAL = "minidl refused this request. Open the address that minidl printed."


class Door:
    """The address of a server, with its token, and which requests may pass.

    port: on which the server listens.
    """

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe()
        self.hosts = [f"{name}:{port}" for name in (HOST, "localhost")]

    @property
    def url(self) -> str:
        """The address of the first page."""
        return f"http://{self.hosts[0]}/{self.token}/"

    def admits(self, method: str, path: str, headers: Mapping[str, str | None]) -> bool:
        """Return whether a request may be answered.

        headers: "Host", "Origin" and "Sec-Fetch-Site", None if the request has none.
        """
        token = path.removeprefix("/").partition("/")[0]
        host, origin = headers["Host"], headers["Origin"]
        own, is_changing = f"http://{host}", method not in ("GET", "HEAD")
        return (
            secrets.compare_digest(token.encode(), self.token.encode())
            and host in self.hosts
            and origin in ([own] if is_changing else [own, None])
            and headers["Sec-Fetch-Site"] in (None, "same-origin", "none")
        )


def open_page(url: str) -> bool:
    """Open a page in the reader's browser, and return whether that worked.

    A browser that runs in the terminal is not opened, because the program would wait for it.
    """
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    return type(browser) is not webbrowser.GenericBrowser and browser.open(url)
