"""minidl's own weight file: HDF5, one group a layer.

    /                       attributes  format         "minidl weights 1"
                                        architecture   "vgg19"
                                        channels       "RGB" or "BGR": the order that the network sees
                                        mean, std      float64 (channels,): input = (image - mean) / std, image in 0..255
                                        any other text: provenance
    /block1_conv1/kernel         float32 (*window, inputs, outputs), or uint8 of that shape
    /block1_conv1/kernel_levels  float32 (256,): kernel = kernel_levels[the uint8], only beside
    uint8
    /block1_conv1/bias           float32 (outputs,)

An array of at most 256 different values is stored by them where that is smaller; nothing is lost.

There is no compression: it would save 8 % of 256-level kernels and take seven times as long to
read.
"""

import h5py
import numpy as np

from minidl.checkpoints import hdf5
from minidl.checkpoints.checkpoint import Checkpoint, Preprocessing, numberless
from minidl.checkpoints.levels import has_levels, to_levels
from minidl.errors import ArgumentError, FileError, NonFiniteError, brief, printable
from minidl.files import must_be_writable, replacing

FORMAT = "minidl weights 1"


def read_hdf5(path, wanted=None):
    """A Checkpoint from an HDF5 file: of minidl's form where an attribute names it, else of Keras'
    form. wanted: see `read`."""
    with h5py.File(path, "r") as file:
        attributes = hdf5.attributes(file)
        form = _taken(attributes, "format", str, path)
        if form not in (None, FORMAT):
            raise FileError(
                f"{path} is of the format {form!r}; this minidl reads {FORMAT!r}: update minidl"
            )
        levels = [f"{name}_levels" for name in wanted or ()]
        arrays = hdf5.datasets(file, path, None if wanted is None else {*wanted, *levels})
    if form is None:
        return Checkpoint(arrays, form="keras")
    return Checkpoint(
        arrays=_without_levels(arrays, path, wanted),
        form="minidl",
        architecture=_taken(attributes, "architecture", str, path),
        preprocessing=_preprocessing(attributes, path),
        provenance={name: text for name, text in attributes.items() if isinstance(text, str)},
    )


def write(path, checkpoint, levels=None):
    """Write a Checkpoint as minidl's HDF5: the same bytes for the same contents.

    levels  None: every number as it is; 256: each kernel as 256 levels, a quarter of the size (see
    levels.py)

    Raises FileError where the file cannot be written (what stood there stays), NonFiniteError for
    levels of NaN.
    """
    if levels not in (None, 256):
        raise ArgumentError(
            f"levels is {brief(levels)}; wanted None (every number as it is) or 256"
        )
    must_be_writable(path)
    contents = hdf5.image(_attributes(checkpoint), _arrays(checkpoint, levels))
    with replacing(path) as beside:
        beside.write_bytes(contents)


def _attributes(checkpoint):
    texts = {**checkpoint.provenance, "format": FORMAT, "architecture": checkpoint.architecture}
    numbers = {}
    if checkpoint.preprocessing:
        texts["channels"] = checkpoint.preprocessing.channels
        numbers = {"mean": checkpoint.preprocessing.mean, "std": checkpoint.preprocessing.std}
    return {name: text for name, text in texts.items() if text} | {
        name: np.float64(values) for name, values in numbers.items()
    }


def _arrays(checkpoint, levels):
    stored = {}
    for name, array in checkpoint.arrays.items():
        array, rounded = np.asarray(array, np.float32), levels and name.endswith("/kernel")
        if rounded and not np.isfinite(array).all():
            raise NonFiniteError(
                f"{name} holds NaN or infinite numbers, which have no levels; check the source"
            )
        if rounded or has_levels(array):
            stored[name], stored[f"{name}_levels"] = to_levels(array)
        else:
            stored[name] = array
    return stored


def _taken(attributes, name, kind, path):
    """Remove an attribute of this type and return it; None where there is none."""
    value = attributes.pop(name, None)
    if value is None or (isinstance(value, kind) and (kind is not str or value.isprintable())):
        return value
    found = repr(printable(value, 80)) if isinstance(value, str) else f"{value.size} numbers"
    wanted = "plain text" if kind is str else "numbers"
    raise FileError(
        f"{path} has {found} as its attribute {name!r}; wanted {wanted}: convert the original again"
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
            f"{path} stores no valid preprocessing ({printable(str(error), 300)}); convert the original again"
        ) from None


def _without_levels(arrays, path, wanted):
    whole = {}
    for name, array in arrays.items():
        if name.endswith("_levels"):
            continue
        table = arrays.get(f"{name}_levels")
        if array.dtype.kind == "u" and table is not None and table.shape == (256,):
            array = (
                table[array]
                if wanted is None or name in wanted
                else numberless(array.shape, table.dtype)
            )
        if array.dtype != np.float32:
            stored = "minidl stores float32, or uint8 beside 256 levels"
            raise FileError(f"{path} has {name} as {array.dtype}; {stored}: convert it again")
        whole[name] = array
    return whole
