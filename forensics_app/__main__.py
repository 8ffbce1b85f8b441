"""`python -m forensics_app` is the command `forensics`."""

from __future__ import annotations

from forensics_app.cli import main

if __name__ == "__main__":
    main()
