"""Every example in a docstring does what it says. NumPy is `np` there; the names of the module are
at hand."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import minidl


class Finder(doctest.DocTestFinder):
    """Finds the functions that `differentiable` wrapped as well: they say themselves which module
    they are of."""

    def _from_module(self, module, object):
        object = getattr(object, "fget", object)  # of a property, its function
        return getattr(object, "__module__", module.__name__) == module.__name__


MODULES = [
    module.name
    for module in pkgutil.walk_packages(minidl.__path__, "minidl.", onerror=lambda name: None)
    if not module.name.endswith("__main__")
]


def examples_of(name):
    module = importlib.import_module(name)
    return Finder(exclude_empty=True).find(module, globs={**vars(module), "np": np})


@pytest.mark.parametrize("name", ["minidl", *MODULES])
def test_docstrings_are_true(name):
    runner, report = doctest.DocTestRunner(verbose=False), []
    for examples in examples_of(name):
        runner.run(examples, out=report.append)
    assert not runner.summarize(verbose=False).failed, "".join(report)


@pytest.mark.parametrize(
    "name", ["ops.activations.relu", "ops.convolution.convolution", "losses.style.style_loss"]
)
def test_wrapped_ops_are_found(name):
    module = f"minidl.{name.rpartition('.')[0]}"
    assert f"minidl.{name}" in {
        examples.name for examples in examples_of(module) if examples.examples
    }
