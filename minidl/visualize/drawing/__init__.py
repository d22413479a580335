"""Numbers as pictures.

heat.py maps numbers to colours, shades.py lays a map over a picture, and page.py arranges pictures
in an HTML page.
"""


def short(number: float) -> str:
    """Return a number as a short text for a caption: three significant digits, or all digits before
    the decimal point from 100 on.

    >>> short(13752.6), short(-2.4951)
    ('13,753', '-2.5')
    """
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
