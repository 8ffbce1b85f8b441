"""The command that shows where in a picture a detector found its answer: explain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics_app.cli.run import BadUse, DetectorName, Json, Quiet, Terminal, follow

if TYPE_CHECKING:
    from rich.console import RenderableType

    from forensics_app.core.explaining import Explained


def explain(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", readable=False, help="The picture to explain.")],
    detector: DetectorName = "default",
    cls: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="Whose map is drawn; default: the most probable.")
    ] = None,
    stage: Annotated[
        str, typer.Option(metavar="NAME", help="first, second, third, last, a layer's name, or walk for the four.")
    ] = "last",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", readable=False, help="Write a page there, and the maps beside it.")
    ] = None,
    maps: Annotated[
        Path | None, typer.Option(metavar="DIR", readable=False, help="Write each map alone there, as a grey PNG.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What a detector of any kind takes a picture for, where it found that, and how far the map can be trusted.

    Example: forensics explain photo.jpg --detector runs/first/detector --stage walk --out photo.html
    """
    from classifier.runtime import Detector
    from forensics_app.core import explain_page, explaining

    if out is not None:
        explain_page.check(out, picture)
    terminal, loaded = Terminal(json, quiet), Detector.load(detector)
    events = explaining.explain(picture, loaded, cls=cls, stage=stage)
    found = follow(events, Terminal(quiet=quiet or json), words="Drawing and testing maps")
    if not isinstance(found, explaining.Explained):
        raise BadUse("Nothing was explained.")
    written = explain_page.write(out, picture, found, loaded.card) if out else {}
    alone = explaining.write_maps(maps, found) if maps else {}
    if json:
        terminal.record(explaining.to_json(picture, found, written, alone))
    for part in () if json else paragraphs(found):
        terminal.result(part)
    if out is not None and not json:
        terminal.result(f"Page: {out}", wrap=False)


def paragraphs(found: Explained) -> Iterator[RenderableType]:
    """Yield an explanation for people: the answer, the most probable classes, and each map's trust."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from forensics_app.core.map_words import badge
    from forensics_app.core.words import shown

    name, p = found.probabilities[0]
    yield Text(f"{shown(name)}, p {p:.2f}", style="bold")
    table = Table(box=None, pad_edge=False, show_header=False)
    for one, value in found.top:
        table.add_row("  " + shown(one), f"{value:.3f}", "█" * round(24 * value))
    yield table
    yield Text(f"Where it found {shown(found.cls)}:")
    for mapped, trust in found.maps:
        shown_as, stage = badge(trust), mapped.stage
        where = stage.layer if stage.layer == stage.name else f"{stage.name} stage, {stage.layer}"
        yield Text(f"  {where}: trust of this map {shown_as.mark} {shown_as.level}")
        yield Padding(Text(shown_as.words), (0, 0, 0, 4))
        if shown_as.figures:
            yield Padding(Text(shown_as.figures, style="dim"), (0, 0, 0, 4))
