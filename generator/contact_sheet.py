"""All of a data set at a glance: what it is, then real pictures on the left and generated ones on the right.

Nothing on it depends on the day or the place, so that the same data set has the same sheet.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SHEET = "contact_sheet.png"
SHOWN, COLUMNS, GAP_PX, EDGE_PX, HEAD_PX = 64, 8, 4, 16, 30
CELL_PX, FEW, FEW_CELL_PX = 64, 16, 96
"""Side of a cell, and of the larger one that is taken where no class has more than a few pictures."""
TITLE_PX, LINE_PX, LEAST_WIDTH_PX = 20, 14, 400
PAPER, INK, SOFT_INK = (255, 255, 255), (32, 32, 32), (96, 96, 96)


def draw(folder: Path, pictures: Sequence[tuple[str, str]], title: str, facts: Sequence[str]) -> Image.Image:
    """Return the sheet of a data set: a heading, and of each class up to 64 pictures, evenly over all that there are.

    `pictures` are (path below `folder`, class); each of the `facts` begins a line below the title.
    """
    classes = sorted({name for _, name in pictures}, reverse=True)  # real before fake, as it is said
    found = {name: [path for path, kind in pictures if kind == name] for name in classes}
    most = min(SHOWN, max(map(len, found.values())))
    cell, columns = FEW_CELL_PX if most <= FEW else CELL_PX, min(COLUMNS, math.ceil(math.sqrt(2 * most)))
    blocks = [_block(folder, name, paths, cell, columns) for name, paths in found.items()]
    width = max(LEAST_WIDTH_PX, sum(block.width + EDGE_PX for block in blocks) - EDGE_PX)
    heading = _heading(title, facts, width)
    height = heading.height + max(block.height for block in blocks)
    sheet = Image.new("RGB", (width + 2 * EDGE_PX, height + 2 * EDGE_PX), PAPER)
    sheet.paste(heading, (EDGE_PX, EDGE_PX))
    left = EDGE_PX
    for block in blocks:
        sheet.paste(block, (left, EDGE_PX + heading.height))
        left += block.width + EDGE_PX
    return sheet


def _heading(title: str, facts: Sequence[str], width: int) -> Image.Image:
    lines = [(line, TITLE_PX, INK) for line in _wrapped(title, TITLE_PX, width)]
    lines += [(line, LINE_PX, SOFT_INK) for fact in facts for line in _wrapped(fact, LINE_PX, width)]
    heading = Image.new("RGB", (width, sum(size + size // 2 for _, size, _ in lines)), PAPER)
    top = 0
    for line, size, ink in lines:
        ImageDraw.Draw(heading).text((0, top), line, fill=ink, font=_font(size))
        top += size + size // 2
    return heading


def _wrapped(text: str, size: int, width: int) -> Iterator[str]:
    """Yield a text as lines that are no wider than that, a word that is longer cut short."""
    font, line = _font(size), ""
    for word in text.encode("latin-1", "replace").decode("latin-1").split():
        while font.getlength(word) > width:
            word = word[:-2] + "~"  # noqa: PLW2901
        longer = f"{line} {word}".strip()
        if font.getlength(longer) > width:
            yield line
            longer = word
        line = longer
    yield line


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _block(folder: Path, name: str, paths: Sequence[str], cell: int, columns: int) -> Image.Image:
    chosen = [paths[int(index)] for index in np.linspace(0, len(paths) - 1, min(SHOWN, len(paths)))]
    rows, step = math.ceil(len(chosen) / columns), cell + GAP_PX
    block = Image.new("RGB", (columns * step - GAP_PX, HEAD_PX + rows * step - GAP_PX), PAPER)
    text = f"{name}: {len(chosen)} of {len(paths):,}" if len(chosen) < len(paths) else f"{name}: {len(paths)}"
    ImageDraw.Draw(block).text((0, 6), text, fill=INK, font=_font(16))
    for index, path in enumerate(chosen):
        with Image.open(folder / path) as picture:
            small = picture.convert("RGB").resize((cell, cell), Image.Resampling.LANCZOS)
        block.paste(small, (index % columns * step, HEAD_PX + index // columns * step))
    return block
