"""Training is a function of recipe, data and seed, however often it is interrupted."""

from __future__ import annotations

import csv
import json
import math
import random
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from classifier import nets, zoo
from classifier.checkpoint import facts
from classifier.data import open_data
from classifier.history import Answered, Progress
from classifier.keeping import best_of
from classifier.optimize import trainable_modules
from classifier.recipes import Phase, Recipe, validate
from classifier.train import BEST, LAST, Epoch, Step, Trained, TrainingFailed, train
from tests.classifier.pictures import write_folder

REPOSITORY = Path(__file__).parents[2]


def recipe_of(**changes: Any) -> Recipe:
    plain: dict[str, Any] = {
        "name": "tiny",
        "arch": "resnet18_npr",
        "phases": [{"epochs": 3, "lr": 0.01}],
        "preprocess": {"kind": "tiles", "size": 32},
        "augment": {"crop": "native", "upsample": 0.3, "jpeg": {"probability": 0.5, "history": 0.5}, "rescale": 0.5},
        "data": {"balance": True, "val": 0.2, "cal": 0.2, "test": 0.2},
        "batch_size": 8,
        "seed": 5,
    }
    return validate({**plain, **changes}, "test")


def trained(recipe: Recipe, folder: Path, out: Path, *, resume: bool = False) -> list[Step | Epoch | Trained]:
    return list(train(recipe, open_data(folder, recipe.data, recipe.seed), out, resume=resume, device="cpu"))


def assert_same_weights(a: Path, b: Path) -> None:
    one, other = load_file(a), load_file(b)
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "data")


def test_same_seed_gives_same_weights_and_another_seed_others(tmp_path: Path, folder: Path) -> None:
    trained(recipe_of(), folder, tmp_path / "a")
    trained(recipe_of(), folder, tmp_path / "b")
    trained(recipe_of(seed=6), folder, tmp_path / "c")
    assert_same_weights(tmp_path / "a" / BEST, tmp_path / "b" / BEST)
    a, c = load_file(tmp_path / "a" / BEST), load_file(tmp_path / "c" / BEST)
    assert not torch.equal(a["fc.weight"], c["fc.weight"])


SCHEDULES: list[dict[str, Any]] = [
    {"scheduler": {"name": "cosine", "warmup": 0.2}, "optimizer": {"name": "adamw"}, "precision": "bf16"},
    {"scheduler": {"name": "step", "step": 1}},
    {"scheduler": {"name": "plateau", "patience": 0}, "optimizer": {"name": "adam"}},
    {
        "phases": [
            {"epochs": 1, "trainable": "head", "lr": 0.01},
            {"epochs": 2, "trainable": 2, "lr": 1e-3, "head_lr": 0.01},
        ]
    },
    {"early_stop": {"patience": 1}, "phases": [{"epochs": 3, "lr": 0.01}, {"epochs": 1, "lr": 0.001}], "accumulate": 2},
    {
        "augment": {"crop": "resized", "mixup": 0.4, "cutmix": 1, "rotation_deg": 10, "jitter": 0.1},
        "dropout": 0.3,
        "imbalance": "class_weights",
        "data": {"val": 0.2, "cal": 0.2, "test": 0.2},
        "scheduler": {"name": "plateau", "patience": 0, "metric": "train_loss"},
        "select": "last",
    },
    {
        "augment": {"crop": "center", "flip": 0},
        "dropout": 0.3,
        "scheduler": {"name": "plateau", "patience": 0},
        "phases": [{"epochs": 3, "trainable": "head", "lr": 0.05}, {"epochs": 1, "trainable": 1, "lr": 0.01}],
    },
]
KINDS = ["cosine", "step", "plateau", "phases", "early-stop", "mixing", "features-kept"]


@pytest.mark.parametrize("changes", SCHEDULES, ids=KINDS)
def test_closed_after_any_step_and_resumed_gives_the_same_weights(
    tmp_path: Path, folder: Path, changes: dict[str, Any]
) -> None:
    recipe = recipe_of(arch="scratch_cnn_s2", **changes)
    whole = trained(recipe, folder, tmp_path / "whole")
    steps = sum(isinstance(event, Step) for event in whole)
    for stop in (1, steps // 2, steps - 1):
        running = train(recipe, open_data(folder, recipe.data, recipe.seed), tmp_path / f"cut{stop}", device="cpu")
        seen = 0
        for event in running:
            seen += isinstance(event, Step)
            if seen == stop:
                running.close()
        end = trained(recipe, folder, tmp_path / f"cut{stop}", resume=True)[-1]
        assert isinstance(end, Trained)
        assert isinstance(whole[-1], Trained)
        assert [e.train_loss for e in end.history] == [e.train_loss for e in whole[-1].history]
        names = {path.name for path in (tmp_path / "whole").glob("best*")}
        assert names == {BEST, *(best_of(number) for number in range(len(recipe.phases)))}
        for name in names:
            assert_same_weights(tmp_path / "whole" / name, tmp_path / f"cut{stop}" / name)


KILLED = """
import sys
from dataclasses import asdict
from pathlib import Path
from classifier.data import open_data
from classifier.recipes import load
from classifier.train import train
recipe = load(sys.argv[1])
data = open_data(Path(sys.argv[2]), recipe.data, recipe.seed)
for event in train(recipe, data, Path(sys.argv[3]), resume=True, device="cpu"):
    print(type(event).__name__, flush=True)
"""


def test_killed_at_a_random_moment_and_resumed_gives_the_same_weights(tmp_path: Path, folder: Path) -> None:
    recipe = recipe_of()
    (tmp_path / "tiny.yaml").write_text(json.dumps(recipe.model_dump(mode="json")))
    trained(recipe, folder, tmp_path / "whole")
    command = [sys.executable, "-c", KILLED, str(tmp_path / "tiny.yaml"), str(folder), str(tmp_path / "cut")]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        kinds = [process.stdout.readline().strip() for _ in range(4 + random.SystemRandom().randrange(4))]
        process.send_signal(signal.SIGKILL)
    assert "Epoch" in kinds or "Step" in kinds
    trained(recipe, folder, tmp_path / "cut", resume=True)
    assert_same_weights(tmp_path / "whole" / BEST, tmp_path / "cut" / BEST)
    assert not list((tmp_path / "cut").glob(".*.part")) or (tmp_path / "cut" / LAST).is_file()


def test_it_learns(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", n=40)
    recipe = recipe_of(augment={"crop": "center"}, phases=[{"epochs": 10, "lr": 0.002}], optimizer={"name": "adamw"})
    end = trained(recipe, folder, tmp_path / "out")[-1]
    assert isinstance(end, Trained)
    assert end.history[-1].train_accuracy > 0.8
    assert max(epoch.val_balanced_accuracy for epoch in end.history) >= 0.75


def test_frozen_layers_and_their_batch_norm_do_not_move(tmp_path: Path, folder: Path) -> None:
    recipe = recipe_of(phases=[{"epochs": 2, "trainable": "head", "lr": 0.1}])
    torch.manual_seed(recipe.seed)
    before = zoo.build(recipe.arch, 2).state_dict()
    trained(recipe, folder, tmp_path / "out")
    after = load_file(tmp_path / "out" / BEST)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"fc.weight", "fc.bias"}


def test_trainable_names_the_last_stages_and_the_head() -> None:
    phase = recipe_of(phases=[{"epochs": 1, "trainable": 2, "lr": 0.1}])
    assert trainable_modules(phase, phase.phases[0]) == ("layer3", "layer4", "fc")
    network = zoo.build("resnet18", 2)
    nets.freeze(network, ("layer4", "fc"))
    assert {name.split(".")[0] for name, p in network.named_parameters() if p.requires_grad} == {"layer4", "fc"}


@pytest.mark.parametrize(
    ("epochs", "says"),
    [
        ((), r"epoch 1, batch 2 of 2, at a learning rate of 1e\+30: .*phases.0.lr=1e\+29. No epoch was kept"),
        ((2,), r"epoch 3, batch 2 of 2.*phases.1.lr=.*Epoch 2 is kept in .*last.safetensors"),
    ],
)
def test_a_loss_that_is_not_a_number_stops_with_the_step_and_keeps_what_was_good(
    tmp_path: Path, folder: Path, epochs: tuple[int, ...], says: str
) -> None:
    recipe = recipe_of(phases=[{"epochs": count, "lr": 0.01} for count in (*epochs, 3)], augment={})
    wild = recipe.phases[-1].model_copy(update={"lr": 1e30})
    recipe = recipe.model_copy(update={"phases": (*recipe.phases[:-1], wild)})
    with pytest.raises(TrainingFailed, match=says):
        trained(recipe, folder, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == (
        {LAST, BEST, best_of(0), "history.json", "history.csv"} if epochs else set()
    )
    for path in (tmp_path / "out").glob("*.safetensors"):
        assert all(bool(value.isfinite().all()) for value in load_file(path).values())


def test_a_batch_too_small_for_batch_norm_is_a_sentence(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(TrainingFailed, match=r"batch of 1 at 32 px: .* Set batch_size or preprocess.size higher"):
        trained(recipe_of(batch_size=1, arch="resnet18", augment={}), folder, tmp_path / "out")


def test_the_history_is_there_after_every_epoch_as_json_and_as_a_table(tmp_path: Path, folder: Path) -> None:
    recipe = recipe_of(arch="scratch_cnn_s2", phases=[{"epochs": 2, "lr": 0.01, "head_lr": 0.02}])
    for event in train(recipe, open_data(folder, recipe.data, recipe.seed), tmp_path / "out", device="cpu"):
        if isinstance(event, Epoch):
            kept = json.loads((tmp_path / "out/history.json").read_text())
            assert kept[-1] == asdict(event)
            with (tmp_path / "out/history.csv").open() as file:
                rows = list(csv.DictReader(file))
            assert len(rows) == len(kept) == event.epoch + 1
            assert rows[-1].keys() == asdict(event).keys()
            assert (float(rows[-1]["lr"]), float(rows[-1]["head_lr"])) == (0.01, 0.02)
            assert float(rows[-1]["val_loss"]) == event.val_loss
            assert event.images_per_s > 0


def answers(recipe: Recipe, losses: list[float], accuracies: list[float]) -> tuple[list[bool], list[bool]]:
    """Judge one epoch after the other; return which were the best of the run, and where its phase would stop."""
    progress, best, stops = Progress(), list[bool](), list[bool]()
    for loss, accuracy in zip(losses, accuracies, strict=True):
        best.append(progress.judge(recipe, Answered(loss, accuracy, accuracy))[0])
        stops.append(progress.stops(recipe))
    return best, stops


def test_stopping_watches_the_loss_whatever_is_selected_by() -> None:
    losses, accuracies = [3.0, 2, 4, 5, 1], [0.5, 0.6, 0.7, 0.6, math.nan]
    early = {"patience": 2, "metric": "loss"}
    best, stops = answers(recipe_of(select="accuracy", early_stop=early), losses, accuracies)
    assert best == [True, True, True, False, False]
    assert stops == [False, False, False, True, False]
    assert answers(recipe_of(select="last", early_stop=early), losses, accuracies) == ([True] * 5, stops)
    assert answers(recipe_of(select="loss"), losses, accuracies) == ([True, True, False, False, True], [False] * 5)


def test_an_epoch_whose_answers_are_no_numbers_is_the_best_only_while_there_is_no_other() -> None:
    for select in ("loss", "accuracy"):
        best, _ = answers(recipe_of(select=select), [math.nan, math.nan, 9, math.inf], [0.5, 0.5, 0.4, 0.9])
        assert best == [True, False, True, False]


def test_a_network_that_gives_no_numbers_is_told_before_it_is_exported(tmp_path: Path, folder: Path) -> None:
    recipe = recipe_of(arch="scratch_cnn_s2", augment={}, batch_size=64)  # one step, after which nobody looks
    recipe = recipe.model_copy(update={"phases": (Phase.model_construct(epochs=1, lr=1e30),)})
    told = r"epoch 1, which was kept, gives no numbers .*rate of 1e\+30: .*--set phases.0.lr=1e\+29"
    with pytest.raises(TrainingFailed, match=told):
        trained(recipe, folder, tmp_path / "out")


def test_a_phase_has_a_best_of_its_own() -> None:
    recipe, progress = recipe_of(select="accuracy"), Progress()
    assert progress.judge(recipe, Answered(1, 0.9, 0.9)) == (True, True)
    progress.next_phase()
    assert progress.judge(recipe, Answered(1, 0.8, 0.8)) == (False, True)
    assert progress.judge(recipe, None) == (True, True)


def test_the_checkpoint_knows_where_the_run_stands(tmp_path: Path, folder: Path) -> None:
    trained(recipe_of(arch="scratch_cnn_s2"), folder, tmp_path / "out")
    progress = facts(tmp_path / "out" / LAST)["progress"]
    assert progress["epoch"] == 3
    assert all(math.isfinite(entry["val_loss"]) for entry in progress["history"])
