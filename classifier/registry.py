"""Registries: rows by their name, of which there must not be two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Named(Protocol):
    """A row of a registry."""

    @property
    def name(self) -> str:
        """What the row is looked up by."""
        ...


Row = TypeVar("Row", bound=Named)


def by_name(rows: Iterable[Row], what: str) -> dict[str, Row]:
    """Return the rows by name; raises ValueError for two of one name, where `what` says what they are."""
    table: dict[str, Row] = {}
    for row in rows:
        if row.name in table:
            raise ValueError(f"two {what} are named {row.name}")
        table[row.name] = row
    return table
