"""What the metadata claims: generator settings, a declared digital source type, a camera's EXIF.

All hints: anyone can write them, and anyone can remove them.
"""

from __future__ import annotations

import json
from typing import Any

from PIL import ExifTags, Image

from classifier.images import ImageFile, open_image
from forensics_app.evidence import Evidence

MAX_TEXT = 200
ASPECT_TOLERANCE = 0.005
GENERATOR_KEYS = {
    "parameters": "Stable Diffusion web UI settings",
    "prompt": "a ComfyUI prompt",
    "workflow": "a ComfyUI workflow",
    "invokeai_metadata": "InvokeAI settings",
    "sd-metadata": "InvokeAI settings",
    "dream": "InvokeAI settings",
    "fooocus_scheme": "Fooocus settings",
}
GENERATOR_SOFTWARE = ("NovelAI",)
SOURCE_TYPES = {
    b"trainedAlgorithmicMedia": "made by a trained generator",
    b"compositeWithTrainedAlgorithmicMedia": "partly made by a trained generator",
}
"""IPTC digital source types (https://cv.iptc.org/newscodes/digitalsourcetype/)."""


def look_at_metadata(file: ImageFile) -> Evidence:
    """Return what the file's metadata claims about its origin."""
    exif = exif_of(file)
    declared = _declared(file)
    if declared:
        summary = f"The metadata declares the picture {declared} (IPTC digital source type)."
        return Evidence("metadata", "synthetic", "hint", summary)
    texts = {key.lower(): value for key, value in file.info.items() if isinstance(value, str)}
    comment = _user_comment(exif)
    if comment and "parameters" not in texts:
        texts["parameters"] = comment
    return _settings(file, texts) or _camera(exif)


def exif_of(file: ImageFile) -> Image.Exif:
    """Return the EXIF of a file, empty where it has none; raises what Pillow raises for a damaged one."""
    raw = file.info.get("exif")
    if isinstance(raw, bytes):
        exif = Image.Exif()
        exif.load(raw)
        return exif
    if file.format != "TIFF":
        return Image.Exif()
    with open_image(file.data) as image:  # a TIFF is its own EXIF
        return image.getexif()


def _declared(file: ImageFile) -> str | None:
    for key in ("xmp", "XML:com.adobe.xmp"):
        found = file.info.get(key, b"")
        xmp = found.encode("utf-8", "surrogateescape") if isinstance(found, str) else found
        for token in sorted(SOURCE_TYPES, key=len, reverse=True):
            if token in xmp:
                return SOURCE_TYPES[token]
    return None


def _user_comment(exif: Image.Exif) -> str:
    """Return EXIF's UserComment (EXIF 2.32, 4.6.6: eight bytes that name the character code, then the text)."""
    raw = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    if not isinstance(raw, bytes):
        return str(raw or "")
    code, text = raw[:8], raw[8:]
    if code == b"UNICODE\0":
        return text.decode("utf-16-be" if text[:1] == b"\0" else "utf-16-le", "replace")
    return text.decode("utf-8", "replace") if code in (b"ASCII\0\0\0", bytes(8)) else raw.decode("utf-8", "replace")


def _settings(file: ImageFile, texts: dict[str, str]) -> Evidence | None:
    if texts.get("software") in GENERATOR_SOFTWARE:
        return _generated(f"the name of a generator, {texts['software']}", "software", texts)
    for key, what in GENERATOR_KEYS.items():
        if key in texts and _looks_generated(key, texts[key]):
            made = _sizes(texts.get("prompt", ""))
            if key in ("prompt", "workflow") and made and not any(_same_shape(file, size) for size in made):
                return _screenshot(file, what, made[0])
            return _generated(what, key, texts)
    return None


def _generated(what: str, key: str, texts: dict[str, str]) -> Evidence:
    summary = f"The file carries {what}. Anyone can write or remove such text."
    return Evidence("metadata", "synthetic", "hint", summary, {key: texts[key][:MAX_TEXT]})


def _screenshot(file: ImageFile, what: str, made: tuple[int, int]) -> Evidence:
    """ComfyUI puts its workflow into pictures of its own window, too."""
    summary = (
        f"The file carries {what} for pictures of {made[0]} × {made[1]} px but has {file.width} × {file.height} px: "
        "more likely a screenshot or an edited copy than the program's own output."
    )
    return Evidence("metadata", "nothing", "hint", summary)


def _looks_generated(key: str, text: str) -> bool:
    if key == "parameters":
        return "Steps:" in text or "Sampler" in text
    return "class_type" in text or '"nodes"' in text or key not in ("prompt", "workflow")


def _sizes(prompt: str) -> list[tuple[int, int]]:
    """Return the (width, height) that the nodes of a ComfyUI prompt name."""
    try:
        nodes: Any = json.loads(prompt)
    except (ValueError, RecursionError):
        return []
    inputs = (
        [node.get("inputs") for node in nodes.values() if isinstance(node, dict)] if isinstance(nodes, dict) else []
    )
    pairs = [(one.get("width"), one.get("height")) for one in inputs if isinstance(one, dict)]
    return [(w, h) for w, h in pairs if isinstance(w, int) and isinstance(h, int) and w > 0 and h > 0]


def _same_shape(file: ImageFile, size: tuple[int, int]) -> bool:
    ratio = (file.width * size[1]) / (file.height * size[0])
    return abs(ratio - 1) <= ASPECT_TOLERANCE


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
