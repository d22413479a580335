"""Import optional libraries. Each of them belongs to an extra of the package."""

import importlib
from types import ModuleType

from minidl.errors import MinidlError


class ExtraError(MinidlError, ImportError):
    """An option needs a library that is not installed or cannot be imported."""


def need(module: str, extra: str, purpose: str) -> ModuleType:
    """Import and return a module. Raises ExtraError, which names the extra to install, if that
    fails.

    module   such as "matplotlib.figure"
    extra    the extra of minidl that installs it, such as "plot"
    purpose  what needs the module, for the message
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
