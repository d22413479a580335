"""L-BFGS (Liu & Nocedal 1989), in the form that style transfer uses: no line search, one evaluation
a step.

A quasi-Newton method steps along d = -H g, H an estimate of the inverse Hessian. It learns H from
the last pairs of moves s = x' - x and the changes y = g' - g that they made, since on a quadratic H
y = s. Limited memory: H is never formed; H g is computed from the pairs (Nocedal & Wright 2006,
algorithm 7.4).
"""

from collections import deque
from math import isfinite

import numpy as np

from minidl.backend import array_module, device_of, read_numbers, to_device
from minidl.errors import ArgumentError, NonFiniteError
from minidl.half import at_least_float32
from minidl.optim.optimizer import Optimizer, must_fit


class LBFGS(Optimizer):
    """The first step is min(1, 1 / Σ|g|)·learning_rate along -g, but long enough to move x by
    VISIBLE units in its last place (which decides for pictures in float32); later ones are
    learning_rate along -H g.

    A pair is kept if y·s > 1e-10 |y| |s|; H begins as (y·s / y·y) I. history: pairs kept, 2 arrays
    of the parameters' size each. Arrays stay in their own precision, scalars are float64. Until a
    first pair is found (the loss may be curved the wrong way at the start), steps along -g grow
    fourfold.

    The dot products stay where the arrays are; only what a decision hangs on is read, twice a step.

    Without a line search a step can go astray. Where the loss is not finite, or more than `leap`
    times the last good one (if that is above 0), the step is taken back and a quarter of it tried.
    `converged` tells that steps no longer change the loss, as a share of it, by more than
    `tolerance`, ten times in a row: unlike an absolute threshold it means the same at a loss of
    1e11 and of 1e-3.
    """

    takes_back = True
    NUMBERS = {"learning_rate": float, "rollbacks": int, "still": int}
    SETTINGS = ("tolerance", "leap", "history")
    POINT, PAIR = (
        {"x": 1, "gradient": 1, "direction": 1, "loss": 0, "length": 0},
        {"s": 1, "y": 1, "rho": 0, "scale": 0},
    )
    SHRINK, GROW, PATIENCE, CURVATURE, VISIBLE = 0.25, 4, 10, 1e-10, 1e4

    def __init__(self, parameters, learning_rate=1.0, history=10, tolerance=1e-7, leap=1.1):
        super().__init__(parameters, learning_rate)
        if any(self._decays) or {*self._rates} != {1.0}:
            raise ArgumentError(
                "L-BFGS moves all parameters along one direction; wanted groups without weight decay or rate"
            )
        if history < 1:
            raise ArgumentError(f"the history is {history}; wanted at least 1 pair")
        self.tolerance, self.leap = tolerance, leap
        self.pairs = deque(maxlen=history)  # (s, y, 1 / y·s, y·s / y·y), oldest first
        self.rollbacks = 0
        self._good = None  # (x, g, loss) of the last point that was kept
        self._direction = self._length = None  # of the step from there
        self._moving = None  # the indices of the parameters that the last step changed
        self.still = 0  # steps in a row that hardly changed the loss

    @property
    def history(self) -> int:
        """How many pairs are kept at most."""
        return self.pairs.maxlen or 0

    @property
    def converged(self):
        return self.still >= self.PATIENCE

    def state(self):
        found = {name: getattr(self, name) for name in self.NUMBERS}
        if self._good is not None:
            x, g, loss = self._good
            found |= dict(zip(self.POINT, (x, g, self._direction, loss, self._length), strict=True))
        for number, pair in enumerate(self.pairs):
            found |= {
                f"{name}/{number}": value for name, value in zip(self.PAIR, pair, strict=True)
            }
        return found

    def restore(self, state):
        size, data = sum(p.data.size for p in self.parameters), self.parameters[0].data
        dtype = at_least_float32(data.dtype)
        ndims = dict.fromkeys(self.NUMBERS, 0) | (self.POINT if "x" in state else {})
        count = sum(name.startswith("s/") for name in state)
        ndims |= {
            f"{name}/{number}": ndim for number in range(count) for name, ndim in self.PAIR.items()
        }
        must_fit(state, {name: (size,) * ndim for name, ndim in ndims.items()})

        def taken(names):
            return [
                to_device(state[name], device_of(data)).astype(dtype)
                if ndims[name]
                else float(state[name])
                for name in names
            ]

        for name, kind in self.NUMBERS.items():
            setattr(self, name, kind(state[name]))
        self.pairs = deque(
            (tuple(taken(f"{name}/{n}" for name in self.PAIR)) for n in range(count)),
            self.pairs.maxlen,
        )
        if "x" in state:
            x, g, self._direction, loss, self._length = taken(self.POINT)
            self._good = x, g, loss
        else:
            self._forget()
        self._moving = None

    def step(self, loss):
        numbers = tuple(self._to_move())
        # the loss is now a function of other parameters
        if numbers != self._moving and self._moving is not None:
            self._forget()
            self.pairs.clear()
        self._moving = numbers
        loss, x, g = (
            float(loss),
            _flat(p.data for p in self.parameters),
            _flat(self._gradients(numbers)),
        )
        pair = None if self._good is None else (x - self._good[0], g - self._good[1])
        is_finite, *sums = read_numbers(
            _is_finite(g), *(_first_sums(x, g) if pair is None else _sums(*pair))
        )
        if not (isfinite(loss) and is_finite) or self._has_leapt(loss):
            self._take_back(loss)
        else:
            if self._good is not None:
                self._learn(*pair, loss, *sums)
            self._direction = self._downhill(g)
            if self.pairs:
                self._length = self.learning_rate
            elif self._good is None:
                self._length = self.learning_rate * self._cautious_length(x.dtype, *sums)
            else:
                self._length *= self.GROW
            self._good = (x, g, loss)
        x, _, _ = self._good
        self._place(x + self._length * self._direction)

    def _forget(self):
        self._good = self._direction = self._length = None

    def _gradients(self, numbers):
        """The gradients of all parameters; zeros for those that the step does not change"""
        for number, p in enumerate(self.parameters):
            yield p.grad if number in numbers else array_module(p.data).zeros_like(p.data)

    def _has_leapt(self, loss):
        return self._good is not None and self._good[2] > 0 and loss > self.leap * self._good[2]

    def _take_back(self, loss):
        if self._good is None:
            raise NonFiniteError(
                f"L-BFGS cannot begin: the loss is {loss} or its gradient not finite at the first point"
            )
        self.rollbacks += 1
        self._length *= self.SHRINK

    def _learn(self, s, y, loss, ys, yy, ss):
        _, _, before_loss = self._good
        if ys > self.CURVATURE * (yy * ss) ** 0.5:
            self.pairs.append((s, y, 1 / ys, ys / yy))
        change = abs(loss - before_loss)
        self.still = (
            self.still + 1 if change <= self.tolerance * max(abs(loss), abs(before_loss)) else 0
        )

    def _cautious_length(self, dtype, total, steepest, largest):
        """min(1, 1 / Σ|g|), but enough to move x by VISIBLE units in its last place: less would
        teach nothing of H."""
        if not total:
            return 1.0
        visible = self.VISIBLE * float(np.finfo(dtype).eps) * largest / steepest
        return max(min(1.0, 1 / total), visible)

    def _downhill(self, g):
        """-H g; -g where that is not finite, and what was learned of H is then forgotten"""
        direction = -self._times_inverse_hessian(g)
        if self.pairs and not all(read_numbers(_is_finite(direction))):
            self.pairs.clear()
            return -g
        return direction

    def _times_inverse_hessian(self, g):
        """H g: the two-loop recursion"""
        q, alphas = g, []
        for s, y, rho, _ in reversed(self.pairs):
            alpha = rho * _dot(s, q)
            q = q - alpha.astype(q.dtype) * y
            alphas.append(alpha)
        if self.pairs:
            *_, scale = self.pairs[-1]
            q = q * scale
        for (s, y, rho, _), alpha in zip(self.pairs, reversed(alphas), strict=True):
            q = q + s * (alpha - rho * _dot(y, q)).astype(q.dtype)
        return q

    def _place(self, x):
        """Split the flat x into the parameters, and assign those that the step changes."""
        begin = 0
        for number, p in enumerate(self.parameters):
            if number in self._moving:
                p.data = x[begin : begin + p.data.size].reshape(p.shape).astype(p.dtype, copy=False)
            begin += p.data.size


def _flat(arrays):
    """All in one row, float16 as float32"""
    arrays = [a.reshape(-1).astype(at_least_float32(a.dtype), copy=False) for a in arrays]
    return arrays[0] if len(arrays) == 1 else array_module(*arrays).concatenate(arrays)


# What the decisions of a step hang on, in the order of `_cautious_length` and of `_learn`.


def _first_sums(x, g):
    return abs(g).sum(dtype="float64"), abs(g).max(), abs(x).max()


def _sums(s, y):
    return _dot(y, s), _dot(y, y), _dot(s, s)


def _dot(a, b):
    """In float64 from the products on: squares of a gradient overflow float32 long before the
    gradient does."""
    return array_module(a, b).multiply(a, b, dtype="float64").sum()


def _is_finite(array):
    return array_module(array).isfinite(array).all()
