"""CUDA kernels on the host: g++ compiles the source, and every thread is called in turn.

Each array has its own allocation. There is no shared memory and no barrier: a kernel that needs
them does not compile here. MINIDL_SANITIZE=1 compiles the kernels with the address and
undefined-behaviour sanitizers; `sanitized` runs Python with them.
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
    "g++", "-x", "c++", "-std=c++17", "-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror",
    "-Wno-unknown-pragmas", "-Wl,-Bsymbolic", "-include", str(Path(__file__).with_name("host.h")),
)  # fmt: skip
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
WRAPPER = """
extern "C" int parameters_of_the_kernel(host::Parameter* list) {{
    return host::parameters({name}, list);
}}
extern "C" void launch_the_kernel(const unsigned* sizes, void** arguments) {{
    host::launch({name}, sizes, arguments);
}}
"""
LIMITS = (2**31 - 1, 65535, 65535), (1024, 1024, 64)
NULL = np.intp(0)


class Parameter(ctypes.Structure):
    _fields_ = (("pointer", ctypes.c_char), ("kind", ctypes.c_char), ("size", ctypes.c_int))


class RawModule:
    def __init__(self, code, *, options=()):
        if not isinstance(code, str) or not isinstance(options, tuple):
            raise TypeError("RawModule takes a text and a tuple of options")
        self._code = code
        self._options = tuple(option for option in options if option.startswith("-D"))

    def get_function(self, name):
        return Kernel(name, compiled(self._code, self._options, name))


@functools.cache
def _folder():
    """Return the folder of compiled kernels, shared by a test run or private to this process."""
    return Path(os.environ.get("MINIDL_KERNELS") or _private_folder().name)


@functools.cache
def _private_folder():
    return tempfile.TemporaryDirectory(prefix="kernels_of_")


@functools.cache
def compiled(code, options, name):
    """Compile one kernel, unless a library of this source exists, and load it."""
    sanitizers = SANITIZERS if os.environ.get("MINIDL_SANITIZE") == "1" else ()
    command, text = [*COMPILER, *sanitizers, *options, "-"], code + WRAPPER.format(name=name)
    library = _folder() / (hashlib.sha256(repr((command, text)).encode()).hexdigest() + ".so")
    if not library.exists():
        unfinished = library.with_suffix(f".{os.getpid()}")
        result = subprocess.run(
            [*command, "-o", str(unfinished)],
            input=text,
            env={**os.environ, "LD_PRELOAD": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise RuntimeError(f"the kernel {name} does not compile on the host:\n{result.stderr}")
        unfinished.replace(library)
    return ctypes.CDLL(str(library))


class Kernel:
    def __init__(self, name, library):
        self._name, self._library = name, library
        buffer = (Parameter * 256)()
        self._parameters = buffer[: library.parameters_of_the_kernel(buffer)]

    def __call__(self, grid, block, args):
        count = len(self._parameters)
        if len(args) != count:
            raise TypeError(f"{self._name} takes {count} arguments; found {len(args)}")
        memory = Memory()
        values = [self._value(*pair, memory) for pair in zip(self._parameters, args, strict=True)]
        addresses = (ctypes.c_void_p * len(values))(*(value.ctypes.data for value in values))
        counts.launches += 1
        try:
            self._library.launch_the_kernel((ctypes.c_uint * 6)(*_sizes(grid, block)), addresses)
        finally:
            memory.copy_back()

    def _value(self, parameter, arg, memory):
        """Return the bytes of the argument in a NumPy array: a pointer or a value."""
        pointer, wanted = parameter.pointer != b" ", f"{parameter.kind.decode()}{parameter.size}"
        if pointer and isinstance(arg, ndarray):
            array = arg._array
            if not array.flags.c_contiguous:
                problem = "RawKernel ignores strides; found an array that is not C-contiguous"
                raise ValueError(f"{self._name}: {problem}")
            dtype = f"{array.dtype.kind}{array.itemsize}"
            value = np.array(memory.address(array, written=parameter.pointer == b"*"), np.uintp)
        elif pointer and isinstance(arg, np.intp) and arg == 0:
            return np.array(arg)
        else:
            value = _by_value(arg)
            dtype = f"{value.dtype.kind}{value.itemsize}"
        if dtype != wanted or pointer != isinstance(arg, ndarray):
            expected = f"a pointer to {wanted}" if pointer else wanted
            kind = type(arg).__name__
            raise TypeError(f"{self._name} takes {expected}; found a {kind} of {dtype}")
        return value


def _by_value(arg):
    """Return a number as CuPy passes it: int as long long, float as double; or a struct."""
    if isinstance(arg, (bool, int, float, np.bool_, np.number)):
        return np.array(arg)
    if isinstance(arg, np.ndarray) and arg.dtype.names and arg.size == 1:
        return np.ascontiguousarray(arg)
    raise TypeError(
        f"a kernel takes arrays of the device, numbers and one struct; found a {type(arg).__name__}"
    )


def _sizes(grid, block):
    sizes = []
    for shape, limits in zip((grid, block), LIMITS, strict=True):
        if not isinstance(shape, tuple):
            raise TypeError(f"grid and block are tuples; found {shape!r}")
        padded = (*shape, 1, 1)[: max(3, len(shape))]
        if len(padded) > 3 or not all(1 <= n <= limit for n, limit in zip(padded, limits)):  # noqa: B905
            raise ValueError(
                f"grid and block have up to three sizes, from 1 to {limits}; found {shape}"
            )
        sizes += map(int, padded)
    if np.prod(sizes[3:]) > 1024:
        raise ValueError(f"a block has up to 1024 threads; found {block}")
    return sizes


class Memory:
    """One allocation of exact size for each array, so that a sanitizer reports an overrun."""

    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]

    def __init__(self):
        self._allocations = []  # [array, address, whether it is written]

    def address(self, array, written):
        """Return the address of a copy of the array; the same address for the same array."""
        for allocation in self._allocations:
            if allocation[0] is array:
                allocation[2] |= written
                return allocation[1]
            if np.may_share_memory(allocation[0], array):
                raise ValueError("two different arrays among the arguments share memory")
        address = self.libc.malloc(array.nbytes)
        ctypes.memmove(address, array.ctypes.data, array.nbytes)
        self._allocations.append([array, address, written])
        return address

    def copy_back(self):
        """Copy what the kernel has written to the arrays, and free the allocations."""
        for array, address, written in self._allocations:
            if written:
                ctypes.memmove(array.ctypes.data, address, array.nbytes)
            self.libc.free(address)


def sanitized(arguments):
    """Run `python arguments` in the root of the project with the sanitizers.

    The first error in a kernel ends the process with a report.
    """
    environment = {
        **os.environ,
        "MINIDL_SANITIZE": "1",
        "LD_PRELOAD": " ".join(map(_path_of_library, ("libasan.so", "libubsan.so"))),
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    command, root = [sys.executable, *arguments], Path(__file__).parents[2]
    return subprocess.run(
        command, env=environment, cwd=root, capture_output=True, text=True, check=False
    )


def _path_of_library(name):
    command = ["g++", f"-print-file-name={name}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
