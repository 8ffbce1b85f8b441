"""The commands that find and mend what tells classes apart beside the picture: audit and equalize."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics_app.cli.run import FAILED_FILES, BadUse, Json, Quiet, Terminal, follow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from classifier.recipes import Data
    from generator.audit import Audit

THINGS_LIMIT = 500
"""Pictures of classes of things that are looked at before a training: enough for a note, within a minute."""
Root = Annotated[Path, typer.Argument(metavar="DIR", readable=False, help="A folder with one folder a class.")]


class Format(str, Enum):
    """The one encoder that all pictures go through."""

    JPEG = "jpeg"
    PNG = "png"


def audit(
    data: Root,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", readable=False, help="Write a report page that explains it.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Can anything but the picture tell the classes apart? Exit code 1 if so; --out writes a page that explains it.

    Unreadable pictures are left out and told.

    Example: forensics audit data/cats --out audit.html
    """
    from generator.workplace import check_place

    terminal = Terminal(json, quiet)
    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise BadUse(f"No report can be written as {out}: give --out a file name in a folder that exists.")
    if out is not None:
        check_place(out.absolute().parent)
    found = look(data, terminal)
    for part in () if json else paragraphs(found):
        terminal.result(part)
    if found.mend and not json:
        terminal.result(f"To mend it: {found.mend}", wrap=False)
    if out is not None:
        from forensics_app.core.audit_report import write

        follow(write(found, out), Terminal(quiet=quiet or json), words="Writing the report")
        terminal.note(f"Report: {out}", wrap=False)
    if found.verdict == "fail":
        raise typer.Exit(FAILED_FILES)


def look(data: Path, terminal: Terminal, spec: Data | None = None, *, limit: int | None = None) -> Audit:
    """Audit a data folder behind a bar, or as lines of JSON, and return what was found in at most `limit` pictures."""
    from generator.audit import LIMIT, Audit
    from generator.audit import audit as events

    end = follow(events(data, spec=spec, limit=limit or LIMIT), terminal, words=f"Auditing {data.name or data}")
    if not isinstance(end, Audit):
        raise BadUse("Nothing was audited.")
    return end


def guarded(data: Path, spec: Data, terminal: Terminal, *, allow: bool) -> dict[str, Any]:
    """Audit what is to be trained on, and return what its card will say; raises `BadUse` if it fails unless `allow`.

    Only fake and real are refused: a file that gives ants away misleads nobody about ants, and is told as a note.
    """
    from classifier.data import find_pictures
    from forensics_app.core.words import shown
    from generator.audit import summary

    forensic = set(find_pictures(data, spec)["train"]) == {"fake", "real"}
    found = look(data, terminal, spec, limit=None if forensic else THINGS_LIMIT)
    reasons = " ".join(shown(reason.text) for reason in found.reasons)
    if found.verdict == "fail" and forensic and not allow:
        mend = f" To mend it: {shown(found.mend)}." if found.mend else ""
        raise BadUse(
            f"The audit of {data} fails. {reasons}{mend} 'forensics audit {data}' tells more; "
            "--allow-shortcuts trains all the same."
        )
    if found.verdict != "pass":
        terminal.note(f"Audit: {reasons}")
    return summary(found)


def paragraphs(found: Audit) -> Iterator[RenderableType]:
    """Yield an audit for people: the verdict with its reasons, and the figures of each group."""
    from rich.table import Table
    from rich.text import Text

    from forensics_app.core.words import shown
    from generator.audit_verdict import GROUPS, HEADLINES

    yield Text(HEADLINES[found.verdict], style="bold")
    for reason in found.reasons:
        yield Text(f"  {shown(reason.text)}")
    if found.unreadable:
        name, why = found.unreadable[0]
        yield Text(f"  Left out: {len(found.unreadable)} that cannot be read, the first: {shown(name)}: {shown(why)}")
    table = Table(box=None, pad_edge=False)
    for title in ("told apart by", "AUC", "95 % interval", "n"):
        table.add_column(title, justify="left" if title == "told apart by" else "right", no_wrap=True)
    for group, finding in found.findings.items():
        auc = finding.auc
        interval = f"{auc.low:.2f}–{auc.high:.2f}" if finding.varying else "all alike"
        table.add_row(GROUPS[group], f"{auc.value:.2f}", interval, str(auc.n))
    if found.findings:
        yield table


def equalize(
    data: Root,
    out: Annotated[Path, typer.Option(metavar="DIR", readable=False, help="A new folder for the pictures.")],
    size: Annotated[int, typer.Option(min=32, max=4096, help="Side in pixels; smaller pictures are left out.")] = 224,
    file_format: Annotated[Format, typer.Option("--format", help="The one encoder for all.")] = Format.JPEG,
    quality: Annotated[int, typer.Option(min=1, max=100, help="JPEG quality for all.")] = 90,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the pictures of all classes alike: one size, one encoder, one setting, no metadata.

    Small and unreadable pictures are left out and told; that is no failure.

    Example: forensics equalize pictures --out pictures-equalized --size 224
    """
    from forensics_app.core.words import shown
    from generator import equalized
    from generator.equalize import Equalize

    terminal, spec = Terminal(json, quiet), Equalize(size, file_format.value, quality)
    end: Any = follow(equalized.write(data, out, spec), terminal, words=f"Writing {out.name}")
    if not isinstance(end, equalized.Equalized) or json:
        return
    if end.left_out:
        name, why = end.left_out[0]
        terminal.note(f"{len(end.left_out)} left out, the first: {shown(name)}: {shown(why)}")
    counts = ", ".join(f"{count} {shown(kind)}" for kind, count in end.classes.items())
    left = f"; {len(end.left_out):,} left out" if end.left_out else ""
    terminal.result(f"Written: {out} ({counts}{left})", wrap=False)
