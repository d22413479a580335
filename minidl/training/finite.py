"""Numbers that are not finite end a run with an error, before they replace a good checkpoint."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from minidl.backend import array_module, is_array, read_numbers
from minidl.errors import NonFiniteError


def must_be_finite(value: float, words: str, rate: float) -> None:
    """Raise NonFiniteError if a number is NaN or infinite.

    words: what it is and where it occurs, as ("the loss is nan", "at step 6"). rate: the learning
    rate, for the advice.
    """
    if not isfinite(value):
        raise NonFiniteError(f"{words}; {_advice(rate)}")


def state_must_be_finite(state: Mapping[str, Any], step: int, rate: float) -> None:
    """Raise NonFiniteError if an array of a state {name: array or number} is not finite."""
    arrays = {name: value for name, value in state.items() if is_array(value) and value.ndim}
    are_finite = read_numbers(
        *(array_module(array).isfinite(array).all() for array in arrays.values())
    )
    for name, is_finite in zip(arrays, are_finite, strict=True):
        if not is_finite:
            raise NonFiniteError(
                f"{name} is not finite after step {step}, so no checkpoint was saved; "
                f"{_advice(rate)}"
            )


def _advice(rate):
    return (
        "begin again in another folder, with a lower learning rate "
        f"(it was {rate:g}) or with gradients clipped"
    )
