"""Settings in TOML files, presets of one's own, and the settings of a painting.

A file has the words of `Settings`, with underscores or with hyphens:

    preset = "gatys-code"        # optional: what the file is based on, as for `read_settings`
    steps = 200
    size = "full"                # the size of the photograph; None in Python
    start = "sketches/tree.png"

    [style_layers]
    conv1_1 = 1
    "conv3_1+conv4_1" = 0.5      # a name with other signs than - and _ is written in quotes

Paths in a file begin in its folder. A file ink.toml in `preset_folder` is a preset of the user's
own, with the name "ink".
"""

import os
import pathlib
import re
import warnings
from dataclasses import fields, replace
from typing import Any

from minidl.data.images import read_metadata
from minidl.errors import ArgumentError, FileError, MinidlWarning, brief, did_you_mean, listed
from minidl.files import make_folder, must_exist, replacing
from minidl.models.vgg19 import LAYER_NAMES
from minidl.naming import naturally
from minidl.shapes import is_int
from minidl.style_transfer.presets import PRESETS, varied
from minidl.style_transfer.record import ARRAY
from minidl.style_transfer.settings import BALANCES, LAYERS, STARTS, Settings
from minidl.style_transfer.toml import LONGEST, as_toml, parsed
from minidl.typing import Path

FULL = "full"  # the size of the photograph
LONGEST_CHAIN = 10  # files that are each based on the next
WORDS = [field.name for field in fields(Settings)]
DEFAULTS = Settings()


def read_settings(source: Path) -> Settings:
    """Return the settings of a preset, of a TOML file, or of a painting.

    source: a name of PRESETS or, if it is none, of `own_presets`; a path that ends in .toml; or the
    path of a picture that minidl painted. A painting names its start picture as its command did. If
    that was an array, the settings start from the photograph, with a warning.

    Raise ArgumentError for an unknown name, and FileError for a file that cannot be read or holds
    unknown words or invalid values.

    >>> read_settings("gatys-code").steps
    500
    """
    return _read(source, 1)


def write_settings(target: Path, settings: Settings) -> pathlib.Path:
    """Write a TOML file of the settings that differ from the defaults, and return its path.

    target: a path that ends in .toml, or a name for a preset of one's own. An existing file is
    replaced. The path of a start picture is stored in full.

    Raise ArgumentError for a target that is neither, and for settings that start from an array.
    Raise FileError if the file cannot be written, or could not be read again.
    """
    path = target_file(target)
    data = settings_text(settings).encode("utf-8", "surrogatepass")
    _of_toml(data, path)  # raises FileError for what could not be read again
    if not _is_toml(target):
        make_folder(path.parent)
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    return path


def settings_text(settings: Settings) -> str:
    """Return the settings that differ from the defaults as the text of a TOML file.

    Raise ArgumentError if they start from an array.

    >>> print(settings_text(Settings(size=None, steps=9)))
    size = "full"
    steps = 9
    <BLANKLINE>
    """
    start = settings.start
    if not isinstance(start, (str, pathlib.Path)):
        raise ArgumentError(
            f"start is {brief(start)}, which a file of settings cannot hold; name the file of a "
            "picture"
        )
    if start not in STARTS:
        settings = replace(settings, start=os.path.abspath(start))
    values = {word: getattr(settings, word) for word in WORDS}
    chosen = {word: value for word, value in values.items() if value != getattr(DEFAULTS, word)}
    if settings.size is None:
        chosen["size"] = FULL
    return as_toml(chosen)


def preset_folder() -> pathlib.Path:
    """Return the folder of the user's own presets: minidl/presets in $XDG_CONFIG_HOME, in %APPDATA%
    on Windows, or in ~/.config.

    Raise FileError if the user has no home folder.
    """
    named = os.environ.get("XDG_CONFIG_HOME") or os.environ.get("APPDATA")
    try:
        return pathlib.Path(named or pathlib.Path.home() / ".config", "minidl", "presets")
    except RuntimeError:  # the user id is unknown to the system, as in containers
        raise FileError(
            "this user has no home folder, in which presets are kept; name a folder in the "
            "environment variable XDG_CONFIG_HOME, or a file that ends in .toml"
        ) from None


def own_presets() -> dict[str, pathlib.Path]:
    """Return {name: file} of the user's own presets, sorted by name."""
    try:
        paths = {path.stem: path for path in preset_folder().glob("*.toml")}
    except FileError:
        return {}
    return {name: paths[name] for name in sorted(paths, key=naturally) if _is_name(name)}


def source_file(source: Path) -> pathlib.Path | None:
    """Return the file that `read_settings` reads, or None for a preset of minidl.

    Raise ArgumentError for an unknown name.
    """
    name = os.fspath(source)
    if name in PRESETS:
        return None
    if not _is_name(name):
        return pathlib.Path(name)
    own = own_presets()
    if name not in own:
        known = [*PRESETS, *own]
        raise ArgumentError(
            f"there is no preset {brief(name)}; wanted one of {listed(known, 20)}, a file that "
            f"ends in .toml, or a painting by minidl{did_you_mean(name, known)}"
        )
    return own[name]


def target_file(target: Path) -> pathlib.Path:
    """Return the file that `write_settings` writes. Raise ArgumentError if its name or ending is
    not one that `read_settings` takes."""
    name = os.fspath(target)
    if _is_toml(name):
        return pathlib.Path(name)
    if not name or not _is_name(name) or name in PRESETS:
        found = f"{name} is a preset of minidl" if name in PRESETS else f"found {brief(name)}"
        raise ArgumentError(
            f"{found}; wanted a name of your own, without dots and slashes, or a file that ends in "
            ".toml"
        )
    return preset_folder() / f"{name}.toml"


def _read(source, length):
    """Return the settings of a source.

    length: of the chain of files from the first one to this one.
    """
    path = source_file(source)
    if path is None:
        return PRESETS[os.fspath(source)]
    if not _is_toml(path):
        return _of_painting(path)
    if length > LONGEST_CHAIN:
        raise FileError(
            f"{path} is based on itself, or ends a chain of more than {LONGEST_CHAIN} presets; "
            "shorten the chain"
        )
    with open(must_exist(path, "file of settings"), "rb") as file:
        return _of_toml(file.read(LONGEST + 1), path, length)


def _of_toml(data, path, length=1):
    """Return the settings in the bytes of a TOML file."""
    chosen = _with_underscores(parsed(data, path), path)
    base = _base(chosen.pop("preset"), path, length) if "preset" in chosen else DEFAULTS
    if chosen.get("size") == FULL:
        chosen["size"] = None
    start = chosen.get("start")
    if isinstance(start, str) and start not in STARTS:
        chosen["start"] = _start_picture(start, path)
    return _changed(base, chosen, path)


def _with_underscores(table, path):
    words: dict[str, Any] = {}
    for name, value in table.items():
        word = name.replace("-", "_")
        if word in words:
            raise FileError(f"{path} holds {word} twice, with _ and with -; leave out one")
        words[word] = value
    return words


def _base(name, path, length):
    """Return the settings that the file at `path` is based on."""
    if not isinstance(name, str):
        raise FileError(f"{path}: preset is {brief(name)}; wanted a name or the path of a file")
    try:
        return _read(name if _is_name(name) else path.parent / name, length + 1)
    except ArgumentError as error:
        raise FileError(f"{path}: {error}") from None


def _start_picture(name, path):
    """Return the path of the start picture that the file at `path` names."""
    picture = os.path.join(path.parent, name)
    if not os.path.exists(picture):
        raise FileError(
            f"{path}: start is {brief(name)}; wanted {', '.join(map(repr, STARTS))}, or the path "
            f"of a picture from the folder of this file{did_you_mean(name, STARTS)}"
        )
    return picture


def _of_painting(path):
    """Return the settings that are stored in a painting."""
    record = read_metadata(path)
    chosen = record.get("settings") if isinstance(record, dict) else None
    if not isinstance(chosen, dict):
        raise FileError(f"{path} holds no settings; wanted a picture by `minidl stylize`")
    if unknown := sorted(chosen.keys() - WORDS):
        raise FileError(
            f"{path} has the setting {brief(unknown[0])}, which this version of minidl lacks; "
            "wanted a painting by this version"
        )
    if missing := [word for word in WORDS if word not in chosen]:
        _warn(
            f"{path} was painted by a version of minidl without the settings {listed(missing)}; "
            "their defaults are used"
        )
    if chosen.get("start") == ARRAY:
        _warn(f"{path} does not hold the array that it was painted from; start is 'content'")
        chosen["start"] = "content"
    settings = _changed(DEFAULTS, chosen, path)
    return _without_defaults(settings)


def _without_defaults(settings):
    """Return the settings with None for what the style objective chooses."""
    name = settings.style_objective
    chosen: dict[str, None] = {}
    if settings.style_layers == LAYERS[name]:
        chosen["style_layers"] = None
    if settings.balance == BALANCES[name]:
        chosen["balance"] = None
    return replace(settings, **chosen)


def _warn(message):
    warnings.warn(message, MinidlWarning, stacklevel=5)  # in the caller of read_settings


def _changed(base, chosen, path):
    """Return the base with the settings that a file holds. Raise FileError, which names the file
    and the word, if one is unknown or invalid."""
    for word, value in chosen.items():
        if word not in WORDS:
            hint = did_you_mean(word, [*WORDS, "preset"]) or f"; wanted {listed(WORDS)}"
            raise FileError(f"{path} has the unknown word {brief(word)}{hint}")
        items = value.values() if isinstance(value, dict) else value
        if not all(map(_is_plain, items if isinstance(value, (dict, list)) else [value])):
            raise FileError(
                f"{path}: {word} is {brief(value)}; wanted a text, a number, a list of numbers, or "
                'a table of layers and their weights, such as "conv1_1.pre" = 0.5'
            )
    try:
        settings = varied(base, chosen)
    except ArgumentError as error:
        raise FileError(f"{path}: {error}") from None
    _must_be_layers("content_layers", settings.content_layers, path)
    for entry in settings.layers_of_style:
        _must_be_layers("style_layers", settings.measure_of(entry)[1], path)
    return settings


def _is_plain(value):
    """Whether a value is a text, None, or a number. The whole numbers of TOML have 64 bits."""
    is_whole = is_int(value) and abs(value) < 2**63
    return value is None or isinstance(value, (str, float)) or is_whole


def _must_be_layers(word, names, path):
    """Raise FileError if a word names an unknown layer."""
    for name in names:
        if name.removesuffix(".pre") not in LAYER_NAMES:
            hint = did_you_mean(name, LAYER_NAMES) or "; `minidl stylize --list-layers` lists them"
            raise FileError(f"{path}: {word} names the unknown layer {brief(name)}{hint}")


def _is_toml(path):
    return pathlib.Path(path).suffix.lower() == ".toml"


def _is_name(text):
    """Whether a text is the name of a preset, and not the path of a file."""
    return bool(re.fullmatch(r"[^./\\]*", text))
