"""Garbage collection in short pieces: while it runs it holds up every thread, the window's own among them."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

atexit.register(gc.unfreeze)  # at the end of the process all of it may go


@contextmanager
def lasting() -> Iterator[None]:
    """Keep what is made within for good: a full collection neither runs meanwhile nor looks at it later.

    Meant for imports and for pages. With matplotlib and the pages in its way a full collection took 50 to 170 ms,
    whichever thread set it off.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


@contextmanager
def passing() -> Iterator[None]:
    """Make something large that nobody holds at the end, such as a plot: it is collected at once, and alone.

    Without this its objects, tens of thousands in circles, would grow old and wait for a full collection.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
        gc.collect(0)
