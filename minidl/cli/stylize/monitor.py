"""What is shown and written while a picture is painted."""

from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from minidl.backend import to_numpy
from minidl.cli.output import say
from minidl.cli.progress import progress_bar
from minidl.cli.stylize.files import FRAME, every
from minidl.data.images import resize, write_image
from minidl.errors import MinidlError
from minidl.loopback import open_page
from minidl.style_transfer import Film
from minidl.style_transfer.live import Live
from minidl.style_transfer.record import plot_log, row, write_log


@contextmanager
def paintings_shown(count, unit, quiet):
    """Return a context with a progress bar of so many paintings. It yields the bar, and a function
    to call with every Step."""
    with progress_bar(count, unit, quiet=quiet) as bar:

        def show(step):
            bar.set_postfix_str(f"step {step.number} of {step.total}", refresh=False)
            bar.update(0)

        yield bar, show


class Monitor:
    """Called with every Step: updates the progress bar, collects the rows of the log, and writes
    the log, the preview, the frames, the film and the live page. A context.

    arguments: of the command. size: (width, height) of the painting. title: of the live page. rows:
    of the steps of a run that is resumed.
    """

    def __init__(self, arguments, size, title, rows=()):
        self.arguments, self.size, self.rows = arguments, size, [*rows]
        self._rows_written = 0
        self._film = None if arguments.film is None else Film(arguments.film, size)
        self._live = Live(title, self.rows) if arguments.live else None
        self._open = ExitStack()

    def __enter__(self):
        self._bar = self._open.enter_context(
            progress_bar(
                None, "step", quiet=self.arguments.quiet, delay=0.1, initial=len(self.rows)
            )
        )
        if self._live:
            self._open.enter_context(self._live)
            say(f"watch the painting at {self._live.url}")
            open_page(self._live.url)
        return self

    def __exit__(self, *error):
        self._open.close()

    def __call__(self, step):
        self.rows.append(row(step.number, step.losses, step.seconds))
        losses = "loss {total:.4g}, content {content:.4g}, style {style:.4g}"
        self._bar.total = step.total
        self._bar.set_postfix_str(losses.format(**self.rows[-1]), refresh=False)
        self._bar.update()
        if self._film:
            self._film.add(to_numpy(step.image))
        if step.number % every(self.arguments) == 0:
            self._write_pictures(step.number, to_numpy(step.best), to_numpy(step.image))
            self._write_log()
        if self._live:
            self._live(step)

    def finish(self, painting, output):
        """Write the complete log, the film, and the painting as the preview and the last frame.
        Return the errors of the files that cannot be written.

        output: the file of the painting.
        """
        image, errors = painting.image, []
        pictures = partial(self._write_pictures, painting.steps, image, image)
        for write in (
            self._write_log,
            pictures,
            self._write_plot,
            partial(self._write_film, image),
        ):
            try:
                write()
            except MinidlError as error:
                errors.append(error)
        if self._live:
            self._live.finish(image, f"The painting is in {output}.")
        return errors

    def _write_pictures(self, number, best, image):
        if self.arguments.preview is not None:
            write_image(self.arguments.preview, self._full(best))
        if self.arguments.frames is not None:
            path = Path(self.arguments.frames) / FRAME.format(number)
            write_image(path, self._full(image))

    def _write_plot(self):
        if self.arguments.plot is not None:
            plot_log(self.arguments.plot, self.rows)

    def _write_film(self, image):
        if self._film:
            self._film.add(image)
            self._film.save()

    def _full(self, picture):
        """Return a picture of a coarse scale in the size of the painting."""
        width, height = self.size
        is_full = picture.shape[:2] == (height, width)
        return picture if is_full else resize(picture, height, width)

    def _write_log(self):
        if self.arguments.log is not None and self._rows_written < len(self.rows):
            write_log(self.arguments.log, self.rows, self._rows_written)
            self._rows_written = len(self.rows)
