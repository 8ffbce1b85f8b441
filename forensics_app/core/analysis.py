"""One picture, from its bytes to a verdict, the evidence and a heat map."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from classifier.images import ImageFile, Pixels, load
from classifier.runtime import Detector, Heat
from forensics_app.core.requirement import CannotJudge, error_json, require_judge
from forensics_app.core.verdict import Verdict, decide, policy_of
from forensics_app.evidence import Evidence, Probe, collect

__all__ = ["Analysis", "CannotJudge", "analyze", "autograd_maps", "error_json", "require_judge", "to_json"]


@dataclass(frozen=True, eq=False)
class Analysis:
    """What is known of one picture; `heat` is None unless it was asked for, `ms` is the time from bytes to verdict."""

    file: ImageFile
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    detector_name: str
    detector_id: str
    heat: Heat | None
    ms: float


def analyze(
    source: Path | bytes,
    detector: Detector,
    *,
    probes: Sequence[Probe] | None = None,
    heatmap: bool = True,
    autograd: bool = True,
    scaled: bool = False,
) -> Analysis:
    """Judge one picture. `probes` None means all; `autograd` allows torch for a map that has no closed form.

    `scaled` allows a large JPEG to be decoded smaller, for a detector that resizes.

    Raises `classifier.images.BadImage` for a file that cannot be judged and `CannotJudge` for a detector of other
    things.
    """
    require_judge(detector.card)
    begun = time.perf_counter()
    spec = detector.card.preprocess
    file = load(source, scaled_px=max(spec.resize, spec.size) if scaled and spec.kind == "resize" else None)
    judged = detector.judge(file.pixels, heat_class="fake" if heatmap else None)
    heat = judged.heat
    if heatmap and heat is None and autograd and (maps := autograd_maps(detector)):
        heat = maps(file.pixels, "fake")
    evidence = collect(file, probes)
    p_fake = float(judged.probabilities[detector.card.classes.index("fake")])
    verdict = decide(p_fake, evidence, policy_of(detector.card), side_px=min(file.width, file.height))
    return Analysis(file, verdict, evidence, detector.name, detector.id, heat, (time.perf_counter() - begun) * 1000)


def autograd_maps(detector: Detector) -> Callable[[Pixels, str], Heat] | None:
    """Return what draws a picture's map of a class with autograd, or None where that cannot be done.

    It takes the extra `train` and one network in torch, which ensembles and 8-bit integers do not have.
    """
    if detector.members or detector.card.precision == "int8":
        return None
    try:
        from classifier import export, gradcam, zoo
        from classifier.detector import open_folder
    except ImportError:
        return None
    network, card = export.load_network(open_folder(detector.folder)), detector.card
    row = zoo.arch(card.arch)
    return lambda pixels, name: gradcam.grad_cam(network, row, card.preprocess, pixels, card.classes.index(name))


def to_json(path: str, analysis: Analysis, heatmap: str | None) -> dict[str, Any]:
    """Return the public JSON form of an analysis; `heatmap` is where its map was written."""
    file = analysis.file
    return {
        "path": path,
        "sha256": file.sha256,
        "format": file.format,
        "width": file.width,
        "height": file.height,
        "verdict": asdict(analysis.verdict),
        "evidence": [asdict(one) for one in analysis.evidence],
        "detector": {"name": analysis.detector_name, "id": analysis.detector_id},
        "heatmap": heatmap,
        "ms": round(analysis.ms, 1),
    }
