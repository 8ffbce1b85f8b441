"""The commands that judge pictures: analyze, scan and demo."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from forensics_app.cli.run import (
    BAD_USE,
    DONE,
    FAILED_FILES,
    DetectorName,
    DeviceName,
    Fast,
    Json,
    Quiet,
    Terminal,
)  # fmt: skip


class Maps(str, Enum):
    """Which pictures of a scan get a heat map."""

    FLAGGED = "flagged"
    ALL = "all"
    NONE = "none"


def analyze(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", readable=False, help="Pictures to judge.")],
    heatmap: Annotated[
        Path | None, typer.Option(metavar="DIR", readable=False, help="Write each picture with its heat map there.")
    ] = None,
    detector: DetectorName = "default",
    fast: Fast = False,
    device: DeviceName = "cpu",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge pictures one by one: a verdict, its probability and its reasons.

    Example: forensics analyze photo.jpg --heatmap maps
    """
    from classifier.runtime import Detector
    from forensics_app.cli.verdicts import show, show_detector
    from forensics_app.core.batch import judge_files

    terminal, loaded, failures = Terminal(json, quiet), Detector.load(detector, fast=fast, device=device), []
    for judged in judge_files(images, loaded, heatmaps=heatmap):
        show(judged, terminal)
        failures += [judged.problem.kind] if judged.problem else []
    if len(failures) < len(images):
        show_detector(loaded.card, terminal)
    if failures:
        misused = len(failures) == len(images) and set(failures) <= {"missing", "not_regular"}
        raise typer.Exit(BAD_USE if misused else FAILED_FILES)


def scan(
    context: typer.Context,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Every picture below it is judged; or a zip or tar.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", readable=False, help="A new folder for report.html and the results.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the rows are kept; by default beside the report.")
    ] = None,
    detector: DetectorName = "default",
    fast: Fast = False,
    device: DeviceName = "cpu",
    heatmaps: Annotated[
        Maps, typer.Option(help="Draw heat maps for what is not called real, all, or none.")
    ] = Maps.FLAGGED,
    include: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Only these: '*.jpg', '2024/*'.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Not these, and no such folders.")] = None,
    archives: Annotated[bool, typer.Option(help="Look into zip and tar files too.")] = True,
    links: Annotated[bool, typer.Option("--links", help="Follow links to folders.")] = False,
    one_disk: Annotated[bool, typer.Option("--one-disk", help="Stay on the disk of the folder.")] = False,
    every_file: Annotated[bool, typer.Option("--every-file", help="Hidden files and any suffix too.")] = False,
    watch: Annotated[
        float | None, typer.Option(min=1, metavar="SECONDS", help="Look again and again, until Ctrl-C.")
    ] = None,
    shard: Annotated[str, typer.Option(metavar="I/N", help="Only the I-th of N shares, for several machines.")] = "1/1",
    scaled: Annotated[
        bool, typer.Option("--scaled", help="Decode large JPEGs smaller: faster, and not quite the same p.")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, metavar="N", help="Worker processes; 0 means one a core.")] = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge a folder, however large; run again it goes on, and judges only what is new or has changed.

    Example: forensics scan ~/Pictures --out report
    """
    from forensics_app.cli.scanning import order_of, scan_into
    from forensics_app.core.results import claim
    from forensics_app.core.scan import Limits, Options, Selection

    patterns = tuple(include or ()), tuple(exclude or ())
    selection = Selection(every_file, *patterns, links=links, one_disk=one_disk, archives=archives)
    options = Options(out, workers, Limits(), heatmaps.value, device, scaled, watch)
    order = order_of(folder, store, detector, selection, options, fast=fast, shard=shard)
    made = claim(out) if out is not None else ()
    failed = scan_into(order, Terminal(json, quiet), made=made, ahead=context.obj)
    raise typer.Exit(FAILED_FILES if failed else DONE)


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", readable=False, help="A folder for the report.")] = Path("report"),
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge the sample pictures that come with the program into a report.

    Example: forensics demo --out report
    """
    from classifier.detector import find, open_folder
    from forensics_app.cli.scanning import Order, scan_into
    from forensics_app.core.results import STORE, claim
    from forensics_app.core.samples import lay_out
    from forensics_app.core.scan import Options, Selection

    installed, made = open_folder(find("default")), claim(out)
    options = Options(out, heatmaps="all")
    order = Order(lay_out(out), installed, out / STORE, Selection(), options, title="The sample pictures")
    raise typer.Exit(FAILED_FILES if scan_into(order, Terminal(json, quiet), made=made) else DONE)
