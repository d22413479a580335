"""A `Memory` says what a painting keeps in memory, and what it computes again."""

from typing import NamedTuple


class Memory(NamedTuple):
    """How a painting uses the memory. The defaults are the fastest and need the most memory."""

    history: int = 10  # pairs of L-BFGS
    blocks: bool = False  # whether the activations are computed again, block by block
    side: int | None = None  # of a tile, in pixels; None: no tiles

    @property
    def has_tape(self) -> bool:
        """Whether the tape holds all activations at once."""
        return not self.blocks and self.side is None
