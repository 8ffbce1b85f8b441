"""Draw the figures of docs/CONCEPTS.md from what benchmarks/concept_runs.py trained.

    PYTHONPATH=. python benchmarks/concept_figures.py WORK docs/figures

It prints the figures that the page's sentences name.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from concept_sketches import LIGHT, heads, intervals, modes, save
from matplotlib.figure import Figure as Plot
from PIL import Image

from classifier import figures, gradcam, zoo
from classifier.data import Item
from classifier.drawing import empty, font, guide, styled
from classifier.evaluate import Scores, score
from classifier.images import Pixels, load
from classifier.metrics import expected_calibration_error, wilson
from classifier.runtime import Detector, Heat, calibrated
from forensics_app.core.overlay import overlay
from forensics_app.core.run_folder import Run, open_run
from generator.audit import Audit, audit
from generator.audit_verdict import GROUPS

SHOWN = 3
STAGE = "layer3"
"""Finer than the last stage, which has three cells a side at 96 px."""
WORSE_QUALITY = 75
PICTURES = ("heads", "gradcam")


def overfitting(run: Run) -> Plot:
    """Draw the curves of a network with too few pictures."""
    loss, accuracy = (
        {"training": run.column(f"train_{name}"), "validation": run.column(f"val_{name}")}
        for name in ("loss", "accuracy")
    )
    lowest = int(np.nanargmin(loss["validation"])) + 1
    print("overfitting:", {name: [values[0], min(values), values[-1]] for name, values in loss.items()},
          "lowest at", lowest, {name: values[-1] for name, values in accuracy.items()})  # fmt: skip
    return figures.curves(loss, accuracy, LIGHT)


def confusion(run: Run) -> Plot:
    """Draw what was taken for what."""
    measured = run.measured
    assert measured
    print("confusion:", measured.confusion, measured.accuracy, run.split)
    title = f"What was taken for what, {measured.n} pictures"
    return figures.confusion_matrix(np.array(measured.confusion), measured.classes, LIGHT, title=title)


def scores(run: Run) -> Scores:
    """Return the raw scores of the measured pictures."""
    assert run.predictions
    classes = list(run.card.classes)
    items = [Item(Path(one.path), classes.index(one.cls), one.cls) for one in run.predictions.pictures]
    *_, found = score(Detector(run.installed.folder), items)
    assert isinstance(found, Scores)
    return found


def calibration(run: Run, found: Scores) -> tuple[Plot, Plot]:
    """Draw reliability with and without the calibration."""
    plain = run.card.model_copy(update={"temperature": 1.0, "bias": (0.0, 0.0)})
    plots = []
    for name, card in {"before": plain, "after": run.card}.items():
        p = calibrated(found.logits, card)
        sure, right = p.max(axis=1), p.argmax(axis=1) == found.labels
        print("calibration", name, "ECE", round(expected_calibration_error(p, found.labels), 3), "mean p",
              round(float(sure.mean()), 3), "accuracy", round(float(right.mean()), 3))  # fmt: skip
        names = (f"p of the answer, {name} calibration", "part that is right")
        inks = {"right": LIGHT.accent, "wrong": LIGHT.unsure}
        plots.append(figures.reliability(sure, right, LIGHT, weights=np.ones(len(p)), names=names, kinds=inks))
    print("temperature", run.card.temperature, run.card.bias)
    return plots[0], plots[1]


def abstaining(run: Run, found: Scores) -> Plot:
    """Draw the part that is wrong by the part that is answered, the surest first."""
    p = calibrated(found.logits, run.card)
    wrong = (p.argmax(axis=1) != found.labels)[np.argsort(-p.max(axis=1), kind="stable")]
    counts = np.arange(20, len(wrong) + 1)
    errors = [wilson(int(wrong[:count].sum()), int(count)) for count in counts]
    plot = empty(6.4, 3.6, LIGHT)
    axes = styled(plot.add_subplot(), LIGHT, f"Errors among the answers, n = {len(wrong)}, 95 % interval")
    x = counts / len(wrong)
    axes.fill_between(x, [one.low for one in errors], [one.high for one in errors], color=LIGHT.accent, alpha=0.18,
                      linewidth=0)  # fmt: skip
    axes.plot(x, [one.value for one in errors], color=LIGHT.accent, linewidth=2)
    axes.set(xlim=(0, 1.02), ylim=(0, None))
    axes.set_xlabel("coverage: part of the pictures that is answered, the surest first", **font(LIGHT))
    axes.set_ylabel("part of the answers that is wrong", **font(LIGHT))
    for part in (0.5, 0.7, 0.8, 1.0):
        print("abstaining:", part, errors[round(part * len(wrong)) - 20])
    return plot


def maps(run: Run, work: Path) -> Plot:
    """Draw heads beside their maps from the trained network and from one of random weights."""
    import torch

    entries = {entry["path"]: entry for entry in json.loads((work / "heads/dataset.json").read_text())["files"]}
    torch.manual_seed(0)
    networks = {"trained": _network(run), "random weights": zoo.build(run.card.arch, 2)}
    draw = {name: _mapper(run, network) for name, network in networks.items()}
    shares: dict[str, list[float]] = {name: [] for name in [*draw, "the box itself"]}
    chosen = [path for path in entries if path.startswith("test/")][::3]
    for path in chosen:
        pixels, box = load(work / "heads" / path).pixels, entries[path]["box"]
        for name, mapped in draw.items():
            shares[name].append(_inside(mapped(pixels, entries[path]["class"]).values, box))
        shares["the box itself"].append(_inside(np.ones(pixels.shape[:2]), box))
    print("maps:", {name: (round(statistics.mean(found), 3), len(found)) for name, found in shares.items()})
    return _gallery([work / "heads" / path for path in chosen[:: len(chosen) // SHOWN][:SHOWN]], entries, draw, work)


def _network(run: Run) -> Any:
    from safetensors.torch import load_file

    network = zoo.build(run.card.arch, len(run.card.classes))
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    return network


def _mapper(run: Run, network: Any) -> Callable[[Pixels, str], Heat]:
    row, classes = zoo.arch(run.card.arch), run.card.classes
    return lambda pixels, kind: gradcam.grad_cam(
        network, row, run.card.preprocess, pixels, classes.index(kind), layer=STAGE
    )


def _inside(values: Any, box: list[int]) -> float:
    left, top, right, bottom = box
    return float(values[top:bottom, left:right].sum() / max(float(values.sum()), 1e-9))


def _gallery(paths: list[Path], entries: dict[str, Any], draw: dict[str, Any], work: Path) -> Plot:
    plot = empty(7.6, 2.6 * len(paths), LIGHT)
    for row, path in enumerate(paths):
        entry, pixels = entries[path.relative_to(work / "heads").as_posix()], load(path).pixels
        shown = {f"a {entry['class']}, and its box": pixels}
        shown |= {f"map, {name}": overlay(pixels, mapped(pixels, entry["class"])) for name, mapped in draw.items()}
        for column, (title, picture) in enumerate(shown.items()):
            axes = styled(plot.add_subplot(len(paths), 3, 3 * row + column + 1), LIGHT, title)
            axes.imshow(picture, interpolation="lanczos")
            left, top, right, bottom = entry["box"]
            axes.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color="white", linewidth=1)
            axes.set_axis_off()
    return plot


def audits(work: Path) -> Plot:
    """Draw how well facts of the files tell the classes apart, as drawn and with another encoder for one class."""
    found = {"one encoder for both": work / "heads", "dogs saved again at quality 75": _saved_again(work)}
    plot = empty(7.4, 3.2, LIGHT)
    axes = styled(plot.add_subplot(), LIGHT, "How well the classes can be told apart without a network")
    for place, (name, folder) in enumerate(found.items()):
        *_, end = audit(folder, limit=400)
        assert isinstance(end, Audit)
        colour = (LIGHT.real, LIGHT.fake)[place]
        for row, (group, finding) in enumerate(end.findings.items()):
            at, auc = row + 0.3 * place - 0.15, finding.auc
            axes.errorbar(auc.value, at, xerr=[[auc.value - auc.low], [auc.high - auc.value]], fmt="o", color=colour)
            print("audit:", name, end.verdict, group, auc)
        axes.plot([], [], "o", color=colour, label=name)
    axes.axvline(0.5, **guide(LIGHT))
    axes.set_yticks(range(len(GROUPS)), list(GROUPS.values()))
    axes.set(xlim=(0.3, 1.02), ylim=(len(GROUPS) - 0.5, -0.5))
    axes.set_xlabel("AUC with its 95 % interval; .50 is chance", **font(LIGHT))
    axes.legend(loc="upper center", frameon=False, fontsize=9, labelcolor=LIGHT.text)
    return plot


def _saved_again(work: Path) -> Path:
    """Write 200 pictures of each class as they are, but dogs saved once more, at a lower quality."""
    out = work / "saved-again"
    for kind in ("cat", "dog"):
        (out / kind).mkdir(parents=True, exist_ok=True)
        for path in sorted((work / "heads/train" / kind).iterdir())[:200]:
            with Image.open(path) as picture:
                quality = WORSE_QUALITY if kind == "dog" else 90
                picture.save(out / kind / path.name, quality=quality, subsampling=2)
    return out


def main(work: Path, out: Path) -> None:
    """Draw everything."""
    poor = open_run(work / "overfitting")
    found = scores(poor)
    before, after = calibration(poor, found)
    plots = {
        "heads": heads(), "modes": modes(), "intervals": intervals(),
        "overfitting": overfitting(poor), "confusion": confusion(poor),
        "calibration-before": before, "calibration-after": after, "abstaining": abstaining(poor, found),
        "gradcam": maps(open_run(work / "heads-run"), work), "audit": audits(work),
    }  # fmt: skip
    for name, plot in plots.items():
        save(plot, out / f"{name}.png", 1 if name in PICTURES else 1.5)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
