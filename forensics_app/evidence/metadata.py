"""What the metadata claims: generator settings in PNG text, a declared digital source type, a camera's EXIF.

All hints: anyone can write them.
"""

from __future__ import annotations

from PIL import ExifTags, Image

from classifier.images import ImageFile, open_image
from forensics_app.evidence import Evidence

MAX_TEXT = 200
GENERATOR_KEYS = {
    "parameters": "Stable Diffusion web UI settings",
    "prompt": "a ComfyUI prompt",
    "workflow": "a ComfyUI workflow",
    "invokeai_metadata": "InvokeAI settings",
    "sd-metadata": "InvokeAI settings",
    "dream": "InvokeAI settings",
}
SOURCE_TYPES = {
    b"trainedAlgorithmicMedia": "made by a trained generator",
    b"compositeWithTrainedAlgorithmicMedia": "partly made by a trained generator",
}
"""IPTC digital source types (https://cv.iptc.org/newscodes/digitalsourcetype/)."""


def look_at_metadata(file: ImageFile) -> Evidence:
    """Return what the file's metadata claims about its origin."""
    with open_image(file.data) as image:
        texts = {str(key).lower(): str(value) for key, value in image.info.items() if isinstance(value, str)}
        exif = image.getexif()
        xmp = image.info.get("xmp", b"")
    declared = _declared(xmp if isinstance(xmp, bytes) else str(xmp).encode())
    if declared:
        return Evidence(
            "metadata",
            "synthetic",
            "hint",
            f"The metadata declares the picture {declared} (IPTC digital source type).",
        )
    for key, what in GENERATOR_KEYS.items():
        if key in texts and _looks_generated(key, texts[key]):
            summary = f"The file carries {what}. Anyone can write or remove such text."
            return Evidence("metadata", "synthetic", "hint", summary, {key: texts[key][:MAX_TEXT]})
    return _camera(exif)


def _declared(xmp: bytes) -> str | None:
    for token in sorted(SOURCE_TYPES, key=len, reverse=True):
        if token in xmp:
            return SOURCE_TYPES[token]
    return None


def _looks_generated(key: str, text: str) -> bool:
    if key == "parameters":
        return "Steps:" in text or "Sampler" in text
    return "class_type" in text or '"nodes"' in text or key not in ("prompt", "workflow")


def _camera(exif: Image.Exif) -> Evidence:
    details = {}
    for tag in (ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.Software):
        value = exif.get(tag)
        if isinstance(value, str) and value.strip(" \0"):
            details[tag.name] = value.strip(" \0")[:MAX_TEXT]
    if "Make" in details or "Model" in details:
        camera = " ".join(details[key] for key in ("Make", "Model") if key in details)
        return Evidence(
            "metadata",
            "camera",
            "hint",
            f"The metadata names a camera ({camera}). Anyone can write that.",
            details,
        )
    return Evidence("metadata", "nothing", "hint", "The metadata says nothing about how the picture was made.", details)
