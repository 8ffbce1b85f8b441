"""The kernel distance is the textbook's, its interval holds what it says, and planted copies are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifier.metrics import wilson
from classifier.runtime import Detector
from generator.similarity import Copying, copying, embed, kid, nearest, small, unit, variants
from tests.conftest import picture


def plain_kid(a: np.ndarray, b: np.ndarray) -> float:
    """The formula of the paper, written out with scikit-learn's kernel."""
    from sklearn.metrics.pairwise import polynomial_kernel

    aa, bb, ab = (polynomial_kernel(x, y, degree=3, coef0=1) for x, y in ((a, a), (b, b), (a, b)))
    n, m = len(a), len(b)
    return float((aa.sum() - np.trace(aa)) / (n * (n - 1)) + (bb.sum() - np.trace(bb)) / (m * (m - 1)) - 2 * ab.mean())


def test_kid_is_the_papers() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(40, 6)), rng.normal(0.5, 1.2, size=(31, 6))
    found = kid(a, b)
    assert found.value == pytest.approx(plain_kid(a, b))
    assert found.low < found.value < found.high
    assert found.n == 71
    assert kid(a, b) == found


def test_interval_holds_nothing_for_one_kind_and_the_truth_for_two() -> None:
    """Over many pairs of sets: about 0 for one kind, and the distance of two kinds is inside nearly always."""
    rng = np.random.default_rng(1)
    alike = [kid(rng.normal(size=(60, 8)), rng.normal(size=(90, 8)), rounds=60) for _ in range(100)]
    assert abs(np.mean([one.value for one in alike])) < 0.02
    assert sum(one.low <= 0 <= one.high for one in alike) >= 93
    truth = plain_kid(rng.normal(size=(3000, 8)), rng.normal(0.6, 1, size=(3000, 8)))
    apart = [kid(rng.normal(size=(60, 8)), rng.normal(0.6, 1, size=(90, 8)), rounds=60) for _ in range(100)]
    assert sum(one.low <= truth <= one.high for one in apart) >= 90
    assert all(one.low > 0 for one in apart)


def test_too_few_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        kid(np.zeros((3, 2)), np.zeros((9, 2)))
    with pytest.raises(ValueError, match="at least 2"):
        nearest(np.zeros((3, 2)), np.ones((1, 1, 2)))


def test_nearest_is_what_a_search_by_hand_finds() -> None:
    rng = np.random.default_rng(2)
    queries, references = rng.normal(size=(9, 5)), rng.normal(size=(70, 3, 5))
    apart = rng.random((9, 70)) < 0.1
    found = nearest(queries, references, apart=apart)
    for row, query in enumerate(queries):
        distances = np.linalg.norm(references - query, axis=2).min(axis=1)
        distances[apart[row]] = np.inf
        assert found.index[row] == distances.argmin()
        assert found.distance[row] == pytest.approx(distances.min())
        assert found.ratio[row] == pytest.approx(distances.min() / np.sort(distances)[:50].mean(), rel=0.05)


def checked(samples: np.ndarray, training: np.ndarray) -> Copying:
    """Check samples (N, 16, 16, 3) against training pictures (M, 18, 18, 3), each of which is left out in turn."""
    references, own = variants(training), np.eye(len(training), dtype=bool)
    held_out = nearest(training[:, 1:-1, 1:-1].reshape(len(training), -1), references, apart=own)
    return copying(nearest(samples.reshape(len(samples), -1), references), held_out)


def test_copies_are_found_and_new_pictures_are_not() -> None:
    pictures = np.stack([picture(72, 72, seed=seed) for seed in range(160)])
    training, new = small(pictures[:120], 18), small(pictures[120:, 4:68, 4:68])
    moved = small(pictures[:40, 8:, :64][:, :, ::-1])  # cut from a corner and mirrored
    noisy = np.clip(moved + np.random.default_rng(0).normal(8, 6, moved.shape), 0, 255)
    found = checked(noisy, training)
    assert found.closer.low > 0.99
    assert found.suspicious == wilson(40, 40)
    fair = checked(new, training)
    assert fair.closer.low < 0.5 < fair.closer.high
    assert fair.suspicious.value <= 0.1


def test_blurred_pictures_are_no_copies() -> None:
    """They lie nearer to every training picture than a real one does, but not to one of them above all."""
    pictures = np.stack([picture(72, 72, seed=seed) for seed in range(160)])
    training, new = small(pictures[:120], 18), small(pictures[120:, 4:68, 4:68])
    blurred = (new - new.mean(axis=(1, 2), keepdims=True)) * 0.5 + new.mean(axis=(1, 2), keepdims=True)
    references = variants(training)
    assert (
        nearest(blurred.reshape(40, -1), references).distance.mean()
        < nearest(new.reshape(40, -1), references).distance.mean()
    )
    assert checked(blurred, training).suspicious.value <= 0.1


def test_embedding_is_the_pooled_feature_map(detector_folder: Path) -> None:
    detector = Detector(detector_folder, threads=1)
    pictures = [picture(70, 66, seed=1), picture(140, 130, seed=2), picture(64, 64, seed=3)]
    found = embed(detector, pictures, batch=2)
    assert found.shape == (3, 512)
    for vector, pixels in zip(found, pictures, strict=True):
        np.testing.assert_allclose(vector, embed(detector, [pixels])[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(unit(found), axis=1), 1)
    assert np.linalg.norm(found[0] - found[1]) > 0
