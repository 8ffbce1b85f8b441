"""Write constraints.txt from the environment that this runs in: `make constraints`.

Left out are CUDA's packages, which only PyTorch for Linux asks for, and local version suffixes such as +cpu, so that
the same file serves Linux, macOS and Windows. A package that has left Python 3.10 behind is only held where it can be
had.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

LEFT_OUT = re.compile(r"(nvidia|cuda|triton|pip$|setuptools$|wheel$|forensics$)")
PAIRS = {"torchvision": "torch"}
"""Built for exactly one version of the other."""
HEADER = """\
# The exact versions that the tests ran with. Made by `make constraints` in the environment of `make venv`; do not edit.
# Use: pip install -c constraints.txt -e '.[all,dev]'
"""


def name(found: Distribution) -> str:
    """Return the normalised name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()


def oldest(found: Distribution) -> int:
    """Return the minor version of the oldest Python 3 that it runs on."""
    asked = re.search(r">=?\s*3\.(\d+)", found.metadata["Requires-Python"] or "")
    return int(asked[1]) if asked else 0


def main() -> None:
    """Write the file."""
    all_found = {name(found): found for found in distributions() if not LEFT_OUT.match(name(found))}
    needs = {key: oldest(found) for key, found in all_found.items()}
    for key, other in PAIRS.items():
        needs[key] = max(needs.get(key, 0), needs.get(other, 0))
    lines = [
        f"{key}=={found.version.partition('+')[0]}" + (f' ; python_version >= "3.{needs[key]}"' * (needs[key] > 10))
        for key, found in sorted(all_found.items())
    ]
    Path("constraints.txt").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"constraints.txt: {len(lines)} packages\n")


if __name__ == "__main__":
    main()
