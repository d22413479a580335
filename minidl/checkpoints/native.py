"""minidl's own weight file: HDF5 with one group per layer.

    /                            the attributes below
    /block1_conv1/kernel         float32 (*window, inputs, outputs), or uint8 of that shape
    /block1_conv1/kernel_levels  float32 (256,), only for a uint8 kernel:
                                 kernel = kernel_levels[uint8 values]
    /block1_conv1/bias           float32 (outputs,)

The attributes are

    format        "minidl weights 1"
    architecture  the name of the network, such as "vgg19"
    channels      "RGB" or "BGR": the order that the network expects
    mean, std     float64 (channels,): input = (picture - mean) / std, picture from 0 to 255
    classes       the names of the outputs, one per line

and any other text, which is provenance.

An array of at most 256 different values is stored as levels where that is smaller. No value
changes.

There is no compression. It would make a file of 256-level kernels 8 % smaller, and reading seven
times slower.
"""

from collections.abc import Collection

import h5py
import numpy as np

from minidl.checkpoints import hdf5
from minidl.checkpoints.checkpoint import Checkpoint, Preprocessing, placeholder
from minidl.checkpoints.levels import COUNT, has_levels, to_levels
from minidl.errors import ArgumentError, FileError, NonFiniteError, brief, printable
from minidl.files import must_be_writable, replacing
from minidl.limits import must_have_names
from minidl.typing import Array, Path

FORMAT = "minidl weights 1"
RESERVED = "format", "architecture", "channels", "mean", "std", "classes"
TRAINING, MODEL = "minidl training ", "arrays/model/"  # of the checkpoint of a run, see tree.py


def read_hdf5(path: Path, wanted: Collection[str] | None = None) -> Checkpoint:
    """Read an HDF5 file. It is in minidl's format, or the checkpoint of a training run, if its
    attribute `format` says so, and otherwise in Keras' format.

    wanted: see `read`. Raises FileError if an attribute or a dtype is invalid.
    """
    with h5py.File(path, "r") as file:
        attributes = hdf5.attributes(file)
        form = _taken(attributes, "format", str, path)
        if form and form.startswith(TRAINING):
            return Checkpoint(_of_run(file, path, wanted), form="run")
        if form not in (None, FORMAT):
            raise FileError(
                f"{path} has the format {form!r}; this minidl reads {FORMAT!r}: update minidl"
            )
        levels = [f"{name}_levels" for name in wanted or ()]
        arrays = hdf5.datasets(file, path, None if wanted is None else {*wanted, *levels})
    if form is None:
        return Checkpoint(arrays, form="keras")
    return described(_without_levels(arrays, path, wanted), "minidl", attributes, path)


def described(
    arrays: dict[str, Array], form: str, attributes: dict[str, str | Array], path: Path
) -> Checkpoint:
    """Return a Checkpoint of arrays and the attributes above. Raises FileError if one of these is
    invalid."""
    return Checkpoint(
        arrays=arrays,
        form=form,
        architecture=_taken(attributes, "architecture", str, path),
        preprocessing=_preprocessing(attributes, path),
        classes=_classes(attributes, path),
        provenance={name: text for name, text in attributes.items() if isinstance(text, str)},
    )


def _of_run(file, path, wanted):
    """Return the arrays of the model in the checkpoint of a training run."""
    names = None if wanted is None else {f"{MODEL}{name}" for name in wanted}
    arrays = hdf5.datasets(file, path, names)
    return {
        name.removeprefix(MODEL): array for name, array in arrays.items() if name.startswith(MODEL)
    }


def write(path: Path, checkpoint: Checkpoint, levels: int | None = None) -> None:
    """Write a checkpoint in minidl's HDF5 format. Equal contents give equal bytes.

    path: of the new file. levels: None stores every number as it is; 256 rounds each kernel to 256
    levels, which takes a quarter of the space (see levels.py).

    Raises FileError if the file cannot be written (an older file is then kept), NonFiniteError if
    a kernel to be rounded is not finite, and ArgumentError if `levels` is another value or the
    names of the classes are too long.
    """
    if levels not in (None, COUNT):
        raise ArgumentError(
            f"levels is {brief(levels)}; wanted None (every number as it is) or {COUNT}"
        )
    must_be_writable(path)
    texts, numbers = attributes_of(checkpoint)
    contents = hdf5.image({**texts, "format": FORMAT, **numbers}, _arrays(checkpoint, levels))
    with replacing(path) as temporary:
        temporary.write_bytes(contents)


def attributes_of(checkpoint: Checkpoint) -> tuple[dict[str, str], dict[str, Array]]:
    """Return the texts and the numbers that describe a checkpoint, by the names above. Raises
    ArgumentError if the names of the classes are too long."""
    texts = {name: text for name, text in checkpoint.provenance.items() if name not in RESERVED}
    numbers: dict[str, Array] = {}
    if checkpoint.architecture:
        texts["architecture"] = checkpoint.architecture
    if checkpoint.classes:
        texts["classes"] = "\n".join(checkpoint.classes)
        if (size := len(texts["classes"].encode())) > hdf5.LONGEST_ATTRIBUTE:
            raise ArgumentError(
                f"the names of the classes take {size:,} bytes; wanted at most "
                f"{hdf5.LONGEST_ATTRIBUTE:,}: shorten them"
            )
    if preprocessing := checkpoint.preprocessing:
        texts["channels"] = preprocessing.channels
        numbers = {"mean": np.array(preprocessing.mean), "std": np.array(preprocessing.std)}
    return {name: text for name, text in texts.items() if text}, numbers


def _arrays(checkpoint, levels):
    stored = {}
    for name, array in checkpoint.arrays.items():
        array, is_rounded = np.asarray(array, np.float32), levels and name.endswith("/kernel")
        if is_rounded and not np.isfinite(array).all():
            raise NonFiniteError(
                f"{name} holds NaN or infinite numbers, which cannot be rounded to levels; check "
                "the source"
            )
        if is_rounded or has_levels(array):
            stored[name], stored[f"{name}_levels"] = to_levels(array)
        else:
            stored[name] = array
    return stored


def _taken(attributes, name, kind, path):
    """Remove the attribute `name` and return it, or None if it does not exist. Raise FileError if
    it is not of type `kind` (str or ndarray), or if it is unprintable text."""
    value = attributes.pop(name, None)
    if value is None or (isinstance(value, kind) and (kind is not str or value.isprintable())):
        return value
    content = repr(printable(value, 80)) if isinstance(value, str) else f"{value.size} numbers"
    expected = "plain text" if kind is str else "numbers"
    raise FileError(
        f"{path} has {content} as its attribute {name!r}; wanted {expected}: convert the original "
        "again"
    )


def _preprocessing(attributes, path):
    channels = _taken(attributes, "channels", str, path)
    if channels is None:
        return None
    mean, std = (_taken(attributes, name, np.ndarray, path) for name in ("mean", "std"))
    if mean is None or std is None:
        raise FileError(
            f"{path} stores the order of colours, but not mean and std; convert the original again"
        )
    try:
        return Preprocessing(channels, tuple(map(float, mean)), tuple(map(float, std)))
    except ArgumentError as error:
        raise FileError(
            f"{path} stores no valid preprocessing ({printable(str(error), 300)}); convert the "
            "original again"
        ) from None


def _classes(attributes, path):
    text = attributes.pop("classes", None)
    if not isinstance(text, str):
        return None
    classes = tuple(text.split("\n"))
    must_have_names(classes, path, "a class")
    return classes


def _without_levels(arrays, path, wanted):
    """Replace the indices of each array by their levels, and remove the tables of levels."""
    weights = {}
    for name, array in arrays.items():
        if name.endswith("_levels"):
            continue
        table = arrays.get(f"{name}_levels")
        if array.dtype.kind == "u" and table is not None and table.shape == (COUNT,):
            if wanted is None or name in wanted:
                array = table[array]
            else:
                array = placeholder(array.shape, table.dtype)
        if array.dtype != np.float32:
            raise FileError(
                f"{path} has {name} as {array.dtype}; minidl stores float32, or uint8 beside "
                f"{COUNT} levels: convert it again"
            )
        weights[name] = array
    return weights
