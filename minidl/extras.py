"""Libraries that minidl can use but does not need: each belongs to an extra of the package."""

import importlib

from minidl.errors import MinidlError


class ExtraError(MinidlError, ImportError):
    """A library that an option needs and that is not installed."""


def need(module, extra, purpose):
    """Import and return a module, or say which extra brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ExtraError(
            f"{purpose} needs {package}, which is not installed; pip install 'minidl[{extra}]'"
        ) from error
    # older versions of matplotlib look for a home folder, which a container may lack
    except RuntimeError as error:
        package = module.partition(".")[0]
        raise ExtraError(
            f"{purpose} needs {package}, which cannot be imported ({error}); set HOME to a folder"
        ) from error
