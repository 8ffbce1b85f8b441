"""The pictures of a tar or tar.gz from outside, read in order and counted as they come.

`tarfile` reads headers of any size into memory; here it parses single blocks of 512 bytes only (POSIX.1-2001 pax, and
the long names of GNU tar).
"""

from __future__ import annotations

import gzip
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from classifier.images import MAX_BYTES
from generator.connection import BadSource
from generator.entries import CHUNK, Entry, Limits, Wanted, bomb, count_archives, entry_name

BLOCK = 512
GZIP = b"\x1f\x8b"
MAX_HEADER = 2**20


def is_tar(block: bytes) -> bool:
    """Return whether a file that begins with these 512 bytes is a tar or a tar.gz, as far as can be told from them."""
    if block.startswith(GZIP):
        return True
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


class _Stream:
    """The bytes of a tar archive in order, unpacked where it is a tar.gz, and no more than the limits allow."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        packed = file.read(2) == GZIP
        file.seek(0)
        self._file, self._limits, self._total = file, limits, 0
        self._from: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=file) if packed else file

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield exactly so many bytes; raises EOFError where there are fewer, `BadSource` for a bomb."""
        while size:
            chunk = self._from.read(min(size, CHUNK))
            if not chunk:
                raise EOFError("the archive ends in the middle")
            size -= len(chunk)
            self._count(len(chunk))
            yield chunk

    def read(self, size: int) -> bytes:
        """Return exactly so many bytes of a header, which must be a small one."""
        if size > MAX_HEADER:
            raise BadSource(f"It has a header of {size:,} bytes: refused.")
        return b"".join(self.chunks(size))

    def _count(self, size: int) -> None:
        self._total += size
        if self._total > self._limits.max_total:
            raise BadSource(f"It holds more than the limit of {self._limits.max_total:,} bytes.")
        if self._total > max(CHUNK, self._limits.max_ratio * self._file.tell()):
            raise bomb(self._total, self._file.tell(), self._limits)

    def end(self) -> None:
        """Read what is left, at whose end a tar.gz has its checksum."""
        while chunk := self._from.read(CHUNK):
            self._count(len(chunk))


def tar_entries(file: BinaryIO, wanted: Wanted, left_out: Counter[str], limits: Limits) -> Iterator[Entry | None]:
    """Yield the pictures of a tar or tar.gz as they come; None is a sign of life while others are passed over.

    Raises `BadSource`, or what `tarfile`, `gzip` and `zlib` raise for damage.
    """
    stream = _Stream(file, limits)
    for info, name in _headers(stream, limits):
        if info.isreg() and wanted(name) and info.size <= MAX_BYTES:
            chunks = stream.chunks(info.size)
            yield Entry(name, chunks)
            for _ in chunks:  # what was not read
                pass
        elif _has_no_data(info):
            if not info.isdir():
                left_out["links" if info.issym() or info.islnk() else "devices and pipes"] += 1
            continue
        else:
            if info.isreg() and wanted(name):
                left_out["too large"] += 1
            count_archives([name], left_out)
            yield from (None for _ in stream.chunks(info.size))
        stream.read(-info.size % BLOCK)
    stream.end()


def _headers(stream: _Stream, limits: Limits) -> Iterator[tuple[tarfile.TarInfo, str]]:
    """Yield each header with the name that is meant; what follows it must be read before the next is asked for."""
    name, count = "", 0
    while (block := stream.read(BLOCK)) != bytes(BLOCK):
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if (count := count + 1) > limits.max_files:
            raise BadSource(f"It has more than {limits.max_files:,} entries.")
        if info.size < 0:
            raise ValueError("an entry has a negative size")
        if info.type == tarfile.GNUTYPE_SPARSE:
            raise BadSource("It holds files with holes (sparse): unpack it, and give the folder.")
        if info.type in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
            name = _long_name(info.type, stream.read(info.size)) or name
            stream.read(-info.size % BLOCK)
        else:
            own, name = entry_name(name or info.name, limits), ""
            yield info, own


def _has_no_data(info: tarfile.TarInfo) -> bool:
    """Return whether a header is followed by the next at once, whatever size it claims."""
    return info.type in tarfile.SUPPORTED_TYPES and not info.isreg() and info.type not in (
        tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE,
    )  # fmt: skip


def _long_name(kind: bytes, data: bytes) -> str:
    """Return the name that a header of its own gives to the next entry (GNU tar, or the records of POSIX pax)."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return data.rstrip(b"\0").decode("utf-8", "surrogateescape")
    found, place = "", 0
    while record := re.compile(rb"(\d{1,7}) ([^=]+)=").match(data, place):
        end = place + int(record[1])
        if end <= record.end():
            raise ValueError("a pax header is damaged")
        if record[2] == b"path":
            found = data[record.end() : end - 1].decode("utf-8", "surrogateescape")
        if record[2] == b"size":
            raise BadSource("It holds a file of more than 8 GiB: unpack it, and give the folder.")
        place = end
    return found
