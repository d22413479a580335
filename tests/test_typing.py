"""The public API is annotated in full, and type checkers find no error in the package.

The public API is what `minidl` and its packages list in `__all__`, and what `recipes`, `visualize`
and `evaluation`, which list nothing, define in their modules.
"""

import importlib
import importlib.util
import inspect
import pkgutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import minidl
from minidl import gradcheck
from minidl.autograd import Op

ROOT = Path(__file__).parents[1]
LISTED = (
    "minidl", "minidl.autograd", "minidl.checkpoints", "minidl.data", "minidl.engine",
    "minidl.faces", "minidl.layers", "minidl.losses", "minidl.models", "minidl.ops",
    "minidl.optim", "minidl.style_transfer", "minidl.training",
)  # fmt: skip
UNLISTED = ("minidl.evaluation", "minidl.recipes", "minidl.visualize")
SPECIAL = ("__init__", "__call__")  # the special methods of a class that users call
LEAST = 350  # public functions; fewer mean that this file overlooks some


def modules_of(name):
    """A module and, for a package, all modules in it."""
    module = importlib.import_module(name)
    submodules = pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}.")
    return [module, *(importlib.import_module(submodule.name) for submodule in submodules)]


def public_objects():
    """The functions, Ops and classes of the public API, and constants."""
    for module in map(importlib.import_module, LISTED):
        yield from (getattr(module, name) for name in module.__all__)
    for module in (module for name in UNLISTED for module in modules_of(name)):
        for name, value in vars(module).items():
            is_own = getattr(value, "__module__", None) == module.__name__
            if is_own and not name.startswith("_"):
                yield value
    yield gradcheck.prove


def methods_of(cls):
    """The public methods and properties, the inherited ones included, except those that a library
    or a decorator such as `dataclass` made."""
    for base in cls.__mro__:
        for name, member in vars(base).items():
            function = getattr(member, "__func__", getattr(member, "fget", member))
            is_public = name in SPECIAL or not name.startswith("_")
            if is_public and inspect.isfunction(function) and written_in_minidl(function):
                yield function


def written_in_minidl(function):
    """Whether the source of a function is in a file of the package."""
    source = Path(inspect.unwrap(function).__code__.co_filename)
    return source.is_relative_to(Path(minidl.__file__).parent)


def public_functions():
    """{"module.name": function}, with methods. The function of an Op is its forward."""
    functions = []
    for value in public_objects():
        if inspect.isclass(value):
            functions += methods_of(value)
        elif inspect.isfunction(value) or isinstance(value, Op):
            functions.append(inspect.unwrap(value))
    return {f"{function.__module__}.{function.__qualname__}": function for function in functions}


def missing_annotations(function):
    """The names of the parameters without annotation, and "return" if the result has none."""
    signature = inspect.signature(function)
    parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    missing = [p.name for p in parameters if p.annotation is p.empty]
    return missing + ["return"] * (signature.return_annotation is signature.empty)


def test_the_package_ships_its_types():
    assert files(minidl).joinpath("py.typed").is_file()


def test_every_public_function_is_annotated_in_full():
    functions = public_functions()
    missing = {name: missing_annotations(function) for name, function in functions.items()}
    incomplete = [f"{name}: {', '.join(names)}" for name, names in missing.items() if names]
    print(f"{len(functions) - len(incomplete)} of {len(functions)} public functions are annotated")
    assert not incomplete, "\n".join(["without annotations:", *incomplete])
    assert len(functions) >= LEAST


def test_missing_annotations_are_found():
    def function(self, a: int, b, *arrays, c=1, **options: int):
        pass

    assert missing_annotations(function) == ["b", "arrays", "c", "return"]
    assert missing_annotations(Op.__call__) == []


def test_the_public_functions_include_ops_methods_and_properties():
    names = {name.removeprefix("minidl.") for name in public_functions()}
    assert {
        "ops.convolution.convolution", "autograd.tensor.Tensor.__init__",
        "autograd.tensor.Tensor.backward", "autograd.tensor.Tensor.shape",
        "backend.device.__init__", "layers.sequential.Sequential.__call__",
        "layers.module.Module.named_parameters", "models.vgg19.vgg19", "dispatch.textbook",
        "evaluation.error_rates", "recipes.cifar10.task", "visualize.features.features",
        "gradcheck.prove",
    } <= names  # fmt: skip


@pytest.mark.thorough
def test_the_package_passes_mypy():
    if not importlib.util.find_spec("mypy"):
        pytest.skip("mypy is not installed")
    command = [sys.executable, "-m", "mypy", "--cache-dir", "/dev/null"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
