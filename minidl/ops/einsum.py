"""einsum multiplies arrays and adds up the products, as its formula of indices says.

The formula names each axis of each array by a letter. "nij,njk->nik" is

    y[n,i,k] = Σ_j a[n,i,j] b[n,j,k]

the product of matrices of a batch. Letters that are not in y are summed over. A letter that an
array has twice, as in "ii->i", reads its diagonal. "..." stands for further axes, which broadcast
as in arithmetic. Without "->", y has "..." and, in alphabetical order, the letters that occur once.
An array of length 1 along an axis is repeated along it.

The gradient is an einsum too: that of dy and the other arrays, with the letters of the array as
its result. Two kinds of letters need a further factor, see `einsum_of_doperands`.

Cost: without a better order, one multiply-add per array for each combination of all indices. The
product of two arrays is a matrix product where the formula allows it. The same for each gradient.

Source: Einstein 1916, "Die Grundlage der allgemeinen Relativitätstheorie", section 5; Harris et al.
2020, "Array programming with NumPy".
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.dispatch import replaceable
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.typing import Operand, Result


def einsum(subscripts: str, *operands: Operand) -> Result:
    """(...), (...), ... -> (...)

    y[o] = Σ_s a[i] b[j] ...

    subscripts: the letters i, j, ... of the operands, separated by commas, then "->" and the
    letters o of y. s: the letters that are not in y. operands: the arrays a, b, ..., one or more.
    Each number of an operand has the product of the others as its factor:

        ∂L/∂a[i] = Σ dy[o] b[j] ...,      ∂L/∂b[j] = Σ dy[o] a[i] ...

    The sums are over the letters that are not in i, and not in j. Raises ArgumentError if the
    subscripts are no such formula, and ShapeError if they do not fit the shapes of the operands.

    >>> einsum("ij,j->i", np.array([[1., 2.], [3., 4.]]), np.array([1., 10.]))
    array([21., 43.])
    >>> einsum("ii", np.array([[1., 2.], [3., 4.]]))                     # the trace
    np.float64(5.0)
    """
    return _einsum_of([*operands], subscripts)


def einsum_of(operands: Sequence[Operand], subscripts: str) -> Result:
    """The einsum of a list of operands."""
    labels, out = labels_of(subscripts, [x.ndim for x in operands])
    lengths = lengths_of(labels, [x.shape for x in operands])
    terms = [term(x, own, lengths) for x, own in zip(operands, labels, strict=True)]
    return summed(terms, out)


def einsum_of_doperands(dy, others, operands_shape, subscripts, which):
    """∂L/∂a[i] = Σ dy[o] b[j] ...,      a: the operand of the number `which`

    A letter of a that is neither in y nor in another operand was only summed over: the gradient
    does not depend on it, and is repeated along it by a factor of ones. A letter that a has twice
    reads its diagonal: the gradient is 0 elsewhere, by a factor of the identity matrix, which
    renames the second letter.
    """
    xp, shape = array_module(dy), operands_shape[which]
    labels, out = labels_of(subscripts, [len(shape) for shape in operands_shape])
    lengths = lengths_of(labels, operands_shape)
    pairs = zip(others, labels, strict=True)
    terms = [(dy, out), *(term(x, own, lengths) for x, own in pairs if x is not None)]
    known = {letter for _, letters in terms for letter in letters}
    unused = iter(letter for letter in string.ascii_letters if letter not in lengths)
    result = ""
    for letter in without_ones(shape, labels[which], lengths):
        if letter in result:
            twin = next(unused)
            terms.append((xp.eye(lengths[letter], dtype=dy.dtype), letter + twin))
            letter = twin
        elif letter not in known:
            terms.append((xp.ones(lengths[letter], dy.dtype), letter))
        result += letter
    return summed(terms, result).reshape(shape)


@replaceable
def summed(terms, out):
    """Return the einsum of [(array, letters), ...] with the letters `out`."""
    arrays, letters = zip(*terms, strict=True)
    return array_module(*arrays).einsum(f"{','.join(letters)}->{out}", *arrays, optimize=True)


def term(x, letters, lengths):
    """Return (x, letters) without the axes along which x has the length 1 and is repeated."""
    kept = without_ones(x.shape, letters, lengths)
    return (x if kept == letters else x.reshape([lengths[letter] for letter in kept])), kept


def without_ones(shape, letters, lengths):
    """Return the letters of the axes that have their full length."""
    pairs = zip(letters, shape, strict=True)
    return "".join(letter for letter, length in pairs if length == lengths[letter])


def labels_of(subscripts, ndims):
    """Return ([letters of each operand], letters of y), one letter for each axis.

    The axes of "..." get letters that the formula does not use; those that broadcast with each
    other get the same. Raise ArgumentError if the subscripts are no formula of as many operands,
    and ShapeError if the operands have other numbers of axes.
    """
    formula = str(subscripts).replace(" ", "")
    inputs, arrow, out = formula.partition("->")
    terms = inputs.split(",")
    counts = Counter(inputs)
    if not arrow:
        once = [letter for letter in counts if letter.isalpha() and counts[letter] == 1]
        out = "..." * ("..." in inputs) + "".join(sorted(once))
    result = out.replace("...", "")
    if (
        not all(re.fullmatch(r"[a-zA-Z]*(\.{3})?[a-zA-Z]*", term) for term in (*terms, out))
        or len(terms) != len(ndims)
        or len({*result}) < len(result)
        or not {*result} <= counts.keys()
    ):
        raise ArgumentError(
            f"einsum of {len(ndims)} arrays by {brief(subscripts)}; wanted the letters of each "
            "array, separated by commas, then '->' and some of these letters, each once, as in "
            "'ij,jk->ik'"
        )
    further = [ndim - len(term.replace("...", "")) for term, ndim in zip(terms, ndims, strict=True)]
    for term, ndim, rest in zip(terms, ndims, further, strict=True):
        if rest < 0 or (rest and "..." not in term):
            raise ShapeError(
                f"einsum by {formula!r} found an array with {ndim} axes for {term!r}; wanted a "
                "letter for each axis, or '...'"
            )
    unused = [letter for letter in string.ascii_letters if letter not in counts]
    dots = "".join(unused[: max(further)])
    labels = [
        term.replace("...", dots[len(dots) - rest :])
        for term, rest in zip(terms, further, strict=True)
    ]
    return labels, out.replace("...", dots)


def lengths_of(labels, shapes):
    """Return {letter: length of its axes}. Raise ShapeError if two lengths differ, unless one is 1
    and no other axis of its array has the letter."""
    axes = [
        (letter, length, letters.count(letter))
        for letters, shape in zip(labels, shapes, strict=True)
        for letter, length in zip(letters, shape, strict=True)
    ]
    lengths = {letter: 1 for letter, _, _ in axes}
    lengths |= {letter: length for letter, length, _ in axes if length != 1}
    for letter, length, count in axes:
        if length != lengths[letter] and (length != 1 or count > 1):
            raise ShapeError(
                f"einsum of the shapes {', '.join(map(str, shapes))} found the lengths {length} "
                f"and {lengths[letter]} for the same letter; wanted equal lengths"
            )
    return lengths


_einsum_of = differentiable(einsum_of, doperands=einsum_of_doperands)
