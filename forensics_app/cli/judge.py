"""The commands that judge pictures: analyze, scan and demo."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from forensics_app.cli.run import BAD_USE, DONE, FAILED_FILES, BadUse, DetectorName, Json, Quiet, Terminal


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
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge pictures one by one: a verdict, its probability and its reasons.

    Example: forensics analyze photo.jpg --heatmap maps
    """
    from classifier.runtime import Detector
    from forensics_app.cli.verdicts import show, show_detector
    from forensics_app.core.batch import judge_files

    terminal, loaded, failures = Terminal(json, quiet), Detector.load(detector), []
    for judged in judge_files(images, loaded, heatmaps=heatmap):
        show(judged, terminal)
        failures += [judged.problem.kind] if judged.problem else []
    if len(failures) < len(images):
        show_detector(loaded.card, terminal)
    if failures:
        misused = len(failures) == len(images) and set(failures) <= {"missing", "not_regular"}
        raise typer.Exit(BAD_USE if misused else FAILED_FILES)


def scan(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Every picture below it is judged.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", readable=False, help="A new folder for report.html and the results.")
    ],
    detector: DetectorName = "default",
    heatmaps: Annotated[
        Maps, typer.Option(help="Draw heat maps for what is not called real, all, or none.")
    ] = Maps.FLAGGED,
    workers: Annotated[int, typer.Option(min=0, metavar="N", help="Worker processes; 0 means one a core.")] = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge a folder into a report, a CSV table and JSON lines; Ctrl-C keeps what was done so far.

    Example: forensics scan ~/Pictures --out report
    """
    from classifier.detector import find, open_folder
    from forensics_app.cli.verdicts import scan_into
    from forensics_app.core.results import claim

    if not folder:
        raise BadUse("The folder's name is empty; give . for the folder that you are in.")
    installed, terminal = open_folder(find(detector)), Terminal(json, quiet)
    made = claim(out)
    failed = scan_into(Path(folder), out, installed, terminal, made=made, heatmaps=heatmaps.value, workers=workers)
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
    from forensics_app.cli.verdicts import scan_into
    from forensics_app.core.results import claim
    from forensics_app.core.samples import lay_out

    installed, terminal = open_folder(find("default")), Terminal(json, quiet)
    made = claim(out)
    failed = scan_into(lay_out(out), out, installed, terminal, made=made, heatmaps="all", title="The sample pictures")
    raise typer.Exit(FAILED_FILES if failed else DONE)
