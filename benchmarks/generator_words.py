"""The words of a generator's model card, made from the facts and figures in its model.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DATA = """Squares of cats' heads, cut out of photographs of the public collections "Dogs vs. Cats" and "PetFinder", as
copies of them lie in public repositories, many of those without a stated licence. The squares are listed in
`benchmarks/cat_boxes.json` (found with OpenCV's cascades for cat faces; those with the lowest scores were sorted by
eye). None of the pictures is part of this product; the weights are what was learned from them."""
LIMITS = (
    "It draws cats' heads of {size} px, seen from the front, and nothing else. Larger pictures are enlargements.",
    "Some samples are malformed: ears missing, eyes that do not match, heads that melt into the ground.",
    "It learned from {pictures} pictures only, which is little: many samples resemble one another.",
    "It is made to have fakes of known origin, for teaching and tests. A detector trained on it knows it, not others.",
)
DISTANCES = {
    "real": "half of the real pictures against the other half (what no generator can beat)",
    "samples": "**samples against the real pictures**",
    "blurred": "half of the real pictures, shrunk to 16 px and enlarged, against the other half",
    "noise": "noise against the real pictures (the worst)",
}
COPIES = "planted copies: training pictures moved, mirrored, lighter or darker, with noise"
KINDS = {"samples": "samples", "copies": COPIES}


DISTANCE = """
### How like real pictures

Kernel distance × 1000 (KID: 0 for two sets of one kind) on the features of a ResNet-18 that was trained from scratch
on cats, dogs, flowers, insects and vehicles, none of these cats among them (`benchmarks/features.py`). Published KIDs
use another network: they cannot be compared with these.
"""
NEARNESS = """
### Whether it copies training pictures

For each sample the distance to the nearest training picture is divided by the mean distance to the nearest 50. The same
is done for each training picture with itself and its near-duplicates left out, as if it were new. *Nearer than a new
picture* is the chance that a sample's ratio is the smaller one: 50 % if it copies nothing, 100 % if it copies.
*Suspicious* are those below the ratio of the nearest 1 % of real pictures. Planted copies show that the check finds
what it looks for.
"""


def readme(card: dict[str, Any], size_bytes: int) -> str:
    """Return the model card as Markdown."""
    return "\n".join((*_head(card, size_bytes), *_training(card), *_figures(card["metrics"]), *_limits(card))) + "\n"


def _head(card: dict[str, Any], size_bytes: int) -> Iterator[str]:
    yield f"# Model card: {card['name']}\n"
    yield f"A small diffusion model (DDPM) that draws cats' heads of {card['size']} × {card['size']} px, without a"
    yield f"prompt: {card['parameters']:,} parameters, {size_bytes / 1e6:.1f} MB in half precision (safetensors)."
    yield "A diffusers folder: `DDPMPipeline.from_pretrained(folder)` opens it, and `forensics generate` uses it.\n"
    yield "The sha256 of every file is in `model.json`.\n"


def _training(card: dict[str, Any]) -> Iterator[str]:
    facts = card["training"]
    spec = facts["spec"]
    steps, size = facts["step"], spec["batch_size"]
    yield f"## Data\n\n{DATA}\n\n## Training\n"
    yield f"- `forensics train-generator`: {steps:,} steps of {size} pictures ({steps * size:,} in all), each cut a"
    yield "  little smaller at a random place, half of them mirrored."
    yield f"- UNet of {len(spec['channels'])} levels, {', '.join(map(str, spec['channels']))} channels wide,"
    yield f"  {spec['layers']} layers a level, attention at the lowest; {spec['schedule']} noise schedule of 1000"
    yield f"  levels; it predicts {'the velocity' if spec['prediction'] == 'v' else 'the noise'}, errors"
    yield "  weighted by Min-SNR 5."
    yield f"- AdamW, learning rate {spec['lr']:g}, weights averaged with {spec['ema']:g},"
    yield f"  {spec['precision']}, seed {spec['seed']}.\n"


def _figures(found: dict[str, Any]) -> Iterator[str]:
    last, steps = found["samples"] - 1, found["steps"]
    yield "## Figures\n"
    yield f"{found['samples']} samples (seeds 0 to {last}, DDIM with {steps} steps, none left out)"
    yield f"against the {found['real']} training pictures, with 95 % intervals."
    yield "`benchmarks/generator_card.py` measures them."
    yield from _distance(found)
    yield from _nearness(found["nearness"])


def _distance(found: dict[str, Any]) -> Iterator[str]:
    yield DISTANCE
    yield "| compared | distance × 1000 | pictures in both |\n|---|---:|---:|"
    for name, words in DISTANCES.items():
        one = found["distance"][name]
        value, low, high = (1000 * one[key] for key in ("value", "low", "high"))
        yield f"| {words} | {value:.2f} ({low:.2f} to {high:.2f}) | {one['n']} |"


def _nearness(found: dict[str, Any]) -> Iterator[str]:
    yield NEARNESS
    yield "| compared by | pictures | nearer than a new picture | suspicious | n |\n|---|---|---:|---:|---:|"
    for name, rows in found.items():
        by = "16 px pixels, mirrored and moved" if name == "pixels" else "features, mirrored"
        for kind, words in KINDS.items():
            closer, suspicious = _percent(rows[kind]["closer"]), _percent(rows[kind]["suspicious"])
            yield f"| {by} | {words} | {closer} | {suspicious} | {rows[kind]['suspicious']['n']} |"
    yield ""


def _limits(card: dict[str, Any]) -> Iterator[str]:
    yield "## Limits\n"
    for limit in LIMITS:
        yield "- " + limit.format(size=card["size"], pictures=card["metrics"]["real"])


def _percent(one: dict[str, Any]) -> str:
    return f"{100 * one['value']:.1f} % ({100 * one['low']:.1f} to {100 * one['high']:.1f})"
