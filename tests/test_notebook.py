"""The notebook runs from top to bottom as a reader would run it, and is kept without what it printed."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

NOTEBOOK = ROOT / "notebooks" / "workflow.ipynb"
LIMIT_S = 300
LEFT_BY_A_RUN = ("recipe.json", "environment.json", "history.json", "history.csv", "predictions.json", "audit.json",
                 "best.safetensors", "best-phase1.safetensors", "detector/detector.json", "report.html")  # fmt: skip


def source() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return found


def printed(book: Any) -> str:
    """Return all that the cells printed."""
    return "".join(out["text"] for cell in book.cells for out in cell.get("outputs", ()) if out.output_type == "stream")


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The notebook after a run in a kernel of its own, and the folder where its files are."""
    pytest.importorskip("ipykernel", reason="needs the extra 'dev'")
    pytest.importorskip("torch", reason="needs the extra 'train'")
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    place = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        for name, value in {"TMPDIR": str(place), "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}.items():
            patch.setenv(name, value)
        warnings.simplefilter("ignore")  # the kernel's own; what a cell warns of is in its output
        book = nbformat.read(NOTEBOOK, as_version=4)
        nbclient.NotebookClient(
            book, timeout=LIMIT_S, kernel_name="python3", resources={"metadata": {"path": str(place)}}
        ).execute()
    return book, next(place.glob("forensics-workflow-*"))


def test_it_is_kept_without_outputs() -> None:
    """Times and pictures of one machine would differ with every change; the test below shows that it runs."""
    cells = source()["cells"]
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
    assert len([cell for cell in cells if cell["cell_type"] == "markdown"]) >= 9, "every step is explained"


def test_it_calls_the_library_and_no_shell() -> None:
    code = "".join(line for cell in source()["cells"] if cell["cell_type"] == "code" for line in cell["source"])
    assert not re.search(r"^\s*[!%]|subprocess|os\.system", code, re.MULTILINE)
    assert str(Path.home()) not in code


def test_every_cell_runs_and_warns_of_nothing(executed: tuple[Any, Path]) -> None:
    book, _ = executed
    for cell in book.cells:
        for out in cell.get("outputs", ()):
            assert out.output_type != "error"
            assert out.get("name") != "stderr", out.get("text")


def test_it_learns_what_it_shows(executed: tuple[Any, Path]) -> None:
    """The audit passes, the detector is better than guessing, and its maps lie on the heads more than chance."""
    text = printed(executed[0])
    assert "Pass: nothing beside the pictures tells the classes apart." in text
    told = re.findall(r"accuracy \d\.\d\d \((\d\.\d\d)–\d\.\d\d\), n = (\d+)", text)
    assert len(told) == 3
    assert all(float(low) > 0.5 and int(n) == 80 for low, n in told)
    inside, covered = map(int, re.findall(r"(\d+)% of the", text)[:2] or (0, 0))
    assert inside > covered


def test_a_run_leaves_what_the_pages_name(executed: tuple[Any, Path]) -> None:
    _, work = executed
    missing = [name for name in LEFT_BY_A_RUN if not (work / "first" / name).is_file()]
    assert not missing
    assert list((work / "first" / "figures").iterdir())
