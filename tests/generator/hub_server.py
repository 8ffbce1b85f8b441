"""A small Hugging Face hub on loopback, for the real client: some models, some of them gated, and 404 for the rest."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.program import environment

FETCH = """
import json, sys
from generator.hub import fetch
from generator.model_files import BadModel
for name in sys.argv[1:]:
    try:
        print(json.dumps({"folder": str(fetch(name))}))
    except BadModel as error:
        print(json.dumps({"error": str(error)}))
"""


ASKED = re.compile(r"/(?:api/models/)?(\w+/[\w.-]+)/(tree|revision|resolve)/(\w+)(?:/([^?]*))?")


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the hub does where its client asks it for a model."""

    hub: Hub

    def do_GET(self) -> None:
        """Answer, or refuse as the hub does."""
        self.hub.asked.append(self.path)
        found = ASKED.match(self.path)
        repo, kind, revision, file = found.groups() if found else ("", "", "", "")
        folder = self.hub.models.get(repo) or self.hub.gated.get(repo)
        if folder is None:
            self.refuse(404, "RepoNotFound")
        elif revision == "1" * 40:
            self.refuse(404, "RevisionNotFound")
        elif repo in self.hub.gated and kind == "resolve":
            self.refuse(403, "GatedRepo")
        elif kind == "resolve" and not (folder / file).is_file():
            self.refuse(404, "EntryNotFound")
        else:
            self.answer(folder, kind, Hub.COMMIT if revision == "main" else revision, file)

    do_HEAD = do_GET  # noqa: N815

    def refuse(self, status: int, code: str) -> None:
        """Send nothing but the reason."""
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, folder: Path, kind: str, commit: str, file: str) -> None:
        """Send a file, or what there is of the model."""
        body = (folder / file).read_bytes() if kind == "resolve" else json.dumps(listing(folder, kind, commit)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", commit)
        if kind == "resolve":
            self.send_header("ETag", f'"{digest(folder / file)}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class Hub:
    """Serves folders as models in every revision that is not all ones; `main` is the commit `COMMIT`."""

    COMMIT = "a" * 40

    def __init__(self, models: Mapping[str, Path], gated: Mapping[str, Path]) -> None:
        self.models, self.gated = models, gated
        self.asked: list[str] = []
        handler = type("Bound", (Handler,), {"hub": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Hub:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fetch(self, cache: Path, *names: str, reachable: bool = True, **changes: str) -> list[dict[str, str]]:
        """Fetch models in a new process; return the folder or the error of each."""
        port = self._server.server_address[1] if reachable else 9
        settings = {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(cache), "HF_HUB_OFFLINE": "0",
                    "FORENSICS_OFFLINE": "", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", FETCH, *names],
            env=environment(**{**settings, **changes}),
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def listing(folder: Path, kind: str, commit: str) -> Any:
    """Return what the hub tells of a model: the tree of its files, or a revision."""
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    if kind == "revision":
        return {"id": "some/model", "sha": commit, "siblings": [{"rfilename": name} for name in names]}
    return [
        {"type": "file", "path": name, "size": path.stat().st_size, "oid": digest(path)} for name, path in names.items()
    ]


def digest(path: Path) -> str:
    """Return what names a file's content."""
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
