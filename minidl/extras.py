"""Import optional libraries. Each of them belongs to an extra of the package."""

import importlib
from types import ModuleType

from minidl.errors import MinidlError


class ExtraError(MinidlError, ImportError):
    """A library that an option needs is not installed or cannot be imported."""


def need(module: str, extra: str, purpose: str) -> ModuleType:
    """Import a module and return it. Raises ExtraError if the import fails. The error names the
    extra to install.

    module   name of the module, such as "matplotlib.figure"
    extra    the extra of minidl that installs it, such as "plot"
    purpose  the feature that needs the module, for the message
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ExtraError(
            f"{purpose} needs {package}, which is not installed; pip install 'minidl[{extra}]'"
        ) from error
    except RuntimeError as error:
        # Older versions of matplotlib need a home folder, which a container may lack.
        raise ExtraError(
            f"{purpose} needs {package}, which cannot be imported ({error}); set HOME to a folder"
        ) from error
