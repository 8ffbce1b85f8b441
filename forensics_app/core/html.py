"""Pages that need nothing else: escaped by Jinja2, with a policy that allows their own style and script by SHA-256."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from classifier.places import resources
from forensics_app import __version__
from forensics_app.core.words import COLOURS


def page(template: str, *, styles: Sequence[str], script: str | None = None, **values: Any) -> str:
    """Return the HTML of a template of `resources` with its style sheets and its script inside.

    The template also finds `version`, `style_hash` and, with a script, `script_hash`. Everything in `values` is
    escaped; what people could be misled by (control and bidirectional characters) goes through `words.shown` before.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    style = colours() + "".join(resource(name) for name in styles)
    if script is not None:
        code = resource(script)
        values |= {"script": Markup(code), "script_hash": digest(code)}  # noqa: S704 - the product's own file
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(resource(template)).render(
        style=Markup(style),  # noqa: S704 - the product's own files
        style_hash=digest(style),
        version=__version__,
        **values,
    )


def resource(name: str) -> str:
    """Return the text of one of the product's own files."""
    return (resources() / name).read_text(encoding="utf-8")


def digest(text: str) -> str:
    """Return the SHA-256 of a text as a content security policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def data_uri(kind: str, data: bytes) -> str:
    """Return bytes of a media type, such as `image/png`, as an address that holds them."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def colours() -> str:
    """Return the verdicts' colours as CSS variables, light and dark."""
    light, dark = (";".join(f"--{name}:{value}" for name, value in COLOURS[theme].items()) for theme in COLOURS)
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
