"""Every example in a docstring gives the result that it shows.

The examples run with the names of their module, and with NumPy as `np`.
"""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import minidl


class Finder(doctest.DocTestFinder):
    """Find also the ops that `differentiable` returns: their __module__ names their module."""

    def _from_module(self, module, object):
        object = getattr(object, "fget", object)  # the function of a property
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
def test_the_examples_of_a_module_give_the_results_shown(name):
    runner, report = doctest.DocTestRunner(verbose=False), []
    for docstring in examples_of(name):
        runner.run(docstring, out=report.append)
    assert not runner.summarize(verbose=False).failed, "".join(report)


@pytest.mark.parametrize(
    "name", ["ops.activations.relu", "ops.convolution.convolution", "losses.style.style_loss"]
)
def test_wrapped_ops_are_found(name):
    module = f"minidl.{name.rpartition('.')[0]}"
    names = {docstring.name for docstring in examples_of(module) if docstring.examples}
    assert f"minidl.{name}" in names
