"""Was this picture made by a camera or by a generator? A calibrated verdict that may say unsure, and its reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics_app.core.analysis import analyze as analyze
    from forensics_app.core.scan import scan as scan

__version__ = "0.1.0"
__all__ = ["__version__", "analyze", "scan"]


def __getattr__(name: str) -> Any:
    """Import `analyze` and `scan` on first use, so that importing the package costs nothing."""
    if name == "analyze":
        from forensics_app.core.analysis import analyze

        return analyze
    if name == "scan":
        from forensics_app.core.scan import scan

        return scan
    raise AttributeError(f"module 'forensics_app' has no attribute '{name}'")
