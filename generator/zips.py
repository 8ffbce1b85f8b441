"""The pictures of a zip from outside, checked by its directory before any of them is unpacked."""

from __future__ import annotations

import io
import stat
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from classifier.images import MAX_BYTES
from generator.connection import BadSource
from generator.entries import CHUNK, Entry, Limits, Wanted, bomb, count_archives, entry_name

PER_ENTRY = 200
"""Bytes of a zip's directory that an entry takes at most on average; names of pictures are shorter."""


def zip_entries(file: BinaryIO, wanted: Wanted, left_out: Counter[str], limits: Limits) -> Iterator[Entry]:
    """Yield the pictures of a zip in the order of its directory; raises `BadSource`, or what `zipfile` raises."""
    _check_directory(file, limits)
    with zipfile.ZipFile(file) as archive:
        if len(archive.infolist()) > limits.max_files:
            raise BadSource(f"It has {len(archive.infolist()):,} entries; the limit is {limits.max_files:,}.")
        taken = [(name, info) for info in archive.infolist() if wanted(name := entry_name(info.filename, limits))]
        count_archives((info.filename for info in archive.infolist()), left_out)
        taken = [(name, info) for name, info in taken if not _unusual(info, left_out, limits)]
        _check_sizes([info for _, info in taken], limits)
        for name, info in taken:
            yield Entry(name, _unzipped(archive, info))


def _check_directory(file: BinaryIO, limits: Limits) -> None:
    """Refuse a zip by the size of its directory before a parser keeps an object for each of its entries."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 2**16 - 200))
    tail = file.read()
    file.seek(0)
    end = tail.rfind(b"PK\5\6")
    directory = int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0
    if end >= 76 and tail[end - 20 : end - 16] == b"PK\6\7":  # zip64
        directory = int.from_bytes(tail[end - 36 : end - 28], "little")
    if directory > limits.max_files * PER_ENTRY:
        raise BadSource(f"Its directory has {directory:,} bytes, which is for more than {limits.max_files:,} entries.")


def _unusual(info: zipfile.ZipInfo, left_out: Counter[str], limits: Limits) -> bool:
    """Return whether an entry is left out, and count it; raises `BadSource` for an encrypted one unless lenient."""
    if info.flag_bits & 0x1 and not limits.lenient:
        raise BadSource(f"Its entry {info.filename[:100]!a} is encrypted: unpack it, and give the folder.")
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == 3 else 0
    if info.flag_bits & 0x1:
        left_out["encrypted"] += 1
    elif kind == stat.S_IFLNK:
        left_out["links"] += 1
    elif kind not in (0, stat.S_IFREG):
        left_out["devices and pipes"] += 1
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        left_out["compressed in a rare way"] += 1
    elif info.file_size > MAX_BYTES:
        left_out["too large"] += 1
    else:
        return False
    return True


def _check_sizes(infos: list[zipfile.ZipInfo], limits: Limits) -> None:
    """Refuse entries that share bytes of the archive, and those that grow too much, by what the directory says."""
    total = sum(info.file_size for info in infos)
    if total > limits.max_total:
        raise BadSource(f"Its pictures have {total:,} bytes; the limit is {limits.max_total:,}.")
    reached = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < reached:
            raise BadSource("Its entries overlap, as those of a bomb do: refused.")
        reached = info.header_offset + 30 + info.compress_size
        if info.file_size > max(CHUNK, limits.max_ratio * info.compress_size):
            raise bomb(info.file_size, info.compress_size, limits)


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(info) as stream:  # reads no more than the directory said, and checks the checksum at the end
        while chunk := stream.read(CHUNK):
            yield chunk
