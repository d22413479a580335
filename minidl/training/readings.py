"""The numbers of steps, fetched some at a time: a GPU works on while they are on their way."""

from typing import Any

import numpy as np

from minidl.backend import is_array, read_numbers


class Readings:
    """Notes of steps, each the mean numbers of so many examples, on whatever device."""

    def __init__(self):
        self._notes: list[Any] = []

    def __len__(self):
        return len(self._notes)

    def note(self, step, examples, numbers):
        self._notes.append((step, examples, numbers))

    def fetch(self):
        """[(step, examples, {name: float})] of those that were noted since the last time"""
        notes, self._notes = self._notes, []
        far = iter(
            read_numbers(
                *(value for *_, numbers in notes for value in numbers.values() if _is_far(value))
            )
        )
        return [
            (
                step,
                examples,
                {
                    name: next(far) if _is_far(value) else float(value)
                    for name, value in numbers.items()
                },
            )
            for step, examples, numbers in notes
        ]


def _is_far(number):
    """Whether it is on a GPU"""
    return is_array(number) and not isinstance(number, np.ndarray | np.generic)
