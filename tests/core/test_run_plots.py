"""The plots of a run have the colours of the page that they lie on."""

from __future__ import annotations

import re
from dataclasses import asdict

from classifier.places import resources
from forensics_app.core.run_plots import THEMES
from forensics_app.core.words import COLOURS


def test_the_plots_have_the_pages_colours() -> None:
    style = (resources() / "report.css").read_text(encoding="utf-8")
    for (name, theme), root in zip(THEMES.items(), re.findall(r":root\{(.*?)\}", style), strict=True):
        own = {key: value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:])
               for key, value in re.findall(r"--(\w+):(#\w+)", root)}  # fmt: skip
        wanted = {**own, "ground": own["card"], **COLOURS[name]}
        assert asdict(theme) == {key: wanted[key] for key in asdict(theme)}
