"""Files as chance damages them: each either reads or is refused in words; no crash, no hang, no other exception.

`python tests/checkpoints/test_mutated_files.py COUNT` runs more of them, COUNT for each form.
"""

import faulthandler
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from minidl.checkpoints import diagnose, read, translate
from minidl.errors import MinidlError

COUNT = 5 * settings().max_examples
SECONDS = 10  # that a single file may take


def mutated(contents, seed):
    """bytes -> bytes with a few of them changed, cut off, copied elsewhere, or a number made extreme."""
    rng = random.Random(seed)
    damaged = bytearray(contents)
    place, other, length = rng.randrange(len(damaged)), rng.randrange(len(damaged)), rng.randrange(1, 64)
    way = rng.choice(["bytes", "bytes", "bytes", "bit", "cut", "splice", "extreme"])
    if way == "bytes":
        for _ in range(rng.choice([1, 1, 2, 4, 8])):
            damaged[rng.randrange(len(damaged))] = rng.choice([0, 255, rng.randrange(256)])
    elif way == "bit":
        damaged[place] ^= 1 << rng.randrange(8)
    elif way == "cut":
        del damaged[place:]
    elif way == "splice":
        damaged[place : place + length] = damaged[other : other + length]
    else:
        damaged[place : place + 8] = rng.choice([b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\0" * 8, b"\0\0\0\0\1\0\0\0"])
    return bytes(damaged)


def survive(form, count, samples):
    """Read `count` mutations of a file of that form; gives how many could be read."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    readable = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights"
        samples.WRITERS[form](path, samples.small_arrays())
        contents = path.read_bytes()
        assert translate(read(path), samples.SMALL).arrays
        for seed in range(count):
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            path.write_bytes(mutated(contents, seed))
            try:
                diagnose(translate(read(path), samples.SMALL), samples.SMALL)
                readable += 1
            except MinidlError:
                pass
            except BaseException:
                print(f"{form}, seed {seed}:", file=sys.stderr)
                raise
    faulthandler.cancel_dump_traceback_later()
    return readable


FORMS = ["minidl", "minidl levels", "keras official", "keras 2", "keras 3", "torch zip", "torch legacy", "npz", "tfjs"]


@pytest.mark.parametrize("form", FORMS)
def test_mutated_files_read_or_are_refused(form, samples):
    """In a process of its own: libhdf5 is C, and would take pytest with it."""
    assert set(FORMS) == set(samples.WRITERS)
    command = [sys.executable, "-X", "faulthandler", __file__, str(COUNT), form]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    import conftest

    for form in sys.argv[2:] or FORMS:
        readable = survive(form, int(sys.argv[1]), conftest)
        print(f"{form}: {sys.argv[1]} mutated files, {readable} read, the rest refused")
