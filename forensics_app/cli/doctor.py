"""The command that says whether this installation works, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from forensics_app.cli.run import DONE, FAILED_FILES, Json, Terminal

if TYPE_CHECKING:
    from rich.table import Table

    from forensics_app.core.doctor import Devices, Health


def doctor(json: Json = False) -> None:
    """Say what is installed, which devices it can use, where files live, and whether judging works.

    Example: forensics doctor
    """
    from forensics_app.core.doctor import examine

    terminal, health = Terminal(json), examine()
    if json:
        terminal.record({**vars(health), "devices": vars(health.devices), "works": health.works} | _nested(health))
    else:
        terminal.result(_table(health))
    raise typer.Exit(DONE if health.sound else FAILED_FILES)


def _nested(health: Health) -> dict[str, object]:
    return {
        "places": {name: vars(place) for name, place in health.places.items()},
        "detectors": [vars(one) for one in health.detectors],
    }


def _table(health: Health) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text, good in _lines(health):
        table.add_row(Text(name), Text(text, "" if good else "bold #a8760a"))
    return table


def _lines(health: Health) -> list[tuple[str, str, bool]]:
    from forensics_app.core.display import install_command
    from forensics_app.core.words import shown

    judged = f"works, {health.judging_ms} ms a picture" if health.works else f"does not work: {health.judging}"
    lines = [
        ("judging", judged, health.works),
        ("forensics", f"{health.forensics}, Python {health.python}, {health.system}", True),
        *(_group(name, versions) for name, versions in health.packages.items()),
        ("devices", _devices(health.devices), health.devices.problem is None),
        ("window", health.window or "would open", health.window is None),
    ]
    if health.libraries:
        lines.append(("  missing", install_command(health.libraries), False))
    for one in health.detectors:
        lines.append(
            (
                "detector",
                shown(f"broken: {one.problem}" if one.problem else f"{one.name}, files checked, id {one.id}"),
                one.problem is None,
            )
        )
    if not health.detectors:
        lines.append(("detector", "none is installed", False))
    for name, place in health.places.items():
        there = (
            f"{shown(place.path)}{'' if place.exists else ' (not made yet)'}, {place.free_bytes / 2**30:.1f} GiB free"
        )
        lines.append((f"files: {name}", there, True))
    return lines


def _group(name: str, versions: dict[str, str | None]) -> tuple[str, str, bool]:
    missing = [package for package, version in versions.items() if version is None]
    title = name if name == "judging" else f"extra {name}"
    listed = ", ".join(f"{package} {version}" for package, version in versions.items() if version)
    text = listed + ("; " if listed and missing else "") + (f"missing: {', '.join(missing)}" if missing else "")
    if missing and name != "judging":
        text += f" (pip install '.[{name}]' in the project's folder)"
    return ("packages" if name == "judging" else title), text, not missing or name != "judging"


def _devices(devices: Devices) -> str:
    gpus = [*devices.cuda, *(["Apple GPU"] if devices.mps else [])]
    cores = f"{devices.cores} CPU core{'' if devices.cores == 1 else 's'}"
    return ", ".join([cores, *(gpus or ["no GPU"]), *([devices.problem] if devices.problem else [])])
