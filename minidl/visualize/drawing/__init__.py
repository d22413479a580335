"""Numbers as pictures.

heat.py maps numbers to colours. shades.py lays a map over a picture, and examples.py over a signal
or a volume. frames.py draws a patch in its place of the receptive field. page.py arranges pictures
in an HTML page, with the style sheet in style.py.
"""


def short(number: float) -> str:
    """Return a number as a short text for a caption: three significant digits, or all digits before
    the decimal point from 100 on.

    >>> short(13752.6), short(-2.4951)
    ('13,753', '-2.5')
    """
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def percent(share: float) -> str:
    """Return a probability as a short text.

    >>> percent(0.8312), percent(1e-9)
    ('83.1%', '0.0%')
    """
    return f"{share:.1%}"


def columns(count: int, most: int) -> int:
    """Return the number of columns, if possible at most `most`, in which so many pictures stand
    without one of them alone in the last row.

    >>> columns(8, 4), columns(7, 4), columns(7, 2)
    (4, 4, 4)
    """
    if count <= most:
        return max(count, 1)
    rows = -(-count // most)
    balanced = -(-count // rows)
    return next(n for n in range(balanced, count + 1) if count % n != 1)
