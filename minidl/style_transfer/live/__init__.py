"""A page on this computer that shows a painting while it forms.

live.py        the callback of `stylize`; it keeps what the page shows
server.py      the server of the page, for this computer only
page.html, page.css, page.js, icon.svg
"""

from minidl.style_transfer.live.live import Live

__all__ = ["Live"]
