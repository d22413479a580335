"""Paint a picture again from the record that its file contains, and compare both.

The record names each input with its SHA-256. It also states the number of steps that were done, so
that a painting that was interrupted is repeated until the same step.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from minidl.backend import device, why_no_gpu
from minidl.checkpoints import shipped
from minidl.data.images import PICTURES, Picture, read_metadata, read_picture
from minidl.dispatch import textbook
from minidl.engine.threads import get_threads, set_threads
from minidl.errors import FileError, MinidlError, printable
from minidl.style_transfer.checkpoint import settings_of
from minidl.style_transfer.inputs import MaskFiles
from minidl.style_transfer.memory import Memory
from minidl.style_transfer.painting import Painter, Painting
from minidl.style_transfer.plan import SIDES
from minidl.style_transfer.record import identity, must_be_identical
from minidl.style_transfer.run import Step
from minidl.style_transfer.settings import STARTS, Settings
from minidl.typing import Path as PathLike

MOST_THREADS = 1024  # that the record of a file of unknown origin may ask for


class Recipe(NamedTuple):
    """What a painting was made from, with files that were found by the SHA-256 in its record."""

    record: dict[str, Any]
    settings: Settings
    content: Path
    styles: list[Path]
    style_weights: list[float] | None
    masks: MaskFiles | None
    weights: Path  # of VGG19
    memory: Memory | None  # None: the record does not hold how the memory was used
    steps: int  # that were done

    def names(self) -> list[PathLike]:
        """Return the paths of all files."""
        masks = self.masks.names() if self.masks else []
        start = [] if self.settings.start in STARTS else [self.settings.start]
        return [self.content, *self.styles, *masks, *start, self.weights]


class Difference(NamedTuple):
    """How far the numbers of one picture file are from those of another, in levels of 0..255."""

    largest: float
    mean: float


def recipe(
    picture: PathLike, folders: Iterable[PathLike] = (), weights: PathLike | None = None
) -> Recipe:
    """Return what a picture was painted from, by the record in its file.

    folders: where the inputs are sought by name and SHA-256, before the folder of the picture, the
    current folder and the pictures that minidl ships. weights: as for `stylize`.

    Raise FileError if the picture holds no record of a painting, and if an input, which the message
    names, is not found or was an array without a file.
    """
    record = read_metadata(picture)
    places = [*map(Path, folders), Path(picture).parent, Path(), PICTURES]

    def found(what, stored):
        return _found(what, stored, places)

    try:
        start, settings = record["start_picture"], settings_of(record)
        if start is not None:
            settings = replace(settings, start=found("the start picture", start))
        shares = record["style_weights"]
        weights = Path(weights) if weights else shipped("vgg19")
        must_be_identical(weights, record["weights"], "the weights")
        return Recipe(
            _checked(record),
            settings,
            found("the photograph", record["content"]),
            [found(f"style {number}", style) for number, style in enumerate(record["styles"], 1)],
            None if shares is None else [float(share) for share in shares],
            _masks(record["masks"], found),
            weights,
            _memory(record.get("memory")),
            int(record["steps_done"]),
        )
    except MinidlError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"{picture} holds no complete record of a painting; name a picture that `minidl "
            "stylize` painted"
        ) from error


def paint_again(
    recipe: Recipe,
    *,
    callback: Callable[[Step], Any] | None = None,
    notes: Mapping[str, Any] | None = None,
) -> Painting:
    """Return the painting of a recipe, after the same number of steps, computed `as_recorded`, with
    the memory used in the same way.

    callback, notes: as for `stylize`. Raise the exception that ended it before this number of
    steps.
    """

    def until_the_last(step):
        if callback:
            callback(step)
        if step.number == recipe.steps:
            raise _Done

    with as_recorded(recipe.record):
        painter = Painter(
            recipe.styles,
            recipe.settings,
            style_weights=recipe.style_weights,
            weights=recipe.weights,
        )
        painting = painter.paint(
            recipe.content,
            masks=recipe.masks,
            callback=until_the_last,
            memory=recipe.memory,
            notes=notes,
        )
    if painting.trouble and painting.steps < recipe.steps:
        raise painting.trouble
    return replace(painting, trouble=None)


@contextmanager
def as_recorded(record: Mapping[str, Any]) -> Iterator[None]:
    """Compute with the device, the arithmetic, the implementation and the number of threads of a
    record in this block, as far as this machine has them."""
    before, threads = get_threads(), record.get("threads")
    is_on_gpu = record.get("device") == "gpu" and why_no_gpu() is None
    by_definitions = textbook if record.get("implementation") == "textbook" else nullcontext
    if isinstance(threads, int) and 1 <= threads <= MOST_THREADS:
        set_threads(threads)
    try:
        with (
            device("gpu" if is_on_gpu else "cpu", is_on_gpu and record.get("arithmetic") == "tf32"),
            by_definitions(),
        ):
            yield
    finally:
        set_threads(before)


def difference(picture: PathLike, painting: Painting) -> Difference | None:
    """Return how far the painting is from a picture file, or None if their sizes differ.

    The painting is written in the format of the file and read again, because a format such as JPEG
    changes the numbers.
    """
    with TemporaryDirectory() as folder:
        again = Path(folder) / f"again{Path(picture).suffix}"
        painting.save(again)
        first, second = _numbers(read_picture(picture)), _numbers(read_picture(again))
    if first.shape != second.shape:
        return None
    distance = abs(first - second)
    return Difference(float(distance.max()), float(distance.mean()))


class _Done(MinidlError):
    """Ends a painting at the last step of the first run."""


def _found(what, stored, places):
    if "name" not in stored and "shape" in stored:
        raise FileError(
            f"{what} of this painting was an array, such as a frame of --sequence, and has no "
            "file; paint it again as the first time"
        )
    name, wanted = Path(stored["name"]).name, stored["sha256"]
    candidates = [place / name for place in places if (place / name).is_file()]
    for path in candidates:
        if identity(path)["sha256"] == wanted:
            return path
    if candidates:
        raise FileError(
            f"{candidates[0]} is another file than {what} of the first run: wanted the SHA-256 "
            f"{printable(wanted, 16)}; name the folder of that file with --inputs"
        )
    raise FileError(
        f"{what}, {printable(name, 80)}, is in none of the folders; name its folder with --inputs"
    )


def _checked(record):
    """Return a record whose versions are a dictionary. Raise TypeError or ValueError otherwise."""
    return record | {"versions": dict(record["versions"])}


def _memory(stored) -> Memory | None:
    """Return the Memory of a record. Raise TypeError or ValueError if it is invalid."""
    if stored is None:
        return None
    memory = Memory(**stored)
    if not 1 <= memory.history <= Memory().history or memory.side not in (None, *SIDES):
        raise ValueError(stored)
    return memory._replace(history=int(memory.history), blocks=bool(memory.blocks))


def _masks(stored, found) -> MaskFiles | None:
    if stored is None:
        return None

    def own(mask):
        return None if mask is None else found("a mask", mask)

    maps = [*map(own, stored["maps"])]
    return MaskFiles(
        own(stored["content"]),
        [*map(own, stored["regions"])],
        [*map(own, stored["parts"])],
        (maps[0], maps[1]) if maps else None,
        stored["feather"],
    )


def _numbers(picture: Picture):
    """Return the colours and the alpha of a picture, (H, W, 4)."""
    alpha = np.full(picture.pixels.shape[:2], 255) if picture.alpha is None else picture.alpha
    return np.concatenate([picture.pixels, alpha[..., None]], axis=-1)
