"""A loss has many terms. The reduction is what becomes of them: their mean, their sum, or nothing.

"mean"    L = 1/Z Σ l      Z: the number of the terms l, or the sum of their weights
"sum"     L = Σ l
"none"    L = l            an array; its gradient dL has the same shape
"""

from minidl.errors import ShapeError, one_of

REDUCTIONS = ("mean", "sum", "none")


def reduced(terms, reduction, Z):
    """Return L of the terms (...)."""
    if reduction == "none":
        return terms
    return terms.sum() / Z if reduction == "mean" else terms.sum()


def of_terms(dL, reduction, Z):
    """Return dl, the gradient with respect to each term: one number, or an array (...)."""
    return dL / Z if reduction == "mean" else dL


def must_be_reduced(loss, shapes, reduction, terms):
    """Raise an error for an unknown reduction, and for the mean of no terms.

    shapes: of the inputs, in words.
    """
    one_of("reduction", reduction, REDUCTIONS)
    if reduction == "mean" and not terms:
        raise ShapeError(
            f"{loss} of {shapes} has no terms, and their mean is undefined; leave out empty "
            'batches, or use the reduction "sum"'
        )
