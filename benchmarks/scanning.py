"""How fast `forensics scan` is beside what others do, and how far from what the machine could: part of `make bench`.

Each way judges the same pictures with the same weights, in turns, so that what else the machine does strikes all. Ours
is timed as a whole command, from starting the process to its end, with its hashes, evidence and durable rows; the
others from the moment that their network is loaded, without start and without writing a row. They judge a third of the
files, the maps of pytorch-grad-cam a tenth: a rate needs no more. Close other programs first.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench_folders import large, resnet18, small, sources  # noqa: E402 - the folder of the project first
from judging import Times, machine  # noqa: E402
from limits import decoded_a_second, operations, peaks  # noqa: E402
from rivals import SETTINGS  # noqa: E402
from sections import write  # noqa: E402

from classifier.detector import FAST, find, open_folder  # noqa: E402

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
SCAN = (sys.executable, "-m", "forensics_app", "scan")


@dataclass(frozen=True)
class Way:
    """A way to judge a folder: what it is called, what it is compared with, and a run of it, in files a second."""

    name: str
    beside: str
    run: Callable[[], float]


@dataclass(frozen=True)
class Bench:
    """A detector on a folder of pictures: how many of them, and how many regions each has."""

    title: str
    detector: Path
    folder: Path
    count: int
    regions: int
    scaled: bool
    kind: str


def scanned(bench: Bench, detector: Path, *options: str) -> float:
    """Return the files a second of our whole command into a fresh store."""
    with tempfile.TemporaryDirectory() as place:
        where = ("--out", f"{place}/out") if "--heatmaps" in options else ("--store", f"{place}/scan.db")
        begun = time.perf_counter()
        subprocess.run(
            [*SCAN, str(bench.folder), "--detector", str(detector), "--quiet", *where, *options],
            check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT, cwd=ROOT,
        )  # fmt: skip
        return bench.count / (time.perf_counter() - begun)


def rival(bench: Bench, way: str, share: int, setting: str = "") -> float:
    """Return the files a second of another's way on a share of the files, its start left out."""
    count = max(2, bench.count // share)
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name("rivals.py"), way, bench.detector, bench.folder, str(count),
             place, setting],
            check=True, capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT,
        )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    return float(found["files"]) / float(found["seconds"])


def ways(bench: Bench) -> list[Way]:
    """Return all ways for a bench; of timm's settings the one that is fastest here."""
    tried = {setting: rival(bench, "timm", 6, setting) for setting in SETTINGS}
    best = max(tried, key=lambda setting: tried[setting])
    twin = bench.detector / FAST
    ours: list[tuple[str, Path, tuple[str, ...]]]
    ours = [("our scan", bench.detector, ()), ("our scan, --fast", twin, ())]
    if bench.scaled:
        ours += [("our scan, --scaled", bench.detector, ("--scaled",)),
                 ("our scan, --fast --scaled", twin, ("--scaled",))]  # fmt: skip
    return [
        Way("naive: torchvision, fp32, one at a time", "naive", lambda: rival(bench, "naive", 3)),
        Way(f"timm's loop, batch 32, {best} (its best)", "naive", lambda: rival(bench, "timm", 3, best)),
        *(Way(name, "naive", _scan(bench, detector, options)) for name, detector, options in ours),
        Way("pytorch-grad-cam: score, map, JPEG", "gradcam", lambda: rival(bench, "gradcam", 10)),
        Way("our scan, --heatmaps all", "gradcam", _scan(bench, bench.detector, ("--heatmaps", "all"))),
        Way("our scan, --fast --heatmaps all", "gradcam", _scan(bench, twin, ("--heatmaps", "all"))),
    ]


def _scan(bench: Bench, detector: Path, options: Sequence[str]) -> Callable[[], float]:
    return lambda: scanned(bench, detector, *options)


def measured(bench: Bench, repeats: int, peak: dict[str, float]) -> list[str]:
    """Return a bench's table, each way run so often, in turns."""
    all_ways = ways(bench)
    rates: dict[str, list[float]] = {way.name: [] for way in all_ways}
    for turn in range(repeats):
        for way in all_ways:
            rates[way.name].append(way.run())
            last = rates[way.name][-1]
            print(f"{bench.title}, run {turn + 1}: {way.name} {last:.1f}/s", file=sys.stderr, flush=True)
    cams = next(way.name for way in all_ways if "grad-cam" in way.name)
    base = {"naive": rates[all_ways[0].name], "gradcam": rates[cams]}
    timm = rates[all_ways[1].name]
    ideal = ideals(bench, peak)
    head = "| way | files/s | times the first of its kind | times timm's best | of the limit |"
    lines = [f"### {bench.title}", "", head, "|---|---|---|---|---|"]
    for way in all_ways:
        mine = rates[way.name]
        kind = "int8" if "--fast" in way.name else "fp32"
        ours = "our" in way.name and "--scaled" not in way.name and way.beside == "naive"
        lines.append(
            f"| {way.name} | {Times(tuple(mine))} | {_ratios(mine, base[way.beside])} | "
            f"{_ratios(mine, timm) if way.beside == 'naive' else ''} | "
            f"{f'{sorted(mine)[len(mine) // 2] / ideal[kind]:.0%} of {ideal[kind]:.0f}/s' if ours else ''} |"
        )
    return [*lines, ""]


def _ratios(mine: Sequence[float], theirs: Sequence[float]) -> str:
    return str(Times(tuple(one / other for one, other in zip(mine, theirs, strict=True))))


def ideals(bench: Bench, peak: dict[str, float]) -> dict[str, float]:
    """Return the files a second of a scan that did nothing but decode and multiply matrices, in each precision."""
    decode = 1 / decoded_a_second(sorted(bench.folder.glob("*.jpg"))[: max(8, bench.count // 3)])
    work = operations(bench.detector) * bench.regions
    return {kind: 1 / (decode + work / most) for kind, most in peak.items()}


def arguments() -> argparse.Namespace:
    """Return the command line."""
    shared = os.environ.get("FORENSICS_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(shared), help="a folder of pictures (default: %(default)s)")
    parser.add_argument("--small", type=int, default=1200, help="of 0.2 megapixels, 0 for none (default: %(default)s)")
    parser.add_argument("--large", type=int, default=60, help="of 12 megapixels, 0 for none (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=("bundled", "resnet18"), help="one of the two detectors")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/BENCHMARKS.md")
    return parser.parse_args()


def benches(place: Path, data: Path, counts: tuple[int, int]) -> list[Bench]:
    """Make the folders and detectors, and return each pair."""
    found, bundled = sources(data), find("default")
    plain = resnet18(place / "resnet18", found)
    folders = [(small(found, place / "small", counts[0]), counts[0], "0.2 MP"),
               (large(found, place / "large", counts[1]), counts[1], "12 MP")]  # fmt: skip
    kinds = [(bundled, 4, "bundled", "the bundled detector, four tiles of 112 px"),
             (plain, 1, "resnet18", "a ResNet-18 at 224 px")]  # fmt: skip
    return [
        Bench(f"{count:,} JPEGs of {size}, {words}", detector, folder, count, regions,
              size == "12 MP" and regions == 1, kind)
        for detector, regions, kind, words in kinds for folder, count, size in folders if count
    ]  # fmt: skip


def main() -> int:
    """Measure, print, and write if asked to."""
    asked = arguments()
    if not asked.data.is_dir():
        print(f"There are no pictures in {asked.data}; give a folder of some with --data.", file=sys.stderr)
        return 2
    peak = peaks()
    with tempfile.TemporaryDirectory(prefix="forensics-bench-") as place:
        todo = benches(Path(place), asked.data, (asked.small, asked.large))
        todo = [bench for bench in todo if asked.only in (None, bench.kind)]
        tables = [line for bench in todo for line in measured(bench, asked.repeats, peak)]
    told = ", ".join(f"{kind} {most / 1e9:.0f}" for kind, most in peak.items())
    command = f"benchmarks/scanning.py --only {asked.only}" if asked.only else "make bench"
    text = (
        f"`{command}`, {datetime.datetime.now(datetime.timezone.utc).date()}, detector default "
        f"{open_folder(find('default')).id} and its twin, on {machine()}.\n"
        f"Median of {asked.repeats} runs in turns (least-most). Ours is the whole command with its start; the others "
        "without theirs. The limit is a scan that only decodes (Pillow) and multiplies matrices: "
        f"{told} thousand million operations a second on all cores, square matrices of 2,048.\n\n"
    ) + "\n".join(tables)
    print(text)
    if asked.write:
        write("scanning", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
