"""MNIST: 60,000 + 10,000 handwritten digits (LeCun, Cortes & Burges), from its official IDX
files."""

from minidl.data.idx import read_idx
from minidl.data.places import find
from minidl.data.unpacking import damaged
from minidl.errors import one_of

FORMS = {
    part: [[f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"]]
    for part, prefix in [("train", "train"), ("test", "t10k")]
}


def mnist(folder=None, part="train"):
    """(pictures (N, 28, 28), labels (N,)), both uint8, of the part "train" or "test".

    folder: where to look (None: see `places`). Raises FileError where the files are not found,
    damaged or not MNIST's.
    """
    images, labels = find("mnist", FORMS[one_of("part", part, FORMS)], folder)
    pictures, digits = read_idx(images, axes=3), read_idx(labels, axes=1)
    if pictures.shape[1:] != (28, 28):
        raise damaged(images, f"its pictures have shape {pictures.shape[1:]}, wanted (28, 28)")
    if len(pictures) != len(digits):
        raise damaged(
            labels,
            f"it has {len(digits):,} labels for the {len(pictures):,} pictures of {images.name}",
        )
    if digits.max(initial=0) > 9:
        raise damaged(labels, f"it has the label {digits.max()}, wanted 0 to 9")
    return pictures, digits
