"""All of a data set at a glance: real pictures on the left, generated ones on the right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SHEET = "contact_sheet.png"
SHOWN, COLUMNS, CELL_PX, GAP_PX, HEAD_PX = 64, 8, 64, 4, 34
PAPER, INK = (255, 255, 255), (32, 32, 32)


def draw(folder: Path, pictures: Sequence[tuple[str, str]]) -> Image.Image:
    """Return the sheet of a data set: of each class up to 64 pictures, evenly over all that there are.

    `pictures` are (path below `folder`, class).
    """
    classes = sorted({name for _, name in pictures}, reverse=True)  # real before fake, as it is said
    blocks = [_block(folder, name, [path for path, kind in pictures if kind == name]) for name in classes]
    width = sum(block.width for block in blocks) + GAP_PX * 4 * (len(blocks) + 1)
    sheet = Image.new("RGB", (width, max(block.height for block in blocks) + GAP_PX * 4), PAPER)
    left = GAP_PX * 4
    for block in blocks:
        sheet.paste(block, (left, 0))
        left += block.width + GAP_PX * 4
    return sheet


def _block(folder: Path, name: str, paths: Sequence[str]) -> Image.Image:
    chosen = [paths[int(index)] for index in np.linspace(0, len(paths) - 1, min(SHOWN, len(paths)))]
    rows, step = math.ceil(len(chosen) / COLUMNS), CELL_PX + GAP_PX
    block = Image.new("RGB", (COLUMNS * step - GAP_PX, HEAD_PX + rows * step), PAPER)
    text = f"{name}: {len(chosen)} of {len(paths)}" if len(chosen) < len(paths) else f"{name}: {len(paths)}"
    ImageDraw.Draw(block).text((0, 9), text, fill=INK, font=ImageFont.load_default(16))
    for index, path in enumerate(chosen):
        with Image.open(folder / path) as picture:
            cell = picture.convert("RGB").resize((CELL_PX, CELL_PX), Image.Resampling.LANCZOS)
        block.paste(cell, (index % COLUMNS * step, HEAD_PX + index // COLUMNS * step))
    return block
