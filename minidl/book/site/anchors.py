"""The anchors of sections."""


def anchor_of(heading: str) -> str:
    """Return the anchor of a section of a chapter. Names of code have anchors too, without the
    prefix.

    >>> anchor_of("In two and three dimensions")
    'on-in-two-and-three-dimensions'
    """
    joined = "-".join(heading.lower().split())
    return "on-" + "".join(letter for letter in joined if letter.isalnum() or letter == "-")
