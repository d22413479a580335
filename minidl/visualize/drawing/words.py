"""Numbers in words."""


def short(number):
    """
    >>> short(13752.6), short(-2.4951)
    ('13,753', '-2.5')
    """
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
