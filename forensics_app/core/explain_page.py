"""A picture explained as a page that needs nothing else, with each map as a PNG beside it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PIL import Image

from classifier.atomic import replacing
from classifier.detector import Card
from forensics_app.core.explaining import Explained
from forensics_app.core.html import page
from forensics_app.core.map_words import GRAD_CAM, STAGES, WALK, badge
from forensics_app.core.overlay import embedded, overlay
from forensics_app.core.run_walk import Step
from forensics_app.core.words import about, shown

SIDE_PX = 640


class BadPage(Exception):
    """A place where no page can be written; `str()` says why."""


def places(out: Path, found: Explained) -> dict[str, Path]:
    """Return where the map of each stage goes, by the stage's name: `page.last.png` beside `page.html`."""
    return {mapped.stage.name: out.with_name(f"{out.stem}.{mapped.stage.name}.png") for mapped, _ in found.maps}


def check(out: Path, picture: Path) -> None:
    """Raise `BadPage` for a page that cannot be written, or would lie on the picture itself."""
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise BadPage(f"No page can be written as {shown(str(out))}: give --out a file name in a folder that exists.")
    if out.suffix.lower() not in (".html", ".htm"):
        raise BadPage(f"The page {shown(out.name)} needs a name that ends in .html.")
    if picture.exists() and out.exists() and out.samefile(picture):
        raise BadPage(f"{shown(str(out))} is the picture itself: give --out another name.")


def write(out: Path, picture: Path, found: Explained, card: Card) -> dict[str, str]:
    """Write the maps and the page; return where each stage's map is, by its name."""
    files = places(out, found)
    overlays = {mapped.stage.name: overlay(found.file.pixels, mapped.heat) for mapped, _ in found.maps}
    for name, path in files.items():
        with replacing(path) as file:
            Image.fromarray(overlays[name]).save(file, "PNG")
    steps = [
        Step(
            mapped.stage.name, mapped.stage.layer, STAGES.get(mapped.stage.name, ""),
            f"{mapped.cells[0]} × {mapped.cells[1]}",
            embedded(overlays[mapped.stage.name], SIDE_PX), badge(trust),
        )
        for mapped, trust in found.maps
    ]  # fmt: skip
    with replacing(out) as file:
        file.write(render(picture, found, card, steps).encode())
    return {name: str(path) for name, path in files.items()}


def render(picture: Path, found: Explained, card: Card, steps: list[Step], made: datetime | None = None) -> str:
    """Return the page's HTML."""
    name, p = found.probabilities[0]
    return page(
        "explain.html.j2",
        styles=("report.css", "run.css", "explain.css"),
        made=made or datetime.now(),
        name=shown(picture.name),
        headline=f"{shown(name)}, p {p:.2f}",
        about=shown(about(card)),
        detector_id=found.detector_id,
        cls=shown(found.cls),
        asked=found.cls != name,
        classes=[(shown(one), f"{value:.3f}", round(1000 * value), one == found.cls) for one, value in found.top],
        more=max(0, len(found.probabilities) - len(found.top)),
        picture=embedded(found.file.pixels, SIDE_PX),
        size=f"{found.file.width} × {found.file.height} px, {found.file.format}",
        sha256=found.file.sha256,
        steps=steps,
        walked=WALK if len(steps) > 1 else "",
        grad_cam=GRAD_CAM,
        limits=[shown(limit) for limit in card.limits],
    )
