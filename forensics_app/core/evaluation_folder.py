"""Whatever figures there are of a detector, as a `Run`: a training run, a measurement on other pictures, or its card.

Read without torch: a network that only torchvision knows is refused with a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from classifier.detector import CARD, BadDetector, Installed, find, open_folder
from classifier.evaluation_record import EVALUATION
from classifier.files import BadImage, read
from classifier.metrics import Metrics
from classifier.recipes import Recipe
from classifier.zoo import ARCHS
from forensics_app.core.run_folder import MAX_BYTES, PREDICTIONS, RECIPE, BadRun, Predictions, Run, figures_of, open_run


def open_figures(folder: Path) -> Run:
    """Read a run's folder, one that `forensics evaluate --out` left, or a detector's; raises `BadRun`."""
    if (folder / EVALUATION).is_file():
        return _evaluation(folder)
    run = folder.parent if (folder / CARD).is_file() and (folder.parent / RECIPE).is_file() else folder
    if (run / RECIPE).is_file():
        _check_network(run)
        return open_run(run)
    try:
        return _of_card(open_folder(find(folder)))
    except BadDetector as error:
        if (folder / CARD).is_file():
            raise BadRun(str(error)) from None
        raise BadRun(
            f"{folder} holds neither a run nor a detector: open the folder of a training run, or one with {CARD} in it."
        ) from None


def _check_network(folder: Path) -> None:
    """Raise `BadRun` for a network without a row of its own: reading its recipe would load torch."""
    arch = _json(folder / RECIPE).get("arch", "resnet18")
    if arch not in ARCHS:
        raise BadRun(
            f"The network '{arch}' of {folder} can only be read with torch: its report is written by "
            f"'forensics runs report {folder}'."
        )


def _evaluation(folder: Path) -> Run:
    found = _json(folder / EVALUATION)
    try:
        installed = open_folder(Path(str(found.get("detector"))))
        split, metrics = str(found["split"]), TypeAdapter(Metrics).validate_python(figures_of(found["metrics"]))
        predictions = Predictions.model_validate(_json(folder / PREDICTIONS))
    except BadDetector as error:
        raise BadRun(f"The detector that was measured in {folder} is no longer there: {error}") from None
    except (KeyError, ValidationError):
        raise BadRun(f"The measurement in {folder} is damaged; measure again.") from None
    if installed.id != found.get("id"):
        raise BadRun(f"The detector {installed.folder} has changed since it was measured in {folder}; measure again.")
    if predictions.classes != installed.card.classes or set(metrics.classes) != set(installed.card.classes):
        raise BadRun(f"The measurement in {folder} is damaged; measure again.")
    return Run(folder, _recipe(installed), installed, (), {split: metrics}, split, predictions)


def _of_card(installed: Installed) -> Run:
    """Return the figures on a detector's card alone."""
    try:
        metrics = {
            name: TypeAdapter(Metrics).validate_python(figures_of(found))
            for name, found in installed.card.metrics.items()
        }
    except ValidationError:
        raise BadRun(f"The figures on the card of the detector in {installed.folder} are damaged.") from None
    split = next((name for name in ("test", "val") if name in metrics), None)
    return Run(installed.folder, _recipe(installed), installed, (), metrics, split, None)


def _recipe(installed: Installed) -> Recipe:
    """Return a detector's recipe as its card has it, not checked: nothing is made from it."""
    made = installed.card.training.get("recipe")
    if isinstance(made, dict) and made.get("arch") in ARCHS:
        try:
            return Recipe.model_validate(made)
        except ValidationError:
            pass
    return Recipe.model_construct(name=installed.card.name, arch=installed.card.arch, phases=())


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(read(path, max_bytes=MAX_BYTES))
    except (BadImage, ValueError, RecursionError):
        raise BadRun(f"{path} cannot be read: restore it, or measure again.") from None
    if not isinstance(found, dict):
        raise BadRun(f"{path} is damaged: restore it, or measure again.")
    return found
