from __future__ import annotations

from pathlib import Path

import numpy as np

from classifier.data import Item
from classifier.evaluate import Scores
from classifier.evaluation_record import PREDICTIONS, write_predictions
from classifier.metrics import auc
from classifier.runtime import Detector
from forensics_app.core.run_folder import Predictions


def test_what_is_kept_tells_pictures_apart_that_differ_far_behind_the_point(
    tmp_path: Path, detector_folder: Path
) -> None:
    labels = np.array([0, 1] * 20)
    away = (1 - 2 * labels) * np.linspace(1, 2, 40)
    for scale, ground in ((1e-9, 0.0), (1e-3, 40.0)):
        scores = Scores(np.column_stack([ground + away * scale, np.zeros(40)]), labels)
        items = [Item(tmp_path / f"{number}.png", int(label), "a") for number, label in enumerate(labels)]
        detector = Detector(detector_folder)
        write_predictions(tmp_path / PREDICTIONS, "test", detector, scores, items)
        kept = Predictions.model_validate_json((tmp_path / PREDICTIONS).read_text())
        assert auc(kept.p[:, 0], labels == 0) == 1.0
