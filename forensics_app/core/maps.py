"""Maps of one detector, of any class and at any stage of its network, each with how far it can be trusted."""

from __future__ import annotations

import difflib
import functools
import importlib.util
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from classifier import zoo
from classifier.arch import Arch
from classifier.detector import BadDetector, open_folder
from classifier.images import Pixels
from classifier.preprocess import regions
from classifier.runtime import Detector, Heat, assemble
from classifier.trust import Trust, trust, untested
from forensics_app.core.words import shown

if TYPE_CHECKING:
    from classifier.stage_maps import StageMaps

WALK = ("first", "second", "third", "last")
OUT_OF_TIME = "Not tested, because the maps before it took all the time that there was for this."
NEEDS_TORCH = "This map needs torch, which is in the extra 'train': pip install '.[train]' in the project's folder."


class NoMap(Exception):
    """A map that cannot be had; `str()` says why."""


class BadStage(Exception):
    """A stage that the network does not have; `str()` names those that there are."""


@dataclass(frozen=True)
class Stage:
    """A place in the network that maps are drawn from: one of the four names if it has one, and the layer's own."""

    name: str
    layer: str


@dataclass(frozen=True, eq=False)
class Mapped:
    """A map with its stage; `cells` are the rows and columns that the map of one region has."""

    stage: Stage
    heat: Heat
    cells: tuple[int, int]


@dataclass(eq=False)
class Maps:
    """Draws and tests the maps of a detector. Its network is opened in torch when a map first needs that.

    `trust_s` seconds may go into testing maps: once they are used up, further ones are left untested and say so.
    """

    detector: Detector
    trust_s: float = float("inf")
    _spent_s: float = field(default=0.0, init=False)

    @cached_property
    def row(self) -> Arch:
        """The architecture; raises `BadArch` for one that is not known, `NoMap` for an ensemble."""
        if members := self.detector.card.members:
            one = self.detector.folder / members[0]
            raise NoMap(
                f"'{self.detector.name}' is an ensemble, whose members see a picture each in their own way: ask one of "
                f"them, such as {one}."
            )
        return zoo.arch(self.detector.card.arch)

    @cached_property
    def network(self) -> StageMaps:
        """The network in torch; raises `NoMap` where that is not installed or does not fit."""
        if self.detector.card.precision == "int8":
            raise NoMap(
                f"'{self.detector.name}' computes in 8-bit integers and keeps no network to draw this map with: ask "
                "the detector that it was made from."
            )
        if not has_torch():
            raise NoMap(NEEDS_TORCH)
        from classifier.stage_maps import stage_maps

        try:
            return stage_maps(open_folder(self.detector.folder))
        except (BadDetector, RuntimeError) as error:
            reason = " ".join(str(error).split())[:120]
            raise NoMap(f"The network of '{self.detector.name}' cannot be opened in torch ({reason}).") from None

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The four stages of the walk, from the input to the output."""
        return tuple(Stage(name, layer) for name, layer in zip(WALK, self.row.walk, strict=True))

    def find(self, name: str) -> tuple[Stage, ...]:
        """Return the stages that a name asks for: one of the four, `walk` for all, or a layer; raises `BadStage`."""
        if name == "walk":
            return self.stages
        layers = [layer for layer in (*self.row.walk, *self.row.stages) if layer != self.row.head]
        named = {one.layer: one for one in self.stages} | {one.name: one for one in self.stages}
        if name in named:
            return (named[name],)
        if name in layers:
            return (Stage(name, name),)
        choices = (*WALK, "walk", *dict.fromkeys(layers))
        near = difflib.get_close_matches(name, choices, 1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise BadStage(
            f"The network '{self.row.name}' has no stage '{shown(name)}'.{hint} There are: {', '.join(choices)}."
        )

    def draw(self, pixels: Pixels, cls: str, stage: Stage | None = None) -> Mapped:
        """Return the map of a class of a picture of (H, W, 3) bytes, at the last stage unless told otherwise.

        The graph draws it where it can, else torch does. Raises `NoMap`.
        """
        stage, card = stage or self.stages[-1], self.detector.card
        if card.closed_form_cam and stage.layer == self.row.cam_layer:
            looked = regions(pixels, card.preprocess)
            _, cam = self.detector.forward(looked.batch, ("logits", "cam"))
            maps = np.maximum(cam[:, card.classes.index(cls)], 0)
            return Mapped(
                stage, assemble(maps, looked, (pixels.shape[0], pixels.shape[1])), (cam.shape[2], cam.shape[3])
            )
        network = self.network
        from classifier.gradcam import BadLayer

        try:
            heat, cells = network.draw(pixels, cls, stage.layer)
        except BadLayer as error:
            raise NoMap(str(error)) from None
        return Mapped(stage, heat, cells)

    def test(self, pixels: Pixels, cls: str, mapped: Mapped) -> Trust:
        """Return how far a map can be trusted: by deletion, insertion and, where torch is there, random weights."""
        if self._spent_s >= self.trust_s:
            return untested(OUT_OF_TIME)
        begun = time.perf_counter()
        found = trust(self.detector, pixels, mapped.heat, cls, similarity=self._similarity(pixels, cls, mapped.stage))
        self._spent_s += time.perf_counter() - begun
        return found

    def _similarity(self, pixels: Pixels, cls: str, stage: Stage) -> float | None:
        try:
            return self.network.similarity(pixels, cls, stage.layer)
        except NoMap:
            return None


@functools.cache  # it looks through folders, and the window asks at every change of a form
def has_torch() -> bool:
    """Return whether maps can be drawn with autograd: whether the extra `train` is installed."""
    return all(importlib.util.find_spec(name) for name in ("torch", "torchvision"))
