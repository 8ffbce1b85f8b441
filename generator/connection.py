"""One connection to a server of files: read in a thread, told what is wanted, and answered in sentences."""

from __future__ import annotations

import http.client
import queue
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

AGENT = "forensics (downloads pictures to train a detector)"
CHUNK = 2**18
TICK_S = 0.3
FINAL = frozenset((400, 401, 403, 404, 405, 410, 451))
"""Answers that another attempt will not change."""


class BadSource(Exception):
    """Real pictures that cannot be had from where they were asked for; `str()` says why and what to do."""


class Unreachable(BadSource):
    """Nothing came at all: the network, the server or the file is not there."""


class Interrupted(BadSource):
    """A part came and is kept; another call goes on from there."""


@dataclass(frozen=True)
class Remote:
    """A file on the network: its address, what messages call it, its size in bytes and its SHA-256.

    `instead` is what messages tell people to do where it cannot be had.
    """

    url: str
    what: str
    size: int
    sha256: str
    instead: str = "give another source or a folder of pictures with --real"


class Broken(Exception):
    """A connection ended early; the next may go on. `str()` is why, as part of a sentence."""


@dataclass(frozen=True)
class Answer:
    """The server answered: its bytes begin at this place of the file."""

    begins: int


class Transfer(threading.Thread):
    """One connection, read in a thread: a silent server must not silence the job."""

    def __init__(self, remote: Remote, begins: int, stall_s: float) -> None:
        super().__init__(name="download", daemon=True)
        self._remote, self._begins, self._stall_s = remote, begins, stall_s
        self._pieces: queue.Queue[bytes | Answer | Exception] = queue.Queue(maxsize=8)
        self._sockets: list[socket.socket] = []
        self._stopped = threading.Event()
        self.start()

    def run(self) -> None:
        """Put what comes into the queue: the answer, bytes, and nothing more (b"") or what went wrong."""
        try:
            for piece in self._read():
                self._put(piece)
            self._put(b"")
        except (BadSource, Broken) as error:
            self._put(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._put(Broken(_reason(error)))

    def next(self) -> bytes | Answer | None:
        """Return the next piece, b"" at the end, or None if nothing came for a while; raises what went wrong."""
        try:
            piece = self._pieces.get(timeout=TICK_S)
        except queue.Empty:
            return None
        if isinstance(piece, Exception):
            raise piece
        return piece

    def stop(self) -> None:
        """End the connection, and with it the thread; only the look-up of a name outlasts this, by seconds."""
        self._stopped.set()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.join(timeout=2)

    def _put(self, piece: bytes | Answer | Exception) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._pieces.put(piece, timeout=TICK_S)
                return

    def _read(self) -> Iterator[bytes | Answer]:
        request = _request(self._remote.url)
        if self._begins:
            request.add_header("Range", f"bytes={self._begins}-")
        try:
            response = _opener(self._sockets).open(request, timeout=self._stall_s)
        except urllib.error.HTTPError as error:
            with error:
                raise _refused(self._remote, error.code, str(error.reason)) from None
        with response:
            answer = Answer(_check_size(self._remote, response))
            if answer.begins > self._begins:
                raise Broken("the server sent another range than asked for")
            yield answer
            while not self._stopped.is_set() and (chunk := response.read1(CHUNK)):
                yield chunk


def _check_size(remote: Remote, response: Any) -> int:
    """Return where the bytes of an answer begin; raises `BadSource` if the file has another size than expected."""
    begins, told = 0, response.headers.get("Content-Length", "")
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        found = re.fullmatch(
            r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)", response.headers.get("Content-Range", "").strip()
        )
        if found is None:
            raise Broken("the answer to a request for a range names no range")
        begins, told = int(found[1]), found[2]
    if re.fullmatch(r"\d{1,18}", told) and int(told) != remote.size:
        raise _changed(remote, f"{int(told):,} bytes instead of {remote.size:,}")
    return begins


def _refused(remote: Remote, status: int, reason: str) -> Exception:
    if status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return _changed(remote, f"fewer than {remote.size:,} bytes")
    said = f"{status} {reason[:60]}".strip()
    if status in FINAL:
        return Unreachable(f"{host(remote)} does not give out {remote.what} (it answered {said}): {remote.instead}.")
    return Broken(f"the server answered {said}")


def _changed(remote: Remote, now: str) -> BadSource:
    return BadSource(f"{remote.what} has changed on {host(remote)} (now {now}), so it is not used: {remote.instead}.")


def _reason(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, TimeoutError):
        return "the server went silent"
    said = getattr(inner, "strerror", None) or str(inner)
    return " ".join(str(said).split())[:120] or type(inner).__name__


def host(remote: Remote) -> str:
    """Return the name of the server, for messages."""
    return urlsplit(remote.url).hostname or remote.url


def _request(url: str, method: str = "GET") -> urllib.request.Request:
    if urlsplit(url).scheme not in ("http", "https"):
        raise BadSource(f"{url} is not an address of the web (http or https).")
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    return urllib.request.Request(url, headers=headers, method=method)  # noqa: S310 - the scheme was checked


def _opener(sockets: list[socket.socket]) -> urllib.request.OpenerDirector:
    """Return what opens http and https addresses and nothing else, also after redirects; it notes its sockets."""

    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.append(self.sock)

    class Secure(http.client.HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.append(self.sock)

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Plain, req)

    class SecureHandler(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Secure, req)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(), urllib.request.UnknownHandler(), PlainHandler(), SecureHandler(),
        urllib.request.HTTPRedirectHandler(), urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener


def reachable(url: str, *, seconds: float = 3.0) -> Iterator[bool | None]:
    """Yield None while an address is tried, at last whether a server answers; looking up its name counts too."""
    answer: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def ask() -> None:
        try:
            with _opener([]).open(_request(url, method="HEAD"), timeout=seconds):
                answer.put(True)
        except (OSError, http.client.HTTPException, ValueError):
            answer.put(False)

    threading.Thread(target=ask, name="is a server there", daemon=True).start()
    due = time.monotonic() + seconds
    while time.monotonic() < due:
        with suppress(queue.Empty):
            yield answer.get(timeout=TICK_S)
            return
        yield None
    yield False
