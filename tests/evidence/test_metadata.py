"""What files say of themselves: hints only, and nothing they hold may break the looking."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from classifier.images import load
from forensics_app.evidence import Evidence, collect
from tests.classifier.encoded import chunk
from tests.conftest import picture

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType='
    '"http://cv.iptc.org/newscodes/digitalsourcetype/{}"/></rdf:RDF></x:xmpmeta>'
)


def look(format_: str, *, size: tuple[int, int] = (96, 80), **options: object) -> Evidence:
    buffer = io.BytesIO()
    Image.fromarray(picture(*size)).save(buffer, format_, **options)
    (evidence,) = collect(load(buffer.getvalue()))
    assert evidence.strength == "hint"
    return evidence


def texts(**pairs: str) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    for key, value in pairs.items():
        info.add_itxt(key.replace("_", "-") if key.startswith("sd_") else key, value)
    return info


def exif(make: str = "", comment: bytes = b"") -> Image.Exif:
    made = Image.Exif()
    if make:
        made[0x010F], made[0x0110] = make, "D90"
    if comment:
        made.get_ifd(0x8769)[0x9286] = comment
    return made


def prompt(width: int, height: int) -> str:
    return json.dumps({"5": {"class_type": "EmptyLatentImage", "inputs": {"width": width, "height": height}}})


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_a_camera_is_named_in_every_format(format_: str) -> None:
    evidence = look(format_, exif=exif("NIKON CORPORATION"))
    assert evidence.finding == "camera" and "NIKON" in evidence.summary
    assert evidence.details == {"Make": "NIKON CORPORATION", "Model": "D90"}


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_a_file_without_metadata_says_nothing(format_: str) -> None:
    assert look(format_).finding == "nothing"


@pytest.mark.parametrize(
    "pairs",
    [
        {"parameters": "a duck\nNegative prompt: x\nSteps: 20, Sampler: Euler a, CFG scale: 7"},
        {"prompt": prompt(96, 80)},
        {"prompt": prompt(48, 40)},
        {"workflow": '{"nodes": []}'},
        {"Dream": "a duck -s50"},
        {"sd_metadata": "{}"},
        {"invokeai_metadata": "{}"},
        {"parameters": "{}", "fooocus_scheme": "fooocus"},
        {"Software": "NovelAI"},
    ],
    ids="-".join,
)
def test_settings_of_generators_are_hints(pairs: dict[str, str]) -> None:
    evidence = look("PNG", pnginfo=texts(**pairs))
    assert evidence.finding == "synthetic"
    assert "Anyone can write" in evidence.summary


@pytest.mark.parametrize(
    "pairs",
    [{"parameters": "see the manual"}, {"prompt": "What is this?"}, {"Software": "GIMP"}, {"Comment": "Steps: 3"}],
)  # fmt: skip
def test_other_texts_of_the_same_name_are_not(pairs: dict[str, str]) -> None:
    assert look("PNG", pnginfo=texts(**pairs)).finding == "nothing"


def test_a_workflow_for_another_shape_is_a_screenshot() -> None:
    evidence = look("PNG", size=(220, 100), pnginfo=texts(prompt=prompt(832, 384), workflow='{"nodes": []}'))
    assert evidence.finding == "nothing"
    assert "832 × 384" in evidence.summary and "screenshot" in evidence.summary


@pytest.mark.parametrize("code", ["utf-16-be", "utf-16-le", "ascii"])
def test_settings_in_the_comment_of_a_jpeg(code: str) -> None:
    text = "a duck\nSteps: 20, Sampler: Euler"
    head = b"ASCII\0\0\0" if code == "ascii" else b"UNICODE\0"
    assert look("JPEG", exif=exif(comment=head + text.encode(code))).finding == "synthetic"
    assert look("JPEG", exif=exif(comment=head + "holiday".encode(code))).finding == "nothing"


@pytest.mark.parametrize(
    ("source_type", "finding"),
    [
        ("trainedAlgorithmicMedia", "synthetic"), ("compositeWithTrainedAlgorithmicMedia", "synthetic"),
        ("digitalCapture", "nothing"),
    ],
)  # fmt: skip
def test_a_declared_source_type_counts_before_the_camera(source_type: str, finding: str) -> None:
    xmp = XMP.format(source_type)
    assert look("JPEG", xmp=xmp.encode()).finding == finding
    assert look("WEBP", xmp=xmp.encode()).finding == finding
    assert look("PNG", pnginfo=texts(**{"XML:com.adobe.xmp": xmp})).finding == finding
    if finding == "synthetic":
        evidence = look("JPEG", xmp=xmp.encode(), exif=exif("NIKON"))
        assert evidence.finding == finding
        assert ("partly" in evidence.summary) == source_type.startswith("composite")


def test_text_behind_the_pixels_is_found() -> None:
    buffer = io.BytesIO()
    Image.fromarray(picture()).save(buffer, "PNG")
    data, end = buffer.getvalue(), chunk(b"IEND", b"")
    data = data[: -len(end)] + chunk(b"tEXt", b"parameters\0a duck\nSteps: 20") + end
    assert collect(load(data))[0].finding == "synthetic"


@pytest.mark.parametrize("hostile", ["[" * 100_000, '{"a": ' * 50_000, "class_type", prompt(0, -1), prompt(10**400, 1)])
def test_hostile_workflows_break_nothing(hostile: str) -> None:
    assert look("PNG", pnginfo=texts(prompt=hostile + "class_type")).finding in ("synthetic", "nothing")


def test_broken_exif_is_evidence_of_nothing() -> None:
    for raw in (b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 99, b"Exif\0\0II*\0\xff\xff\xff\xff", b"x"):
        assert look("JPEG", exif=raw).finding in ("nothing", "failed")


@pytest.mark.parametrize(
    ("folder", "wanted"),
    [
        ("a1111_parameters", {"synthetic": 10}),
        ("comfyui_workflow", {"synthetic": 10}),
        ("invokeai", {"synthetic": 3}),
        ("iptc_gemini", {"synthetic": 3}),
        ("camera_exif", {"camera": 30}),
        ("not_ai_workflow_screenshots", {"nothing": 3, "camera": 1}),
    ],
)
def test_files_from_the_wild(shared_data: Path, folder: str, wanted: dict[str, int]) -> None:
    files = sorted((shared_data / "evidence" / folder).iterdir())
    assert Counter(collect(load(path))[0].finding for path in files) == wanted
