"""The command `forensics`: `main` is its entry and `app` its commands, imported when they are asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics_app.cli.commands import app as app

__all__ = ["app", "main"]


def __getattr__(name: str) -> Any:
    if name == "app":
        from forensics_app.cli.commands import app

        return app
    raise AttributeError(f"module 'forensics_app.cli' has no attribute '{name}'")


def main() -> None:
    """Run the command line; the console script's entry. Ctrl-C while it still starts is 130 too."""
    try:
        from forensics_app.cli.commands import app

        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(
                    errors="backslashreplace"
                )  # a terminal that cannot show ◆ gets its code, not a crash
        app()
    except KeyboardInterrupt:
        sys.stderr.write("Cancelled.\n")
        sys.exit(130)
