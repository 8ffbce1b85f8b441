"""Variation is a function of picture and seed, keeps sizes, and treats the classes alike."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.augment import varied
from classifier.fingerprint import upsampled
from classifier.preprocess_spec import Preprocess
from classifier.recipes import Augment
from classifier.recompress import jpeg

PREP = Preprocess(kind="tiles", size=64)


def picture(height: int = 120, width: int = 90, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("crop", ["native", "resized", "center"])
@pytest.mark.parametrize("shape", [(120, 90), (33, 300), (64, 64), (40, 40)])
def test_every_crop_has_the_networks_size_and_depends_on_the_seed_alone(crop: str, shape: tuple[int, int]) -> None:
    plain = {"crop": crop, "rescale": 0.5, "upsample": 0.5, "jitter": 0.1, "rotation_deg": 10 * (crop != "native")}
    spec = Augment.model_validate({**plain, "jpeg": {"probability": 0.5, "history": 0.5}})
    for seed in range(20):
        first, again = (
            varied(picture(*shape), 1, spec, PREP, np.random.default_rng(seed), lossless=True, fake=0) for _ in range(2)
        )
        assert first[0].shape == (64, 64, 3)
        assert first[0].dtype == np.uint8
        assert np.array_equal(first[0], again[0])
        assert first[1] == again[1]


def test_the_center_crop_is_what_judging_sees() -> None:
    pixels = picture()
    crop, _ = varied(pixels, 1, Augment(crop="center", flip=0), PREP, np.random.default_rng(0), lossless=False, fake=0)
    assert np.array_equal(crop, pixels[28:92, 13:77])


def test_the_center_crop_is_flipped_turned_and_coloured_when_asked() -> None:
    pixels, plain = picture(), {"crop": "center", "flip": 0}

    def crop(**changes: float) -> np.ndarray:
        spec = Augment.model_validate({**plain, **changes})
        return varied(pixels, 1, spec, PREP, np.random.default_rng(3), lossless=False, fake=0)[0]

    assert np.array_equal(crop(flip=1), crop()[:, ::-1])
    turned = crop(rotation_deg=20)
    assert (turned[0, 0] == 0).all() and not (crop()[0, 0] == 0).all()  # a corner is empty, the middle is the same
    assert np.abs(turned[32, 32].astype(int) - crop()[32, 32]).max() < 60
    assert np.abs(crop(jitter=0.3).astype(int) - crop()).mean() > 3
    assert Augment.model_validate(plain).constant
    assert not any(
        Augment.model_validate({**plain, **change}).constant
        for change in ({"flip": 0.1}, {"rotation_deg": 1}, {"jitter": 0.1}, {"crop": "resized"}, {"cutmix": 1})
    )


def test_up_sampling_makes_fakes_of_real_pictures_only_and_as_often_as_asked() -> None:
    spec = Augment(crop="native", upsample=0.4)
    rng = np.random.default_rng(0)
    labels = [varied(picture(), 1, spec, PREP, rng, lossless=False, fake=0)[1] for _ in range(500)]
    assert 0.33 < labels.count(0) / 500 < 0.47
    assert {varied(picture(), 0, spec, PREP, rng, lossless=False, fake=0)[1] for _ in range(50)} == {0}
    assert {varied(picture(), 1, spec, PREP, rng, lossless=False, fake=None)[1] for _ in range(50)} == {1}


def test_an_up_sampled_picture_shows_the_picture_but_not_its_noise() -> None:
    smooth = np.broadcast_to(np.linspace(30, 220, 64)[:, None, None], (64, 64, 3))
    noisy = np.clip(smooth + np.random.default_rng(1).normal(0, 25, smooth.shape), 0, 255).astype(np.uint8)
    for seed in range(40):
        fake = upsampled(noisy, np.random.default_rng(seed))
        assert fake.shape == noisy.shape
        assert np.corrcoef(fake.mean((1, 2)), smooth.mean((1, 2)))[0, 1] > 0.95


def test_jpeg_gets_coarser_with_lower_quality() -> None:
    smooth = np.broadcast_to(np.linspace(0, 255, 64)[:, None, None], (64, 64, 3)).astype(np.uint8)
    smooth = np.clip(smooth + np.random.default_rng(1).normal(0, 8, smooth.shape), 0, 255).astype(np.uint8)
    errors = [np.abs(jpeg(smooth, q).astype(int) - smooth).mean() for q in (95, 75, 40)]
    assert errors[0] < errors[1] < errors[2]
