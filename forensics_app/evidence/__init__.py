"""Evidence: what a file itself says about its origin, kept apart from the detector's score.

A probe is a function from a decoded file to one `Evidence`; a new probe is a new row of `PROBES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from classifier.images import ImageFile

Finding = Literal["synthetic", "camera", "nothing", "failed"]
Strength = Literal["proof", "hint"]


@dataclass(frozen=True)
class Evidence:
    """What one probe found: `summary` is a sentence for people, `details` the facts behind it.

    Only `proof` may decide a verdict, and hardly anything is: what anyone can write into a file is a `hint`.
    """

    probe: str
    finding: Finding
    strength: Strength
    summary: str
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """A row of the registry: the probe's name and the function that looks."""

    name: str
    look: Callable[[ImageFile], Evidence]


def probes() -> tuple[Probe, ...]:
    """Return the registry, one row a probe."""
    from forensics_app.evidence.metadata import look_at_metadata

    return (Probe("metadata", look_at_metadata),)


def collect(file: ImageFile, chosen: Sequence[Probe] | None = None) -> tuple[Evidence, ...]:
    """Run the probes on a file; a probe that fails is evidence of nothing, never an error of the file."""
    found = []
    for probe in probes() if chosen is None else chosen:
        try:
            found.append(probe.look(file))
        except Exception as error:  # metadata from outside breaks parsers in any way
            found.append(
                Evidence(
                    probe.name,
                    "failed",
                    "hint",
                    f"The {probe.name} could not be read ({type(error).__name__}).",
                )
            )
    return tuple(found)
