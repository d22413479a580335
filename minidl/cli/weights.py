"""minidl weights: convert, describe and check files of weights."""

import hashlib
from dataclasses import replace
from pathlib import Path

from minidl.checkpoints import diagnose, files_of, likeliest, read, translate, write
from minidl.cli.output import shown
from minidl.errors import ArgumentError, FileError, printable
from minidl.files import must_be_writable, must_differ
from minidl.models import ARCHITECTURES


def register(commands):
    """Add `minidl weights convert | info | check` to the command line."""
    parser = commands.add_parser("weights", help="convert, describe and check files of weights")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    convert = actions.add_parser(
        "convert", help="make minidl's HDF5 of a Keras, PyTorch, TensorFlow.js or .npz file"
    )
    convert.add_argument("source", metavar="SOURCE", type=Path)
    convert.add_argument("target", metavar="TARGET", type=Path)
    convert.add_argument(
        "--levels",
        type=int,
        choices=[256],
        help="a quarter of the size: 256 values a kernel, by k-means",
    )
    convert.add_argument(
        "--provenance",
        metavar="WHAT=TEXT",
        action="append",
        default=[],
        help="what to store about the origin: authors=..., licence=..., paper=...",
    )
    convert.set_defaults(run=_convert)

    info = actions.add_parser("info", help="show what a file of weights holds")
    info.add_argument("file", metavar="FILE", type=Path)
    info.set_defaults(run=_info)

    check = actions.add_parser(
        "check", help="look for damage and the known mistakes; exit code 2 if there are any"
    )
    check.add_argument("file", metavar="FILE", type=Path)
    check.set_defaults(run=_check)


def _convert(arguments):
    must_be_writable(arguments.target)
    must_differ({"TARGET": arguments.target}, {"SOURCE": arguments.source})
    found, files = read(arguments.source), files_of(arguments.source)
    must_differ({"TARGET": arguments.target}, {f"SOURCE's {file.name}": file for file in files[1:]})
    architecture = likeliest(found, ARCHITECTURES)
    checkpoint = translate(found, architecture)
    for severity, text in diagnose(checkpoint, architecture, arguments.source):
        if severity == "error":
            raise FileError(text)
        print(printable(f"{severity}: {text}"))
    source = {
        "source": ", ".join(file.name for file in files),
        "source_sha256": ", ".join(map(_sha256, files)),
    }
    provenance = checkpoint.provenance | source | _told(arguments.provenance)
    write(arguments.target, replace(checkpoint, provenance=provenance), levels=arguments.levels)
    count, size = len(checkpoint.arrays), arguments.target.stat().st_size
    print(f"{shown(arguments.target)}: {architecture.name}, {count} arrays, {size:,} bytes")


def _info(arguments):
    checkpoint = read(arguments.file)
    print(
        f"{shown(arguments.file)}: {arguments.file.stat().st_size:,} bytes, SHA-256 {_sha256(arguments.file)}"
    )
    print(f"form: {checkpoint.form}; architecture: {shown(checkpoint.architecture or 'unknown')}")
    if fed := checkpoint.preprocessing:
        print(f"preprocessing: {fed.channels}, mean {fed.mean}, std {fed.std}")
    width = max(map(len, checkpoint.arrays))
    for name, array in checkpoint.arrays.items():
        figures = (array.min(), array.mean(dtype="f8"), array.max()) if array.size else ()
        print(
            f"{printable(name):{width}}  {array.shape!s:20}  {array.dtype!s:8}",
            *(f"{figure:11.5g}" for figure in figures),
        )
    print(
        f"{sum(array.size for array in checkpoint.arrays.values()):,} numbers (columns: shape, type, min, mean, max)"
    )
    for what, text in checkpoint.provenance.items():
        print(printable(f"{what}: {text}"))


def _check(arguments):
    checkpoint = read(arguments.file)
    architecture = likeliest(checkpoint, ARCHITECTURES)
    if checkpoint.form != "minidl":
        form = f"is in the form {checkpoint.form!r} and checked as `minidl weights convert` would read it"
        print(f"{shown(arguments.file)} {form}")
        checkpoint = translate(checkpoint, architecture)
    findings = diagnose(checkpoint, architecture, arguments.file)
    for severity, text in findings:
        print(printable(f"{severity}: {text}"))
    if any(severity == "error" for severity, _ in findings):
        return 2
    print(f"{shown(arguments.file)} is fit for {architecture.name}")
    return 0


def _told(pairs):
    if wrong := [pair for pair in pairs if not all(pair.partition("="))]:
        raise ArgumentError(f"--provenance is {wrong[0]!r}; write it as WHAT=TEXT")
    return dict(pair.split("=", 1) for pair in pairs)


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
