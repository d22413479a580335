"""Exercises of the chapter about speed."""

import numpy as np

from minidl.book.exercises.exercise import Exercise
from minidl.engine import strips


def equal_parts(length, most, threads):
    parts = strips.equal_parts(length, most, threads)
    return np.array([(part.start, part.stop) for part in parts])


def fewest(length, most):
    return -(-length // most)


def for_threads(count, length, threads):
    return min(length, fewest(count, threads) * threads) if count > 1 else count


def usual_count(length, most, threads):
    return for_threads(fewest(length, most), length, threads)


def divided(count=usual_count, end=lambda p, length, count: length * p // count):
    """Return a division into another count(length, most, threads) of parts, or with other ends."""

    def wrong(length, most, threads):
        parts = count(length, most, threads)
        ends = [end(p, length, parts) for p in range(parts + 1)]
        return np.stack([ends[:-1], ends[1:]], axis=1)

    return wrong


def last_takes_the_rest(p, length, count):
    return length if p == count else length // count * p


EXERCISES = [
    Exercise(
        name="equal-parts",
        chapter="speed",
        title="Rows, divided among threads",
        task="""\
The engine divides the work on a number of rows, `length`, into parts of at most `most` rows each,
which fit the cache. Let n be the smallest number of parts for this, length / most rounded up. If n
is above 1, it is rounded up to a multiple of the number of threads, so that no thread waits for
another, but it is at most `length`. Part p, from 0 to n - 1, consists of the rows

    ⌊length p / n⌋ ≤ row < ⌊length (p + 1) / n⌋

where ⌊ ⌋ rounds down. All arguments are integers above 0. Return parts (n, 2), an array of integers
with the begin and the end of each part. The end is the first row after the part.""",
        hint="""\
Compute in integers: a // b rounds down, and -(-a // b) rounds up. The end of a part is the begin of
the next.""",
        right=equal_parts,
        returns=("parts",),
        example={"length": 10, "most": 4, "threads": 2},
        cases={
            "one part": {"length": 5, "most": 8, "threads": 4},
            "one thread": {"length": 11, "most": 3, "threads": 1},
            "as many parts as threads": {"length": 12, "most": 6, "threads": 4},
            "more parts than threads": {"length": 23, "most": 5, "threads": 3},
            "fewer rows than threads": {"length": 3, "most": 1, "threads": 8},
            "parts that are full": {"length": 12, "most": 3, "threads": 2},
        },
        wrong={
            "The number of parts is rounded down: a part may have more rows than permitted.":
                divided(lambda length, most, threads:
                        for_threads(max(1, length // most), length, threads)),
            "The number of parts is one too large where length is a multiple of `most`.":
                divided(lambda length, most, threads:
                        for_threads(length // most + 1, length, threads)),
            "The number of parts is not rounded up to a multiple of the threads.":
                divided(lambda length, most, threads: fewest(length, most)),
            "The number of parts is rounded down to a multiple of the threads.":
                divided(lambda length, most, threads:
                        max(1, fewest(length, most) // threads * threads)),
            "There are as many parts as threads: they may have more rows than permitted.":
                divided(lambda length, most, threads: min(length, threads)),
            "A single part is divided too. It stays one, because it fits the cache.":
                divided(lambda length, most, threads:
                        min(length, fewest(fewest(length, most), threads) * threads)),
            "There are more parts than rows: some parts are empty.":
                divided(lambda length, most, threads:
                        fewest(fewest(length, most), threads) * threads if length > most else 1),
            "Each part has `most` rows, and the last one the rest. They have to be about equal.":
                lambda length, most, threads: np.array(
                    [(i, min(i + most, length)) for i in range(0, length, most)]),
            "The last part takes all rows that are left. They have to be about equal.":
                divided(end=last_takes_the_rest),
            "The rows that are left at the end belong to no part.":
                divided(end=lambda p, length, count: length // count * p),
            "The ends are rounded up. They are rounded down.":
                divided(end=lambda p, length, count: -(-length * p // count)),
            "The ends are rounded to the nearest row. They are rounded down.":
                divided(end=lambda p, length, count: (2 * length * p + count) // (2 * count)),
            "The first parts are the larger ones. Use the formula of the ends.":
                divided(end=lambda p, length, count:
                        length // count * p + min(p, length % count)),
            "The end is the last row of a part. It has to be the first row after it.":
                lambda **sizes: equal_parts(**sizes) - np.array([0, 1]),
            "The rows are counted from 1. They begin at 0.":
                lambda **sizes: equal_parts(**sizes) + 1,
            "The second number is the length of a part. It is its end.":
                lambda **sizes: equal_parts(**sizes) @ np.array([[1, -1], [0, 1]]),
        },
    ),
]  # fmt: skip
