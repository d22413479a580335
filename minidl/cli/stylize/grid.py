"""Paint one photograph with several values of one or two settings, side by side."""

from copy import copy
from dataclasses import fields
from itertools import product
from typing import NamedTuple

from minidl.cli.options import flag
from minidl.cli.output import counted, warn
from minidl.cli.stylize.files import check_inputs, free_name, masks_of, pictures_of
from minidl.cli.stylize.monitor import paintings_shown
from minidl.cli.stylize.painting import painter_of, prepared
from minidl.cli.stylize.settings import (
    OF_ONE,
    must_lack,
    settings_of,
    stylize_parser,
    warn_of_options_without_effect,
)
from minidl.data.images import picture_form, save_image
from minidl.errors import ArgumentError, MinidlError, did_you_mean, printable
from minidl.files import clear_halves, must_be_writable, must_differ
from minidl.interruption import STOPPED
from minidl.style_transfer import Settings
from minidl.style_transfer.sheet import sheet

SETTINGS = [field.name for field in fields(Settings)]
SIDE = 512  # pixels of the longer side of a painting on the sheet


class Axis(NamedTuple):
    """A setting with its values, as they are typed."""

    name: str
    values: list[str]

    def labels(self):
        return [f"{self.name}={value}" for value in self.values]

    def parsed(self):
        """Return the values as the option of the setting parses them."""
        option, parser = flag(self.name), stylize_parser()
        parsed = [parser.parse_args([f"{option}={value}"]) for value in self.values]
        return [getattr(arguments, self.name) for arguments in parsed]


def paint_grid(arguments, tell):
    """Paint with every combination of the values, write the sheet, and return the exit code.

    The first setting has a column for each value, and the second a row. The cell of a painting that
    fails is empty.
    """
    must_lack(arguments, (*OF_ONE, "more"), "--grid")
    must_lack(arguments, ["output"], "--grid", "name the file of the paintings by --sheet")
    content, *styles = pictures_of(arguments.pictures)
    if content.is_dir():
        raise ArgumentError(f"{content} is a folder; wanted one photograph with --grid")
    axes, masks = _axes(arguments.grid), masks_of(arguments)
    cells = _cells(arguments, axes)
    starts = {settings.start for settings in cells}
    inputs = check_inputs(arguments, [content, *styles, *masks.names()], *starts)
    path = _sheet_path(arguments.sheet or free_name(content, styles[0], "-sheet.png"), inputs)
    title = f"{content.name} in the style of {', '.join(style.name for style in styles)}"
    warn_of_options_without_effect(arguments, cells)
    tell(f"painting {title}, {counted(len(cells), 'time')}")
    with prepared(arguments):
        notes = {"command": arguments.command, "grid": dict(axes)}
        record = painter_of(arguments, styles, cells[0]).record(content, masks=masks, notes=notes)
        results = _paint_all(arguments, content, styles, cells, masks)
        pictures = [picture for picture, _ in results]
        painted = sum(picture is not None for picture in pictures)
        if painted:
            missing = [None] * (len(cells) - len(pictures))
            save_image(path, _page([*pictures, *missing], axes, title), record)
    errors = [
        f"painting {number} of {len(cells)}: {error}"
        for number, (_, error) in enumerate(results, start=1)
        if isinstance(error, MinidlError)
    ]
    for error in errors[:-1]:
        warn(error)
    outcome = f"{path} shows {painted} of {counted(len(cells), 'painting')}"
    if errors:
        raise MinidlError(f"{errors[-1]}; {outcome if painted else 'no sheet was written'}")
    if len(pictures) < len(cells) or results[-1][1]:
        tell(f"stopped: {outcome}" if painted else "stopped")
        return STOPPED
    tell(f"done: {outcome}")
    return 0


def _paint_all(arguments, content, styles, cells, masks):
    """Return for each of the Settings the picture, or None, and the error that ended the painting,
    or None. An interruption is the last one."""
    results = []
    with paintings_shown(len(cells), "painting", arguments.quiet) as (bar, show):
        for settings in cells:
            try:
                painter = painter_of(arguments, styles, settings)
                painting = painter.paint(content, masks=masks, callback=show)
                results.append((painting.image, painting.trouble))
            except (MinidlError, KeyboardInterrupt) as error:
                results.append((None, error))
            if isinstance(results[-1][1], KeyboardInterrupt):
                break
            bar.update()
    return results


def _page(pictures, axes, title):
    """Return the picture of the sheet."""
    across, *down = axes
    return sheet(
        pictures,
        len(across.values),
        column_labels=across.labels(),
        row_labels=[label for axis in down for label in axis.labels()],
        title=title,
        side=SIDE,
    )


def _axes(typed):
    """Return the Axis of each --grid. Raise ArgumentError for a wrong number or an unknown
    setting."""
    axes = []
    for first, *others in typed:
        name, _, value = first.partition("=")
        name = name.removeprefix("--").replace("-", "_")
        if name not in SETTINGS:
            hint = did_you_mean(name, SETTINGS) or f"; wanted one of {', '.join(SETTINGS)}"
            raise ArgumentError(f"--grid names the setting {printable(name, 80)!r}{hint}")
        if not value:
            raise ArgumentError(f"--grid {name} has no values; wanted {name}=VALUE,VALUE,...")
        axes.append(Axis(name, [value, *others]))
    if len({axis.name for axis in axes}) < len(axes) or len(axes) > 2:
        names = ", ".join(axis.name for axis in axes)
        raise ArgumentError(f"found --grid for {names}; wanted one setting, or two different ones")
    return axes


def _cells(arguments, axes):
    """Return the Settings of each cell, row by row."""
    *rows, columns = (axis.parsed() for axis in reversed(axes))
    names = [axis.name for axis in reversed(axes)]
    cells = []
    for values in product(*rows, columns):
        typed = copy(arguments)
        vars(typed).update(zip(names, values, strict=True))
        cells.append(settings_of(typed))
    return cells


def _sheet_path(name, inputs):
    """Return the path of the sheet. Refuse one that could not be written."""
    path = must_be_writable(name)
    picture_form(path)
    must_differ({"--sheet": path}, inputs)
    clear_halves(path)
    return path
