"""Words for the user, which may find nobody there."""

import os
import sys


def say(text):
    """Print; a closed terminal is no reason to lose a painting or an epoch."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left in Python's buffer


def say_nothing(text):
    """In the place of `say` for --quiet."""
