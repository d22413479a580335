"""Write MAT-files of version 5 without SciPy."""

import struct
import zlib

import numpy as np

HEAD = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x100) + b"IM"
CLASSES = {"f8": 6, "f4": 7, "i1": 8, "u1": 9, "i4": 12}
MEAN = 123.0, 116.0, 103.0  # RGB
TYPES = {"i1": 1, "u1": 2, "i4": 5, "f4": 7, "f8": 9}


def element(kind, contents):
    return struct.pack("<II", kind, len(contents)) + contents + bytes(-len(contents) % 8)


def small_element(kind, contents):
    return struct.pack("<HH", kind, len(contents)) + contents.ljust(4, b"\0")


def array(class_, shape, contents, name="", flags=0):
    head = element(6, struct.pack("<II", class_ | flags, 0)) + element(5, np.int32(shape).tobytes())
    return element(14, head + element(1, name.encode()) + contents)


def value(item, name=""):
    """Return the array of a dict, a list, a text or an array, as MATLAB stores it."""
    if isinstance(item, dict):
        fields = b"".join(field.encode().ljust(32, b"\0") for field in item)
        contents = small_element(5, struct.pack("<i", 32)) + element(1, fields)
        return array(2, (1, 1), contents + b"".join(map(value, item.values())), name)
    if isinstance(item, list):
        return array(1, (1, len(item)), b"".join(map(value, item)), name)
    if isinstance(item, str):
        return array(4, (1, len(item)), element(16, item.encode()), name)
    code = item.dtype.str[1:]
    shape = item.shape if item.ndim > 1 else (item.size, 1)
    contents = element(TYPES[code], item.tobytes(order="F"))
    return array(CLASSES[code], shape, contents, name)


def write(path, variables, packed=False):
    elements = [value(item, name) for name, item in variables.items()]
    if packed:
        elements = [
            struct.pack("<II", 15, len(contents)) + contents
            for contents in map(zlib.compress, elements)
        ]
    path.write_bytes(HEAD + b"".join(elements))


def network(arrays, classes=(), older=False, channels="RGB"):
    """Return the variables of a network of MatConvNet with the arrays of SMALL.

    channels: the order of the colours of the first kernel, which is BGR in `arrays`.
    """
    layers = []
    for name in dict.fromkeys(name.partition("/")[0] for name in arrays):
        kernel = arrays[f"{name}/kernel"]
        bias = arrays.get(f"{name}/bias", np.zeros(0, np.float32))
        if name == "conv_a" and channels == "RGB":
            kernel = kernel[:, :, ::-1]
        elif name == "dense_a":
            kernel = kernel.reshape(2, 2, 6, 5)
        if older:
            weights = {"filters": kernel, "biases": bias.reshape(1, -1)}
        else:
            weights = {"weights": [kernel, bias]}
        pad = np.zeros((1, 4))
        layers += [weights | {"pad": pad, "type": "conv", "name": name}, {"type": "relu"}]
    shape = (8, 8, 3) if older else (1, 1, 3)
    average = np.broadcast_to(np.float32(MEAN), shape)
    meta = {
        "normalization": {"averageImage": average, "border": np.zeros((1, 2))},
        "classes": {"name": [f"n{n}" for n in range(len(classes))], "description": list(classes)},
    }
    return {"layers": layers} | (meta if older else {"meta": meta})
