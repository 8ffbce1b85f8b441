"""What a scan tells while it runs, and the counts that it tells."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

EVENT_SECONDS = 0.4
ANSWERS = ("fake", "real", "unsure", "error")


@dataclass(frozen=True)
class Scanned:
    """One file was judged, and its row is in the store, on the disk.

    `done` counts what is dealt with, files that were known included; `total` grows while folders are still being
    listed; `rate` is files a second so far. `row` is the public JSON form of a picture
    (`forensics_app.core.analysis.to_json` or `error_json`) with `thumbnail`; that and `heatmap` are paths relative to
    `out`, or None. `path` is absolute, and for what lies in an archive that of the archive, `!/` and the name inside;
    `path_bytes` is there only for a name that is no UTF-8.
    """

    done: int
    total: int
    row: Mapping[str, Any]
    rate: float


@dataclass(frozen=True)
class Progress:
    """No file was judged for a moment, though many may have been found to be known; comes twice a second then."""

    done: int
    total: int
    rate: float


@dataclass(frozen=True)
class Summary:
    """The last event. `counts` has the keys fake, real, unsure and error; `failed` is the number of errors.

    Of the files `done`, `known` were in the store already and had not changed; `gone` earlier ones are not there any
    more.
    """

    done: int
    failed: int
    counts: dict[str, int]
    seconds: float
    known: int = 0
    gone: int = 0


Event = Scanned | Progress | Summary


@dataclass
class Tally:
    """Counts what is dealt with, and when something was last told."""

    begun: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)
    done: int = 0
    known: int = 0
    total: int = 0
    gone: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ANSWERS, 0))

    @property
    def rate(self) -> float:
        """Files a second since the beginning, those that were known included."""
        return self.done / max(time.monotonic() - self.begun, 1e-6)

    @property
    def patience(self) -> float:
        """Seconds until something must be told again."""
        return max(0.0, self.told + EVENT_SECONDS - time.monotonic())

    def knew(self, label: str) -> None:
        """Count a file that was judged before."""
        self.done += 1
        self.known += 1
        self.counts[label] += 1

    def scanned(self, row: Mapping[str, Any]) -> Scanned:
        """Count a file and return its event."""
        self.done += 1
        self.counts["error" if "error" in row else row["verdict"]["label"]] += 1
        self.told = time.monotonic()
        return Scanned(self.done, max(self.total, self.done), row, self.rate)

    def progress(self) -> Iterator[Progress]:
        """Yield where the scan is, if nothing was told for a moment."""
        if not self.patience:
            self.told = time.monotonic()
            yield Progress(self.done, max(self.total, self.done), self.rate)

    def summary(self) -> Summary:
        """Return the last event."""
        seconds = time.monotonic() - self.begun
        return Summary(self.done, self.counts["error"], self.counts, seconds, self.known, self.gone)
