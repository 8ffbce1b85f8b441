"""A store's rows as Parquet, a column each, with the file's true name as bytes. Needs pyarrow, the extra `parquet`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from forensics_app.core.store import Stored
from forensics_app.core.words import answer

SCHEMA = pa.schema([
    pa.field("path", pa.string(), nullable=False), pa.field("path_bytes", pa.binary()),
    pa.field("verdict", pa.string(), nullable=False), pa.field("p_fake", pa.float64()), pa.field("reason", pa.string()),
    pa.field("evidence", pa.string()), pa.field("format", pa.string()), pa.field("width", pa.int64()),
    pa.field("height", pa.int64()), pa.field("sha256", pa.string()), pa.field("size", pa.int64()),
    pa.field("modified", pa.timestamp("us", tz="UTC")), pa.field("judged", pa.timestamp("us", tz="UTC")),
    pa.field("detector", pa.string()), pa.field("detector_id", pa.string()), pa.field("heatmap", pa.string()),
    pa.field("error_kind", pa.string()), pa.field("error", pa.string()), pa.field("mark", pa.string()),
    pa.field("gone", pa.bool_()),
])  # fmt: skip
"""`path_bytes` is only there where a name is no UTF-8; `evidence` is JSON, a list."""
GROUP_ROWS = 50_000


@contextmanager
def writing(file: BinaryIO) -> Iterator[Callable[[list[Stored]], None]]:
    """Give a function that adds rows to a Parquet file; groups of rows are written as they fill."""
    waiting = list[dict[str, Any]]()
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(waiting, SCHEMA))
            waiting.clear()

        def add(rows: list[Stored]) -> None:
            waiting.extend(_columns(one) for one in rows)
            if len(waiting) >= GROUP_ROWS:
                flush()

        yield add
        flush()


def _columns(stored: Stored) -> dict[str, Any]:
    row = stored.row
    verdict, error, detector = (row.get(name) or {} for name in ("verdict", "error", "detector"))
    name = row.get("path_bytes")
    return {
        "path": row["path"], "path_bytes": bytes.fromhex(name) if name else None, "verdict": answer(row),
        "p_fake": verdict.get("p_fake"), "reason": verdict.get("reason"),
        "evidence": json.dumps(row["evidence"]) if "evidence" in row else None,
        **{key: row.get(key) for key in ("format", "width", "height", "sha256", "heatmap")},
        "size": stored.size, "modified": stored.mtime_ns // 1000, "judged": stored.judged_ns // 1000,
        "detector": detector.get("name"), "detector_id": detector.get("id"),
        "error_kind": error.get("kind"), "error": error.get("message"), "mark": stored.mark, "gone": stored.gone,
    }  # fmt: skip
