"""The page of a training run: it says what was measured, shows what is there, and nothing from outside runs in it."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from classifier.detector import open_folder
from forensics_app.core import run_gallery, run_walk
from forensics_app.core.run_folder import BadRun, open_run
from forensics_app.core.run_plots import THEMES
from forensics_app.core.run_report import write
from tests.classifier.pictures import write_folder
from tests.classifier.test_train import recipe_of
from tests.conftest import export_tiny
from tests.core.runs import change_card, predicted, read, write_json, write_run
from tests.core.test_report import Page

PLOTS = {"curves.png", "confusion.png", "roc.png", "reliability.png"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run through the real parts, with two phases; without its checkpoints, which the page does not need."""
    from classifier.run import run

    root = tmp_path_factory.mktemp("run")
    phases = [{"epochs": 1, "lr": 0.01, "trainable": "head"}, {"epochs": 2, "lr": 0.01}]
    recipe = recipe_of(data={"val": 0.2, "cal": 0.25, "test": 0.25}, limits=["Tiny <one>."], phases=phases)
    list(run(recipe, write_folder(root / "data", n=20), root / "out", device="cpu"))
    for checkpoint in (root / "out").glob("*.safetensors"):
        checkpoint.unlink()
    return root / "out"


@pytest.fixture(scope="module")
def page(trained: Path) -> str:
    """The page of that run."""
    return write(trained).read_text(encoding="utf-8")


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    """The same run in a folder of its own, to be changed."""
    without = shutil.ignore_patterns("figures", "report.html")
    return Path(shutil.copytree(trained, tmp_path / "run", ignore=without))


def words(page: str) -> str:
    """Return a page's text as it is read."""
    from html import unescape

    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def said_of(folder: Path) -> str:
    return words(write(folder, trust_s=0).read_text(encoding="utf-8"))


def tiles(page: str) -> list[str]:
    return [words(found) for found in re.findall(r"<figure>.*?</figure>", page, re.DOTALL)]


def test_the_page_says_what_was_measured(trained: Path, page: str) -> None:
    card = open_folder(trained / "detector").card
    test, said = card.metrics["test"], words(page)
    balanced = test["balanced_accuracy"]
    told = f"{balanced['value']:.2f} ({balanced['low']:.2f}–{balanced['high']:.2f})"
    assert f"Balanced accuracy {told} on 10 pictures it had never seen" in said
    assert "Guessing would give 0.50." in said
    for degraded in ("after JPEG 75", "real called generated", "Each source", "Tiny <one>.", "resnet18_npr", "seed 5"):
        assert degraded in said
    assert "Grad-CAM" in said
    assert {path.name for path in (trained / "figures").iterdir()} == PLOTS
    for path in (trained / "figures").iterdir():
        with Image.open(path) as image:
            assert min(image.size) > 600
    assert not list(trained.rglob("*.part"))
    shown, walked = (len(module.choose(predicted(trained))) for module in (run_gallery, run_walk))
    assert walked == 2
    assert len(tiles(page)) == shown + 5 * walked
    assert page.count("Heat map of") == page.count('class="why"') == shown + 4 * walked > 0
    for words_of_walk in ("layer1 , 8 × 8", "layer4 , 1 × 1", "What is Grad-CAM?", "head only", "all layers", "kept"):
        assert words_of_walk in said
    assert "chosen for this page" not in said


def test_the_table_of_classes_is_scikit_learns(trained: Path, page: str) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    found = predicted(trained)
    expected = metrics.classification_report(
        found.labels, found.p.argmax(axis=1), target_names=found.classes, output_dict=True, zero_division=0
    )
    said = words(page)
    rows = {"fake": "fake", "real": "real", "mean of the classes": "macro avg", "mean by pictures": "weighted avg"}
    for shown, key in rows.items():
        one = expected[key]
        number = r"{:.2f}".format
        wanted = rf"{shown} {number(one['precision'])} {number(one['recall'])} \(\S+\) {number(one['f1-score'])} "
        assert re.search(wanted + str(int(one["support"])), said), wanted


def test_it_needs_nothing_else_and_allows_its_own_style_only(page: str) -> None:
    parsed = Page(page)
    policy = next(found["content"] for found in parsed.attributes("meta") if "http-equiv" in found) or ""
    digest = base64.b64encode(hashlib.sha256("".join(parsed.content["style"]).encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert not parsed.attributes("script")
    assert not [name for _, found in parsed.tags for name in found if name == "style" or name.startswith("on")]
    addresses = [found[key] for _, found in parsed.tags for key in ("src", "href", "srcset") if key in found]
    assert len(addresses) >= 8
    assert all(str(address).startswith("data:image/") for address in addresses)
    assert "url(" not in "".join(parsed.content["style"])
    assert all(image.get("alt") for image in parsed.attributes("img"))


def test_plots_are_there_in_both_themes_and_text_stays_text(page: str) -> None:
    parsed = Page(page)
    pairs = [(source["srcset"], image["src"]) for source, image in zip(
        parsed.attributes("source"), parsed.attributes("img")[:4], strict=True)]  # fmt: skip
    for dark, light in pairs:
        drawn = [base64.b64decode(str(one).partition(",")[2]).decode() for one in (dark, light)]
        for svg, theme in zip(drawn, ("dark", "light"), strict=True):
            assert THEMES[theme].ground in svg
            assert "<text" in svg
            assert "<script" not in svg


def test_the_same_run_gives_the_same_page(trained: Path, page: str) -> None:
    again = write(trained).read_text(encoding="utf-8")
    assert re.sub("<time.*?</time>", "", again) == re.sub("<time.*?</time>", "", page)


def test_pictures_that_are_gone_are_told(copied: Path) -> None:
    found = read(copied / "predictions.json")
    found["pictures"][0]["path"] = "/nowhere/at/all.png"
    del found["pictures"][1:]
    write_json(copied / "predictions.json", found)
    said = said_of(copied)
    assert "1 picture that was chosen for this page is no longer there" in said


def test_many_classes(tmp_path: Path) -> None:
    names = tuple(f"species {k:03}" for k in range(102))
    metrics = pytest.importorskip("sklearn.metrics")
    folder = write_run(tmp_path / "run", export_tiny(tmp_path / "many", classes=names), names, n=2)
    predictions = predicted(folder)
    p, labels = predictions.p / predictions.p.sum(axis=1, keepdims=True), predictions.labels
    page = write(folder, trust_s=0).read_text(encoding="utf-8")
    said = words(page)
    assert "102 classes" in said
    assert "What it mixes up most often" in said
    assert len(tiles(page)) == run_gallery.MOST_RIGHT + run_gallery.MOST_WRONG + 5 * run_walk.MOST
    assert {path.name for path in (folder / "figures").iterdir()} == PLOTS
    macro = metrics.roc_auc_score(labels, p, multi_class="ovr", labels=range(102))
    assert re.search(rf"mean of the classes [\d.]+ \S+ \(\S+\) [\d.]+ 204 {macro:.2f} \(", said)
    recalls = [float(found) for found in re.findall(r"species \d+ [\d.]+ ([\d.]+) \(", said)]
    assert len(recalls) == 102
    assert recalls == sorted(recalls)
    assert "1 h 6 min" in said


def test_two_classes_that_are_not_verdicts(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("ants", "bees"), n=30)
    said = said_of(folder)
    assert (folder / "figures/roc.png").is_file()
    assert "bees taken for ants" in said or "ants taken for bees" in said
    assert "generat" not in said


def test_hostile_names_stay_text(tmp_path: Path, detector_folder: Path) -> None:
    names = ('"><script>alert(1)</script>\u202e$\\frac{', "猫\x1b[31m{{ 7 * 7 }}")
    folder = write_run(tmp_path / "run", detector_folder, names)
    change_card(folder, limits=("<img src=x onerror=y>",), description="\u2066<b>", training={
        "shortcuts": {"reasons": ["<i>The format\u202e"]}, "pictures": {"train": {"<u>": 1, "odd": "x"}},
        "versions": {"<v>": "\x1b"},
    })  # fmt: skip
    page = write(folder, trust_s=0).read_text(encoding="utf-8")
    parsed = Page(page)
    assert not parsed.attributes("script")
    assert not parsed.attributes("i")
    assert not set(page) & set("\u202e\u2066\x1b")
    assert "{{ 7 * 7 }}" in words(page)
    assert all(str(image["src"]).startswith("data:") for image in parsed.attributes("img"))
    for source in parsed.attributes("source"):
        svg = base64.b64decode(str(source["srcset"]).partition(",")[2]).decode()
        assert "<script" not in svg


def test_the_warning_of_the_data_set_is_said_first(copied: Path) -> None:
    training = open_folder(copied / "detector").card.training
    change_card(copied, training={**training, "note": "Good <to> try."})
    page = words(write(copied).read_text(encoding="utf-8"))
    assert page.index("Good <to> try.") < page.index("How it learned")


def test_shortcuts_and_the_audit_are_said_first(copied: Path) -> None:
    training = dict(open_folder(copied / "detector").card.training)
    figure = {"value": 0.97, "low": 0.95, "high": 0.99, "n": 120}
    found = {"verdict": "fail", "auc": {"file": figure}, "reasons": ["The JPEG tables differ."]}
    change_card(copied, training={**training, "shortcuts": found, "audit": found})
    (copied / "predictions.json").unlink()
    page = write(copied, trust_s=0).read_text(encoding="utf-8")
    assert words(page).index("--allow-shortcuts") < words(page).index("How it learned")
    assert words(page).count("The JPEG tables differ.") == 2
    assert "the file alone 0.97 (0.95–0.99) 120" in words(page)
    assert "The run kept no predictions" in words(page)


def test_a_detector_that_never_answers_has_no_accuracy_and_still_a_report(copied: Path) -> None:
    metrics = json.loads((copied / "detector/detector.json").read_text())["metrics"]
    for found in metrics.values():
        found["selective_accuracy"] = {"value": math.nan, "low": 0.0, "high": 1.0, "n": 0}
    change_card(copied, metrics=metrics)
    assert '"value": null' in (copied / "detector/detector.json").read_text()
    assert not re.search(r">\s*nan\b", write(copied, trust_s=0).read_text())


def test_a_run_without_a_measured_split(copied: Path) -> None:
    change_card(copied, metrics={})
    (copied / "predictions.json").unlink()
    said = said_of(copied)
    assert said.count("Nothing was measured") >= 1
    assert "How it learned" in said
    assert "Each class" not in said
    assert {path.name for path in (copied / "figures").iterdir()} == {"curves.png"}


def test_a_run_measured_on_val_says_so_and_guessing_is_called_guessing(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"), n=2, split="val")
    (folder / "predictions.json").unlink()
    said = said_of(folder)
    assert "The validation pictures (2 fake, 2 real) were never trained or calibrated on; nothing was chosen" in said
    assert "cannot be told apart from guessing" in said


PREDICTED = '{"split": "test", "classes": ["fake", "real"], "pictures": [{"path": %s, "class": "%s", "p": %s}]}'


@pytest.mark.parametrize(("name", "content", "told"), [
    ("history.json", None, "history.json"),
    ("history.json", "[{]", "no JSON"),
    ("history.json", '[{"epoch": "x"}]', "damaged"),
    ("recipe.json", "{}", "recipe"),
    ("recipe.json", "[" * 100_000, "no JSON"),
    ("predictions.json", '{"split": "test"}', "damaged"),
    ("predictions.json", '{"split": "test", "classes": ["a"], "pictures": []}', "another detector"),
    ("predictions.json", PREDICTED % (1, "fake", [1, 0]), "path"),
    ("predictions.json", PREDICTED % ('""', "x", [1, 0]), "no class"),
    ("predictions.json", PREDICTED % ('""', "fake", [1]), "probability"),
    ("predictions.json", PREDICTED % ('""', "fake", "[NaN, 1]"), "probability"),
    ("detector/detector.json", None, "detector"),
    ("detector/model.onnx", "x", "model.onnx"),
])  # fmt: skip
def test_a_damaged_run_is_refused_with_a_sentence(copied: Path, name: str, content: str | None, told: str) -> None:
    (copied / name).unlink()
    if content is not None:
        (copied / name).write_text(content)
    with pytest.raises(BadRun, match=told) as caught:
        write(copied)
    assert "\n" not in str(caught.value)
    assert not (copied / "report.html").exists()
    assert not (copied / "figures").exists()


def test_figures_of_other_classes_are_refused(copied: Path) -> None:
    metrics = json.loads(json.dumps(open_folder(copied / "detector").card.metrics))
    metrics["test"]["confusion"] = [[1]]
    change_card(copied, metrics=metrics)
    with pytest.raises(BadRun, match="damaged"):
        write(copied)


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(BadRun, match="no finished run"):
        write(tmp_path / "none")


def test_parameters_are_those_that_the_network_learns(trained: Path) -> None:
    from classifier import zoo

    learned = sum(parameter.numel() for parameter in zoo.build("resnet18_npr", 2).parameters())
    assert open_run(trained).parameters == learned
