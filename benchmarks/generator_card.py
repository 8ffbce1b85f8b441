"""Measure a generator and write its model card: figures into model.json, words into README.md, samples into a grid.

    python benchmarks/cat_faces.py crop ../shared/data/cats --out work/heads
    python benchmarks/features.py work/features
    python benchmarks/generator_card.py runs/cats/model --publish resources/models/ddpm-cats-64 \\
        --data work/heads --features work/features/run/detector --work work/card \\
        --grid docs/screenshots/ddpm-cats-64.png

Samples are drawn as `forensics generate` draws them, one seed each, none left out, and kept in --work, as are sheets of
the samples that lie nearest to training pictures, beside those: look at them. Nothing in --work may be published, it
shows training pictures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from generator_words import readme
from numpy.typing import NDArray
from PIL import Image

from classifier import checkpoint
from classifier.atomic import replacing, write_json
from classifier.data import difference_hash, near_duplicate_groups
from classifier.detector import sha256_of
from classifier.images import load
from classifier.metrics import Figure
from classifier.runtime import Detector
from generator.export import CARD, README, publish, read_card
from generator.sampler import Sample, SampleSpec, sample
from generator.similarity import Nearest, copying, embed, kid, nearest, small, unit, variants
from generator.squares import squares, with_margin
from generator.training import LAST, grid_of
from generator.weights import open_model

Pictures = NDArray[np.uint8]
"""Square pictures of one size, (N, S, S, 3) bytes."""
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
GRID, SHOWN, SMALL_WITH_MARGIN_PX, MIDDLING_PX, BATCH = 64, 8, 18, 16, 16


@dataclass(frozen=True)
class Compared:
    """The pictures that are compared, all at the model's size; `wide` are the real ones with their margin."""

    wide: Pictures
    real: Pictures
    samples: Pictures
    copies: Pictures


def draw(model: Path, seeds: Sequence[int], steps: int, kept: Path) -> Pictures:
    """Return a sample for each seed, DDIM with `steps`; those that lie in `kept` are not drawn again."""
    kept.mkdir(parents=True, exist_ok=True)
    missing = [seed for seed in seeds if not (kept / f"{seed:08}.png").exists()]
    opened = open_model(str(model.resolve()), dtype="fp32")
    for event in sample(opened, SampleSpec(steps=steps, batch_size=BATCH), missing):
        if isinstance(event, Sample):
            with replacing(kept / f"{event.seed:08}.png") as file:
                Image.fromarray(event.pixels).save(file, format="PNG")
            print(f"\r{missing.index(event.seed) + 1} of {len(missing)} samples", end="", file=sys.stderr, flush=True)
    return np.stack([load(kept / f"{seed:08}.png").pixels for seed in seeds])


def centred(wide: Pictures, size: int) -> Pictures:
    """Return the middle of pictures with a margin: they are as large in the frame as the generator saw them."""
    start = (wide.shape[1] - size) // 2
    return wide[:, start : start + size, start : start + size]


def altered(wide: Pictures, size: int, count: int) -> Pictures:
    """Return copies such as a generator might make: training pictures moved, half of them mirrored, lighter, noisy."""
    rng = np.random.default_rng(0)
    copies, room = [], wide.shape[1] - size + 1
    for index in rng.choice(len(wide), count):
        top, left = rng.integers(room, size=2)
        copy = wide[index, top : top + size, left : left + size].astype(np.float64)
        copy = (copy[:, ::-1] if rng.random() < 0.5 else copy) + rng.normal(0, 8) + rng.normal(0, 8, copy.shape)
        copies.append(np.clip(copy, 0, 255).astype(np.uint8))
    return np.stack(copies)


def distances(detector: Detector, shown: Compared) -> dict[str, Figure]:
    """Return the kernel distances to the real pictures: the samples', and those that say what much and little is."""
    size, rng = shown.real.shape[1], np.random.default_rng(0)
    real = embed(detector, list(shown.real))
    order = rng.permutation(len(real))
    noise = rng.integers(0, 256, shown.samples.shape, dtype=np.uint8)
    tiny = [Image.fromarray(one).resize((MIDDLING_PX, MIDDLING_PX), Image.Resampling.BOX) for one in shown.real]
    blurred = [np.asarray(one.resize((size, size), Image.Resampling.BICUBIC), np.uint8) for one in tiny]
    half = len(real) // 2
    return {
        "samples": kid(embed(detector, list(shown.samples)), real),
        "real": kid(real[order[:half]], real[order[half:]]),
        "blurred": kid(embed(detector, blurred)[order[:half]], real[order[half:]]),
        "noise": kid(embed(detector, list(noise)), real),
    }


def nearness(detector: Detector, shown: Compared, sheets: Path) -> dict[str, dict[str, Any]]:
    """Return, by pixels and by features, whether samples copy training pictures, and whether planted copies would."""
    groups = np.array(near_duplicate_groups(np.array([difference_hash(one) for one in shown.real], np.uint64)))
    apart = groups[:, None] == groups[None, :]
    answers: dict[str, dict[str, Any]] = {}
    for name, look in {"pixels": _by_pixels, "features": _by_features}.items():
        references, queries = look(detector, shown)
        found = {kind: nearest(vectors, references) for kind, vectors in queries.items() if kind != "real"}
        held_out = nearest(queries["real"], references, apart=apart)
        _sheet(shown, found["samples"], sheets / f"nearest-by-{name}.png")
        answers[name] = {kind: asdict(copying(one, held_out)) for kind, one in found.items()}
    return answers


def _by_pixels(_detector: Detector, shown: Compared) -> tuple[Any, dict[str, Any]]:
    queries = {"real": shown.real, "samples": shown.samples, "copies": shown.copies}
    flat = {name: small(pictures).reshape(len(pictures), -1) for name, pictures in queries.items()}
    return variants(small(shown.wide, SMALL_WITH_MARGIN_PX)), flat


def _by_features(detector: Detector, shown: Compared) -> tuple[Any, dict[str, Any]]:
    queries = {"real": shown.real, "samples": shown.samples, "copies": shown.copies}
    vectors = {name: unit(embed(detector, list(pictures))) for name, pictures in queries.items()}
    mirrored = unit(embed(detector, [np.ascontiguousarray(one[:, ::-1]) for one in shown.real]))
    return np.stack([vectors["real"], mirrored], axis=1), vectors


def _sheet(shown: Compared, found: Nearest, path: Path) -> None:
    """Save the samples that lie unusually near to one training picture above that picture."""
    closest = np.argsort(found.ratio)[:SHOWN]
    rows = [shown.samples[closest], shown.real[found.index[closest]]]
    Image.fromarray(np.concatenate([np.concatenate(list(row), axis=1) for row in rows])).save(path)


def training_facts(model: Path) -> dict[str, Any]:
    """Return what is known of the training of a model folder: its card's word, or the checkpoint's beside it."""
    if (model / CARD).is_file():
        facts: dict[str, Any] = read_card(model)["training"]
        return facts
    last = model.parent / LAST
    return checkpoint.facts(last) if last.is_file() else {}


def measured(model: Path, detector: Detector, asked: argparse.Namespace) -> dict[str, Any]:
    """Draw, save the grid, measure; return the figures."""
    size, digest = int(read_card(model)["size"]), sha256_of(model / WEIGHTS)
    samples = draw(model, range(asked.samples), asked.steps, asked.work / f"samples-{digest[:12]}-{asked.steps}")
    asked.grid.parent.mkdir(parents=True, exist_ok=True)
    with replacing(asked.grid) as file:
        grid_of(samples[:GRID]).save(file, format="PNG", optimize=True)
    wide = squares(asked.data, with_margin(size))
    shown = Compared(wide, centred(wide, size), samples, altered(wide, size, len(samples)))
    return {
        "samples": len(samples),
        "real": len(wide),
        "steps": asked.steps,
        "features": detector.id,
        "distance": {name: asdict(one) for name, one in distances(detector, shown).items()},
        "nearness": nearness(detector, shown, asked.work),
    }


def main() -> int:
    """Publish if asked to, measure, write the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a model folder: of a training run, or published before")
    parser.add_argument("--publish", type=Path, metavar="DIR", help="write it there in half precision first")
    parser.add_argument("--data", type=Path, required=True, help="the folder of training pictures")
    parser.add_argument("--features", required=True, help="the detector that describes pictures (features.py)")
    parser.add_argument("--work", type=Path, required=True, help="where samples and sheets are kept")
    parser.add_argument("--grid", type=Path, required=True, metavar="PNG", help="where 64 samples go")
    parser.add_argument("--samples", type=int, default=512, help="seeds 0 to N-1 (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=50, help="DDIM steps (default: %(default)s)")
    asked = parser.parse_args()
    if asked.samples < GRID:
        parser.error(f"--samples must be at least {GRID}")
    model = publish(asked.model, asked.publish, training_facts(asked.model)) if asked.publish else asked.model
    card = {**read_card(model), "metrics": measured(model, Detector.load(asked.features), asked)}
    write_json(model / CARD, card)
    text = readme(card, (model / WEIGHTS).stat().st_size)
    with replacing(model / README) as file:
        file.write(text.encode())
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
