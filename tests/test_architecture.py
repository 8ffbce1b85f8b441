"""The house rules that no linter knows: sizes, names, registries, and what may be imported where."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("forensics_app", "generator", "classifier")
FILES = tuple(sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")))
EVERYTHING = tuple(sorted([*FILES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]))
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_MEDIAN_LINES = 300, 60, 12
VAGUE = ("utils", "util", "helpers", "helper", "manager", "managers", "common", "base", "misc")
HEAVY = {"torch", "torchvision", "diffusers", "accelerate", "sklearn"}
PUBLISHED_WEIGHTS = "classifier/torch_files.py"  # torchvision's own weights, known by their hash
JUDGING = (
    "forensics_app.core.analysis",
    "forensics_app.core.scan",
    "forensics_app.evidence",
    "forensics_app.cli.commands",
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions() -> Iterator[tuple[str, int]]:
    """Yield every function's place and its length in lines, without its docstring."""
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, Function):
                first = node.body[0]
                documented = ast.get_docstring(node) is not None
                spoken = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
                yield f"{short(path)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1 - spoken


def imports(module: ast.Module, *, on_load: bool = False) -> Iterator[str]:
    """Yield the full names that a module imports; `on_load` leaves out functions and blocks for type checkers."""
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        if on_load and (
            isinstance(node, Function) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        ):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))


def module_file(name: str) -> Path | None:
    """Return the file of one of our modules, or None for anything else."""
    base = ROOT.joinpath(*name.split("."))
    found = next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
    return found if name.split(".", maxsplit=1)[0] in PACKAGES else None


def loaded_by(name: str) -> dict[str, str]:
    """Return everything that importing one of our modules imports, each with the module that asked for it."""
    asked: dict[str, str] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        path = module_file(current)
        for target in imports(tree(path), on_load=True) if path else ():
            parts = target.split(".")
            for step in range(1, len(parts) + 1):
                step_name = ".".join(parts[:step])
                if step_name not in asked:
                    asked[step_name] = current
                    waiting.append(step_name)
    return asked


def test_there_is_code_to_look_at() -> None:
    assert len(FILES) > 20
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(PACKAGES)


@pytest.mark.parametrize("path", EVERYTHING, ids=short)
def test_no_file_is_long(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_FILE_LINES


def test_functions_are_short(record_property: Callable[[str, object], None]) -> None:
    lengths = dict(functions())
    long = {place: length for place, length in lengths.items() if length > MAX_FUNCTION_LINES}
    assert not long
    median = statistics.median(lengths.values())
    record_property("median_function_lines", median)
    assert median <= MAX_MEDIAN_LINES, f"the median of {len(lengths)} functions is {median} lines"


@pytest.mark.parametrize("path", FILES, ids=short)
def test_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree(path))


def test_modules_are_nouns_of_the_domain() -> None:
    assert not [short(path) for path in FILES if path.stem in VAGUE or path.parent.name in VAGUE]


def test_qt_stays_in_the_window() -> None:
    outside = [path for path in FILES if "gui" not in path.relative_to(ROOT).parts]
    assert not [short(path) for path in outside for name in imports(tree(path)) if name.startswith("PySide6")]


@pytest.mark.parametrize("name", JUDGING)
def test_judging_loads_no_torch(name: str) -> None:
    assert module_file(name), f"{name} has moved: name it here"
    found = {target: by for target, by in loaded_by(name).items() if target.split(".")[0] in HEAVY}
    assert not found


def test_the_window_never_imports_torch() -> None:
    inside = [path for path in FILES if "gui" in path.relative_to(ROOT).parts]
    assert inside
    assert not [short(path) for path in inside for name in imports(tree(path)) if name.split(".")[0] in HEAVY]


def test_training_loads_torch() -> None:
    """What the tests above look for can be found."""
    assert "torch" in loaded_by("classifier.train")


@pytest.mark.parametrize("path", FILES, ids=short)
def test_nothing_that_can_run_code_is_read(path: Path) -> None:
    """Weights are safetensors, and pictures go through Pillow: torchvision.io ends the process on a damaged one."""
    module = tree(path)
    names = set(imports(module))
    assert not [name for name in names if name.split(".")[0] in ("pickle", "shelve", "marshal", "dill", "joblib")]
    assert not [name for name in names if name.startswith("torchvision.io")]
    used = {ast.unparse(node) for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    allowed = {"torch.load"} if short(path) == PUBLISHED_WEIGHTS else set()
    assert not used & {"torch.load", "torch.save", "torchvision.io", "yaml.load"} - allowed
    assert not [node for node in ast.walk(module) if isinstance(node, ast.keyword) and node.arg == "allow_pickle"]


def test_torchs_own_format_is_read_as_weights_only() -> None:
    calls = [node for node in ast.walk(tree(ROOT / PUBLISHED_WEIGHTS)) if isinstance(node, ast.Call)]
    reading = [node for node in calls if ast.unparse(node.func) == "torch.load"]
    assert [{key.arg: ast.unparse(key.value) for key in node.keywords}.get("weights_only") for node in reading] == [
        "True"
    ]


def test_registries_have_no_duplicates() -> None:
    from classifier.recipes import load, recipe_files
    from classifier.zoo import ARCHS, ROWS
    from forensics_app.evidence import probes

    assert len(ARCHS) == len(ROWS)
    names = [probe.name for probe in probes()]
    assert names
    assert len(names) == len(set(names))
    assert [load(name).name for name in recipe_files()] == list(recipe_files())


def test_a_second_architecture_of_one_name_is_refused() -> None:
    from classifier.registry import by_name
    from classifier.zoo import ROWS

    with pytest.raises(ValueError, match="two architectures"):
        by_name((*ROWS, ROWS[0]), "architectures")
