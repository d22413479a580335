"""What a wrong array tells about the error: patterns that are computed from the arrays alone.

A pattern compares a wrong array with the right one and yields sentences. A sentence is believed if
it holds for all wrong arrays, or for the first one if that has several numbers.
"""

from collections.abc import Sequence

import numpy as np

from minidl.book.exercises import wrong_shapes, wrong_values
from minidl.book.exercises.comparison import Observation
from minidl.book.exercises.ratios import ratio_in_words

MANY = 3  # numbers, not counting 0, whose pattern is hardly a coincidence


def diagnosed(
    wrong: Sequence[Observation], right: Sequence[Observation] = (), everywhere: bool = False
) -> str | None:
    """Return a sentence about the error in results of one name, or None.

    wrong: the results that are wrong. right: those of other calls, which are right. everywhere:
    whether the sentence has to hold for all wrong arrays.
    """
    shapes = [one for one in wrong if one.found.shape != one.right.shape]
    seen = shapes or wrong
    sizes = [max(map(np.count_nonzero, (one.right, one.found))) for one in seen]
    if sum(sizes) < MANY:
        return None
    patterns = wrong_shapes.PATTERNS if shapes else wrong_values.PATTERNS
    with np.errstate(all="ignore"):
        ratio = None if shapes else ratio_in_words(wrong, right)
        sentences = [
            dict.fromkeys(words for pattern in patterns for words in pattern(one)) for one in seen
        ]
    for_all = [words for words in sentences[0] if all(words in s for s in sentences)]
    is_enough = sizes[0] >= MANY and not everywhere
    first = next(iter(sentences[0]), None) if is_enough else None
    found = ratio or next(iter(for_all), first)
    return found and found.format(found=seen[0].found.shape, right=seen[0].right.shape)
