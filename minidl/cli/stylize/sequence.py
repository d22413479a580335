"""Paint the frames of a film: a folder of pictures, or an animation."""

from pathlib import Path

from minidl.cli.output import counted
from minidl.cli.stylize.files import check_inputs, free_name, masks_of, pictures_of
from minidl.cli.stylize.monitor import paintings_shown
from minidl.cli.stylize.painting import painter_of, prepared
from minidl.cli.stylize.settings import (
    OF_ONE,
    must_lack,
    settings_of,
    warn_of_options_without_effect,
)
from minidl.errors import FileError, MinidlError
from minidl.files import clear_halves, make_folder, must_be_writable, must_differ
from minidl.interruption import STOPPED
from minidl.style_transfer import Frames, paint_frames
from minidl.style_transfer.film import FORMS, film_form, write_film
from minidl.style_transfer.frames import levels

FRAME = "frame-{:05}.png"


def paint_sequence(arguments, tell):
    """Paint the frames into a folder or a film, and return the exit code.

    After an interruption or an error, the folder or the film has the frames until then.
    """
    must_lack(arguments, (*OF_ONE, "more", "grid"), "--sequence")
    content, *styles = pictures_of(arguments.pictures)
    settings, masks = settings_of(arguments), masks_of(arguments)
    inputs = check_inputs(arguments, [*styles, *masks.names()], settings.start)
    frames = Frames(content, settings.size)
    output = _output(arguments.output, content, styles[0], inputs)
    warn_of_options_without_effect(arguments, [settings])
    names = ", ".join(style.name for style in styles)
    with prepared(arguments) as place:
        tell(f"painting {counted(len(frames), 'frame')} as {names}, on the {place}")
        painter = painter_of(arguments, styles, settings)
        painted, trouble = _paint(painter, frames, masks, output, arguments)
    done = f"{output} has {painted} of {counted(len(frames), 'frame')}"
    if isinstance(trouble, MinidlError):
        raise MinidlError(f"{trouble}; {done}")
    tell(f"{'stopped' if trouble else 'done'}: {done}")
    return STOPPED if trouble else 0


def _paint(painter, frames, masks, output, arguments):
    """Write the painted frames, and return their number, and the error that ended them early, or
    None."""
    painted, trouble, of_film = 0, None, []
    notes = {"command": arguments.command}
    with paintings_shown(len(frames), "frame", arguments.quiet) as (bar, show):
        try:
            for painting in paint_frames(painter, frames, masks=masks, callback=show):
                if _is_film(output):
                    of_film.append(levels(painting.image))
                else:
                    painting.save(output / FRAME.format(painted + 1), **notes)
                painted, trouble = painted + 1, painting.trouble
                bar.update(trouble is None)
        except (MinidlError, KeyboardInterrupt) as error:
            trouble = error
    if of_film:
        ticks, rate = frames.ticks(arguments.fps)
        write_film(output, of_film, ticks[:painted], rate)
    return painted, trouble


def _output(name, content, style, inputs):
    """Return the path of the film, or of the new folder, for the frames. Refuse one that could not
    be written."""
    path = Path(name or free_name(content, style, "" if content.is_dir() else content.suffix))
    if path.suffix.lower() in FORMS:
        film_form(path)
        clear_halves(path)
    elif name and path.suffix and not path.is_dir():
        endings = ", ".join(FORMS)
        raise FileError(f"{path} is neither a folder nor a film; give it no ending, or {endings}")
    elif any(path.glob("frame-*.png")):
        raise FileError(f"{path} has frames of another sequence; name a new folder")
    must_differ({"the painted frames": path}, inputs | {"CONTENT": content})
    if not _is_film(path):
        make_folder(path)
        must_be_writable(path / FRAME.format(1))
    return path


def _is_film(path):
    return path.suffix.lower() in FORMS
