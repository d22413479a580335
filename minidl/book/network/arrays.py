"""Arrays as text in JSON: their shape, and their numbers as float32 in base64."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.typing import Array


def packed(array: Array) -> dict[str, Any]:
    """Return an array as {"shape": [..], "base64": text}. The numbers become float32."""
    numbers = np.ascontiguousarray(array, "<f4")
    return {"shape": list(numbers.shape), "base64": base64.b64encode(numbers.tobytes()).decode()}


def unpacked(entry: Mapping[str, Any]) -> np.ndarray:
    """Return the array of `packed`.

    >>> unpacked(packed(np.array([[1.5, 2.0]])))
    array([[1.5, 2. ]], dtype=float32)
    """
    numbers = np.frombuffer(base64.b64decode(entry["base64"]), "<f4")
    return numbers.reshape(entry["shape"])
