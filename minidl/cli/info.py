"""`minidl info`: what there is to compute with, and why a GPU cannot be used."""

import platform

import minidl
from minidl import machine
from minidl.backend import why_no_gpu
from minidl.checkpoints import shipped
from minidl.cli.output import shown
from minidl.engine import threads as cores

EXTRAS = {"plots": "matplotlib", "PyTorch, to compare with": "torch"}


def register(commands):
    parser = commands.add_parser(
        "info", help="what there is to compute with: processor, libraries, GPU", description=__doc__
    )
    parser.set_defaults(run=run)


def run(arguments):
    versions = machine.installed("numpy", machine.CUPY, *EXTRAS.values())
    facts = {
        "minidl": f"{minidl.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        "processor": f"{machine.processor()} with {machine.instructions()}, {cores.available()} cores, minidl "
        f"uses {minidl.get_threads()} threads",
        "NumPy": ", ".join(filter(None, [versions["numpy"], machine.blas()])),
        "CuPy": versions[machine.CUPY] or "not installed",
        "GPU": _gpu(),
        **{
            what: f"{package} {versions[package] or 'is not installed'}"
            for what, package in EXTRAS.items()
        },
        "weights": str(shipped("vgg19")),
    }
    for what, fact in facts.items():
        print(f"{what + ':':26}{shown(fact)}")


def _gpu():
    found = machine.gpu()
    if not found:
        return f"none to use: {why_no_gpu()}"
    memory, cuda = (
        f"{found['memory'] / 2**30:.0f} GiB",
        f"CUDA {found['runtime']} (the driver knows {found['driver']})",
    )
    return f"{found['name']}, {memory}, compute capability {found['compute_capability']}, {cuda}; choose it with --device gpu"
