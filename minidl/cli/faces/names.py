"""Names of files for people, pictures and their copies."""

from itertools import count

from minidl.cli.output import shown

LONGEST = 150  # bytes


def file_name(name):
    """Somebody's or something's name as that of a file

    >>> file_name("A/B: C?"), file_name("..")
    ('A_B_ C_', '_')
    """
    allowed = "".join("_" if c in '/\\:*?"<>|' else c for c in shown(name))
    return allowed.encode()[:LONGEST].decode(errors="ignore").strip(". ") or "_"


def free(path, taken):
    """The path, with a number behind its name where it is taken"""
    names = (
        path.with_name(f"{path.stem}{'' if n == 1 else f'-{n}'}{path.suffix}") for n in count(1)
    )
    return next(name for name in names if name not in taken)
