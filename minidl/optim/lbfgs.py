"""L-BFGS (Liu & Nocedal 1989) has the form here that style transfer uses: there is no line search,
and each step evaluates the loss once.

A quasi-Newton method steps along -H g, where H estimates the inverse of the Hessian. It uses the
moves s = x' - x of the last steps and the changes y = g' - g of the gradient. For a quadratic
function, the inverse of the Hessian satisfies H y = s. L-BFGS computes H g directly from the last
few pairs (s, y), without the matrix H (Nocedal & Wright 2006, algorithm 7.4).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import array_module, device_of, read_numbers, to_device
from minidl.errors import ArgumentError, NonFiniteError
from minidl.half import at_least_float32
from minidl.optim.optimizer import GroupedParameters, Optimizer, must_fit
from minidl.typing import Array

SHRINK = 0.25  # factor on the length of a step that is undone
GROW = 4  # factor on the length of steps along -g, while there are no pairs
PATIENCE = 10  # number of steps in a row that must hardly change the loss
CURVATURE = 1e-10  # a pair is kept if y·s / (|y| |s|) is above this
VISIBLE = 1e4  # least length of the first step, in units in the last place of the largest x


class Point(NamedTuple):
    """A point that the optimiser reached, and the step from it.

    x: all parameters as one vector; gradient, direction: vectors like x; length: factor on the
    direction.
    """

    x: Array
    gradient: Array
    direction: Array
    loss: float
    length: float


class Pair(NamedTuple):
    """s: a move. y: the change of the gradient. rho: 1 / (y·s). scale: (y·s) / (y·y)."""

    s: Array
    y: Array
    rho: float
    scale: float


class LBFGS(Optimizer):
    """Quasi-Newton steps without a line search:

    x ← x - learning_rate·H g

    The first step is -min(1, 1 / Σ|g|)·learning_rate·g. It is made longer if it would move no
    number of x by at least VISIBLE units in the last place, as may happen for pictures in float32.
    Later steps are -learning_rate·H g.

    A pair is kept if y·s > 1e-10 |y| |s|. The recursion for H g starts from ((y·s) / (y·y)) I, with
    the last pair. There may be no pair at first, because the curvature of the loss may be negative.
    The steps are then along -g, and the factor on g is four times that of the step before. Arrays
    keep their precision; scalars are float64. On a GPU only the numbers that decisions depend on
    are read, twice for each step.

    Without a line search, a step may increase the loss much. A step is undone, and a quarter of it
    is tried, if the loss is not finite, or if it is more than `leap` times that of the last
    accepted point and that is above 0.

    `converged` is true after ten steps in a row that changed the loss by at most `tolerance`,
    relative to its size.

    history: the largest number of pairs that are kept, at least 1. A pair takes two arrays of the
    size of all parameters. parameters: see Optimizer. Groups may not have a weight decay or a rate.

    Raises ArgumentError for other values. `step` raises NonFiniteError if the loss or its gradient
    is not finite at the first point.

    >>> optimizer = LBFGS([x := Tensor(np.array([4.]), requires_grad=True)])
    >>> for _ in range(2):                                     # f = x²: from 4 to 3, and to 0
    ...     x.grad = 2 * x.data
    ...     optimizer.step(loss=(x.data @ x.data).item())
    >>> x.data
    array([0.])
    """

    takes_back = True
    NUMBERS = {"learning_rate": float, "rollbacks": int, "still": int}
    SETTINGS = ("tolerance", "leap", "history")

    def __init__(
        self,
        parameters: GroupedParameters,
        learning_rate: float = 1.0,
        history: int = 10,
        tolerance: float = 1e-7,
        leap: float = 1.1,
    ) -> None:
        super().__init__(parameters, learning_rate)
        if any(self._decays) or {*self._rates} != {1.0}:
            raise ArgumentError(
                "L-BFGS moves all parameters along one direction; wanted groups without weight "
                "decay or rate"
            )
        if history < 1:
            raise ArgumentError(f"the history is {history}; wanted at least 1 pair")
        self.tolerance, self.leap = tolerance, leap
        self.pairs: deque[Pair] = deque(maxlen=history)  # oldest first
        self.rollbacks = 0  # number of steps that were undone
        self.still = 0  # number of last steps in a row that hardly changed the loss
        self._point: Point | None = None  # the last accepted point
        self._moving: Sequence[int] | None = None  # indices of the parameters that the steps change

    @property
    def history(self) -> int:
        """The largest number of pairs that are kept."""
        return self.pairs.maxlen or 0

    @property
    def converged(self) -> bool:  # type: ignore[override]  # a constant of other optimisers
        """Whether the last steps hardly changed the loss."""
        return self.still >= PATIENCE

    def state(self) -> dict[str, Any]:
        state = super().state()
        if self._point is not None:
            state |= self._point._asdict()
        for index, pair in enumerate(self.pairs):
            state |= {f"{name}/{index}": value for name, value in pair._asdict().items()}
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        data, size = self.parameters[0].data, sum(p.data.size for p in self.parameters)
        vectors, numbers = [], [*self.NUMBERS]
        if "x" in state:
            vectors += ["x", "gradient", "direction"]
            numbers += ["loss", "length"]
        pairs = range(sum(name.startswith("s/") for name in state))
        vectors += [f"{name}/{pair}" for pair in pairs for name in ("s", "y")]
        numbers += [f"{name}/{pair}" for pair in pairs for name in ("rho", "scale")]
        must_fit(state, dict.fromkeys(numbers, ()) | dict.fromkeys(vectors, (size,)))

        device, dtype = device_of(data), at_least_float32(data.dtype)
        values: dict[str, Any] = {name: float(state[name]) for name in numbers}
        values |= {name: to_device(state[name], device).astype(dtype) for name in vectors}
        for name, kind in self.NUMBERS.items():
            setattr(self, name, kind(state[name]))
        self._point = Point(*(values[name] for name in Point._fields)) if "x" in state else None
        self.pairs = deque(
            (Pair(*(values[f"{name}/{pair}"] for name in Pair._fields)) for pair in pairs),
            self.pairs.maxlen,
        )
        self._moving = None

    def step(self, loss: float | Tensor | None = None) -> None:
        """Move the parameters along -H g, or undo a part of the last step.

        loss: the value whose gradients the parameters hold, a number or a Tensor of one number.
        Raises ArgumentError without a loss or without any gradient, and NonFiniteError as the class
        says.
        """
        if loss is None:
            raise ArgumentError("L-BFGS found no loss; wanted step(loss), the loss a number")
        indices = self._to_move()
        if self._moving is not None and indices != self._moving:
            # The loss is now a function of other parameters.
            self._point = None
            self.pairs.clear()
        self._moving = indices
        loss = float(loss)
        x = _flat(p.data for p in self.parameters)
        g = _flat(self._gradients(indices))
        self._point = self._next_point(x, g, loss)
        self._assign(self._point.x + self._point.length * self._point.direction, indices)

    def _next_point(self, x, g, loss):
        """Return the Point at x if x is accepted, or else the last Point with a shorter step."""
        last = self._point
        if last is None:
            is_finite, total, steepest, largest = read_numbers(
                _is_finite(g), abs(g).sum(dtype="float64"), abs(g).max(), abs(x).max()
            )
            if not (isfinite(loss) and is_finite):
                raise NonFiniteError(
                    f"L-BFGS cannot begin: the loss is {loss} or its gradient is not finite at the "
                    "first point; wanted finite numbers: start from another point"
                )
            length = self.learning_rate * _cautious_length(x.dtype, total, steepest, largest)
            return Point(x, g, self._downhill(g), loss, length)
        s, y = x - last.x, g - last.gradient
        is_finite, ys, yy, ss = read_numbers(_is_finite(g), _dot(y, s), _dot(y, y), _dot(s, s))
        has_leapt = last.loss > 0 and loss > self.leap * last.loss
        if not (isfinite(loss) and is_finite) or has_leapt:
            self.rollbacks += 1
            return last._replace(length=last.length * SHRINK)
        if ys > CURVATURE * (yy * ss) ** 0.5:
            self.pairs.append(Pair(s, y, 1 / ys, ys / yy))
        is_still = abs(loss - last.loss) <= self.tolerance * max(abs(loss), abs(last.loss))
        self.still = self.still + 1 if is_still else 0
        direction = self._downhill(g)
        length = self.learning_rate if self.pairs else last.length * GROW
        return Point(x, g, direction, loss, length)

    def _gradients(self, indices):
        """Yield the gradients of all parameters, with zeros for those without these indices."""
        for index, p in enumerate(self.parameters):
            yield p.grad if index in indices else array_module(p.data).zeros_like(p.data)

    def _downhill(self, g):
        """Return -H g. Where that is not finite, forget all pairs and return -g."""
        direction = -self._times_inverse_hessian(g)
        if self.pairs and not all(read_numbers(_is_finite(direction))):
            self.pairs.clear()
            return -g
        return direction

    def _times_inverse_hessian(self, g):
        """Return H g by the two-loop recursion."""
        q, alphas = g, []
        for s, y, rho, _ in reversed(self.pairs):
            alpha = rho * _dot(s, q)
            q = q - alpha.astype(q.dtype) * y
            alphas.append(alpha)
        if self.pairs:
            q = q * self.pairs[-1].scale
        for (s, y, rho, _), alpha in zip(self.pairs, reversed(alphas), strict=True):
            q = q + s * (alpha - rho * _dot(y, q)).astype(q.dtype)
        return q

    def _assign(self, x, indices):
        """Split the vector x into arrays, and assign those of these indices to the parameters."""
        begin = 0
        for index, p in enumerate(self.parameters):
            if index in indices:
                p.data = x[begin : begin + p.data.size].reshape(p.shape).astype(p.dtype, copy=False)
            begin += p.data.size


def _cautious_length(dtype, total, steepest, largest):
    """Return the factor on g of the first step: min(1, 1 / Σ|g|), or a larger number if all of x
    would move by less than VISIBLE units in the last place. After a smaller move, the change y of
    the gradient would consist of rounding errors.

    dtype: of x. total: Σ|g|. steepest: max |g|. largest: max |x|.
    """
    if not total:
        return 1.0
    visible = VISIBLE * float(np.finfo(dtype).eps) * largest / steepest
    return max(min(1.0, 1 / total), visible)


def _flat(arrays):
    """Return all numbers of the arrays as one vector. float16 becomes float32."""
    arrays = [a.reshape(-1).astype(at_least_float32(a.dtype), copy=False) for a in arrays]
    return arrays[0] if len(arrays) == 1 else array_module(*arrays).concatenate(arrays)


def _dot(a, b):
    """Return a·b, computed in float64, because products of finite float32 numbers may overflow
    float32."""
    return array_module(a, b).multiply(a, b, dtype="float64").sum()


def _is_finite(array):
    return array_module(array).isfinite(array).all()
