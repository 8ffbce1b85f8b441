"""Models from the Hugging Face hub: a fixed revision, configuration and safetensors only, never code."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from generator.model_files import CONFIG, INDEX, SCHEDULER, WEIGHTS, BadModel

ENOUGH = "--model bundled needs no network"
ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}(@[\w.-]{1,64})?", re.ASCII)
WANTED = [INDEX, CONFIG, SCHEDULER, WEIGHTS, f"unet/{CONFIG}", f"unet/{WEIGHTS}", f"scheduler/{SCHEDULER}"]
TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Known:
    """A model whose revision is pinned: the commit that first held safetensors."""

    revision: str
    licence: str


KNOWN: Mapping[str, Known] = {
    "google/ddpm-cat-256": Known("82ca0d5db4a5ec6ff0e9be8d86852490bc18a3d9", "Apache-2.0"),
}


def fetch(name: str) -> Path:
    """Return the folder of a model `owner/name` or `owner/name@revision`, downloaded where it is not cached yet.

    A known model is taken in its pinned revision, another one in `main` if it names none, or in what is cached of that
    where the hub cannot be reached. Raises `BadModel`.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    repo, _, asked = name.partition("@")
    revision = asked or (KNOWN[repo].revision if repo in KNOWN else "main")
    fixed = re.fullmatch(r"[0-9a-f]{40}", revision) is not None
    cached = _cached(repo, revision)
    if cached and (fixed or _offline()):
        return cached
    if _offline():
        raise BadModel(f"{name} is not on this machine and downloads are switched off; {ENOUGH}.")
    try:
        _ask(repo, revision)
        return Path(snapshot_download(repo, revision=revision, allow_patterns=WANTED, etag_timeout=TIMEOUT_S))
    except Exception as error:  # each version of the library speaks through another package, with errors of its own
        if cached and not isinstance(error, HfHubHTTPError):
            return cached
        raise BadModel(_sentence(name, error)) from None


def revision_of(folder: Path) -> str | None:
    """Return the commit of a folder in the hub's cache, None for any other folder."""
    resolved = folder.resolve()
    return resolved.name if resolved.parent.name == "snapshots" else None


def _ask(repo: str, revision: str) -> None:
    """Ask the hub once whether the model may be read: a download would go on asking for half a minute."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import RemoteEntryNotFoundError

    with suppress(RemoteEntryNotFoundError):  # then it is of the layout without this file
        get_hf_file_metadata(hf_hub_url(repo, INDEX, revision=revision), timeout=TIMEOUT_S)


def _cached(repo: str, revision: str) -> Path | None:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(repo, revision=revision, allow_patterns=WANTED, local_files_only=True))
    except (OSError, ValueError):
        return None
    return folder if any((folder / one).exists() for one in (WEIGHTS, f"unet/{WEIGHTS}")) else None


def _offline() -> bool:
    from huggingface_hub.constants import HF_HUB_OFFLINE

    return HF_HUB_OFFLINE or os.environ.get("FORENSICS_OFFLINE", "") not in ("", "0")


def _sentence(name: str, error: Exception) -> str:
    from huggingface_hub import errors

    repo = name.partition("@")[0]
    if isinstance(error, errors.GatedRepoError):
        terms = f"accept its terms at https://huggingface.co/{repo} and log in with `hf auth login`"
        return f"{repo} is gated: {terms}; {ENOUGH}."
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"The hub has no model {repo} that may be read from here: check its name, or log in if it is private."
    if isinstance(error, errors.RevisionNotFoundError):
        return f"The hub has {repo}, but not the revision in '{name}'; name another one after an @."
    if isinstance(error, errors.HfHubHTTPError):
        status = getattr(error.response, "status_code", "with an error")
        return f"The hub answered {status} when asked for {name}; try again later, or {ENOUGH}."
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return f"{name} is not on this machine and the hub could not be reached ({reason}); go online, or {ENOUGH}."
