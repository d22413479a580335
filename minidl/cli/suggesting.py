"""Suggestions for unknown words on the command line."""

from minidl.errors import did_you_mean

# Words of other programs, and of users -> the choice of minidl
MEANT = {
    "random": "noise", "white": "noise", "photo": "content", "photograph": "content", "painting": "style",
    "cuda": "gpu", "average": "avg", "mean": "avg", "maximum": "max", "l-bfgs": "lbfgs", "mnist": "siamese",
}  # fmt: skip


def suggestion(word, known):
    """The end of an error message about an unknown word: the known word that is probably meant, or
    "" without one.

    >>> suggestion("random", ["content", "noise"]), suggestion("nois", ["content", "noise"])
    ("; did you mean 'noise'?", "; did you mean 'noise'?")
    """
    other = MEANT.get(word.lower())
    return f"; did you mean {other!r}?" if other in known else did_you_mean(word, known)
