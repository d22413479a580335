"""The files that the reader of a chapter has, such as photographs, before its first command."""

from collections.abc import Callable
from pathlib import Path

# chapter -> function that writes the files to a folder
FILES: dict[str, Callable[[Path], None]] = {}
