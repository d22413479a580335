"""An einsum of two arrays as one product of matrices on all threads.

The letters of two arrays a and b are of four kinds: those in both and in y (the batch), those in
both and not in y (summed over), and those in only one of them and in y. With the axes in this
order, a is a matrix (batch, M, K), b is (batch, K, N), and y is (batch, M, N).
"""

from math import prod

import numpy as np

from minidl.engine.matrices import product


def applies(terms, out):
    """Return whether two arrays of floats on the CPU have each letter once, and each letter that
    only one of them has is in y."""
    if len(terms) != 2 or not all(isinstance(x, np.ndarray) for x, _ in terms):
        return False
    (a, a_letters), (b, b_letters) = terms
    alone = {*a_letters} ^ {*b_letters}
    is_simple = all(len({*letters}) == len(letters) for letters in (a_letters, b_letters))
    return is_simple and alone <= {*out} and a.dtype == b.dtype and a.dtype.kind in "fc"


def summed(terms, out):
    """[(array, letters), (array, letters)] -> the array of the letters `out`"""
    (a, a_letters), (b, b_letters) = terms
    batch = [letter for letter in a_letters if letter in b_letters and letter in out]
    within = [letter for letter in a_letters if letter in b_letters and letter not in out]
    rows = [letter for letter in a_letters if letter not in b_letters]
    columns = [letter for letter in b_letters if letter not in a_letters]
    lengths = dict(zip(a_letters + b_letters, a.shape + b.shape, strict=True))
    a = as_matrices(a, a_letters, batch, rows, within)
    b = as_matrices(b, b_letters, batch, within, columns)
    order = batch + rows + columns
    y = product(a, b).reshape([lengths[letter] for letter in order])
    return y.transpose([order.index(letter) for letter in out])


def as_matrices(x, letters, *groups):
    """Return x with the axes of each group merged into one."""
    lengths = dict(zip(letters, x.shape, strict=True))
    x = x.transpose([letters.index(letter) for group in groups for letter in group])
    return x.reshape([prod(lengths[letter] for letter in group) for group in groups])
