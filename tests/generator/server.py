"""A real HTTP server on loopback for one file, which can be made to misbehave."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Behaviour:
    """What the server sends, and how. `cut_after` closes each connection after so many bytes of the body."""

    body: bytes
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)
    status: int = 200
    length: int | None = None
    redirect: str | None = None
    silent: bool = False
    asked: list[str | None] = field(default_factory=list)
    """The header Range of every request that came."""


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[str]:
    """Serve a file while the block runs; yields its address."""
    finished = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            behaviour.asked.append(self.headers.get("Range"))
            if behaviour.redirect and not self.path.startswith("/moved"):
                self.send_response(302)
                self.send_header("Location", behaviour.redirect)
                self.end_headers()
            elif behaviour.status != 200:
                self.send_error(behaviour.status)
            else:
                self._send(behaviour.body)

        def _send(self, body: bytes) -> None:
            begins = 0
            if behaviour.ranges and (asked := self.headers.get("Range")):
                begins = int(asked.removeprefix("bytes=").removesuffix("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {begins}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(behaviour.length or len(body) - begins))
            self.end_headers()
            cut = behaviour.cut_after.pop(0) if behaviour.cut_after else len(body)
            try:
                self.wfile.write(body[begins : begins + cut])
                self.wfile.flush()
            except OSError:  # the other side has seen enough
                return
            if behaviour.silent:
                finished.wait(20)

        def log_message(self, *_arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/file.zip"
        finally:
            finished.set()
            server.shutdown()
            thread.join()
