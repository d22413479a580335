"""Data sets downloaded from where their authors put them, and verified."""

import hashlib
import os
import sys
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tqdm import tqdm

from minidl.data.places import cache
from minidl.errors import FileError, one_of

CHUNK = 2**16  # bytes
PATIENCE = 30  # seconds without an answer
RANGE_NOT_SATISFIABLE, PARTIAL_CONTENT = 416, 206


class Source(NamedTuple):
    """Folders on the web, the best first, that each hold all files; and the SHA-256 of each file."""

    addresses: tuple
    files: dict


SOURCES = {
    "mnist": Source(
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
        {
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "cifar10": Source(
        ("https://www.cs.toronto.edu/~kriz/",),
        {"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
    ),
}


def fetch(dataset, folder=None, quiet=False):
    """Download "mnist" or "cifar10" into a folder (None: the user's cache), and return that folder.

    Files that are there and right are left alone; one that was cut off goes on where it ended. Raises FileError where a file
    cannot be had; what came of it stays beside its place, with the ending .part.
    """
    source = SOURCES[one_of("the data set", dataset, SOURCES)]
    folder = cache() / dataset if folder is None else Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"the folder {folder} cannot be made ({error.strerror}); choose another place") from error
    for name, sha256 in source.files.items():
        if not _is_right(folder / name, sha256):
            _fetch(source.addresses, folder / name, sha256, quiet)
    return folder


def _fetch(addresses, target, sha256, quiet):
    part, failures = target.with_name(f"{target.name}.part"), []
    for address in addresses:
        try:
            if _complete(address + target.name, part, sha256, quiet):
                os.replace(part, target)
                return
            failures.append(f"{address} sent another file, whose SHA-256 is wrong")
        except (OSError, HTTPException) as error:
            reason = error.reason if type(error) is URLError else error
            failures.append(f"{address} failed: {str(reason) or type(reason).__name__}")
    kept = f"; {part} keeps the {part.stat().st_size:,} bytes that came" if part.is_file() else ""
    raise FileError(f"{target.name} cannot be fetched ({', '.join(failures)}){kept}; check the network and run it again")


def _complete(url, part, sha256, quiet):
    """Whether the partial file is whole and right in the end. A wrong one is thrown away, and begun anew if it was cut off."""
    was_cut = part.is_file()
    if not _is_right(part, sha256):
        _download(url, part, quiet)
    if _is_right(part, sha256):
        return True
    part.unlink()
    return was_cut and _complete(url, part, sha256, quiet)


def _download(url, part, quiet):
    """Add to the partial file what it lacks, or begin it anew where the server cannot send the rest alone."""
    begin = part.stat().st_size if part.is_file() else 0
    try:
        answer = urlopen(Request(url, headers={"Range": f"bytes={begin}-"} if begin else {}), timeout=PATIENCE)
    except HTTPError as error:
        if begin and error.code == RANGE_NOT_SATISFIABLE:  # nothing is left to send
            return
        raise
    with answer:
        begin = begin if answer.status == PARTIAL_CONTENT else 0
        end = None if answer.length is None else begin + answer.length
        bar = tqdm(desc=part.stem, initial=begin, total=end, unit="B", unit_scale=True, disable=quiet or not sys.stderr)
        with bar, open(part, "ab" if begin else "wb") as file:
            for chunk in iter(partial(answer.read, CHUNK), b""):
                file.write(chunk)
                bar.update(len(chunk))
    if end is not None and part.stat().st_size < end:
        raise ConnectionError(f"the connection ended after {part.stat().st_size:,} of {end:,} bytes")


def _is_right(path, sha256):
    if not path.is_file():
        return False
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(partial(file.read, CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest() == sha256
