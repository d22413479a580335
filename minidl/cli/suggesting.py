"""The word that is meant by one that is not known."""

from minidl.errors import did_you_mean

# What other programs call a choice that has another name here
MEANT = {
    "random": "noise", "white": "noise", "photo": "content", "photograph": "content", "painting": "style",
    "cuda": "gpu", "average": "avg", "mean": "avg", "maximum": "max", "l-bfgs": "lbfgs", "mnist": "siamese",
}  # fmt: skip


def suggestion(word, known):
    """The end of a sentence that refuses a word: names the known word that is meant, if one can be guessed.

    >>> suggestion("random", ["content", "noise"]), suggestion("nois", ["content", "noise"])
    ("; did you mean 'noise'?", "; did you mean 'noise'?")
    """
    other = MEANT.get(word.lower())
    return f"; did you mean {other!r}?" if other in known else did_you_mean(word, known)
