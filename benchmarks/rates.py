"""What a device reaches at most, in multiplying matrices and in moving numbers: what the rest is
compared with."""

import numpy as np
from threadpoolctl import threadpool_limits

import minidl
from benchmarks.turns import by_cupy, turn_about
from minidl.backend import current_module
from minidl.engine.threads import share

SIDES = {"cpu": 2048, "gpu": 8192}  # of the matrices
BYTES = {"cpu": 1 << 28, "gpu": 1 << 30}
STRIPS = {"cpu": 64, "gpu": 1}  # that the cores share


def rates(device, tf32=False, quick=False):
    """{name: rate}: of float32 matrices, multiplied in GFLOP/s; of float32 numbers, copied in GB/s,
    of which half are read and half written; and of a GPU, "to_gpu_gbs" and "from_gpu_gbs", between
    it and a NumPy array. By minidl's number of threads.
    """
    side, size = (256, 1 << 20) if quick else (SIDES[device], BYTES[device])
    rng = np.random.default_rng(0)
    with minidl.device(device, tf32), threadpool_limits(minidl.get_threads(), "blas"):
        xp = current_module()
        matrix = xp.asarray(rng.standard_normal((side, side), np.float32))
        given = np.ones((STRIPS[device], size // 4 // STRIPS[device]), np.float32)
        source, target = xp.asarray(given), xp.ones(given.shape, np.float32)
        calls = {
            "matrix_gflops": lambda: matrix @ matrix,
            "copy_gbs": lambda: share(
                xp, lambda strip: xp.copyto(target[strip], source[strip]), range(len(given))
            ),
        }
        if device == "gpu":
            calls |= {"to_gpu_gbs": lambda: xp.asarray(given), "from_gpu_gbs": source.get}
        [seconds] = turn_about({device: calls}, quick, {"gpu": by_cupy}).values()
    work = {"matrix_gflops": 2 * side**3, "copy_gbs": 2 * size}
    return {name: work.get(name, size) / passed / 1e9 for name, passed in seconds.items()}
