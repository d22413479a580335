"""The highest rates that a device reaches, in multiplying matrices and in copying arrays.

The speeds of the cases are compared with these rates.
"""

import numpy as np
from threadpoolctl import threadpool_limits

import minidl
from benchmarks.turns import by_cupy, median_seconds
from minidl.backend import current_module
from minidl.engine.threads import parallel_map

SIDES = {"cpu": 2048, "gpu": 8192}  # of the matrices
BYTES = {"cpu": 1 << 28, "gpu": 1 << 30}
STRIPS = {"cpu": 64, "gpu": 1}  # of the copy, which the threads share


def rates(device, tf32=False, quick=False):
    """Return {name: rate} for minidl's number of threads.

    "matrix_gflops": products of float32 matrices, in GFLOP/s. "copy_gbs": copies of float32 arrays,
    in GB/s; half of these bytes are read and half are written. "to_gpu_gbs" and "from_gpu_gbs", on
    a GPU only: transfers from and to a NumPy array, in GB/s.
    """
    side, size = (256, 1 << 20) if quick else (SIDES[device], BYTES[device])
    rng = np.random.default_rng(0)
    with minidl.device(device, tf32), threadpool_limits(minidl.get_threads(), "blas"):
        xp = current_module()
        matrix = xp.asarray(rng.standard_normal((side, side), np.float32))
        host = np.ones((STRIPS[device], size // 4 // STRIPS[device]), np.float32)
        source, target = xp.asarray(host), xp.ones(host.shape, np.float32)
        calls = {
            "matrix_gflops": lambda: matrix @ matrix,
            "copy_gbs": lambda: parallel_map(
                xp, lambda strip: xp.copyto(target[strip], source[strip]), range(len(host))
            ),
        }
        if device == "gpu":
            calls |= {"to_gpu_gbs": lambda: xp.asarray(host), "from_gpu_gbs": source.get}
        [seconds] = median_seconds({device: calls}, quick, {"gpu": by_cupy}).values()
    work = {"matrix_gflops": 2 * side**3, "copy_gbs": 2 * size}
    return {name: work.get(name, size) / duration / 1e9 for name, duration in seconds.items()}
