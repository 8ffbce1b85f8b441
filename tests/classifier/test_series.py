"""A series of runs: which models, what is found in the way, and what a model that fails leaves behind."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from classifier.data import BadData
from classifier.recipes import Recipe
from classifier.series import TEN, GaveUp, Inside, Model, Ready, Series, check, models, train_all
from classifier.zoo import ARCHS, BadArch
from tests.classifier.pictures import write_folder
from tests.classifier.test_train import recipe_of

TINY: dict[str, Any] = {
    "arch": "mini_resnet", "phases": [{"epochs": 1, "lr": 0.01}], "preprocess": {"size": 32, "resize": 32},
    "augment": {"crop": "center"}, "select": "last",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data") / "pictures", n=10)


def wanted(root: Path, out: Path, *chosen: Model, **changes: Any) -> Series:
    return Series(recipe_of(**{**TINY, **changes}), chosen, root, out)


def test_names_of_models() -> None:
    assert models("all") == TEN
    assert set(TEN) <= set(ARCHS)
    assert models("resnet18, swin_t,resnet18") == ("resnet18", "swin_t")
    with pytest.raises(BadArch, match=r"'swin_z'.*swin_t"):
        models("resnet18,swin_z")
    for alone in ("resnet18", "", ","):
        with pytest.raises(BadArch, match="nothing to compare"):
            models(alone)


def test_a_folder_of_weights_has_a_file_for_each(tmp_path: Path) -> None:
    (tmp_path / "mini_resnet.safetensors").write_bytes(b"")
    (tmp_path / "resnet18-f37072fd.pth").write_bytes(b"")
    chosen = (Model("mini_resnet"), Model("resnet18"), Model("swin_t"), Model("resnet50", {"weights": "none"}))
    plans = check(wanted(tmp_path, tmp_path / "out", *chosen, weights=str(tmp_path)))
    found = {arch: plan.weights if isinstance(plan, Recipe) else plan for arch, plan in plans.items()}
    assert found["mini_resnet"] == str(tmp_path / "mini_resnet.safetensors")
    assert found["resnet18"] == str(tmp_path / "resnet18-f37072fd.pth")
    assert "no weights of 'swin_t'" in found["swin_t"]
    assert "swin_t.safetensors" in found["swin_t"]
    assert found["resnet50"] == "none"  # the document's own start, whatever is asked for the others


def test_weights_that_no_model_can_have_are_refused_before_anything_is_trained(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    these = wanted(folder, tmp_path / "out", Model("resnet18"), Model("mini_resnet", {"weights": "none"}),
                   weights="imagenet")  # fmt: skip
    with pytest.raises(BadArch, match=r"resnet18.*weights=none.*--weights"):
        list(train_all(these))
    assert not (tmp_path / "out").exists()


def test_a_model_that_fails_is_told_and_not_tried_again_unless_asked(tmp_path: Path, folder: Path) -> None:
    endless = {"preprocess": {**TINY["preprocess"], "std": [1e-38, 1e-38, 1e-38]}}  # no finite input, so no loss
    these = wanted(folder, tmp_path / "out", Model("mini_resnet", endless), Model("scratch_cnn_s2"))
    first = list(train_all(these, device="cpu"))
    (failed,) = (event for event in first if isinstance(event, GaveUp))
    assert "loss" in failed.why
    (ready,) = (event for event in first if isinstance(event, Ready))
    assert (ready.model, ready.reused) == ("scratch_cnn_s2", False)
    again = list(train_all(these, device="cpu"))
    assert [type(event).__name__ for event in again[-2:]] == ["GaveUp", "Ready"]
    assert not [event for event in again if type(event).__name__ == "Began"]
    assert again[-2] == failed
    tried = [event for event in train_all(these, resume=True, device="cpu") if type(event).__name__ == "Began"]
    assert [event.model for event in tried] == ["mini_resnet"]  # type: ignore[union-attr]


def test_an_interrupted_series_goes_on_where_it_was(tmp_path: Path, folder: Path) -> None:
    these = wanted(folder, tmp_path / "out", Model("mini_resnet"), Model("scratch_cnn_s2"),
                   phases=[{"epochs": 2, "lr": 0.01}])  # fmt: skip
    with closing(train_all(these, device="cpu")) as events:
        next(event for event in events if isinstance(event, Inside) and event.name == "Epoch")
    with pytest.raises(BadData, match=r"mini_resnet was interrupted; add --resume"):
        list(train_all(these, device="cpu"))
    after = list(train_all(these, resume=True, device="cpu"))
    epochs = [
        (event.model, event.inner.epoch) for event in after if isinstance(event, Inside) and event.name == "Epoch"
    ]
    assert epochs == [("mini_resnet", 1), ("scratch_cnn_s2", 0), ("scratch_cnn_s2", 1)]
    steps = [(event.done, event.total) for event in after if isinstance(event, Inside) and event.total]
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]


def test_what_lies_in_the_way_is_left_alone(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.txt").write_text("do not lose")
    for out, why in ((tmp_path / "thesis", "holds no comparison"), (tmp_path / "thesis/chapter.txt", "is a file")):
        with pytest.raises(BadData, match=why):
            check(wanted(folder, out, Model("mini_resnet")))
    with pytest.raises(BadData, match="to measure on"):
        list(train_all(wanted(folder, tmp_path / "o", Model("mini_resnet"), data={"val": 0, "cal": 0, "test": 0})))
