"""A tiny diffusion model on disk, once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generator.models import save_tiny


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a UNet of 16 px with random weights."""
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny")
