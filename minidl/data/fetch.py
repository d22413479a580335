"""Download data sets from their authors' servers, and verify them.

A download never exceeds the known size of the file, and every connection is encrypted.
"""

import hashlib
import os
import pathlib
import sys
from functools import partial
from http.client import HTTPException
from typing import NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tqdm import tqdm

from minidl.data.places import cache
from minidl.errors import FileError, one_of, printable
from minidl.files import make_folder
from minidl.typing import Path

CHUNK = 2**16  # bytes
TIMEOUT = 30  # seconds without a response
RANGE_NOT_SATISFIABLE, PARTIAL_CONTENT = 416, 206
SCHEMES = ("https",)


class Known(NamedTuple):
    """The known size of a file in bytes, and its SHA-256."""

    size: int
    sha256: str


class Source(NamedTuple):
    """The addresses of folders that each contain all files, the preferred one first, and
    {name: Known} of the files."""

    addresses: tuple[str, ...]
    files: dict[str, Known]


SOURCES = {
    "mnist": Source(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        {
            "train-images-idx3-ubyte.gz": Known(
                9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
            ),
            "train-labels-idx1-ubyte.gz": Known(
                28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
            ),
            "t10k-images-idx3-ubyte.gz": Known(
                1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
            ),
            "t10k-labels-idx1-ubyte.gz": Known(
                4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
            ),
        },
    ),
    "cifar10": Source(
        ("https://www.cs.toronto.edu/~kriz/",),
        {
            "cifar-10-binary.tar.gz": Known(
                170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
            ),
        },
    ),
}


def fetch(dataset: str, folder: Path | None = None, quiet: bool = False) -> pathlib.Path:
    """Download a data set, and return the folder that contains it.

    dataset  "mnist" or "cifar10"
    folder   where to store it; None means the user's cache
    quiet    whether to show no progress bar

    Files that exist and are correct are not downloaded again, and an interrupted download is
    continued. Raises FileError if a file cannot be downloaded. The part that was received is kept
    in the folder, with the ending .part. Raises ArgumentError if `dataset` is another name.
    """
    source = SOURCES[one_of("the data set", dataset, SOURCES)]
    folder = cache() / dataset if folder is None else pathlib.Path(folder)
    make_folder(folder)
    for name, known in source.files.items():
        if not _is_correct(folder / name, known):
            _fetch(source.addresses, folder / name, known, quiet)
    return folder


def _fetch(addresses, target, known, quiet):
    part, failures = target.with_name(f"{target.name}.part"), []
    for address in addresses:
        try:
            if _complete(address + target.name, part, known, quiet):
                os.replace(part, target)
                return
            failures.append(f"{address} sent another file, whose SHA-256 is wrong")
        except (OSError, HTTPException) as error:
            reason = error.reason if type(error) is URLError else error
            text = printable(str(reason), 200) or type(reason).__name__
            failures.append(f"{address} failed: {text}")
    kept = f"; {part} keeps the {part.stat().st_size:,} bytes received" if part.is_file() else ""
    raise FileError(
        f"{target.name} cannot be fetched ({', '.join(failures)}){kept}; check the network and run "
        "it again"
    )


def _complete(url, part, known, quiet):
    """Download the partial file. Return whether it is correct. A wrong one is removed; if it had
    been continued, it is downloaded once more from the beginning."""
    was_continued = part.is_file()
    if not _is_correct(part, known):
        _download(url, part, known.size, quiet)
    if _is_correct(part, known):
        return True
    part.unlink()
    return was_continued and _complete(url, part, known, quiet)


def _download(url, part, size, quiet):
    """Download the missing end of a file of `size` bytes, or all of it if the server cannot send a
    part."""
    begin = part.stat().st_size if part.is_file() else 0
    if begin >= size:  # complete, but wrong
        return
    request = Request(url, headers={"Range": f"bytes={begin}-"} if begin else {})
    try:
        _must_be_encrypted(url)
        response = build_opener(_Redirects).open(request, timeout=TIMEOUT)
    except HTTPError as error:
        if begin and error.code == RANGE_NOT_SATISFIABLE:  # nothing is left to send
            return
        raise
    with response:
        begin = begin if response.status == PARTIAL_CONTENT else 0
        if response.length is not None and begin + response.length != size:
            raise ConnectionError(
                f"it offers a file of {begin + response.length:,} bytes; wanted {size:,}"
            )
        bar = tqdm(
            desc=part.stem,
            initial=begin,
            total=size,
            unit="B",
            unit_scale=True,
            disable=quiet or not sys.stderr,
        )
        with bar, open(part, "ab" if begin else "wb") as file:
            for chunk in iter(partial(response.read, CHUNK), b""):
                if file.tell() + len(chunk) > size:
                    raise ConnectionError(f"it sent more than the {size:,} bytes of the file")
                file.write(chunk)
                bar.update(len(chunk))
    if (received := part.stat().st_size) < size:
        raise ConnectionError(f"the connection ended after {received:,} of {size:,} bytes")


def _must_be_encrypted(url):
    if urlsplit(url).scheme not in SCHEMES:
        raise ConnectionError(
            f"the address {printable(url, 100)} does not begin with https://, so nothing was "
            "requested"
        )


class _Redirects(HTTPRedirectHandler):
    """Follows redirects only to encrypted connections."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        _must_be_encrypted(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_correct(path, known):
    if not path.is_file() or path.stat().st_size != known.size:
        return False
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(partial(file.read, CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest() == known.sha256
