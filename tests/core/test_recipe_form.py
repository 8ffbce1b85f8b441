from __future__ import annotations

import math
from pathlib import Path

import pytest
from pydantic import BaseModel

from classifier.atomic import write_json
from classifier.recipes import BadRecipe, Recipe, load, override, recipe_files
from forensics_app.core.recipe_form import LEFT_OUT, as_text, problems, sections, settings
from forensics_app.core.unfinished_runs import begun, unfinished


def keys(value: BaseModel, prefix: str = "") -> set[str]:
    """Return every key that a recipe has values under."""
    found: set[str] = set()
    for name, one in value:
        parts = one if name == "phases" else ()
        for number, part in enumerate(parts):
            found |= keys(part, f"{name}.{number}.")
        if isinstance(one, BaseModel):
            found |= keys(one, f"{prefix}{name}.")
        elif not parts:
            found.add(f"{prefix}{name}")
    return found


@pytest.mark.parametrize("name", recipe_files())
def test_a_form_has_every_key_and_changes_nothing_by_itself(name: str) -> None:
    recipe = load(name)
    entries = {entry.key: entry for section in sections(recipe) for entry in section.entries}
    assert keys(recipe) - set(entries) - {"early_stop"} == set(LEFT_OUT)
    texts = {key: entry.text for key, entry in entries.items()}
    assert settings(recipe, texts) == () and problems(recipe, texts) == {}
    said = [f"{key}={text or 'null'}" for key, text in texts.items() if not key.startswith("early_stop.")]
    assert override(recipe, said) == recipe


def test_what_a_key_means_and_may_be_comes_from_the_schema() -> None:
    entries = {entry.key: entry for section in sections(load("vehicles")) for entry in section.entries}
    assert entries["phases.0.lr"].bounds == "above 0, at most 10"
    assert entries["augment.crop"].choices == ("native", "resized", "center")
    assert entries["data.balance"].choices == ("true", "false")
    assert entries["preprocess.size"].help == "Side of the network's input in pixels."
    assert "resnet18" in entries["arch"].choices and entries["phases.0.trainable"].choices == ()


def test_a_mistake_stands_beside_its_key_in_plain_words() -> None:
    recipe = load("vehicles")
    found = problems(recipe, {"batch_size": "many", "phases.0.lr": "11", "seed": "1"})
    assert found == {"batch_size": "a whole number is needed", "phases.0.lr": "it should be less than or equal to 10"}
    assert "less than 1" in problems(recipe, {"data.val": "0.6", "data.cal": "0.5"})[""]
    assert problems(recipe, {"augment.crop": "resized", "augment.rotation_deg": "20"}) == {}


def test_values_are_written_as_a_recipe_does() -> None:
    assert [as_text(one) for one in (None, True, (50, 95), 1e-5, "all")] == ["", "true", "[50, 95]", "1e-05", "all"]


def test_a_network_that_only_torch_knows_is_refused_before_torch_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("name: odd\narch: resnet34\nphases: [{epochs: 1, lr: 0.1}]\n")
    with pytest.raises(BadRecipe, match="none of those in the list"):
        load(path, listed=True)


def test_a_begun_run_tells_how_far_it_came(tmp_path: Path) -> None:
    recipe: Recipe = load("vehicles")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / "recipe.json", recipe.model_dump(mode="json"))
    write_json(tmp_path / "first" / "history.json", [{"epoch": 0, "val_loss": math.nan, "best": True}])
    write_json(tmp_path / "first" / "environment.json", {"device": "cpu", "device_name": "A processor"})
    (tmp_path / "second" / "detector").mkdir()
    (tmp_path / "second" / "detector" / "detector.json").write_text("{}")
    (one,) = unfinished(tmp_path)
    assert one == begun(tmp_path / "first")
    assert (one.name, one.arch, one.phases, one.device) == ("vehicles", "convnext_tiny", (20,), "A processor")
    assert len(one.history) == 1 and math.isnan(one.history[0]["val_loss"])
    (tmp_path / "first" / "recipe.json").write_text("{")
    assert begun(tmp_path / "first").phases == () and unfinished(tmp_path / "nowhere") == ()
