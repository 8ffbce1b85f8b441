"""The command that lists the recipes and shows one, and what `train` makes of its options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forensics_app.cli.run import Json, Terminal

if TYPE_CHECKING:
    from rich.table import Table


def recipes(
    name: Annotated[str | None, typer.Argument(metavar="[NAME|FILE]", help="Show this one, with its text.")] = None,
    json: Json = False,
) -> None:
    """List the bundled recipes, or show one: what it reproduces, what differs from its source, and its keys.

    Example: forensics recipes vehicles
    """
    from classifier.recipes import covered, find, header, load, recipe_files

    terminal = Terminal(json)
    names = [name] if name else list(recipe_files())
    if json:
        for one in names:
            about = {"file": find(one), "header": header(one), "covers": list(covered(one))}
            terminal.record({**load(one).model_dump(mode="json"), **about})
    elif name:
        load(name)
        terminal.result(find(name).read_text(encoding="utf-8").rstrip(), wrap=False)
    else:
        terminal.result(_table(names))
        terminal.note("forensics recipes NAME shows one; forensics train --recipe NAME --data DIR trains it.")


def _table(names: list[str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    from classifier.recipes import covered, load

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name in names:
        recipe = load(name)
        epochs = " + ".join(str(phase.epochs) for phase in recipe.phases)
        facts = ", ".join(filter(None, (recipe.arch, f"{epochs} epochs", _ranges(covered(name)))))
        table.add_row(Text(name, "bold"), Text.assemble(f"{recipe.description}\n", (facts, "dim")))
    return table


def _ranges(lines: tuple[str, ...]) -> str:
    """Return `S2.1-3, S2.5` of the IDs S2.1, S2.2, S2.3 and S2.5."""
    places = sorted({(document, int(number)) for document, number in (line.split(".") for line in lines)})
    runs: list[list[tuple[str, int]]] = []
    for document, number in places:
        if runs and runs[-1][-1] == (document, number - 1):
            runs[-1].append((document, number))
        else:
            runs.append([(document, number)])
    ends = ("" if len(run) == 1 else f"-{run[-1][1]}" for run in runs)
    return ", ".join(f"{run[0][0]}.{run[0][1]}{end}" for run, end in zip(runs, ends, strict=True))
