"""A schedule of the learning rate is a function that returns the rate α at the time t. The caller
assigns it to `learning_rate` of the optimiser:

>>> schedule = Warmup(5, Steps(0.1, {80: 0.1, 160: 0.01}))
>>> [round(schedule(t), 3) for t in (1, 5, 80, 160)]
[0.02, 0.1, 0.01, 0.001]

The caller chooses the unit of t, steps or epochs. Schedules are values: they can be compared and
stored, and their repr shows all settings. They have no state. Plateau, whose rate depends on what
was measured, takes all measurements so far.

Source: Bottou, Curtis, Nocedal 2018, "Optimization Methods for Large-Scale Machine Learning",
section 4 (why a rate that falls reaches the minimum and a constant rate only its neighbourhood).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, inf, pi
from typing import Literal

from minidl.errors import ArgumentError, one_of

BETTER = ("lower", "higher")


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
class Exponential:
    """α(t) = rate·factor^(t / length)

    Each `length` multiplies the rate by the factor. Bottou, Curtis, Nocedal 2018, theorem 5.1,
    bound the error of such a rate only for batches that grow as fast as it falls: otherwise, do not
    let it fall to almost 0 before the end.

    Raises ArgumentError unless the factor and the length are above 0.

    >>> [round(Exponential(1.0, 0.1, length=2)(t), 3) for t in (0, 1, 2, 4)]
    [1.0, 0.316, 0.1, 0.01]
    """

    rate: float
    factor: float
    length: float = 1.0

    def __post_init__(self) -> None:
        _must_be_long(self.length)
        if not 0 < self.factor < inf:
            raise ArgumentError(
                f"the factor of a schedule is {self.factor}; wanted a number above 0, such as 0.95"
            )

    def __call__(self, t: float) -> float:
        return self.rate * self.factor ** (t / self.length)


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


@dataclass(frozen=True)
class Plateau:
    """α(t) = max(least, schedule(t)·factor^k),      k: the number of plateaus so far

    A plateau is reached after more than `patience` measurements in a row without a new best one.
    The next `rest` measurements are then not counted. A value is a new best if it is better than
    the best b by more than the share `threshold` (better: one of):

        "lower"     value < b - threshold·|b|       of a loss
        "higher"    value > b + threshold·|b|       of an accuracy

    schedule: the rate without plateaus, such as Constant(0.1). It may warm up. factor: from 0 to 1,
    both excluded. measure: the name of the measurements. In a Task, this is a column of the log,
    with one value for each epoch; a resumed run reads the values of the epochs before from its
    checkpoint.

    The meaning is that of PyTorch's ReduceLROnPlateau, whose `cooldown` is `rest` here. He, Zhang,
    Ren, Sun 2016 divide the rate by 10 at plateaus.

    Raises ArgumentError for settings out of range, and if it is called without the values.

    >>> plateau = Plateau(Constant(1.0), factor=0.5, patience=1)
    >>> [plateau(t, [3., 2., 2., 2., 1.][:t]) for t in range(6)]       # the third 2 is one too many
    [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    """

    schedule: Callable[[float], float]
    measure: str = "validation_loss"
    factor: float = 0.1
    patience: int = 10
    better: Literal["lower", "higher"] = "lower"
    threshold: float = 1e-4
    rest: int = 0
    least: float = 0.0

    def __post_init__(self) -> None:
        one_of("better", self.better, BETTER)
        if not 0 < self.factor < 1:
            raise ArgumentError(
                f"the factor at a plateau is {self.factor}; wanted a number between 0 and 1, both "
                "excluded"
            )
        for name in ("patience", "threshold", "rest", "least"):
            if not 0 <= getattr(self, name) < inf:
                raise ArgumentError(
                    f"the {name} of a Plateau is {getattr(self, name)}; wanted a number of at "
                    "least 0"
                )

    def __call__(self, t: float, values: Sequence[float] | None = None) -> float:
        if values is None:
            raise ArgumentError(
                "a Plateau found no measurements; call it with (t, values), and put other "
                "schedules into it, as in Plateau(Warmup(5, Constant(0.1)))"
            )
        return max(self.least, self.schedule(t) * self.factor ** self._plateaus(values))

    def _plateaus(self, values):
        sign = 1 if self.better == "lower" else -1
        best, waited, resting, plateaus = inf, 0, 0, 0
        for value in values:
            if sign * value < best - (self.threshold * abs(best) if best < inf else 0):
                best, waited = sign * value, 0
            else:
                waited += 1
            if resting:
                resting, waited = resting - 1, 0
            if waited > self.patience:
                plateaus, waited, resting = plateaus + 1, 0, self.rest
        return plateaus


def _along_a_cosine(begin, end, share):
    """Return the value at a share of the way from begin to end; at shares above 1 it is `end`."""
    return end + (begin - end) * (1 + cos(pi * min(1.0, share))) / 2


def _must_be_long(length):
    if not length > 0:
        raise ArgumentError(
            f"the length of a schedule is {length}; wanted a number of steps or epochs above 0"
        )
