"""A tiny diffusion model on disk, once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generator.models import save_tiny


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a UNet of 16 px with random weights."""
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Downloads are allowed, without a proxy and without waiting between attempts: to a server on loopback."""
    from generator import downloads
    from generator.reals import OFFLINE

    for name in (OFFLINE, "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(downloads, "PAUSE_S", 0.01)
    return monkeypatch
