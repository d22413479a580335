"""The tape of a small network: forward, op by op, and then back, edge by edge.

The network runs on minidl's own tape. The frames of the backward pass show what its gradient
functions return, in the order in which `Tensor.backward` calls them (see recorded_tape.py).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from minidl.book.figures.canvas import Canvas, number
from minidl.book.figures.figure import Figure, Frame
from minidl.book.figures.recorded_tape import Call, Network, Pull
from minidl.typing import Array

X = np.array([[1.0, 2.0], [-1.0, 1.0]])
W = np.array([[1.0, -1.0], [0.5, 1.0]])
B = np.array([-0.5, 1.0])

WIDTH = 328.0  # of the drawing
PARAMETERS, SHORTCUT, VALUES, GRADIENTS = 6.0, 97.0, 112.0, 240.0  # columns: where they begin
CELL_WIDTH, CELL_HEIGHT = 40.0, 26.0
LABEL, BETWEEN = 20.0, 80.0  # heights: of a label, and of the space between two values
OP_WIDTH, OP_HEIGHT = 92.0, 36.0  # of the box of an op


class Moment(NamedTuple):
    """What one frame shows.

    computed: how many calls are done. gradients: the sums so far. now: what this frame computes.
    """

    computed: int
    gradients: Mapping[str, Array]
    now: Call | Pull | None
    words: str


def draw() -> Figure:
    """Return the figure: a variant for each network, and a frame for each op and each edge."""
    return Figure(
        title="The tape of a small network",
        caption=(
            "On the left are the parameters, in the middle the values, and on the right the "
            "gradients. Forward, each op records which arrays its gradients will read; these are "
            "tinted. Backward, the ops are visited from the last to the first. For each input, a "
            "gradient function gets the gradient of the output. Where a value is used twice, its "
            "gradient is the sum of two parts. Each is shown at its op, after a +."
        ),
        variants={name: _frames(make()) for name, make in NETWORKS.items()},
        choice="network",
        stills=(5, 8, 14),
    )


def chain() -> Network:
    """Return the network L = mean(y²), y = relu(x w + b). y is used twice, as y·y."""
    network = Network(x=X, w=W, b=B)
    network.apply("h", "matmul", a="x", b="w")
    network.apply("z", "add", a="h", b="b")
    network.apply("y", "relu", x="z")
    network.apply("s", "multiply", a="y", b="y")
    network.apply("L", "mean", x="s")
    return network


def shortcut() -> Network:
    """Return the network L = mean(r²), r = relu(x w) + x. x is used twice, and so is r."""
    network = Network(x=X, w=W)
    network.apply("h", "matmul", a="x", b="w")
    network.apply("y", "relu", x="h")
    network.apply("r", "add", a="y", b="x")
    network.apply("s", "multiply", a="r", b="r")
    network.apply("L", "mean", x="s")
    return network


NETWORKS = {"chain": chain, "shortcut": shortcut}


def moments(network: Network) -> Iterator[Moment]:
    """Yield the Moments of both passes."""
    leaves = ", ".join(f"{name} = {_listed(network.values[name].data)}" for name in network.leaves)
    yield Moment(0, {}, None, f"The leaves of the tape are {leaves}.")
    for count, call in enumerate(network.calls, start=1):
        kept = " and ".join(call.kept()) or "no array"
        value = _listed(network.values[call.output].data)
        words = (
            f"Forward, step {count}: {call.op.__name__} of {' and '.join(call.inputs.values())} is "
            f"{call.output} = {value}, and the tape keeps {kept} for the gradients."
        )
        yield Moment(count, {}, call, words)
    last = network.calls[-1].output
    gradients = {last: np.ones_like(network.values[last].data)}
    count = len(network.calls)
    yield Moment(count, gradients, None, f"Backward begins with ∂{last}/∂{last} = 1.")
    for pull in network.backward():
        name, before = pull.input, gradients.get(pull.input)
        gradients = gradients | {name: pull.part if before is None else before + pull.part}
        words = _words(pull, network.uses(name), before, gradients[name])
        yield Moment(count, gradients, pull, words)


def _words(pull: Pull, uses: int, before: Array | None, total: Array) -> str:
    call, name = pull.call, pull.input
    function = call.op.gradients[f"d{pull.parameter}"].__name__
    arguments = ", ".join([f"∂L/∂{call.output}", *call.reads(pull.parameter)])
    found = f"Backward: {function}({arguments}) is {_listed(pull.part)}"
    if before is None:
        part = f"the first of {uses} parts of " if uses > 1 else ""
        return f"{found}, which is {part}∂L/∂{name}."
    return f"{found}, which is added to {_listed(before)}, so that ∂L/∂{name} = {_listed(total)}."


def _listed(array: Array) -> str:
    """Return the numbers of an array in words: its rows with semicolons between them."""
    rows = np.atleast_2d(array)
    text = "; ".join(", ".join(map(number, row)) for row in rows)
    return text if array.ndim == 0 else f"[{text}]"


def _frames(network: Network) -> list[Frame]:
    return [
        Frame(_Drawing(network, moment).canvas.svg(), moment.words) for moment in moments(network)
    ]


class _Drawing:
    """The drawing of one Moment.

    main: the first leaf and the outputs, from top to bottom. The other leaves are parameters, and
    stand to the left of the ops that read them.
    """

    def __init__(self, network: Network, moment: Moment) -> None:
        self.network, self.moment = network, moment
        self.main = [network.leaves[0], *(call.output for call in network.calls)]
        self.tops, y = {}, LABEL
        for name in self.main:
            self.tops[name] = y
            y += self.height(name) + BETWEEN
        for call in network.calls:
            for name in {*call.inputs.values()} - {*self.main}:
                self.tops[name] = self.middle(call) - self.height(name) / 2
        self.canvas = Canvas(WIDTH, y - BETWEEN + 6)
        for call in network.calls:
            self.draw_call(call)
        for name in network.values:
            self.draw_value(name)
            self.draw_gradient(name)
        if isinstance(moment.now, Pull):
            self.draw_pull(moment.now)

    def height(self, name: str) -> float:
        return CELL_HEIGHT * len(np.atleast_2d(self.network.values[name].data))

    def middle(self, call: Call) -> float:
        """Return the middle of the box of an op, which is above its output."""
        return self.tops[call.output] - LABEL - (BETWEEN - LABEL) / 2

    def draw_call(self, call: Call) -> None:
        canvas, middle, now = self.canvas, self.middle(call), self.moment.now
        current = now.call if isinstance(now, Pull) else now
        colour = "second" if isinstance(now, Pull) else "first"
        left, top = VALUES - OP_WIDTH / 2 + CELL_WIDTH, middle - OP_HEIGHT / 2
        canvas.box(left, top, OP_WIDTH, OP_HEIGHT, colour, 0.25 * (call is current))
        kept, centre = ", ".join(call.kept()), left + OP_WIDTH / 2
        name_at = middle - 8 if kept else middle
        canvas.text(centre, name_at, call.op.__name__, anchor="middle", size=13, bold=True)
        if kept:
            canvas.text(centre, middle + 8, f"keeps {kept}", anchor="middle", size=12)
        above = self.main[self.main.index(call.output) - 1]
        straight = [name for name in call.inputs.values() if name == above]
        for number_of, _ in enumerate(straight):
            x = centre + 24 * (number_of - (len(straight) - 1) / 2)
            canvas.arrow((x, self.tops[above] + self.height(above) + 1), (x, top - 1))
        canvas.arrow((centre, top + OP_HEIGHT), (centre, self.tops[call.output] - LABEL / 2))
        for name in call.inputs.values():
            if name not in self.main:
                canvas.arrow((PARAMETERS + 2 * CELL_WIDTH, middle), (left, middle))
            elif name != above:
                y = self.tops[name] + self.height(name) / 2
                canvas.curve([(VALUES, y), (SHORTCUT, y), (SHORTCUT, middle)])
                canvas.arrow((SHORTCUT, middle), (left, middle))

    def draw_value(self, name: str) -> None:
        calls = self.network.calls[: self.moment.computed]
        is_known = name in self.network.leaves or name in {call.output for call in calls}
        is_kept = any(name in call.kept() for call in calls)
        now = self.moment.now
        is_read = isinstance(now, Pull) and name in now.call.reads(now.parameter)
        is_new = isinstance(now, Call) and name == now.output
        x = VALUES if name in self.main else PARAMETERS
        array = self.network.values[name].data
        self.draw_array(array if is_known else None, name, x, self.tops[name], name, "first",
                        is_kept, is_read or is_new)  # fmt: skip

    def draw_gradient(self, name: str) -> None:
        now = self.moment.now
        x, y = GRADIENTS, self.tops[name]
        if name not in self.main:
            x, y = PARAMETERS, y + self.height(name) + LABEL
        is_new = isinstance(now, Pull) and name == now.input
        known = self.moment.gradients.get(name)
        self.draw_array(known, f"∂L/∂{name}", x, y, name, "second", known is not None, is_new)

    def draw_pull(self, pull: Pull) -> None:
        """Draw the part of a sum at its op, or an arrow along the only way of a gradient."""
        name, call, middle = pull.input, pull.call, self.middle(pull.call)
        if self.network.uses(name) > 1:
            self.draw_array(pull.part, "", GRADIENTS, middle - self.height(name) / 2, name,
                            "second", True, False)  # fmt: skip
            self.canvas.text(GRADIENTS - 14, middle, "+", size=16, anchor="middle", bold=True)
        elif name in self.main:
            x = GRADIENTS + 1.5 * CELL_WIDTH
            bottom = self.tops[name] + self.height(name)
            self.canvas.arrow((x, self.tops[call.output] - 2), (x, bottom + 2), "second", 2.5)
        else:
            y = self.tops[name] + self.height(name) + LABEL
            x = VALUES - OP_WIDTH / 2 + CELL_WIDTH
            right = PARAMETERS + 2 * CELL_WIDTH
            self.canvas.arrow((x, middle + OP_HEIGHT / 2), (right, y + 10), "second", 2.5)

    def draw_array(self, array, title, x, y, like, colour, is_tinted, is_marked) -> None:
        """Draw an array, or empty cells for None. like: the value whose shape it has."""
        shape = np.atleast_2d(self.network.values[like].data).shape
        shown = np.full(shape, np.nan) if array is None else array.reshape(shape)
        cells = dict.fromkeys(np.ndindex(shape), colour)
        self.canvas.table(
            shown, x, y, title=title, width=CELL_WIDTH, height=CELL_HEIGHT,
            tinted=cells if is_tinted else None, marked=cells if is_marked else None,
        )  # fmt: skip
