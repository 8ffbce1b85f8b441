"""See to the system packages that pip does not bring: Qt's libraries, a font, and for the tests an X server.

Installs what is missing where that may be done (root on Debian or Ubuntu), and names the command elsewhere. With
`--tell` a missing package is no failure. Does nothing, fast, when nothing is missing, and on other systems than Linux.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path

from forensics_app.core.display import LIBRARIES, XCB_LIBRARIES, missing_libraries

FONTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("~/.local/share/fonts").expanduser())


def missing() -> list[str]:
    """Return the Debian packages that are missing."""
    packages = {(LIBRARIES | XCB_LIBRARIES)[name] for name in missing_libraries()}
    if shutil.which("Xvfb") is None:
        packages.add("xvfb")
    if not any(chain.from_iterable(folder.rglob("*.[ot]tf") for folder in FONTS)):
        packages.add("fonts-dejavu-core")
    return sorted(packages)


def install(packages: list[str]) -> None:
    """Install Debian packages; raises `subprocess.CalledProcessError`."""
    sys.stdout.write(f"Installing system packages: {' '.join(packages)}\n")
    sys.stdout.flush()
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    wanted = ["install", "-qq", "-y", "--no-install-recommends", *packages]
    for words in (["update", "-qq"], wanted):
        subprocess.run(["apt-get", *words], check=True, env=quiet, stdout=subprocess.DEVNULL)


def main() -> int:
    """Install or tell."""
    packages = missing() if sys.platform.startswith("linux") else []
    if not packages:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        install(packages)
        return 0
    sys.stderr.write(f"System packages are missing; on Debian or Ubuntu: sudo apt-get install {' '.join(packages)}\n")
    return 0 if "--tell" in sys.argv else 1


if __name__ == "__main__":
    sys.exit(main())
