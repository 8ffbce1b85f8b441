"""Check what `make run` left: every sample has a verdict and an overlay that is there, and the page shows them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image

FEWEST = 4
LABELS = {"real", "fake", "unsure"}


def check(folder: Path) -> int:
    """Return how many pictures are in the report; raises `SystemExit` with what is wrong."""
    rows = [json.loads(line) for line in (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    page = (folder / "report.html").read_text(encoding="utf-8")
    if len(rows) < FEWEST:
        sys.exit(f"{folder} judges {len(rows)} pictures, at least {FEWEST} were expected")
    for row in rows:
        if "error" in row or row["verdict"]["label"] not in LABELS:
            sys.exit(f"no verdict for {row['path']}: {row}")
        with Image.open(folder / row["heatmap"]) as overlay:
            overlay.load()
        if Path(row["path"]).name not in page:
            sys.exit(f"{row['path']} is not in report.html")
    if page.count("data:image/") < len(rows):
        sys.exit("report.html does not carry its pictures")
    return len(rows)


if __name__ == "__main__":
    sys.stdout.write(f"report: {check(Path(sys.argv[1]))} pictures with verdict and overlay\n")
