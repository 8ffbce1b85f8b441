"""One of our own commands as a child process: its JSON lines as signals, paused, stopped and resumed."""

from __future__ import annotations

import codecs
import json
import os
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QT_TRANSLATE_NOOP, QObject, QProcess, QProcessEnvironment, QTimer, Signal, Slot

from forensics_app.core.words import shown

State = Literal["waiting", "running", "pausing", "paused", "stopping", "finished", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("finished", "failed", "cancelled")
LOG_LINES = 2000
PATIENCE_MS, LAST_PATIENCE_MS = 15_000, 5_000
TIME_LEFT_AFTER_S = 4.0
DONE, FAILED_FILES, CANCELLED, KILLED = 0, 1, 130, 9
IN_THE_WINDOW = (
    ("--set weights=none", str(QT_TRANSLATE_NOOP("ProcessJob", "“Weights” set to “none”"))),
    ("--weights PATH", str(QT_TRANSLATE_NOOP("ProcessJob", "“Weights to start from”"))),
)
"""What a refusal calls an option, and what the window calls it."""
ROOT = Path(__file__).resolve().parents[2]


def program() -> tuple[str, ...]:
    """Return the words that start our command line: this very program, installed or frozen into one folder."""
    return (sys.executable,) if getattr(sys, "frozen", False) else (sys.executable, "-m", "forensics_app")


def encodable(text: str) -> bool:
    """Return whether Qt keeps a text as it is; it loses the bytes of names that are not UTF-8."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


class ProcessJob(QObject):
    """A command, run with `--json`; told in the GUI thread.

    `happened` brings every event as a dict with the key `event`. `changed` says that `state`, `done`, `total` or
    `words` have changed, at most some ten times a second. It ends in exactly one of `finished` (with the last event),
    `failed` (with a sentence) and `cancelled`. Exit code 1, files that failed or an audit that did, is an end too:
    `code` has it. Pausing ends the process cleanly; going on starts it anew with `again`, where it left off.
    """

    happened = Signal(dict)
    changed = Signal()
    finished = Signal(dict)
    failed = Signal(str)
    cancelled = Signal()
    paused = Signal()

    def __init__(
        self,
        words: str,
        arguments: Sequence[str],
        *,
        again: Sequence[str] | None = None,
        kept: str = "",
        page: str = "",
        environment: Mapping[str, str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        """`words` say what is done, `kept` what stays if it is cancelled, `page` the page that it belongs to.

        `again` are the arguments to go on with after a pause; None if there is no going on, so no pause.
        """
        super().__init__(parent)
        self.words, self.kept, self.page = words, kept, page
        self._first, self._again = tuple(arguments), None if again is None else tuple(again)
        self._environment = dict(environment or {})
        self.state: State = "waiting"
        self.done = self.total = self.code = 0
        self.unit = ""
        self.last: dict[str, Any] = {}
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._process: QProcess | None = None
        self._begun, self._base, self._crashed = 0.0, 0, False
        self._soon = QTimer(self, interval=80, singleShot=True)
        self._soon.timeout.connect(self.changed)
        self._patience = QTimer(self, singleShot=True)
        self._patience.timeout.connect(self._lose_patience)

    # -- what it says

    @property
    def running(self) -> bool:
        """True while there is a process."""
        return self._process is not None

    @property
    def ended(self) -> bool:
        """True once it has finished, failed or been cancelled."""
        return self.state in ENDED

    @property
    def can_pause(self) -> bool:
        """True if it can be stopped and go on later."""
        return self._again is not None

    @property
    def log(self) -> str:
        """The command and the last lines of its stderr."""
        return "\n".join((shown("forensics " + " ".join(self._first)), *self._log))

    def left_s(self) -> float | None:
        """Return the seconds that are left, once there is something to tell them from."""
        gone, won = time.monotonic() - self._begun, self.done - self._base
        if self.state != "running" or gone < TIME_LEFT_AFTER_S or won <= 0 or not self.total:
            return None
        return gone / won * (self.total - self.done)

    # -- what can be done

    def start(self) -> None:
        """Begin, or go on after a pause."""
        if self.state == "paused" and self._again is not None:
            self._launch(self._again)
        elif self.state == "waiting":
            self._launch(self._first)

    def pause(self) -> None:
        """Stop cleanly; `start` goes on."""
        if self.state == "running" and self.can_pause:
            self._to("pausing")
            self._ask_to_stop()

    def pause_or_go_on(self) -> None:
        """Do what one button for both does."""
        (self.start if self.state == "paused" else self.pause)()

    def cancel(self) -> None:
        """Stop cleanly, for good."""
        if self.state in ("waiting", "paused"):
            self._to("cancelled")
            self.cancelled.emit()
        elif self.state in ("running", "pausing"):
            asked = self.state == "pausing"
            self._to("stopping")
            if not asked:
                self._ask_to_stop()

    def wait(self, seconds: float = (PATIENCE_MS + LAST_PATIENCE_MS) / 1000 + 5) -> None:
        """Block until the process has ended; one that does not listen is killed."""
        if (process := self._process) is None:
            return
        if not process.waitForFinished(round(seconds * 1000)):
            process.kill()
            process.waitForFinished(-1)

    # -- the process

    def _launch(self, arguments: Sequence[str]) -> None:
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        extra = {"FORENSICS_ENDS_WITH_STDIN": "1", "PYTHONUTF8": "1", "NO_COLOR": "1", "COLUMNS": "100"}
        if not getattr(sys, "frozen", False):
            extra["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        words = [*arguments, "--json"]
        if any(not encodable(word) for word in words):
            extra["FORENSICS_ARGUMENTS"] = json.dumps(words)
        for name, value in {**extra, **self._environment}.items():
            environment.insert(name, value)
        process.setProcessEnvironment(environment)
        own = program()
        process.setProgram(own[0])
        process.setArguments([*own[1:], *filter(encodable, words)])
        self._text = {"out": codecs.getincrementaldecoder("utf-8")("replace"),
                      "err": codecs.getincrementaldecoder("utf-8")("replace")}  # fmt: skip
        self._rest = {"out": "", "err": ""}
        process.readyReadStandardOutput.connect(self._read_events)
        process.readyReadStandardError.connect(self._read_log)
        process.errorOccurred.connect(self._not_started)
        process.finished.connect(self._end)
        self._process, self._begun, self._base, self.last = process, time.monotonic(), -1, {}
        self._to("running")
        process.start()

    def _ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.closeWriteChannel()
            self._patience.start(PATIENCE_MS)

    @Slot()
    def _lose_patience(self) -> None:
        if self._process is None:
            return
        if self._patience.interval() == PATIENCE_MS:
            self._process.terminate()
            self._patience.start(LAST_PATIENCE_MS)
        else:
            self._process.kill()

    def _lines(self, channel: str, data: bytes) -> list[str]:
        *whole, self._rest[channel] = (self._rest[channel] + self._text[channel].decode(data)).split("\n")
        return whole

    @Slot()
    def _read_events(self) -> None:
        if self._process is None:
            return
        for line in self._lines("out", bytes(self._process.readAllStandardOutput().data())):
            try:
                event = json.loads(line)
            except ValueError:
                self._log.append(line)
                continue
            if isinstance(event, dict):
                self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        self.last = event
        done, total = event.get("done"), event.get("total")
        if isinstance(done, int) and isinstance(total, int):
            if self._base < 0 or done < self.done:
                self._base, self._begun = done, time.monotonic()
            self.done, self.total, self.unit = done, total, str(event.get("unit", ""))
        if not self._soon.isActive():
            self._soon.start()
        self.happened.emit(event)

    @Slot()
    def _read_log(self) -> None:
        if self._process is not None:
            self._log.extend(self._lines("err", bytes(self._process.readAllStandardError().data())))

    @Slot(QProcess.ProcessError)
    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            self._log.append(self._process.errorString())
            self._end(-1, QProcess.ExitStatus.CrashExit)

    @Slot(int, QProcess.ExitStatus)
    def _end(self, code: int, status: QProcess.ExitStatus) -> None:
        if (process := self._process) is None:
            return
        self._read_events()
        self._read_log()
        self._log.extend(filter(None, (self._rest["err"],)))
        self._patience.stop()
        self._process, self.code = None, code
        process.deleteLater()
        crashed = self._crashed = status == QProcess.ExitStatus.CrashExit and code >= 0
        if code in (DONE, FAILED_FILES) and not crashed:
            self._tell("finished")
        elif self.state == "pausing":
            self._tell("paused")
        elif self.state == "stopping" or (code == CANCELLED and not crashed):
            self._tell("cancelled")
        else:
            self._tell("failed")

    def _tell(self, state: State) -> None:
        self._to(state)
        if state == "finished":
            self.finished.emit(self.last)
        elif state == "failed":
            self.failed.emit(self.why)
        else:
            (self.paused if state == "paused" else self.cancelled).emit()

    @property
    def why(self) -> str:
        """The sentence for a job that failed."""
        told = next((line.strip() for line in reversed(self._log) if line.strip()), "")
        if self.code == 2 and told:
            for option, field in IN_THE_WINDOW:
                told = told.replace(option, self.tr(field))
            return told
        if self._crashed:
            killed = self.tr("It was killed (signal 9): the memory may have been short.")
            crashed = self.tr("It crashed (signal {0}); the log may say more.").format(self.code)
            return f"{killed if self.code == KILLED else crashed} {self.kept}".strip()
        return self.tr("It ended unexpectedly (code {0}). The log says why.").format(self.code)

    def _to(self, state: State) -> None:
        self.state = state
        self.changed.emit()
