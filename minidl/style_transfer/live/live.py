"""The callback of `stylize` that shows the painting on a page, and what the page is told."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from typing import Any

from minidl.backend import to_numpy
from minidl.data.images import as_png
from minidl.style_transfer.live.server import Server
from minidl.style_transfer.painting import Step
from minidl.typing import Array

TERMS = "total", "content", "style", "total_variation"  # the curves
SHOWN = "step", *TERMS, "seconds"  # of each step
PAUSE = 0.5  # seconds between two messages to a viewer
SILENCE = 5  # seconds after which a message is repeated, which detects viewers that have gone
PATIENCE = 3  # seconds at the end in which viewers may fetch the last picture


class Live:
    """Serves a page that shows a painting while it forms. A context, and a callback of `stylize`.

    title: the heading of the page. rows: of the steps of a run that is resumed, as `record.row`
    makes them.

    The callback only stores a step, so it takes microseconds. Pictures are encoded in a thread of
    the server, and only if a page asks for them. After Stop is pressed, the next step raises
    KeyboardInterrupt, so that `stylize` returns the best picture.

    >>> with Live("cat") as live:  # doctest: +SKIP
    ...     print(live.url)
    ...     painting = stylize("cat.jpg", "waves.jpg", callback=live)
    ...     painting.save("cat.png")
    ...     live.finish(painting.image, "The painting is done. It is in cat.png.")
    """

    def __init__(self, title: str, rows: Iterable[Mapping[str, float]] = ()) -> None:
        self.title = title
        self._changed, self._encoding = threading.Condition(), threading.Lock()
        self._rows: list[dict[str, Any]] = [{name: row[name] for name in SHOWN} for row in rows]
        self._step: Step | None = None  # the newest
        self._picture: Array | None = None  # the newest
        self._encoded: tuple[Array | None, bytes | None] = None, None  # a picture, and its PNG
        self._version = 0  # counts the changes of all that the page shows
        self._end, self._stopped, self._viewers = "", False, 0
        self._last = time.perf_counter()  # when the last step was done

    def __enter__(self) -> "Live":
        self._server = Server(self)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        """Let the viewers fetch the last state, and close the server."""
        with self._changes():
            self._end = self._end or "The painting has ended."
        try:
            with self._changed:
                self._changed.wait_for(lambda: not self._viewers, PATIENCE)
        finally:
            self._server.shutdown()
            self._server.server_close()

    @property
    def url(self) -> str:
        """The address of the page. It contains a random token, without which nothing is served."""
        return self._server.url

    @property
    def stopped(self) -> bool:
        """Whether Stop was pressed."""
        return self._stopped

    def __call__(self, step: Step) -> None:
        """Show a step. Raise KeyboardInterrupt if Stop was pressed."""
        with self._changes():
            self._rows.append(_row(step))
            self._step, self._picture, self._last = step, step.best, time.perf_counter()
        if self._stopped:
            raise KeyboardInterrupt

    def finish(self, image: Array, words: str) -> None:
        """Show the finished picture (H, W, 3), 0..255, and say in `words` where it is."""
        with self._changes():
            self._picture, self._end = image, words

    def stop(self) -> None:
        """Make the next step raise KeyboardInterrupt."""
        with self._changes():
            self._stopped = True

    @contextmanager
    def viewer(self) -> Iterator[None]:
        """Count a viewer within the block. The end of the painting waits for viewers."""
        self._count_viewers(1)
        try:
            yield
        finally:
            self._count_viewers(-1)

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield what a new viewer has to know: all at once, then each change, until the end."""
        version, done, end = None, 0, ""
        while not end:
            message = self._message(version, done)
            yield message
            version, end = message["version"], message["end"]
            done += len(message["rows"])
            time.sleep(0 if end else PAUSE)

    def png(self) -> bytes | None:
        """Return the newest picture as a PNG, or None before the first step."""
        with self._encoding:
            picture = self._picture
            if picture is not None and picture is not self._encoded[0]:
                self._encoded = picture, as_png(to_numpy(picture))
            return self._encoded[1]

    def _message(self, version, known):
        """Wait until the state is another than `version`, and return it, with the rows from number
        `known`."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version, SILENCE)
            step = self._step
            waited = 0 if self._end else time.perf_counter() - self._last
            return {
                "version": self._version,
                "title": self.title,
                "steps": step.total if step else 0,
                "done": step.number if step else 0,
                "rows": self._rows[known:],
                "seconds": (step.seconds if step else 0) + waited,
                "left": max(0, step.seconds_left - waited) if step else None,
                "stopping": self._stopped,
                "end": self._end,
            }

    @contextmanager
    def _changes(self):
        with self._changed:
            yield
            self._version += 1
            self._changed.notify_all()

    def _count_viewers(self, change):
        with self._changed:
            self._viewers += change
            self._changed.notify_all()


def _row(step):
    """Return a step as JSON can store it: a loss that is not finite becomes None."""
    losses = {name: getattr(step.losses, name) for name in TERMS}
    height, width = step.best.shape[:2]
    return {
        "step": step.number,
        **{name: loss if isfinite(loss) else None for name, loss in losses.items()},
        "seconds": step.seconds,
        "size": max(height, width),
    }
