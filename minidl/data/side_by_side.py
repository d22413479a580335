"""Several batches at once, for networks that are trained side by side."""

from contextlib import ExitStack, closing


class SideBySide:
    """Of several Batches over the same arrays, with as many batches an epoch: one of each at a
    time, as one tuple
    (x_1, y_1, x_2, y_2, ..). What else there is to know of them is the first one's."""

    def __init__(self, batches):
        self.all = list(batches)

    def __getattr__(self, name):
        return getattr(self.all[0], name)

    def __len__(self):
        return len(self.all[0])

    def __iter__(self):
        with ExitStack() as stack:
            each = [stack.enter_context(closing(iter(batches))) for batches in self.all]
            for arrays in zip(*each, strict=True):
                yield sum(arrays, ())

    def restore(self, state):
        for batches in self.all:
            batches.restore(state)
