"""How every command talks: results to stdout, progress and errors to stderr, exceptions as sentences and exit codes."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

DONE, FAILED_FILES, BAD_USE, CANCELLED, PIPE_CLOSED = 0, 1, 2, 130, 141
OWN = frozenset(("classifier", "generator", "forensics_app"))
TRAINING = ("torch", "torchvision", "diffusers", "accelerate", "onnx", "onnxscript", "scipy", "sklearn")
EXTRAS = {**dict.fromkeys(TRAINING, "train"), "tensorboard": "tensorboard", "pyarrow": "parquet"}
"""The extra that brings a package."""
PLAIN_WIDTH = 80
WORDS = "forensics.words"
"""Where a context keeps what was typed after the command's name."""
WRITTEN = ("--out", "--store", "--heatmap", "--maps", "--csv", "--jsonl", "--parquet", "--preview")
"""The options that name what a command writes; what others name is read."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON lines for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints, only results and errors.")]
DetectorName = Annotated[str, typer.Option("--detector", metavar="NAME", help="An installed detector, or its folder.")]
Fast = Annotated[bool, typer.Option("--fast", help="Judge with the detector's fast twin, in 8-bit integers.")]
DeviceName = Annotated[
    str, typer.Option("--device", metavar="NAME", help="What the network runs on: auto, cpu, cuda or openvino.")
]

E = TypeVar("E")


class BadUse(Exception):
    """What was asked for cannot be done; `str()` is one sentence that says why."""


class Guarded(TyperGroup):
    """The commands, with one place for what goes wrong in any of them: a sentence on stderr and an exit code."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Read the command line, guarded as the command is: `--help` prints here."""
        with _guarded():
            return super().make_context(*arguments, **options)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command, and keep what was typed: an error of a file then tells by which option it was named."""
        ctx.meta[WORDS] = tuple(args)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C is 130, a refusal 2, and only a bug shows a traceback."""
        with _guarded(ctx.meta):
            return super().invoke(ctx)


@contextmanager
def _guarded(meta: Mapping[str, Any] = MappingProxyType({})) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        _tell("Cancelled.")
        raise typer.Exit(CANCELLED) from None
    except BrokenPipeError:
        _stop_writing()
        raise typer.Exit(PIPE_CLOSED) from None
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # rich ends the program itself
            raise typer.Exit(PIPE_CLOSED) from None
        raise
    except Exception as error:
        told = sentence(error, meta.get(WORDS, ()))
        if told is None:
            raise
        _tell(told)
        if isinstance(error, OSError):
            _stop_writing()
        raise typer.Exit(BAD_USE) from None


def _stop_writing() -> None:
    """Let what is still in the buffer of stdout go nowhere: it could not be written, also not at exit."""
    if sys.stdout is not None:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def sentence(error: Exception, words: Sequence[str] = ()) -> str | None:
    """Return what to tell a person of an exception, or None where it is a bug: our own exceptions are sentences.

    `words` are the command line, in which the option that names a file is looked up.
    """
    if type(error).__module__.partition(".")[0] in OWN:
        return str(error)
    if isinstance(error, ModuleNotFoundError) and (extra := EXTRAS.get((error.name or "").partition(".")[0])):
        return (
            f"This needs {error.name}, which is in the extra '{extra}': pip install '.[{extra}]' in the project's "
            "folder."
        )
    if isinstance(error, MemoryError):
        return "There is not enough memory for this."
    if isinstance(error, OSError):
        return _os_sentence(error, words)
    return None


def _os_sentence(error: OSError, words: Sequence[str]) -> str:
    from forensics_app.core.words import shown

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full: not everything could be written, and nothing was left half written."
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename or "")
    why = error.strerror or "The system refused"
    if name and (option := _option_of(name, words)):
        verb = "written" if option in WRITTEN else "read"
        return f"'{shown(name)}' cannot be {verb} ({why}): choose another {option}."
    return f"{why}{': ' if name else '.'}{shown(name)}"


def _option_of(name: str, words: Sequence[str]) -> str | None:
    """Return the option whose value is a path or a folder above it; of one that is written also a path below it."""
    place = Path(os.path.abspath(name))  # noqa: PTH100 - resolves no links
    for word, after in zip(words, (*words[1:], ""), strict=True):
        option, equals, value = word.partition("=")
        given = value if equals else after
        if not option.startswith("--") or not given:
            continue
        other = Path(os.path.abspath(given))  # noqa: PTH100
        if place.is_relative_to(other) or (option in WRITTEN and other.is_relative_to(place)):
            return option
    return None


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the last word, also where rich is what failed


@dataclass(frozen=True)
class Terminal:
    """Where a command's words go: `json` and `quiet` are its options of that name."""

    json: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        if sys.stdout is None:
            raise BadUse("Standard output is closed, so there is nowhere to print the result.")

    def result(self, *what: RenderableType, wrap: bool = True) -> None:
        """Print a result for people to stdout; `wrap` False keeps a path in one piece."""
        console(sys.stdout).print(*what, soft_wrap=not wrap)

    def record(self, what: object) -> None:
        """Print a result for programs to stdout, one line of JSON, at once."""
        print(as_json(what), flush=True)  # noqa: T201 - rich would wrap it

    def note(self, *what: RenderableType, wrap: bool = True) -> None:
        """Print a hint for people to stderr, unless they want quiet."""
        if not self.quiet:
            console(sys.stderr).print(*what, soft_wrap=not wrap)

    def complain(self, text: str) -> None:
        """Print what went wrong to stderr."""
        from rich.text import Text

        console(sys.stderr).print(Text(text), soft_wrap=True)


def console(file: Any) -> Console:
    """Return rich's console on a stream; colours only on a terminal and without NO_COLOR, 80 columns elsewhere.

    Brackets and colons in what is printed are themselves: names from outside would be read as markup.
    """
    from rich.console import Console

    width = None if file.isatty() else PLAIN_WIDTH
    return Console(file=file, highlight=False, markup=False, emoji=False, width=width)


def as_json(what: object) -> str:
    """Return one line of JSON; an event (a frozen dataclass) becomes its fields and its name, NaN becomes null."""
    if is_dataclass(what) and not isinstance(what, type):
        name = re.sub("(?<!^)(?=[A-Z])", "_", type(what).__name__).lower()
        what = {"event": name, **asdict(what)}
    try:
        return json.dumps(what, default=_plain, allow_nan=False)
    except ValueError:
        from classifier.atomic import finite

        return json.dumps(finite(json.loads(json.dumps(what, default=_plain))))


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


@contextmanager
def closed_after(events: Iterator[E]) -> Iterator[Iterator[E]]:
    """Close a job when the block ends, however it ends: that is what cancels it."""
    try:
        yield events
    finally:
        if (close := getattr(events, "close", None)) is not None:
            close()


def follow(
    events: Iterator[E],
    terminal: Terminal,
    *,
    words: str,
    tell: Callable[[E], str | None] = lambda _event: None,
) -> E | None:
    """Show a job's events as they come and return the last one; Ctrl-C closes the job.

    `words` say what is happening. Events with `done` and `total` (and `rate`, a second) move the bar on stderr; `tell`
    may turn any event into a line above it. With `--json` every event is a line on stdout instead.
    """
    from forensics_app.cli.progress import Bar

    last = None
    with closed_after(events), Bar(words, hidden=terminal.quiet or terminal.json) as bar:
        for last in events:
            if terminal.json:
                terminal.record(last)
            bar.show(last)
            if not terminal.json and (line := tell(last)):
                bar.line(line)
    return last
