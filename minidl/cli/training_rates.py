"""`minidl train NETWORK --find-rate`: which learning rates the network can be trained with."""

from minidl.cli.options import flag
from minidl.cli.output import counted, say
from minidl.cli.progress import progress_bar
from minidl.errors import ArgumentError
from minidl.extras import ExtraError
from minidl.plots import must_be_drawable
from minidl.training.finder import MARGIN, STEPS, draw_rates, find_rate

PICTURE = "rates.png"  # in the current folder
# Options that change nothing, because no run is made.
IDLE = (
    "folder", "resume", "tensorboard", "patience", "epochs", "learning_rate", "schedule",
)  # fmt: skip


def check_find_rate(arguments):
    """Raise ArgumentError for an option that has no effect together with --find-rate."""
    if idle := [name for name in IDLE if getattr(arguments, name)]:
        raise ArgumentError(
            f"{', '.join(map(flag, idle))} would change nothing with --find-rate, which makes no "
            "run; leave it out"
        )


def print_rate(task, quiet):
    """Measure the task, print the suggested learning rate, and write a picture if matplotlib is
    installed."""
    try:
        picture = must_be_drawable(PICTURE)
    except ExtraError as error:
        say(f"no picture will be drawn: {error}")
        picture = None
    with progress_bar(STEPS, "step", quiet=quiet, leave=False) as bar:
        test = find_rate(task, watch=bar.update)
    low, high = test.rates[0], test.rates[-1]
    say(
        f"in {counted(len(test.rates), 'step')} with rates from {low:.2g} to {high:.2g}, the loss "
        f"was lowest at {MARGIN * test.suggestion:.2g}"
    )
    say(f"suggestion, a tenth of that: --learning-rate {test.suggestion:.2g}")
    if picture:
        draw_rates(test, picture)
        say(f"the losses are drawn in {picture}")
