"""How others judge a folder of pictures, with a detector's own weights: a process each, which prints what it took.

`naive` is the usual script: Pillow, torchvision's transforms, single precision, one picture at a time. `timm` is timm's
inference loop: a DataLoader, batches of 32, optionally channels_last and bfloat16. `gradcam` is pytorch-grad-cam's flow
for a score and a map, the picture with its map written as a JPEG. The clock starts when the network is loaded, which
is in their favour: imports and loading take them seconds.

    rivals.py WAY DETECTOR FOLDER COUNT [OUT] [SETTING]
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from classifier.detector import Card, open_folder
from classifier.export import load_network
from classifier.preprocess import _starts

SETTINGS = ("fp32", "fp32+channels_last", "bf16", "bf16+channels_last")
BATCH, WORKERS = 32, 2


class Input:
    """A picture file to the network's input (N, 3, S, S), with torchvision's transforms."""

    def __init__(self, card: Card) -> None:
        transforms: Any = import_module("torchvision.transforms")
        spec = card.preprocess
        self.spec, last = spec, [transforms.ToTensor(), transforms.Normalize(spec.mean, spec.std)]
        first = [transforms.Resize(spec.resize), transforms.CenterCrop(spec.size)] if spec.kind == "resize" else []
        self.change: Callable[[Image.Image], Tensor] = transforms.Compose([*first, *last])

    def __call__(self, path: Path) -> Tensor:
        """Return the input of one picture."""
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        return torch.stack([self.change(one) for one in self.regions(image)])

    def regions(self, image: Image.Image) -> list[Image.Image]:
        """Return the picture, or its tiles in native resolution where the detector looks at those."""
        spec = self.spec
        if spec.kind == "resize":
            return [image]
        size, count = spec.size, spec.tiles
        lefts, tops = (_starts(length, size, count, 0) for length in image.size)
        return [image.crop((left, top, left + size, top + size)) for top in tops for left in lefts]


class Files(torch.utils.data.Dataset[Tensor]):
    """The inputs of picture files."""

    def __init__(self, paths: Sequence[Path], change: Callable[[Path], Tensor]) -> None:
        self.paths, self.change = paths, change

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> Tensor:
        return self.change(self.paths[place])


def naive(network: nn.Module, paths: Sequence[Path], card: Card, _out: Path, _setting: str) -> int:
    """Judge one picture after another in single precision."""
    change = Input(card)
    with torch.no_grad():
        return len([torch.softmax(network(change(path)).mean(0), 0).tolist() for path in paths])


def timm_loop(network: nn.Module, paths: Sequence[Path], card: Card, _out: Path, setting: str) -> int:
    """Judge as timm's `inference.py` does; for whole pictures with timm's own transform."""
    change: Callable[[Path], Tensor] = Input(card)
    if card.preprocess.kind == "resize":
        change = _timm_input(card)
    layout = torch.channels_last if "channels_last" in setting else torch.contiguous_format
    network = network.to(memory_format=layout)
    loader = torch.utils.data.DataLoader(Files(paths, change), BATCH, num_workers=WORKERS)
    answers: list[Any] = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled="bf16" in setting):
        for batch in loader:
            each = batch.shape[1]
            logits = network(batch.flatten(0, 1).contiguous(memory_format=layout))
            answers += torch.softmax(logits.float().unflatten(0, (-1, each)).mean(1), 1).tolist()
    return len(answers)


def _timm_input(card: Card) -> Callable[[Path], Tensor]:
    spec = card.preprocess
    timm_data: Any = import_module("timm.data")
    whole = spec.size / spec.resize
    change = timm_data.create_transform(
        spec.size, interpolation="bilinear", mean=spec.mean, std=spec.std, crop_pct=whole
    )

    def made(path: Path) -> Tensor:
        with Image.open(path) as image:
            made_of: Tensor = change(image.convert("RGB"))[None]
        return made_of

    return made


def gradcam(network: nn.Module, paths: Sequence[Path], card: Card, out: Path, _setting: str) -> int:
    """Judge one picture after another, with its map laid over it and written."""
    cams: Any = import_module("pytorch_grad_cam")
    drawing: Any = import_module("pytorch_grad_cam.utils.image")
    change, layer = Input(card), network.get_submodule("layer4")[-1]  # type: ignore[index]
    with cams.GradCAM(model=network, target_layers=[layer]) as cam:
        for path in paths:
            maps = cam(input_tensor=change(path), targets=None)
            torch.softmax(cam.outputs.mean(0), 0).tolist()
            with Image.open(path) as image:
                shown = image.convert("RGB").resize((card.preprocess.size,) * 2)
            drawn = drawing.show_cam_on_image(np.asarray(shown, np.float32) / 255, maps[0], use_rgb=True)
            Image.fromarray(drawn).save(out / f"{path.stem}.jpg")
    return len(paths)


WAYS = {"naive": naive, "timm": timm_loop, "gradcam": gradcam}


def main() -> int:
    """Judge and print a line of JSON."""
    way, folder, pictures, count, out, setting = sys.argv[1:7]
    installed = open_folder(Path(folder))
    network = load_network(installed)
    paths = sorted(Path(pictures).rglob("*.jpg"))[: int(count)]
    begun = time.perf_counter()
    judged = WAYS[way](network, paths, installed.card, Path(out), setting)
    print(json.dumps({"files": judged, "seconds": time.perf_counter() - begun}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
