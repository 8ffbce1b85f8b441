"""The command `forensics scan`: what its options mean together, and what it says on the terminal."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.text import Text

from forensics_app.cli.run import BadUse, Terminal, follow
from forensics_app.cli.verdicts import sign
from forensics_app.core import results
from forensics_app.core.store_lookup import of_user
from forensics_app.core.words import ANSWERS, shown

if TYPE_CHECKING:
    from classifier.detector import Installed
    from forensics_app.core.scan import Options, Selection, Summary
    from forensics_app.core.workers import Ahead


@dataclass(frozen=True)
class Order:
    """What a scan is asked for: where the rows go (`store`), and if anywhere the report (`out`)."""

    folder: Path
    installed: Installed
    store: Path
    selection: Selection
    options: Options
    shard: tuple[int, int] = (0, 1)
    title: str = ""

    @property
    def out(self) -> Path | None:
        """The folder of the report."""
        return self.options.out


def order_of(
    folder: str, store: Path | None, detector: str, selection: Selection, options: Options, *, fast: bool, shard: str
) -> Order:
    """Return a scan's order, checked; raises `BadUse` and `classifier.detector.BadDetector`."""
    from classifier.detector import fast_twin, find, open_folder

    if not folder:
        raise BadUse("The folder's name is empty; give . for the folder that you are in.")
    installed = open_folder(find(detector))
    installed = fast_twin(installed) if fast else installed
    kept = store or (options.out / results.STORE if options.out is not None else of_user())
    return Order(Path(folder), installed, kept, selection, options, shard_of(shard))


def shard_of(text: str) -> tuple[int, int]:
    """Return the share that is meant by `I/N`, counted from 0; raises `BadUse`."""
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    share, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= share <= of:
        raise BadUse(f"--shard is '{shown(text)}'; give the share and their number, such as 1/4.")
    return share - 1, of


def scan_into(order: Order, terminal: Terminal, *, made: tuple[Path, ...] = (), ahead: Ahead | None = None) -> int:
    """Scan a folder, say where the results are, and return how many files failed.

    `made` is what `forensics_app.core.results.claim` said of the folder of the report, `ahead` the first worker.
    """
    from forensics_app.core.scan import known_as, scan
    from forensics_app.core.store import Query, ScanStore

    words = f"Watching {shown(order.folder.name)}" if order.options.watch else "Judging"
    with ScanStore.open(order.store) as store:
        number = store.detector(known_as(order.installed, order.options))
        root = os.fsencode(os.path.abspath(order.folder))  # noqa: PTH100 - resolves no links
        query = Query(number, root)
        store.begin(number, root)
        events = scan(
            order.folder, order.installed.folder, store,
            shard=order.shard, selection=order.selection, options=order.options, ahead=ahead,
        )  # fmt: skip
        if order.out is not None:
            title = order.title or f"Pictures in {order.folder.resolve().name or order.folder}"
            rows = partial(store.rows, query)
            events = results.record(events, order.out, rows, order.installed, title=title, made=made)
        with _telling_what_is_kept(order, terminal):
            summary = cast("Summary", follow(events, terminal, words=words))
    if not terminal.json:
        _show_summary(summary, order, terminal)
    return summary.failed


@contextmanager
def _telling_what_is_kept(order: Order, terminal: Terminal) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        if order.out is None:
            terminal.note(Text("What was judged so far is kept; the same command goes on from there."))
        elif (order.out / results.REPORT).is_file():
            where = shown(str(order.out / results.REPORT))
            terminal.note(
                Text(f"What was judged so far is in {where}; the same command goes on from there."), wrap=False
            )
        raise


def _show_summary(summary: Summary, order: Order, terminal: Terminal) -> None:
    if not summary.done:
        terminal.note("There was no picture in that folder.")
    words = "picture" if summary.done == 1 else "pictures"
    known = f", {summary.known:,} of them judged before" if summary.known else ""
    terminal.result(f"{summary.done:,} {words} in {summary.seconds:.1f} s{known}")
    for name in ANSWERS:
        if summary.counts[name]:
            terminal.result(Text(f"{summary.counts[name]:7,}  ").append_text(sign(name)))
    if summary.gone:
        terminal.result(f"{summary.gone:7,}  no longer there")
    if order.out is not None:
        terminal.result(Text(f"Report: {shown(str(order.out / results.REPORT))}"), wrap=False)
    else:
        elsewhere = "" if order.store == of_user() else f" --store {shown(str(order.store))}"
        terminal.note(Text(f"See them with: forensics show {shown(str(order.folder))}{elsewhere}"), wrap=False)
