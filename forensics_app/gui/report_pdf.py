"""One judged picture as a PDF of a page or two, typeset by Qt from a small document of its own."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import datetime

import numpy as np
from PIL import Image
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QSizeF, QUrl
from PySide6.QtGui import QFont, QPageLayout, QPageSize, QPdfWriter, QTextDocument

from classifier.images import Pixels
from forensics_app import __version__
from forensics_app.core.analysis_page import Told, facts, map_words
from forensics_app.core.map_words import badge
from forensics_app.core.overlay import overlay
from forensics_app.core.words import COLOURS, ICONS, about, shown
from forensics_app.gui.pictures import image_over

SIDE_PX = 1000
MARGIN_MM = 18
POINTS_PER_MM = 72 / 25.4
PAIR_GAP_PT = 12
SHOWN_ROWS = 60
TEXT_PX, NAME_PX = 10, 120
"""The document's pixels are points on paper, whatever the screen's resolution is."""
NEVER_SAID = "It does not say that a picture is authentic, who made it, or whether a photograph was edited or staged."
SMALL = 'style="font-size:8px; color:#565e69;"'


def pdf_of(told: Told) -> bytes:
    """Return the bytes of a PDF, A4; may run in any thread."""
    memory, data = QBuffer(), QByteArray()
    memory.setBuffer(data)
    memory.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(memory)
    writer.setPageLayout(
        QPageLayout(
            QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, QMarginsF(*[MARGIN_MM] * 4),
            QPageLayout.Unit.Millimeter,
        )
    )  # fmt: skip
    writer.setTitle(f"{shown(told.name)}: {told.analysis.verdict.headline}")
    writer.setCreator(f"forensics {__version__}")
    writer.setResolution(144)
    width_pt = 210 * POINTS_PER_MM - 2 * MARGIN_MM * POINTS_PER_MM
    document = _document(told, width_pt)
    document.setPageSize(QSizeF(width_pt, (297 - 2 * MARGIN_MM) * POINTS_PER_MM))
    document.print_(writer)
    memory.close()
    return bytes(data.data())


def _document(told: Told, width_pt: float) -> QTextDocument:
    document = QTextDocument()
    document.setDocumentMargin(0)
    font = QFont()
    font.setPixelSize(TEXT_PX)
    document.setDefaultFont(font)
    pictures = [("picture", told.analysis.file.pixels)]
    if (seen := told.shown) is not None:
        laid = overlay(told.analysis.file.pixels, seen.heat, opacity=seen.opacity, colour_map=seen.colour_map)
        pictures.append(("map", laid))
    for name, pixels in pictures:
        kind = int(QTextDocument.ResourceType.ImageResource.value)
        document.addResource(kind, QUrl(f"own:{name}"), image_over(_small(pixels)).copy())
    height, width = told.analysis.file.pixels.shape[:2]
    side = (width_pt - PAIR_GAP_PT) / 2
    scale = min(side / width, 1.2 * side / height)
    document.setHtml(_html(told, [name for name, _ in pictures], (round(width * scale), round(height * scale))))
    return document


def _small(pixels: Pixels) -> Pixels:
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE_PX, SIDE_PX), reducing_gap=2.0)
    return np.ascontiguousarray(image)


def _html(told: Told, pictures: Iterable[str], size: tuple[int, int]) -> str:
    verdict = told.analysis.verdict
    images = "".join(f'<td><img src="own:{name}" width="{size[0]}" height="{size[1]}"></td>' for name in pictures)
    colour = COLOURS["light"][verdict.label]
    headline = f"{ICONS[verdict.label]} {_safe(verdict.headline)}"
    when = datetime.now().strftime("%d %B %Y, %H:%M")
    return "".join((
        f"<p {SMALL}><b>{_safe(told.name)}</b>, {when}, forensics {__version__}</p>",
        f'<p style="font-size:18px; font-weight:600; color:{colour};">{headline}</p>',
        f"<p>{_safe(verdict.reason)}</p><p>{_safe(told.open_question)}</p>",
        f'<table cellspacing="0" cellpadding="3"><tr>{images}</tr></table>',
        *_about_map(told),
        _heading("Evidence in the file"),
        *(f"<p>{_safe(one.summary)}</p>" for one in told.analysis.evidence),
        _heading("The file and the detector"),
        _table([("p of being generated", f"{verdict.p_fake:.2f}"), *facts(told)]),
        f"<p {SMALL}>{_safe(about(told.card))}.</p>",
        *_metadata(told),
        _heading("What this does not say") + "<ul>",
        *(f"<li>{_safe(limit)}</li>" for limit in told.card.limits),
        f"<li>{NEVER_SAID}</li></ul>",
    ))  # fmt: skip


def _about_map(told: Told) -> Iterable[str]:
    if (seen := told.shown) is None:
        return
    yield f"<p {SMALL}>{_safe(map_words(seen))}</p>"
    if seen.trust is None:
        yield f"<p {SMALL}>How far this map can be trusted was not measured.</p>"
    else:
        shown_as = badge(seen.trust)
        yield f"<p><b>Trust of this map: {shown_as.mark} {shown_as.level}.</b> {_safe(shown_as.words)}</p>"
        yield f"<p {SMALL}>{_safe(shown_as.figures)}</p>"


def _metadata(told: Told) -> Iterable[str]:
    if told.rows:
        yield f"{_heading('Metadata')}<p {SMALL}>Anyone can write or remove these.</p>"
        yield _table([(row.name, row.value[:400]) for row in told.rows[:SHOWN_ROWS]])
        if len(told.rows) > SHOWN_ROWS:
            yield f"<p {SMALL}>{len(told.rows) - SHOWN_ROWS} more rows are not shown.</p>"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = (
        f'<tr><td width="{NAME_PX}"><span {SMALL}>{_safe(name)}</span></td><td>{_safe(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table cellspacing="0" cellpadding="2">{"".join(lines)}</table>'


def _heading(text: str) -> str:
    return f'<p style="font-size:13px; font-weight:600; margin-top:12px;">{text}</p>'


def _safe(text: str) -> str:
    return html.escape(shown(text))
