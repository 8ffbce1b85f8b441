"""The frozen application's entry: without words it opens the window, with words it is the command line."""

from __future__ import annotations

import multiprocessing

from forensics_app.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()  # a scan's workers are this very program
    main()
