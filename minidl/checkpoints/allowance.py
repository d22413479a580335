"""How much memory a file from a stranger may ask for."""

from minidl.errors import FileError


class Allowance:
    """Bytes of arrays that a file may still unfold into: a few bytes in it must not claim the whole memory.

    Twenty times its own length leaves room for compressed files, 64 MiB more for small files of zeros.
    """

    def __init__(self, path):
        self.path = path
        self.left = 20 * path.stat().st_size + 2**26

    def spend(self, size, what):
        """Take `size` bytes for `what`, or raise a FileError."""
        if size > self.left:
            raise FileError(f"{self.path} claims {size:,} bytes for {what}, more than it can hold; get it again")
        self.left -= size
