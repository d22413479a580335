"""`minidl weights`: convert, describe and check weight files."""

import hashlib
from dataclasses import replace
from pathlib import Path

from minidl.checkpoints import (
    diagnose,
    files_of,
    likeliest,
    read,
    translate,
    write,
    write_safetensors,
)
from minidl.checkpoints.hdf5 import LONGEST_ATTRIBUTE
from minidl.checkpoints.native import RESERVED
from minidl.cli.options import as_sentence
from minidl.cli.output import shown
from minidl.errors import ArgumentError, FileError, listed, printable
from minidl.files import must_be_writable, must_differ, must_exist
from minidl.limits import must_have_names
from minidl.models import ARCHITECTURES


def register(commands):
    purpose = "convert, describe and check weight files"
    parser = commands.add_parser("weights", help=purpose, description=as_sentence(purpose))
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    convert = actions.add_parser(
        "convert",
        help="convert a weight file to minidl's HDF5 format, or to .safetensors",
        description="Convert a weight file of Keras (.h5, .keras, .weights.json), PyTorch, "
        "MatConvNet (.mat), TensorFlow.js or NumPy (.npz), a .safetensors file, or the checkpoint "
        "of a training run, to minidl's HDF5 format. If TARGET ends in .safetensors, it is written "
        "with the names and axes of PyTorch, those of torchvision for VGG19. The file is checked "
        "first: known mistakes, such as swapped colour channels, are refused. A top that is not "
        "the network's is left out. The formats are described in weights/README.md.",
    )
    convert.add_argument("source", metavar="SOURCE", type=Path, help="file to convert")
    convert.add_argument(
        "target", metavar="TARGET", type=Path, help="file to write, .h5 or .safetensors"
    )
    convert.add_argument(
        "--levels",
        type=int,
        choices=[256],
        help="quantize each kernel to 256 values by k-means, for a quarter of the file size; only "
        "in minidl's format",
    )
    convert.add_argument(
        "--classes",
        metavar="FILE",
        type=Path,
        help="text file with the names of the outputs, one per line; without it, those of SOURCE "
        "are kept",
    )
    convert.add_argument(
        "--provenance",
        metavar="NAME=TEXT",
        action="append",
        default=[],
        help="store a fact about the origin, such as authors=..., licence=... or paper=...; may be "
        "repeated",
    )
    convert.set_defaults(run=_convert)

    info = actions.add_parser(
        "info",
        help="show the contents of a weight file",
        description="Show the format, preprocessing, arrays and provenance of a weight file.",
    )
    info.add_argument("file", metavar="FILE", type=Path, help="weight file of any known format")
    info.set_defaults(run=_info)

    check = actions.add_parser(
        "check",
        help="check a weight file for damage and known mistakes",
        description="Check a weight file for damage and known mistakes, such as swapped colour "
        "channels or transposed kernels. The exit code is 2 if there are any.",
    )
    check.add_argument("file", metavar="FILE", type=Path, help="weight file of any known format")
    check.set_defaults(run=_check)


def _convert(arguments):
    is_safetensors = arguments.target.suffix.lower() == ".safetensors"
    if is_safetensors and arguments.levels:
        raise ArgumentError(
            "--levels is only stored in minidl's format; leave it out, or name TARGET .h5"
        )
    must_be_writable(arguments.target)
    inputs = {"SOURCE": arguments.source}
    if arguments.classes:
        inputs["--classes"] = arguments.classes
    must_differ({"TARGET": arguments.target}, inputs)
    checkpoint, files = read(arguments.source), files_of(arguments.source)
    must_differ({"TARGET": arguments.target}, {f"SOURCE's {file.name}": file for file in files[1:]})
    architecture = likeliest(checkpoint, ARCHITECTURES)
    checkpoint = translate(checkpoint, architecture)
    if arguments.classes:
        checkpoint = replace(checkpoint, classes=_lines(arguments.classes))
    for severity, text in diagnose(checkpoint, architecture, arguments.source):
        if severity == "error":
            raise FileError(text)
        print(printable(f"{severity}: {text}"))
    origin = {
        "source": ", ".join(file.name for file in files),
        "source_sha256": ", ".join(map(_sha256, files)),
    }
    provenance = checkpoint.provenance | origin | _facts(arguments.provenance)
    checkpoint = replace(checkpoint, provenance=provenance)
    if is_safetensors:
        write_safetensors(arguments.target, checkpoint, architecture)
    else:
        write(arguments.target, checkpoint, levels=arguments.levels)
    count, size = len(checkpoint.arrays), arguments.target.stat().st_size
    print(f"{shown(arguments.target)}: {architecture.name}, {count} arrays, {size:,} bytes")
    if is_safetensors and checkpoint.preprocessing:
        print(f"preprocessing of its input: {checkpoint.preprocessing}")


def _info(arguments):
    path, checkpoint = arguments.file, read(arguments.file)
    print(f"{shown(path)}: {path.stat().st_size:,} bytes, SHA-256 {_sha256(path)}")
    print(f"form: {checkpoint.form}; architecture: {shown(checkpoint.architecture or 'unknown')}")
    if checkpoint.preprocessing:
        print(f"preprocessing: {checkpoint.preprocessing}")
    width = max(map(len, checkpoint.arrays))
    for name, array in checkpoint.arrays.items():
        figures = (array.min(), array.mean(dtype="f8"), array.max()) if array.size else ()
        print(
            f"{printable(name):{width}}  {array.shape!s:20}  {array.dtype!s:8}",
            *(f"{figure:11.5g}" for figure in figures),
        )
    count = sum(array.size for array in checkpoint.arrays.values())
    print(f"{count:,} numbers (columns: shape, dtype, minimum, mean, maximum)")
    if checkpoint.classes:
        print(f"{len(checkpoint.classes)} classes: {listed(checkpoint.classes, most=3)}")
    for name, text in checkpoint.provenance.items():
        print(printable(f"{name}: {text}"))


def _check(arguments):
    path, checkpoint = arguments.file, read(arguments.file)
    architecture = likeliest(checkpoint, ARCHITECTURES)
    if checkpoint.form != "minidl":
        print(
            f"{shown(path)} has the form {checkpoint.form!r}; "
            "the check is of what `minidl weights convert` reads from it"
        )
        checkpoint = translate(checkpoint, architecture)
    findings = diagnose(checkpoint, architecture, path)
    for severity, text in findings:
        print(printable(f"{severity}: {text}"))
    if any(severity == "error" for severity, _ in findings):
        return 2
    print(f"{shown(path)} is fit for {architecture.name}")
    return 0


def _lines(path):
    """Return the lines of a short text file, without spaces around them."""
    with open(must_exist(path, "text file"), "rb") as file:
        contents = file.read(LONGEST_ATTRIBUTE + 1)
    try:
        lines = tuple(line.strip() for line in contents.decode().strip().splitlines())
    except UnicodeDecodeError:
        lines = ()
    if len(contents) > LONGEST_ATTRIBUTE or not all(lines) or not lines:
        raise FileError(
            f"{path} is no list of names; wanted text in UTF-8, one name on each line, at most "
            f"{LONGEST_ATTRIBUTE:,} bytes"
        )
    must_have_names(lines, path, "a class")
    return lines


def _facts(pairs):
    """Return {NAME: TEXT} from texts NAME=TEXT."""
    for pair in pairs:
        if not all(pair.partition("=")):
            raise ArgumentError(f"--provenance is {pair!r}; write it as NAME=TEXT")
        if (name := pair.partition("=")[0]) in RESERVED:
            raise ArgumentError(
                f"--provenance is {pair!r}, and {name} has a meaning in the file; take another NAME"
            )
    return dict(pair.split("=", 1) for pair in pairs)


def _sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
