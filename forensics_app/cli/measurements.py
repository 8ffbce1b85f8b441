"""Measurements on the terminal: the finding, its tables cut to the terminal's width, and where the rest is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from forensics_app.cli.run import PLAIN_WIDTH, BadUse, Terminal, follow

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from classifier.data import Item
    from classifier.degradations import Degrade
    from classifier.detector import Installed
    from classifier.runtime import Detector
    from forensics_app.cli.training import SplitName
    from forensics_app.core.measurement import Measurement, Table

GAP = 2


def finish(found: Measurement, folder: Path, terminal: Terminal, *, place: Path | None = None) -> None:
    """Write a measurement into a folder, which will be at `place`, and print what it found."""
    from forensics_app.core.measurement import write

    page = write(found, folder)
    if not terminal.json:
        show(found, terminal, (place or folder) / page.name)


def place(out: Path | None) -> AbstractContextManager[Path | None]:
    """Return what makes a new folder for a measurement, or nothing where none is asked for."""
    from classifier.atomic import new_folder

    return new_folder(out) if out else nullcontext()


def report(found: Measurement, folder: Path | None, terminal: Terminal, *, place: Path | None) -> None:
    """Print what a measurement found, and write it into a folder, which will be at `place`, if there is one."""
    if folder:
        finish(found, folder, terminal, place=place)
    elif not terminal.json:
        show(found, terminal, None)


def average(
    detector: Detector, data: Path, tta: str, *, split: SplitName, degrade: Degrade | None, out: Path | None,
    terminal: Terminal,
) -> None:  # fmt: skip
    """Measure test-time augmentation over the views `tta`, print it, and leave its page in `out` if there is one."""
    from classifier import views
    from classifier.atomic import check_new, new_folder
    from classifier.evaluate import labelled
    from forensics_app.core.views_page import measurement

    chosen = views.views(tta)
    if out:
        check_new(out)
    items = labelled(detector.card, data, split.part)
    warn_of_seen(detector, items, split, terminal)
    events = views.compare(detector, items, chosen, split=split.value, degrade=degrade)
    end = follow(events, terminal, words=f"Measuring {detector.name} on {len(chosen)} views")
    if not isinstance(end, views.Averaged):
        return
    found = measurement(end)
    if out:
        with new_folder(out) as part:
            finish(found, part, terminal, place=out)
    elif not terminal.json:
        show(found, terminal, None)


def warn_of_seen(detector: Detector, items: Sequence[Item], split: SplitName, terminal: Terminal) -> None:
    """Say how many of all pictures had a part in making the detector: on those it looks better than it is."""
    from classifier.split_record import seen_among

    if split.part is None and (seen := seen_among(detector.card, detector.folder.parent, items)):
        terminal.complain(
            f"{seen:,} of the {len(items):,} pictures had a part in making this detector: "
            f"--split {split.of(detector.card).value} measures on those that had none."
        )


@contextmanager
def members_of(names: list[str], data: Path, terminal: Terminal) -> Iterator[list[Installed]]:
    """Open the members of an ensemble; checkpoints become detectors in a folder that is gone after the block."""
    from classifier.ensemble import member

    with tempfile.TemporaryDirectory(prefix="forensics-members-") as place:
        found = []
        for number, name in enumerate(names):
            if name.endswith(".safetensors"):
                from classifier.snapshots import snapshot

                folder = Path(place, str(number))
                follow(snapshot(Path(name), data, folder), terminal, words=f"Reading {Path(name).name}")
                found.append(member(folder))
            else:
                found.append(member(name))
        yield found


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Return the numbers of a list such as `0.5,0.8`; raises `BadUse`."""
    try:
        return tuple(float(one) for one in text.split(",")) if text.strip() else ()
    except ValueError:
        raise BadUse(f"{option} takes numbers with commas between, such as 0.5,0.8, not '{text}'.") from None


def show(found: Measurement, terminal: Terminal, page: Path | None) -> None:
    """Print a measurement for people: finding, notes, its tables, and the place of its page."""
    from rich.text import Text

    terminal.result(Text(found.headline, style="bold"))
    terminal.result(Text(found.context))
    for note in found.notes:
        terminal.result(Text(f"! {note}"))
    for table in (table for section in found.sections for table in section.tables):
        terminal.result(Text(""))
        if table.title:
            terminal.result(Text(table.title, style="bold"))
        terminal.result(fitting(table))
    if page:
        terminal.result(Text(""))
        terminal.result(f"Report: {page}", wrap=False)


def fitting(table: Table, width: int = PLAIN_WIDTH) -> RichTable:
    """Return the table with as many of its columns, from the first, as fit in so many characters."""
    from rich.table import Table as RichTable
    from rich.text import Text

    widths = [
        max(len(cell) for cell in column)
        for column in zip(table.columns, *table.rows, strict=True)
    ]  # fmt: skip
    kept = max(
        [count for count in range(1, len(widths) + 1) if sum(widths[:count]) + GAP * (count - 1) <= width] or [2]
    )
    out = RichTable(box=None, pad_edge=False)
    for place, name in enumerate(table.columns[:kept]):
        out.add_column(name, justify="right" if place else "left", overflow="fold", no_wrap=place > 0)
    for row in table.rows:
        out.add_row(*(Text(cell) for cell in row[:kept]))
    return out
