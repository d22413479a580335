"""A schedule of the learning rate is a function that returns the rate α at the time t. The caller
assigns it to `learning_rate` of the optimiser:

>>> schedule = Warmup(5, Steps(0.1, {80: 0.1, 160: 0.01}))
>>> [round(schedule(t), 3) for t in (1, 5, 80, 160)]
[0.02, 0.1, 0.01, 0.001]

The caller chooses the unit of t, steps or epochs. Schedules are values: they can be compared and
stored, and their repr shows all settings.

Source: Bottou, Curtis, Nocedal 2018, "Optimization Methods for Large-Scale Machine Learning",
section 4 (why a rate that falls reaches the minimum and a constant rate only its neighbourhood).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi

from minidl.errors import ArgumentError


@dataclass(frozen=True)
class Constant:
    """α(t) = rate

    Raises no error.

    >>> Constant(0.1)(t=1000)
    0.1
    """

    rate: float

    def __call__(self, t: float) -> float:
        return self.rate


@dataclass(frozen=True)
class Steps:
    """α(t) = rate·`factors[s]`

    factors: a dict from a time to a factor. s is its last time with s ≤ t. Before its first time,
    α is `rate`. A factor is relative to the rate at the start, not to the factor before. He, Zhang,
    Ren, Sun 2016 divide the rate by 10 in this way.

    Raises ArgumentError if a step would not change the rate.

    >>> [round(Steps(0.1, {80: 0.1, 160: 0.01})(epoch), 4) for epoch in (0, 79, 80, 160, 200)]
    [0.1, 0.1, 0.01, 0.001, 0.001]
    """

    rate: float
    factors: Mapping[float, float]

    def __post_init__(self) -> None:
        factors = [1.0] + [self.factors[time] for time in sorted(self.factors)]
        if any(before == after for before, after in pairwise(factors)):
            raise ArgumentError(
                f"one of the steps {self.factors} changes nothing; wanted factors of the rate at "
                "the start, such as {80: 0.1, 160: 0.01}"
            )

    def __call__(self, t: float) -> float:
        past = [time for time in self.factors if time <= t]
        return self.rate * self.factors[max(past)] if past else self.rate


@dataclass(frozen=True)
class Cosine:
    """α(t) = rate·(last + (1 - last) (1 + cos(π t / length)) / 2)

    The rate falls from `rate` at t = 0 to rate·last at t = length, and is constant afterwards
    (Loshchilov & Hutter 2017, eq. 5, without restarts).

    Raises ArgumentError unless the length is above 0.

    >>> [round(Cosine(1.0, length=4)(t), 3) for t in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    rate: float
    length: float
    last: float = 0.0

    def __post_init__(self) -> None:
        _must_be_long(self.length)

    def __call__(self, t: float) -> float:
        return self.rate * _along_a_cosine(1.0, self.last, t / self.length)


@dataclass(frozen=True)
class Warmup:
    """α(t) = schedule(t)·min(1, first + (1 - first) t / length)

    It is the rate of another schedule, times a factor that rises linearly from `first` at t = 0 to
    1 at t = length. With large batches, a new network may diverge without it (Goyal et al. 2017).
    The other schedule gets the same t: it is not delayed by the length.

    Raises ArgumentError unless the length is above 0.

    >>> [Warmup(4, Steps(1.0, {5: 0.5}), first=0.5)(t) for t in (0, 1, 2, 3, 4, 5)]
    [0.5, 0.625, 0.75, 0.875, 1.0, 0.5]
    """

    length: float
    schedule: Callable[[float], float]
    first: float = 0.0

    def __post_init__(self) -> None:
        _must_be_long(self.length)

    def __call__(self, t: float) -> float:
        return self.schedule(t) * min(1.0, self.first + (1 - self.first) * t / self.length)


@dataclass(frozen=True)
class OneCycle:
    """α(t) = rate·(1 - (1 - first) c(t / top)) where t < top
    α(t) = rate·(last + (1 - last) c((t - top) / (length - top))) elsewhere

    top = rise·length,      c(s) = (1 + cos(π s)) / 2

    The rate rises from rate·first at t = 0 to `rate` at t = rise·length, and falls to rate·last at
    t = length. Both parts are half a period of a cosine (Smith & Topin 2018, in fastai's form
    with PyTorch's defaults).

    Raises ArgumentError unless the length is above 0 and the rise between 0 and 1, both excluded.

    >>> [round(OneCycle(1.0, length=10)(t), 3) for t in (0, 1.5, 3, 6.5, 10)]
    [0.04, 0.52, 1.0, 0.5, 0.0]
    """

    rate: float
    length: float
    rise: float = 0.3
    first: float = 0.04
    last: float = 4e-6

    def __post_init__(self) -> None:
        _must_be_long(self.length)
        if not 0 < self.rise < 1:
            raise ArgumentError(
                f"the rise is {self.rise} of the cycle; wanted a share between 0 and 1, both "
                "excluded"
            )

    def __call__(self, t: float) -> float:
        top = self.rise * self.length
        if t < top:
            return self.rate * _along_a_cosine(self.first, 1.0, t / top)
        return self.rate * _along_a_cosine(1.0, self.last, (t - top) / (self.length - top))


def _along_a_cosine(begin, end, share):
    """Return the value at a share of the way from begin to end; at shares above 1 it is `end`."""
    return end + (begin - end) * (1 + cos(pi * min(1.0, share))) / 2


def _must_be_long(length):
    if not length > 0:
        raise ArgumentError(
            f"the length of a schedule is {length}; wanted a number of steps or epochs above 0"
        )
