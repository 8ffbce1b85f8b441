"""For commands that another program runs: they end cleanly when it closes their stdin, and also when it dies."""

from __future__ import annotations

import _thread
import json
import os
import signal
import sys
import threading

WITH_STDIN = "FORENSICS_ENDS_WITH_STDIN"
"""Set to 1, a command ends as by Ctrl-C as soon as its stdin is closed, and gives way to the program that runs it."""
WITH_ARGUMENTS = "FORENSICS_ARGUMENTS"
"""A JSON list that takes the place of the arguments: Qt loses the bytes of names that are not UTF-8."""
NICENESS = 10


def obey() -> None:
    """Watch stdin, and take the arguments from the environment, if the program that runs us asks for it."""
    if given := os.environ.pop(WITH_ARGUMENTS, ""):
        sys.argv[1:] = json.loads(given)
    if os.environ.pop(WITH_STDIN, "") != "1":
        return
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # A shell that starts the window in the background has it, and so its children, ignore the signal used here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_watch, name="guardian", daemon=True).start()


def _watch() -> None:
    while True:
        try:
            if not os.read(0, 1):
                break
        except OSError:
            break
    # A signal to the main thread ends what it waits for; Windows has none, and wakes it another way.
    if hasattr(signal, "pthread_kill") and (main := threading.main_thread().ident) is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()
