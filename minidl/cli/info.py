"""`minidl info`: the processor, libraries and GPU of this machine."""

import platform

import minidl
from minidl import machine
from minidl.backend import why_no_gpu
from minidl.checkpoints import shipped
from minidl.cli.output import shown
from minidl.dispatch import implementation
from minidl.engine import threads as cores

OPTIONAL = {"plots": "matplotlib", "PyTorch, to compare with": "torch"}  # {purpose: package}


def register(commands):
    parser = commands.add_parser(
        "info",
        help="show the processor, libraries and GPU of this machine",
        description="Show the processor, the libraries and the GPU that minidl computes with. If "
        "minidl cannot use a GPU, show the reason.",
    )
    parser.set_defaults(run=run)


def run(arguments):
    versions = machine.installed("numpy", machine.CUPY, *OPTIONAL.values())
    system = f"{platform.system()} {platform.machine()}"
    processor = f"{machine.processor()} with {machine.instructions()}"
    facts = {
        "minidl": f"{minidl.__version__}, Python {platform.python_version()}, {system}",
        "processor": f"{processor}, {cores.available()} cores, minidl uses "
        f"{minidl.get_threads()} threads",
        "computes by": f"the {implementation()} (MINIDL_TEXTBOOK=1 selects the textbook)",
        "NumPy": ", ".join(filter(None, [versions["numpy"], machine.blas()])),
        "CuPy": versions[machine.CUPY] or "not installed",
        "GPU": _gpu(),
    }
    for purpose, package in OPTIONAL.items():
        facts[purpose] = f"{package} {versions[package] or 'is not installed'}"
    facts["weights"] = str(shipped("vgg19"))
    for name, fact in facts.items():
        print(f"{name + ':':26}{shown(fact)}")


def _gpu():
    gpu = machine.gpu()
    if not gpu:
        return f"cannot be used: {why_no_gpu()}"
    memory = f"{gpu['memory'] / 2**30:.0f} GiB"
    capability = f"compute capability {gpu['compute_capability']}"
    cuda = f"CUDA {gpu['runtime']} (the driver knows {gpu['driver']})"
    return f"{gpu['name']}, {memory}, {capability}, {cuda}; choose it with --device gpu"
