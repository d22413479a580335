"""Exercises of the chapter about CIFAR-10."""

import math

from minidl.book.exercises.exercise import Exercise, given
from minidl.optim.schedules import OneCycle


def one_cycle(t, rate, length, rise, first, last):
    return OneCycle(rate, length, rise, first, last)(t)


def c(s):
    return (1 + math.cos(math.pi * s)) / 2


def of_shares(
    curve=c,
    top_of=lambda rise, length: rise * length,
    share=lambda t, top, length: (t - top) / (length - top),
):
    """Return a schedule with another curve, another time of the top, or another share of the
    fall."""

    def wrong(t, rate, length, rise, first, last):
        top = top_of(rise, length)
        if t < top:
            return rate * (1 - (1 - first) * curve(t / top))
        return rate * (last + (1 - last) * curve(share(t, top, length)))

    return wrong


def absolute(t, rate, length, rise, first, last):
    top = rise * length
    if t < top:
        return rate - (rate - first) * c(t / top)
    return last + (rate - last) * c((t - top) / (length - top))


def without_rise(t, rate, length, rise, first, last):
    return rate * (last + (1 - last) * c(t / length))


CYCLE = {"rate": 2.0, "length": 10.0, "rise": 0.25, "first": 0.25, "last": 0.125}

EXERCISES = [
    Exercise(
        name="one-cycle",
        chapter="cifar10",
        title="A learning rate that rises and falls",
        task="""\
The rate of the one-cycle schedule rises from rate·first at t = 0 to `rate` at t = top, and falls to
rate·last at t = length, along two halves of a cosine:

    α = rate·(1 - (1 - first) c(t / top)) where t < top
    α = rate·(last + (1 - last) c((t - top) / (length - top))) elsewhere

    top = rise·length,      c(s) = (1 + cos(π s)) / 2

t is a number from 0 to length, and rise a share between 0 and 1. Return α, a number.""",
        hint="""\
Write c as a function of its own. Because c(0) = 1 and c(1) = 0, you can compute the rate at t = 0,
top and length by hand.""",
        right=one_cycle,
        returns=("alpha",),
        example={"t": 0.0, **CYCLE},
        cases={
            "the rise": {"t": 1.0, **CYCLE},
            "the top": {"t": 2.5, **CYCLE},
            "the fall": {"t": 4.0, **CYCLE},
            "the end": {"t": 10.0, **CYCLE},
            "a long rise": {"t": 3.0, **CYCLE, "rise": 0.8, "length": 5.0},
            "the end at rate 0": {"t": 10.0, **CYCLE, "last": 0.0},
        },
        wrong={
            "The rate begins at 0. It begins at rate·first.": given(one_cycle, first=lambda _: 0.0),
            "The rate ends at 0. It ends at rate·last.": given(one_cycle, last=lambda _: 0.0),
            "first and last are rates. They are factors of the rate: multiply by it.": absolute,
            "The share of the fall is t / length. It begins at 0 where t = top.":
                of_shares(share=lambda t, top, length: t / length),
            "The share of the fall is (t - top) / length. It has to be 1 at t = length.":
                of_shares(share=lambda t, top, length: (t - top) / length),
            "The share of the fall is t / (length - top). It begins at 0 where t = top.":
                of_shares(share=lambda t, top, length: t / (length - top)),
            "The rise is a number of steps. It is a share: top = rise·length.":
                of_shares(top_of=lambda rise, length: rise),
            "The rise is the share of the fall. It is that of the rise: top = rise·length.":
                given(one_cycle, rise=lambda rise: 1 - rise),
            "The curve is a whole period of the cosine. It is half of one: cos(π s).":
                of_shares(lambda s: c(2 * s)),
            "The curve is a straight line. It is half of a cosine.": of_shares(lambda s: 1 - s),
            "The factor π of the cosine is missing.": of_shares(lambda s: (1 + math.cos(s)) / 2),
            "The curve is 1 + cos(π s), and the division by 2 is missing.":
                of_shares(lambda s: 2 * c(s)),
            "The curve runs backwards: c(s) is 1 at s = 0, and 0 at s = 1.":
                of_shares(lambda s: c(1 - s)),
            "first and last are exchanged.":
                lambda t, rate, length, rise, first, last:
                    one_cycle(t, rate, length, rise, last, first),
            "The rise is missing: the rate falls from the start.": without_rise,
            "The rate is missing: it is a factor of both parts.":
                given(one_cycle, rate=lambda _: 1.0),
        },
    ),
]  # fmt: skip
