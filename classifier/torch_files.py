"""The one place that reads torch's own file format, which can run code: only what is known by its hash."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from typing import Any

import torch


class BadTorchFile(Exception):
    """Bytes that are not to be read as torch's format, or cannot be; `str()` says why."""


def is_known(data: bytes, digests: Iterable[str]) -> bool:
    """Return whether the bytes' SHA-256 begins with one of the digests, each at least 8 hexadecimal digits."""
    found = hashlib.sha256(data).hexdigest()
    return any(len(digest) >= 8 and found.startswith(digest) for digest in digests)


def state_dict(data: bytes, digests: Iterable[str]) -> Any:
    """Return what is in the bytes of a .pth file: tensors and plain containers, and only of a file with a known digest.

    Eight digits are few enough to be forged; `weights_only` is what keeps anything else from being made. Raises
    `BadTorchFile`.
    """
    if not is_known(data, digests):
        raise BadTorchFile("its SHA-256 is not a published one")
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch has no list of what a damaged file raises
        raise BadTorchFile(" ".join(str(error).split())[:160]) from None
