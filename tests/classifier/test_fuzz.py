"""Broken files in bulk, in a child process with limits: only `BadImage` may escape, and the process must live."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import ROOT, picture, write_picture

MUTANTS = 60
CHILD = """
import collections, json, resource, sys, time
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (240, 240))
from classifier.images import BadImage, load
from forensics_app.evidence import collect
kinds, slowest = collections.Counter(), 0.0
for line in sys.stdin:
    begun = time.monotonic()
    print(json.dumps({"at": json.loads(line)}), flush=True)
    try:
        file = load(Path(json.loads(line)))
        kinds["ok"] += 1
        assert file.pixels.dtype == "uint8" and file.pixels.shape == (file.height, file.width, 3)
        collect(file)
    except BadImage as error:
        assert "\\n" not in str(error) and len(str(error)) < 300, error
        kinds[error.kind] += 1
    slowest = max(slowest, time.monotonic() - begun)
status = Path("/proc/self/status")  # getrusage counts the parent's memory at the fork, which is all of the tests'
peak = int(status.read_text().partition("VmHWM:")[2].split()[0]) if status.exists() else 0
print(json.dumps({"kinds": kinds, "slowest_s": slowest, "peak_kib": peak}))
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits a child process as POSIX does")


def load_all(paths: list[Path]) -> dict[str, int]:
    """Load the files in one child process; return how many ended how."""
    lines = "".join(json.dumps(str(path)) + "\n" for path in paths)
    child = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-W", "ignore::ResourceWarning", "-c", CHILD],
        cwd=ROOT, input=lines, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    last = json.loads(child.stdout.splitlines()[-1]) if child.stdout else {}
    assert child.returncode == 0, (last, child.stderr[-2000:])
    assert not child.stderr.strip()
    assert last["slowest_s"] < 20
    assert last["peak_kib"] < 1.5 * 2**20
    kinds: dict[str, int] = last["kinds"]
    assert sum(kinds.values()) == len(paths)
    return kinds


def test_every_hostile_file_ends_in_a_picture_or_a_sentence(shared_data: Path) -> None:
    folder = shared_data / "malformed"
    if not folder.is_dir():
        pytest.skip(f"needs the hostile files in {folder}")
    kinds = load_all(sorted(path for path in folder.rglob("*") if path.is_file()))
    assert kinds["ok"] > 100
    assert kinds["damaged"] > 50
    assert kinds["unknown_format"] > 50


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with some bits flipped, a part cut out or repeated, or a length field blown up."""
    out = bytearray(data)
    how = rng.randrange(5)
    if how == 0:
        return bytes(out[: rng.randrange(1, len(out))])
    if how == 1:
        start = rng.randrange(len(out))
        del out[start : start + rng.randrange(1, 64)]
    elif how == 2:
        start = rng.randrange(len(out))
        out[start:start] = out[start : start + rng.randrange(1, 64)]
    elif how == 3:
        start = rng.randrange(min(len(out), 400))
        out[start : start + 4] = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4), b"\0\0\xff\xff"))
    for _ in range(rng.randrange(1, 12)):
        # Headers matter most: half of the flips go into the first bytes.
        place = rng.randrange(len(out) if rng.random() < 0.5 else min(len(out), 256))
        out[place] ^= 1 << rng.randrange(8)
    return bytes(out)


def seeds(folder: Path) -> list[Path]:
    folder.mkdir()
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    blue = [Image.new("RGB", (96, 80), "blue")]
    made = [
        write_picture(folder / "a.jpg", exif=exif, progressive=True),
        write_picture(folder / "a.png", exif=exif),
        write_picture(folder / "a.webp", exif=exif),
        write_picture(folder / "a.tiff", compression="tiff_lzw"),
        write_picture(folder / "b.tiff", compression="jpeg"),
        write_picture(folder / "a.bmp"),
        write_picture(folder / "a.gif", save_all=True, append_images=blue),
        write_picture(folder / "b.png", save_all=True, append_images=blue),
        write_picture(folder / "b.webp", save_all=True, append_images=blue),
        write_picture(folder / "a.avif", exif=exif),
    ]
    try:
        import pillow_heif
    except ImportError:
        return made
    pillow_heif.from_pillow(Image.fromarray(picture())).save(folder / "a.heic")
    return [*made, folder / "a.heic"]


def test_hundreds_of_mutants_end_in_a_picture_or_a_sentence(tmp_path: Path) -> None:
    rng, mutants = random.Random(20), []
    for seed in seeds(tmp_path / "seeds"):
        data = seed.read_bytes()
        for index in range(MUTANTS):
            mutant = tmp_path / f"{seed.stem}{index:03}{seed.suffix}"
            mutant.write_bytes(mutated(data, rng))
            mutants.append(mutant)
    kinds = load_all(mutants)
    assert kinds["ok"] > 50
    assert kinds["damaged"] > 100
