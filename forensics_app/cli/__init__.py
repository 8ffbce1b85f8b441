"""The command `forensics`: `main` is its entry and `app` its commands, imported when they are asked for."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics_app.cli.commands import app as app

__all__ = ["app", "main"]


def __getattr__(name: str) -> Any:
    if name == "app":
        from forensics_app.cli.commands import app

        return app
    raise AttributeError(f"module 'forensics_app.cli' has no attribute '{name}'")


def _worker_ahead(words: list[str]) -> Any:
    """Start the first worker of a scan while the command line is still to be read: both take about as long."""
    if words[:1] != ["scan"] or not {"-h", "--help"}.isdisjoint(words):
        return nullcontext()
    from forensics_app.core.judging import NEEDED
    from forensics_app.core.workers import Ahead, Limits

    return Ahead(*NEEDED, limits=Limits())


def main() -> None:
    """Run the command line; the console script's entry. SIGTERM is as Ctrl-C: 130, also while it still starts."""
    try:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # else jobs would leave processes and half-made folders
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        if sys.stderr is None:  # closed: what would go there would else go to stdout
            sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
        from forensics_app.cli.guardian import obey

        obey()
        ahead = _worker_ahead(sys.argv[1:])
        from forensics_app.cli.commands import app

        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(
                    errors="backslashreplace"
                )  # a terminal that cannot show ◆ gets its code, not a crash
        with ahead:
            app(obj=ahead)
    except KeyboardInterrupt:
        sys.stderr.write("Cancelled.\n")
        sys.exit(130)
