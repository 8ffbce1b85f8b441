"""Print a detector's card as Markdown: python benchmarks/model_card.py DETECTOR > resources/models/NAME/README.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from classifier.detector import CARD, FAST, Card, find, open_folder
from forensics_app.cli.figures import SPLITS
from forensics_app.core.words import FIGURES, figure


def main() -> None:
    """Print the card of the detector named on the command line."""
    installed = open_folder(find(sys.argv[1]))
    twin = open_folder(installed.folder / FAST).card if (installed.folder / FAST / CARD).is_file() else None
    print("\n".join(_lines(installed.card, twin)))


def _lines(card: Card, twin: Card | None) -> Iterator[str]:
    training = card.training
    yield f"# Model card: {card.name}\n\n{card.description}.\n"
    yield f"- Architecture: `{card.arch}`; classes: {', '.join(card.classes)}; input: {_input(card)}"
    recipe, minutes, band = training["recipe"], training["seconds"] / 60, card.band
    if band:
        bias = ", ".join(f"{one:+.3f}" for one in card.bias) or "none"
        yield f"- Calibration: temperature {card.temperature:.3f}, bias {bias}."
        yield f"  Says unsure between p = {band.low:.3f} and {band.high:.3f},"
        yield f"  chosen on {band.n} calibration pictures for at most {100 * recipe['max_fpr']:.0f} % of real pictures"
        yield f"  called generated and {100 * recipe['max_fnr']:.0f} % of generated ones called real."
    yield f"- Trained by `forensics train`: {training['epochs']} epochs, {minutes:.0f} minutes on {training['device']},"
    yield f"  recipe `{recipe['name']}`, seed {recipe['seed']}; the whole recipe is in `detector.json`."
    if twin:
        yield from _twin(twin.training["quantization"])
    yield "\n## Limits\n"
    yield from (f"- {limit}" for limit in card.limits)
    yield "\n## Data\n\n| class and source | " + " | ".join(training["pictures"]) + " |"
    yield "|---|" + "---:|" * len(training["pictures"])
    for name in sorted({name for split in training["pictures"].values() for name in split}):
        yield f"| {name} | " + " | ".join(str(split.get(name, 0)) for split in training["pictures"].values()) + " |"
    yield "\n## Figures\n\n95 % intervals: Wilson for proportions, MOVER for balanced accuracy, bootstrap for AUC."
    yield "Calibration error and p give both classes equal weight."
    yield from _unseen(card.metrics, training["recipe"]["data"]["holdout"])
    for name, found in card.metrics.items():
        yield from _figures(SPLITS.get(name, name), found)
    yield from _sources(card.metrics)


def _twin(facts: dict[str, Any]) -> Iterator[str]:
    flipped, speed = facts["flipped"], facts["speed_ratio"]
    yield f"- Fast twin (`--fast`), in 8-bit integers: {speed['value']:.1f} times as fast in one thread"
    yield f"  ({speed['low']:.1f}–{speed['high']:.1f}, {speed['n']} rounds);"
    yield f"  on {flipped['n']} test pictures p moved by at most"
    yield f"  {facts['shift']:.3f}, by at most {facts['shift_95']:.3f} on 95 % of them, and {flipped['value']:.1%}"
    yield f"  ({flipped['low']:.1%}–{flipped['high']:.1%}) of the verdicts changed."


def _unseen(metrics: dict[str, Any], held: list[str]) -> Iterator[str]:
    """Say how much of the figures is due to sources that were never trained on."""
    if not held or "test_seen" not in metrics:
        return
    whole, seen = metrics["test"], metrics["test_seen"]
    fakes, known = whole["per_class"]["fake"]["support"], seen["per_class"]["fake"]["support"]
    yield f"\nOf the {fakes} generated test pictures {fakes - known} are by generators left out of training on purpose"
    yield f"({', '.join(held)}): over all of them balanced accuracy is {figure(whole['balanced_accuracy'])},"
    yield f"without those two {figure(seen['balanced_accuracy'])}. That gap is what to expect of a new generator:"
    for name in held:
        row = whole["sources"][name]
        called = f"{row['called_fake']} generated, {row['called_real']} not"
        yield f"of {row['accuracy']['n']} pictures of {name} it called {called},"
    yield "and gave no answer for the rest."


def _input(card: Card) -> str:
    spec = card.preprocess
    if spec.kind == "tiles":
        return f"up to {spec.tiles} × {spec.tiles} tiles of {spec.size} px in native resolution, logits averaged"
    return f"shorter side resized to {spec.resize} px ({spec.kernel}), centre {spec.size} px"


def _figures(title: str, found: dict[str, Any]) -> Iterator[str]:
    yield f"\n### {title} (n = {found['n']})\n\n| figure | value (95 % interval) | n |\n|---|---:|---:|"
    for key, words in FIGURES.items():
        value = found.get(key)
        if isinstance(value, dict):
            yield f"| {words} | {figure(value)} | {value['n']} |"
        elif value is not None:
            yield f"| {words} | {value:.3f} | {found['n']} |"
    yield "\n| class | precision | recall | F1 | n |" + "".join(f" taken for {c} |" for c in found["classes"])
    yield "|---|---:|---:|---:|---:|" + "---:|" * len(found["classes"])
    for name, row in zip(found["classes"], found["confusion"], strict=True):
        one = found["per_class"][name]
        cells = [
            f"{one['precision']:.3f}",
            figure(one["recall"]) or "",
            f"{one['f1']:.3f}",
            str(one["support"]),
            *map(str, row),
        ]
        yield f"| {name} | " + " | ".join(cells) + " |"


def _sources(metrics: dict[str, Any]) -> Iterator[str]:
    shown = [name for name in ("test", "test_jpeg75") if metrics.get(name, {}).get("sources")]
    if not shown:
        return
    yield "\n### Each source on its own\n"
    yield "Accuracy of the more probable class, and how often the verdict was fake, unsure, real."
    head = "".join(f" {SPLITS[name]} | fake / unsure / real |" for name in shown)
    yield f"\n| source | n |{head}\n|---|---:|" + "---:|---:|" * len(shown)
    for source in metrics[shown[0]]["sources"]:
        rows = [metrics[name]["sources"][source] for name in shown]
        cells = [
            f"{figure(row['accuracy'])} | {row['called_fake']} / {row['called_unsure']} / {row['called_real']}"
            for row in rows
        ]
        yield f"| {source} | {rows[0]['accuracy']['n']} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
