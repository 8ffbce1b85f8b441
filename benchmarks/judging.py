"""How fast pictures are judged on this machine: `make bench` prints a block for docs/BENCHMARKS.md.

Start-up is the wall time of the real command in a fresh process each time, files already in the disk cache.
Throughput is pictures a second, already decoded, from pixels to probabilities, against the usual way of a script: the
same weights in torch, single precision, one picture at a time. Both ways are timed in turns in one run, so that what
else the machine does strikes both. Close other programs first; a ratio means something on any machine, a time only on
this one.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image
from sections import write

from classifier.images import SUFFIXES, BadImage, Pixels, load
from classifier.runtime import Detector

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("forensics.exe" if os.name == "nt" else "forensics")
WATCHED = ("torch", "torchvision", "diffusers", "accelerate", "PySide6")
TORCH_FREE = """
import sys
sys.argv = ["forensics", *sys.argv[1:]]
try:
    from forensics_app.cli import main
    main()
except SystemExit:
    pass
print("loaded:", *sorted({watched!r} & set(sys.modules)), file=sys.stderr)
"""


@dataclass(frozen=True)
class Times:
    """Repeated measurements in one unit."""

    values: tuple[float, ...]

    def __str__(self) -> str:
        middle = statistics.median(self.values)
        digits = 2 if middle < 10 else 0
        return f"{middle:.{digits}f} ({min(self.values):.{digits}f}-{max(self.values):.{digits}f})"


def cold(arguments: Sequence[str], repeats: int) -> Times:
    """Return the wall times in seconds of the command in fresh processes, after one that fills caches."""
    seconds = []
    for _ in range(repeats + 1):
        begun = time.perf_counter()
        subprocess.run([COMMAND, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        seconds.append(time.perf_counter() - begun)
    return Times(tuple(seconds[1:]))


def heavy_modules(arguments: Sequence[str]) -> str:
    """Return which of the heavy packages a command loaded, `none` as it should be."""
    code = TORCH_FREE.format(watched=set(WATCHED))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True, encoding="utf-8"
    )
    return done.stderr.splitlines()[-1].removeprefix("loaded:").strip() or "none"


def pictures(folder: Path) -> Iterator[Path]:
    """Yield the pictures below a folder, one of each subfolder in turn, so that a few show many kinds."""
    inside = [sorted(path for path in one.iterdir() if path.suffix.lower() in SUFFIXES) for one in _folders(folder)]
    for place in range(max(map(len, inside), default=0)):
        yield from (files[place] for files in inside if place < len(files))


def _folders(folder: Path) -> list[Path]:
    hostile = {"malformed", "evidence"}
    return sorted(path for path in (folder, *folder.rglob("*")) if path.is_dir() and not hostile & set(path.parts))


def decoded(folder: Path, count: int) -> list[Pixels]:
    """Return `count` pictures of a folder as bytes; files that cannot be judged are left out."""

    def readable() -> Iterator[Pixels]:
        for path in pictures(folder):
            try:
                yield load(path).pixels
            except BadImage:
                continue

    return list(islice(readable(), count))


def fifth_of_a_megapixel(folder: Path) -> Path:
    """Return the JPEG nearest to 0.2 megapixels among the first ones of the folder."""

    def distance(path: Path) -> float:
        with Image.open(path) as image:
            return abs(image.width * image.height - 200_000)

    return min(
        islice((path for path in pictures(folder) if path.suffix.lower() in (".jpg", ".jpeg")), 100), key=distance
    )


def usual_way(detector: Detector) -> Callable[[Sequence[Pixels]], np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Return a function that judges in torch, single precision, one picture at a time."""
    import torch

    from classifier.detector import open_folder
    from classifier.export import load_network
    from classifier.preprocess import regions
    from classifier.runtime import calibrated

    network = load_network(open_folder(detector.folder))

    def judge(images: Sequence[Pixels]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        with torch.inference_mode():
            logits = [network(torch.from_numpy(regions(one, detector.card.preprocess).batch)).mean(0) for one in images]
        return calibrated(torch.stack(logits).double().numpy(), detector.card)

    return judge


def throughput(detector: Detector, images: Sequence[Pixels], rounds: int) -> list[str]:
    """Return table rows with the pictures a second of both ways, their ratio and their largest difference."""
    usual, batch = usual_way(detector), 16

    def ours(all_images: Sequence[Pixels]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.concatenate(
            [detector.predict(all_images[at : at + batch]) for at in range(0, len(all_images), batch)]
        )

    ways = {"onnxruntime": ours, "torch": usual}
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    answers = {name: judge(images) for name, judge in ways.items()}  # also warms both up
    for _ in range(rounds):
        for name, judge in ways.items():
            begun = time.perf_counter()
            judge(images)
            speeds[name].append(len(images) / (time.perf_counter() - begun))
    ratios = Times(tuple(mine / theirs for mine, theirs in zip(speeds["onnxruntime"], speeds["torch"], strict=True)))
    difference = float(np.abs(answers["onnxruntime"] - answers["torch"]).max())
    return [
        f"| `Detector.predict`, {batch} at a time, pictures/s | {Times(tuple(speeds['onnxruntime']))} |",
        f"| torch, single precision, one at a time, pictures/s | {Times(tuple(speeds['torch']))} |",
        f"| ratio of the two | {ratios} |",
        f"| largest difference of a probability, {len(images)} pictures | {difference:.1e} |",
    ]


def machine() -> str:
    """Return this machine in a line."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("onnxruntime", "torch", "numpy"))
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {versions}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def arguments() -> argparse.Namespace:
    """Return the command line."""
    shared = os.environ.get("FORENSICS_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(shared), help="a folder of pictures (default: %(default)s)")
    parser.add_argument("--detector", default="default", help="a detector's name or folder")
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the table into docs/BENCHMARKS.md")
    return parser.parse_args()


def main() -> int:
    """Measure and print."""
    asked = arguments()
    images = decoded(asked.data, asked.pictures) if asked.data.is_dir() else []
    if not images:
        print(f"There are no pictures in {asked.data}; give a folder of some with --data.", file=sys.stderr)
        return 2
    one, detector = str(fifth_of_a_megapixel(asked.data)), Detector.load(asked.detector)
    analyze = ("analyze", "--detector", asked.detector, one)
    rows = [
        f"| the command with `--help`, fresh process, s | {cold(['--help'], asked.repeats)} |",
        f"| `forensics analyze photo.jpg`, 0.2 MP, fresh process, s | {cold(analyze, asked.repeats)} |",
        f"| heavy packages loaded by `--help` | {heavy_modules(['--help'])} |",
        f"| heavy packages loaded by `analyze` | {heavy_modules(analyze)} |",
        *throughput(detector, images, asked.repeats),
    ]
    today = datetime.datetime.now(datetime.timezone.utc).date()
    text = "\n".join([
        f"`make bench`, {today}, detector {detector.name} {detector.id}",
        f"on {machine()}. Median of {asked.repeats} (least-most).", "", "| what | measured |", "|---|---|", *rows,
    ])  # fmt: skip
    print(text)
    if asked.write:
        write("judging", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
