"""What a page contains: its addresses, its anchors and its text."""

from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "input", "img", "br", "wbr", "mspace", "hr"}


class Page(HTMLParser):
    """A page that has been read. links: the values of href and src. ids: all of them, in order.
    unclosed: the tags that are not closed, or not in order. text: the words."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links, self.ids, self.unclosed, self.text = [], [], [], ""
        self._open = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        self.unclosed += self._open

    def handle_starttag(self, tag, attrs):
        self._read(attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self._read(attrs)

    def handle_endtag(self, tag):
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unclosed.append(f"/{tag}")

    def handle_data(self, data):
        self.text += data

    def _read(self, attrs):
        found = dict(attrs)
        self.links += [found[name] for name in ("href", "src") if found.get(name)]
        if "id" in found:
            self.ids.append(found["id"])
