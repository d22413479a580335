"""CUDA kernels on the host: the text compiled by g++, every thread called in turn, each array a
piece of memory of its own.

There is no shared memory and no barrier: a kernel that needs them does not compile here. With
MINIDL_SANITIZE=1 in the environment the compiler's sanitizers watch every step; `sanitized` runs
Python so.
"""

import ctypes
import functools
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.strict.arrays import ndarray
from tests.strict.device import counts

COMPILER = (
    "g++", "-x", "c++", "-std=c++17", "-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas",
    "-Wl,-Bsymbolic",
    "-include", str(Path(__file__).with_name("host.h")),
)  # fmt: skip
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
WRAPPER = """
extern "C" int parameters_of_the_kernel(host::Parameter* list) {{ return host::parameters({name}, list); }}
extern "C" void launch_the_kernel(const unsigned* sizes, void** arguments) {{ host::launch({name}, sizes, arguments); }}
"""
LIMITS = (2**31 - 1, 65535, 65535), (1024, 1024, 64)
NULL = np.intp(0)


class Parameter(ctypes.Structure):
    _fields_ = (("pointer", ctypes.c_char), ("kind", ctypes.c_char), ("size", ctypes.c_int))


class RawModule:
    def __init__(self, code, *, options=()):
        if not isinstance(code, str) or not isinstance(options, tuple):
            raise TypeError("RawModule takes a text and a tuple of options")
        self._code, self._options = (
            code,
            tuple(option for option in options if option.startswith("-D")),
        )

    def get_function(self, name):
        return Kernel(name, compiled(self._code, self._options, name))


@functools.cache
def _folder():
    """Of the compiled kernels: one for all processes of a test run, or one for this process."""
    shared = os.environ.get("MINIDL_KERNELS")
    return Path(shared) if shared else Path(_of_this_process().name)


@functools.cache
def _of_this_process():
    return tempfile.TemporaryDirectory(prefix="kernels_of_")


@functools.cache
def compiled(code, options, name):
    """The library of one kernel."""
    sanitizers = SANITIZERS if os.environ.get("MINIDL_SANITIZE") == "1" else ()
    command, text = [*COMPILER, *sanitizers, *options, "-"], code + WRAPPER.format(name=name)
    library = _folder() / (hashlib.sha256(repr((command, text)).encode()).hexdigest() + ".so")
    if not library.exists():
        unfinished = library.with_suffix(f".{os.getpid()}")
        environment = {**os.environ, "LD_PRELOAD": ""}
        done = subprocess.run(
            [*command, "-o", str(unfinished)],
            input=text,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"the kernel {name} does not compile on the host:\n{done.stderr}")
        unfinished.replace(library)
    return ctypes.CDLL(str(library))


class Kernel:
    def __init__(self, name, library):
        self._name, self._library = name, library
        room = (Parameter * 256)()
        self._parameters = room[: library.parameters_of_the_kernel(room)]

    def __call__(self, grid, block, args):
        if len(args) != len(self._parameters):
            raise TypeError(
                f"{self._name} takes {len(self._parameters)} arguments; found {len(args)}"
            )
        memory = Memory()
        values = [self._value(*each, memory) for each in zip(self._parameters, args, strict=True)]
        addresses = (ctypes.c_void_p * len(values))(*(value.ctypes.data for value in values))
        counts.launches += 1
        try:
            self._library.launch_the_kernel((ctypes.c_uint * 6)(*_sizes(grid, block)), addresses)
        finally:
            memory.give_back()

    def _value(self, parameter, arg, memory):
        """The bytes that the kernel is to find, in a NumPy array."""
        pointer, wanted = parameter.pointer != b" ", f"{parameter.kind.decode()}{parameter.size}"
        if pointer and isinstance(arg, ndarray):
            array = arg._array
            if not array.flags.c_contiguous:
                raise ValueError(
                    f"{self._name}: RawKernel ignores strides; found an array that is not C-contiguous"
                )
            found = f"{array.dtype.kind}{array.itemsize}"
            value = np.array(memory.of(array, written=parameter.pointer == b"*"), np.uintp)
        elif pointer and isinstance(arg, np.intp) and arg == 0:
            return np.array(arg)
        else:
            value = _by_value(arg)
            found = f"{value.dtype.kind}{value.itemsize}"
        if found != wanted or pointer != isinstance(arg, ndarray):
            raise TypeError(
                f"{self._name} takes {'a pointer to ' * pointer}{wanted}; found a {type(arg).__name__} of {found}"
            )
        return value


def _by_value(arg):
    """A number as CuPy passes it: a Python int as a long long, a float as a double, NumPy's in
    their own type."""
    if isinstance(arg, (bool, int, float, np.bool_, np.number)):
        return np.array(arg)
    if isinstance(arg, np.ndarray) and arg.dtype.names and arg.size == 1:
        return np.ascontiguousarray(arg)
    raise TypeError(
        f"a kernel takes arrays of the device, numbers and one struct; found a {type(arg).__name__}"
    )


def _sizes(grid, block):
    sizes = []
    for given, limits in zip((grid, block), LIMITS, strict=True):
        if not isinstance(given, tuple):
            raise TypeError(f"grid and block are tuples; found {given!r}")
        given = (*given, 1, 1)[: max(3, len(given))]
        if len(given) > 3 or not all(
            1 <= n <= limit for n, limit in zip(given, limits, strict=True)
        ):
            raise ValueError(
                f"grid and block have up to three sizes, from 1 to {limits}; found {given}"
            )
        sizes += map(int, given)
    if np.prod(sizes[3:]) > 1024:
        raise ValueError(f"a block has up to 1024 threads; found {block}")
    return sizes


class Memory:
    """A piece of the C library's memory for each array, of just its size, so that a sanitizer sees
    every step beyond."""

    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = (
        ctypes.c_void_p,
        [ctypes.c_size_t],
        [ctypes.c_void_p],
    )

    def __init__(self):
        self._pieces = []  # [array, address, whether it is written]

    def of(self, array, written):
        for piece in self._pieces:
            if piece[0] is array:
                piece[2] |= written
                return piece[1]
            if np.may_share_memory(piece[0], array):
                raise ValueError(
                    "two arguments of a kernel share memory and are not the same array"
                )
        address = self.libc.malloc(array.nbytes)
        ctypes.memmove(address, array.ctypes.data, array.nbytes)
        self._pieces.append([array, address, written])
        return address

    def give_back(self):
        for array, address, written in self._pieces:
            if written:
                ctypes.memmove(array.ctypes.data, address, array.nbytes)
            self.libc.free(address)


def sanitized(arguments):
    """Run `python arguments` in the root of the project, where a kernel's first wrong step ends the
    process, with a report."""
    found = [
        subprocess.run(
            ["g++", f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    environment = {
        **os.environ, "MINIDL_SANITIZE": "1", "LD_PRELOAD": " ".join(found), "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }  # fmt: skip
    command, root = [sys.executable, *arguments], Path(__file__).parents[2]
    return subprocess.run(
        command, env=environment, cwd=root, capture_output=True, text=True, check=False
    )
