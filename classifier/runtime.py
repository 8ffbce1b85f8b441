"""Judging without torch: a detector's ONNX graph on onnxruntime, score and heat map out of one forward pass."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier import devices
from classifier.detector import (
    GRAPH,
    SHARED,
    WEIGHTS,
    BadDetector,
    Card,
    Installed,
    checked_files,
    fast_twin,
    find,
    first_problem,
    members_of,
    open_folder,
)  # fmt: skip
from classifier.images import Pixels
from classifier.preprocess import MIDDLE, Box, Floats, Place, Regions, regions
from classifier.tensors import NOTHING, TENSORS, made, read_rows, views

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MAX_MAP_PX = 1024
BILINEAR = Image.Resampling.BILINEAR


@dataclass(frozen=True, eq=False)
class Heat:
    """A heat map over a picture.

    `values` is (h, w) float32 in [0, 1], the picture's shape scaled down to at most 1024 on a side; `boxes` are the
    parts of the picture that the network looked at, in pixels of the picture; outside of them the map is 0 and says
    nothing.
    """

    values: Floats
    boxes: tuple[Box, ...]


@dataclass(frozen=True, eq=False)
class Judged:
    """What a detector says of one picture: calibrated probabilities (C,), raw logits (C,) and, if asked, the map."""

    probabilities: NDArray[np.float64]
    logits: NDArray[np.float64]
    heat: Heat | None


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the softmax over the last axis in double precision."""
    shifted = np.asarray(logits, np.float64)
    exponents = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True))


def calibrated(logits: NDArray[np.floating], card: Card) -> NDArray[np.float64]:
    """Return the probabilities (..., C) of raw logits (..., C) with the card's temperature and bias."""
    scaled = np.asarray(logits, np.float64) / card.temperature
    return softmax(scaled + np.asarray(card.bias) if card.bias else scaled)


class Detector:
    """An installed detector, ready to judge. Thread-safe; holds one onnxruntime session.

    An ensemble holds its members instead, and says the mean of their calibrated probabilities.
    """

    def __init__(self, folder: Path, *, threads: int = 0, fast: bool = False, device: str = "cpu") -> None:
        """Open a detector's folder, or with `fast` the twin in 8-bit integers inside it.

        `threads` 0 lets onnxruntime use every core; `device` is one of `classifier.devices`. Raises `BadDetector`.
        """
        installed = open_folder(folder, check=False)  # its files are checked as they are read, and read once
        installed = fast_twin(installed) if fast else installed
        self.folder, self.card, self.id = installed.folder, installed.card, installed.id
        self.members = tuple(Detector(one.folder, threads=threads, device=device) for one in members_of(installed))
        self._session = None if self.members else _session(installed, threads, device)
        _give_back_memory()
        self._outputs = {output.name for output in self._session.get_outputs()} if self._session else set()

    @classmethod
    def load(
        cls, name_or_folder: str | Path = "default", *, threads: int = 0, fast: bool = False, device: str = "cpu"
    ) -> Detector:
        """Open a detector by name or folder; raises `BadDetector`."""
        return cls(find(name_or_folder), threads=threads, fast=fast, device=device)

    @property
    def name(self) -> str:
        """The name on the card."""
        return self.card.name

    def forward(self, batch: Floats, outputs: Sequence[str] = ("logits",)) -> list[Floats]:
        """Run the graph on (N, 3, S, S); `outputs` of `logits` (N, C), `cam` (N, C, h, w), `features` (N, K, h, w).

        Raises `BadDetector` if the graph fails or gives no numbers, and for an ensemble, which has no one graph.
        """
        if self._session is None:
            raise BadDetector(f"The ensemble '{self.name}' has no graph of its own, only its members have.")
        try:
            answers = [np.asarray(value) for value in self._session.run(list(outputs), {"input": batch})]
        except Exception as error:
            raise _broken(self.card, error) from None
        if not np.isfinite(answers[0]).all():
            raise BadDetector(f"The detector '{self.name}' gives no numbers for this picture: its weights are broken.")
        return answers

    def judge(self, pixels: Pixels, *, heat_class: str | None = None, at: Place = MIDDLE) -> Judged:
        """Judge a picture of (H, W, 3) bytes; `heat_class` names the class whose heat map is wanted.

        `at` is where to look, as `classifier.preprocess.regions` takes it.

        The logits of several regions are averaged, then calibrated as the card says. Without a closed-form map
        in the graph `heat` is None and `classifier.gradcam` computes it with autograd.
        """
        if self.members:
            return together(self.card, [one.judge(pixels, heat_class=heat_class, at=at) for one in self.members])
        looked = regions(pixels, self.card.preprocess, at)
        with_map = heat_class is not None and "cam" in self._outputs
        answers = self.forward(looked.batch, ("logits", "cam") if with_map else ("logits",))
        logits = answers[0].astype(np.float64).mean(axis=0)
        heat = None
        if with_map and heat_class is not None:
            cls = self.card.classes.index(heat_class)
            heat = assemble(np.maximum(answers[1][:, cls], 0), looked, pixels.shape[:2])
        return Judged(calibrated(logits, self.card), logits, heat)

    def predict(self, images: Sequence[Pixels]) -> NDArray[np.float64]:
        """Return calibrated probabilities (N, C) of pictures, each (H, W, 3) bytes."""
        if not images:
            return np.zeros((0, len(self.card.classes)))
        if self.members:
            means = np.mean([member.predict(images) for member in self.members], axis=0)
            return calibrated(log(means), self.card)
        looked = [regions(pixels, self.card.preprocess) for pixels in images]
        (logits,) = self.forward(np.concatenate([one.batch for one in looked]))
        ends = np.cumsum([len(one.batch) for one in looked])[:-1]
        means = np.stack([part.astype(np.float64).mean(axis=0) for part in np.split(logits, ends)])
        return calibrated(means, self.card)


def log(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logits of probabilities, whose softmax they are; what is 0 becomes very small."""
    return np.asarray(np.log(np.maximum(p, 1e-12)))


def together(card: Card, found: Sequence[Judged]) -> Judged:
    """Return what an ensemble with this card says where its members say `found`.

    Its logits are the logarithms of the mean of the members' calibrated probabilities, a linear opinion pool, which
    are then calibrated in turn; its map is the mean of the members' maps, each of which was scaled to a peak of 1,
    scaled again.
    """
    logits = log(np.mean([one.probabilities for one in found], axis=0))
    maps = [one.heat for one in found if one.heat]
    heat = None
    if maps:
        mean = np.asarray(np.mean([one.values for one in maps], axis=0), np.float32)
        boxes = tuple(dict.fromkeys(box for one in maps for box in one.boxes))
        heat = Heat(np.asarray(mean / (mean.max() or 1), np.float32), boxes)
    return Judged(calibrated(logits, card), logits, heat)


def assemble(maps: Floats, looked: Regions, shape: tuple[int, int]) -> Heat:
    """Lay the non-negative maps (N, h, w) of a picture's regions back on the picture of `shape` (H, W).

    The largest value of all regions becomes 1, as in Grad-CAM (Selvaraju et al., ICCV 2017), so that regions keep their
    proportion to one another; regions that overlap are averaged.
    """
    height, width = shape
    scale = min(1.0, MAX_MAP_PX / max(height, width))
    canvas = np.zeros((max(1, round(height * scale)), max(1, round(width * scale))), np.float32)
    weight = np.zeros_like(canvas)
    for region, box in zip(maps, looked.boxes, strict=True):
        left, top, right, bottom = (round(edge * scale) for edge in box)
        right, bottom = max(right, left + 1), max(bottom, top + 1)
        grown = np.asarray(
            Image.fromarray(np.asarray(region, np.float32)).resize((right - left, bottom - top), BILINEAR)
        )
        place = canvas[top:bottom, left:right]
        place += grown[: place.shape[0], : place.shape[1]]  # without what was padded
        weight[top:bottom, left:right] += 1
    canvas /= np.maximum(weight, 1)
    peak = float(canvas.max())
    boxes = tuple((left, top, min(right, width), min(bottom, height)) for left, top, right, bottom in looked.boxes)
    return Heat(np.clip(canvas / peak, 0, 1) if peak > 0 else canvas, boxes)


def _session(installed: Installed, threads: int, device: str) -> InferenceSession:
    source = opened(installed)
    try:
        session: InferenceSession = devices.session(device, source, threads)
    except devices.NoDevice as error:
        raise BadDetector(str(error)) from None
    except Exception as error:
        raise _broken(installed.card, error) from None
    _check_shapes(session, installed.card)
    return session


def opened(installed: Installed) -> devices.Source:
    """Return a detector's graph with what it reads; raises `BadDetector`.

    A detector exported before there was a `TENSORS` has no tensors of that kind: its graph reads the files itself.
    """
    card, files = installed.card, dict(checked_files(installed))
    if GRAPH not in files:
        raise BadDetector(
            f"The detector '{card.name}' has no {GRAPH}; export it with 'forensics train' or install it again."
        )
    graph, place, shared = files.pop(GRAPH), installed.folder / GRAPH, files.pop(SHARED, NOTHING)
    if TENSORS not in files:
        return devices.Source(graph, files, {}, place)
    try:
        weights = {**views(shared), **views(files[WEIGHTS])}
        return devices.Source(graph, {}, made(read_rows(files[TENSORS]), weights), place)
    except ValueError as error:
        raise BadDetector(
            f"The detector '{card.name}' has weights that do not fit its {TENSORS}: {first_problem(error)}."
        ) from None


def _give_back_memory() -> None:
    """Return what opening a detector needed for a moment to the system, which glibc would keep: some 100 MB."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _broken(card: Card, error: Exception) -> BadDetector:
    detail = " ".join(str(error).split())[:160]
    return BadDetector(f"The detector '{card.name}' has a {GRAPH} that cannot be run: {detail}.")


def _check_shapes(session: InferenceSession, card: Card) -> None:
    """Raise `BadDetector` unless the graph takes what the card prepares and answers for the card's classes."""
    side, count = card.preprocess.size, len(card.classes)
    inputs = {one.name: one.shape for one in session.get_inputs()}
    outputs = {one.name: one.shape for one in session.get_outputs()}
    wanted = [(inputs, "input", (None, 3, side, side)), (outputs, "logits", (None, count))]
    if "cam" in outputs:
        wanted.append((outputs, "cam", (None, count, None, None)))
    for has, name, shape in wanted:
        got = has.get(name)
        if got is None or len(got) != len(shape) or any(
            isinstance(is_, int) and should is not None and is_ != should
            for is_, should in zip(got, shape, strict=True)
        ):  # fmt: skip
            raise BadDetector(
                f"The detector '{card.name}' has a {GRAPH} that does not fit its card: '{name}' is {got or 'missing'}."
            )
    if set(inputs) != {"input"}:
        raise BadDetector(f"The detector '{card.name}' has a {GRAPH} with other inputs than a picture.")
