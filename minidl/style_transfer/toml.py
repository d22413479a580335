"""Tables of settings as TOML: texts, numbers, lists of them, and tables of one level."""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from minidl.errors import FileError, printable
from minidl.shapes import is_int
from minidl.typing import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Bytes of a file. All settings and layers need about a third. The time of tomllib grows with the
# square of the length.
LONGEST = 2**13


def parsed(data: bytes, path: Path) -> dict[str, Any]:
    """Return the table in the bytes of a TOML file.

    path: of the file, for messages. Raise FileError for more than LONGEST bytes, and for what is no
    TOML in UTF-8.
    """
    if len(data) > LONGEST:
        raise FileError(f"{path} has more than {LONGEST:,} bytes; wanted a file of settings")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise FileError(f"{path} is no text in UTF-8; save it as such") from None
    except RecursionError:
        raise FileError(f"{path} has too many levels; wanted lines such as `steps = 200`") from None
    except ValueError as error:
        reason = printable(str(error), 200)
        raise FileError(
            f"{path} is no valid TOML: {reason[:1].lower()}{reason[1:]}; wanted lines such as "
            "`steps = 200`"
        ) from None


def as_toml(table: Mapping[str, Any]) -> str:
    """Return a table as TOML.

    >>> print(as_toml({"start": "noise", "layers": {"conv4_1": 1, "pool4.pre": 0.5}, "steps": 9}))
    start = "noise"
    steps = 9
    <BLANKLINE>
    [layers]
    conv4_1 = 1
    "pool4.pre" = 0.5
    <BLANKLINE>
    """
    tables = {name: value for name, value in table.items() if isinstance(value, Mapping)}
    lines = _lines({name: table[name] for name in table if name not in tables})
    for name, entries in tables.items():
        lines += ["", f"[{_key(name)}]", *_lines(entries)]
    return "\n".join([*lines, ""])


def _lines(values):
    return [f"{_key(name)} = {_value(value)}" for name, value in values.items()]


def _key(name):
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else _quoted(name)


def _value(value):
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_value, value))}]"
    return str(int(value)) if is_int(value) else repr(float(value))


def _quoted(text):
    """Return a text in quotes. TOML has the escapes of JSON, and needs one more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
