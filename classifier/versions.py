"""Which versions of Python and of packages a result was made with."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the version of Python and of each package."""
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in packages}}
