"""A recipe that is wrong is refused in one sentence with the file, the key and what is allowed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from classifier.recipes import BadRecipe, Recipe, header, load, override, recipe_files

GOOD = "name: mine\nphases:\n  - {epochs: 1, lr: 0.1}\n"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(path: Path | str) -> str:
    with pytest.raises(BadRecipe) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 700
    return message


def test_a_good_recipe_and_every_bundled_one_load(tmp_path: Path) -> None:
    recipe = load(write(tmp_path, GOOD))
    assert (recipe.name, recipe.phases[0].trainable, recipe.batch_size) == ("mine", "all", 32)
    assert "default" in recipe_files()
    for name in recipe_files():
        assert isinstance(load(name), Recipe)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("batch_sise: 3", ["batch_sise: unknown key (did you mean 'batch_size'?)", "allowed are", "label_smoothing"]),
        ("augment: {jpeg: {qualty: [1, 2]}}", ["augment.jpeg.qualty", "did you mean 'quality'?", "history"]),
        ("early_stop: {pat: 1}", ["early_stop.pat: unknown key", "allowed are metric, patience"]),
        ("optimizer: {name: lion}", ["optimizer.name", "'sgd', 'adam' or 'adamw'"]),
        ("batch_size: many", ["batch_size", "integer"]),
        ("batch_size: 0", ["batch_size", "greater than or equal to 1"]),
        ("seed: -1", ["seed", "greater"]),
        ("scheduler: 3", ["scheduler", "a mapping of keys"]),
        ("arch: resnet", ["no architecture 'resnet'", "resnet18"]),
        ("augment: {jpeg: {quality: [90, 10]}}", ["augment.jpeg", "the smaller first"]),
        ("data: {val: 0.5, test: 0.6}", ["data", "less than 1"]),
        ("data: {classes: {a: [../x], b: [y]}}", ["'../x'", "inside"]),
        ("data: {holdout: [/etc]}", ["'/etc'", "inside"]),
        ("data: {classes: {a: b}}", ["data.classes.a", "a list"]),
        ("augment: {scale: [0.5, 0.1]}", ["augment", "the smaller first"]),
        ("augment: {crop: native, rotation_deg: 5}", ["augment", "rotation_deg"]),
        ("augment: {mixup: -1}", ["augment.mixup", "greater"]),
        ("imbalance: class_weight", ["imbalance", "'none', 'class_weights' or 'balanced_sampler'"]),
        ("imbalance: class_weights\ndata: {balance: true}", ["data.balance already draws"]),
        ("dropout: 1", ["dropout", "less than 1"]),
        ("preprocess: {std: [0, 1, 1]}", ["preprocess.std.0", "greater than 0"]),
        ("name: ../x", ["name"]),
        ("? {a: b}\n: 1", []),
        ("1: 2", ["1"]),
        ("batch_size: 2001-99-99", ["YAML"]),
        ("seed: 0b", []),
        ("seed: " + "9" * 5000, []),
        ("lr: .nan", ["lr"]),
    ],
)
def test_a_wrong_key_is_named_with_what_is_allowed(tmp_path: Path, text: str, says: list[str]) -> None:
    path = write(tmp_path, GOOD + text + "\n")
    message = refused(path)
    assert str(path) in message
    for part in says:
        assert part in message


@pytest.mark.parametrize(
    ("phase", "says"),
    [
        (
            "{epochs: 1, lr: 0.1, trainable: [layer9]}",
            "no stage 'layer9', allowed are all, head, a number, or of conv1",
        ),
        ("{epochs: 1, lr: 0.1, trainable: nothing}", "phases.0.trainable: allowed are all, head, a number from 1"),
        ("{epochs: 1, lr: 0.1, trainable: 0}", "phases.0.trainable: allowed are"),
        ("{epochs: 1, lr: 0.1, trainabel: all}", "phases.0.trainabel: unknown key (did you mean 'trainable'?)"),
        ("{epochs: 0, lr: 0.1}", "phases.0.epochs"),
        ("{lr: 0.1}", "phases.0.epochs: Field required"),
        ("{epochs: 1, lr: .inf}", "phases.0.lr"),
    ],
)
def test_a_wrong_phase_is_named_once(tmp_path: Path, phase: str, says: str) -> None:
    message = refused(write(tmp_path, f"name: mine\nphases:\n  - {phase}\n"))
    assert says in message
    assert "at least 1 item" not in message
    assert message.count("phases") == 1


def test_no_phase_at_all_is_an_error(tmp_path: Path) -> None:
    assert "phases" in refused(write(tmp_path, "name: mine\nphases: []\n"))
    assert "phases: Field required" in refused(write(tmp_path, "name: mine\n"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "aliases are refused"),
        ("name: x\nphases: [{epochs: 1, lr: 0.1, epochs: 2}]\n", "the key 'epochs' is there twice, again in line 2"),
        ("name: !!python/object/apply:os.system ['touch hacked']\n", "python"),
        ("name: !!python/name:os.system\n", "python"),
        ("[" * 100_000, "YAML"),
        ("- " * 50_000, "YAML"),
        ("{" * 5_000, "YAML"),
        (b"\x89PNG\r\n\x1a\n\0\0", "YAML"),
        (b"\xff\xfe\xff", "YAML"),
        (GOOD + "#" * 300_000, "256 KiB"),
        ("", "mapping"),
        ("just text", "mapping"),
        ("- a\n- b\n", "mapping"),
        ("a: b: c\n", "YAML"),
        ("\t- x", "YAML"),
    ],
)
def test_a_file_that_is_no_recipe(
    tmp_path: Path, text: str | bytes, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    begun = time.monotonic()
    message = refused(write(tmp_path, text))
    assert says in message and "mine.yaml" in message
    assert time.monotonic() - begun < 10
    assert not (tmp_path / "hacked").exists()


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    assert "Did you mean 'default'?" in refused("defualt")
    assert "Bundled: " in refused(tmp_path / "nothing.yaml")
    assert "There is no recipe" in refused(tmp_path)
    assert "There is no recipe" in refused("nul\0")


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("batch_size=3", "batch_size", 3),
        ("phases.1.lr=1e-3", "phases.1.lr", 0.001),
        ("phases.0.trainable=[layer4]", "phases.0.trainable", ["layer4"]),
        ("early_stop.patience=2", "early_stop", {"patience": 2, "metric": "loss"}),
        ("early_stop=null", "early_stop", None),
        ("weights=none", "weights", "none"),
        ("arch=resnet18_npr", "arch", "resnet18_npr"),
        ("data.classes={cat: [cats/a, b], dog: [c]}", "data.classes", {"cat": ["cats/a", "b"], "dog": ["c"]}),
        ("data.classes.cat=[x]", "data.classes", {"cat": ["x"]}),
        ("augment.cutmix=1", "augment.cutmix", 1.0),
        ("description=a=b", "description", "a=b"),
    ],
)
def test_a_setting_takes_the_place_of_one_value(tmp_path: Path, setting: str, path: str, value: object) -> None:
    recipe = load(write(tmp_path, "name: mine\nphases:\n  - {epochs: 1, lr: 0.1}\n  - {epochs: 2, lr: 0.2}\n"))
    before, after = (one.model_dump(mode="json") for one in (recipe, override(recipe, [setting])))
    *parents, last = path.split(".")
    changed, untouched = after, before
    for part in parents:
        key = int(part) if part.isdigit() else part
        changed, untouched = changed[key], untouched[key]  # type: ignore[index]
    assert changed[last] == value
    untouched[last] = value
    assert after == before


def test_settings_are_applied_in_order_and_epochs_go_to_every_phase(tmp_path: Path) -> None:
    recipe = load(write(tmp_path, GOOD))
    assert override(recipe, []) is recipe
    several = override(recipe, ["phases=[{epochs: 3, lr: 1}, {epochs: 4, lr: 2}]", "epochs=7", "phases.1.epochs=2"])
    assert [phase.epochs for phase in several.phases] == [7, 2]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("epochs", "--set takes KEY=VALUE"),
        ("=3", "--set takes KEY=VALUE"),
        ("batch_sise=3", "batch_sise: unknown key (did you mean 'batch_size'?)"),
        ("epoch=3", "--set epoch: unknown key (did you mean 'epochs'?)"),
        ("optimizr.name=sgd", "--set optimizr.name: unknown key (did you mean 'optimizer'?)"),
        ("phases.0.lrr=3", "phases.0.lrr: unknown key (did you mean 'lr'?)"),
        ("phases.1.lr=3", "'1' is no place in that list of 1"),
        ("phases.x.lr=3", "'x' is no place"),
        ("phases.-1.lr=3", "'-1' is no place"),
        ("batch_size.x=3", "no 'x' in 'batch_size'"),
        ("batch_size=many", "batch_size: Input should be a valid integer"),
        ("batch_size=", "batch_size"),
        ("epochs=0", "phases.0.epochs: Input should be greater"),
        ("phases=3", "phases"),
        ("arch=resnet81", "no architecture 'resnet81'"),
        ("phases.0.trainable=[layer9]", "no stage 'layer9'"),
        ("augment=[1", "no YAML"),
        ("name=!!python/name:os.system", "no YAML"),
        ("..=1", "unknown key"),
    ],
)
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, setting: str, says: str) -> None:
    recipe = load(write(tmp_path, GOOD))
    with pytest.raises(BadRecipe) as caught:
        override(recipe, [setting, "epochs=2"] if setting == "phases=3" else [setting])
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_header_is_the_leading_comment(tmp_path: Path) -> None:
    assert header(write(tmp_path, "# One line.\n#\n#  - another\n" + GOOD + "# not this\n")) == (
        "One line.\n\n - another"
    )
    assert header(write(tmp_path, GOOD)) == ""
    for name in recipe_files():
        assert len(header(name)) > 40, name
