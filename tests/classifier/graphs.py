"""Detectors made by hand, whose answer hangs on one known part of the picture and on nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import StringStringEntryProto, TensorProto, helper
from safetensors.numpy import save_file

from classifier.detector import GRAPH, WEIGHTS, Card, sha256_of
from classifier.export import write_card
from classifier.images import Pixels
from classifier.preprocess_spec import Preprocess
from classifier.runtime import Heat

SIDE = 64
PATCH = np.s_[8:24, 40:56]
"""Rows and columns of the input that the answer hangs on."""
RESIZE = Preprocess(size=SIDE, resize=SIDE, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
TILES = RESIZE.model_copy(update={"kind": "tiles", "tiles": 2})


def write_patch_detector(folder: Path, preprocess: Preprocess = RESIZE, *, steep: float = 8.0) -> Path:
    """Write a detector whose logit of `yes` is the mean red of the patch, which is bright in `scene` and nowhere else.

    With tiles it looks for the patch in each of them. Its graph refers into the weights file and casts what it reads,
    as those of the first detectors did.
    """
    weight = np.zeros((3 * SIDE * SIDE, 2), np.float32)
    where = np.zeros((3, SIDE, SIDE), np.float32)
    where[0][PATCH] = steep / where[0][PATCH].size
    weight[:, 1] = where.ravel()
    nodes = [
        helper.make_node("Cast", ["half"], ["weight"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["input"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["logits"]),
        helper.make_node("AveragePool", ["input"], ["features"], kernel_shape=[8, 8], strides=[8, 8]),
    ]
    shapes = {"input": ["n", 3, SIDE, SIDE], "logits": ["n", 2], "features": ["n", 3, SIDE // 8, SIDE // 8]}
    infos = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()}
    folder.mkdir(parents=True)
    save_file({"weight": weight.astype(np.float16)}, folder / WEIGHTS)
    outputs = [infos["logits"], infos["features"]]
    graph = helper.make_graph(nodes, "patch", [infos["input"]], outputs, [_stored(folder / WEIGHTS, weight.shape)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (folder / GRAPH).write_bytes(model.SerializeToString())
    files = {name: sha256_of(folder / name) for name in (WEIGHTS, GRAPH)}
    write_card(folder, Card(name="patch", arch="resnet18", classes=("no", "yes"), preprocess=preprocess, files=files))
    return folder


def _stored(weights: Path, shape: tuple[int, ...]) -> TensorProto:
    """Return the initializer `half`, whose values are the last ones in a file."""
    tensor = TensorProto(name="half", data_type=TensorProto.FLOAT16, dims=shape, data_location=TensorProto.EXTERNAL)
    length = 2 * int(np.prod(shape))
    facts = {"location": WEIGHTS, "offset": str(weights.stat().st_size - length), "length": str(length)}
    tensor.external_data.extend(StringStringEntryProto(key=key, value=value) for key, value in facts.items())
    return tensor


def scene(side_px: int = SIDE, *, tiles: int = 1, seed: int = 0) -> Pixels:
    """Return a picture of noise with red where the patch is, in each of `tiles` × `tiles` tiles."""
    tile = np.random.default_rng(seed).integers(40, 90, (SIDE, SIDE, 3), dtype=np.uint8)
    tile[PATCH] = (250, 20, 20)
    picture = np.tile(tile, (tiles, tiles, 1))
    return picture.repeat(side_px // SIDE, 0).repeat(side_px // SIDE, 1)


def heat_on(place: tuple[slice, slice], pixels: Pixels, spec: Preprocess = RESIZE, *, tiles: int = 1) -> Heat:
    """Return a map that marks a place of the input, in each tile, and fades out around it."""
    from PIL import Image, ImageFilter

    from classifier.preprocess import regions

    tile = np.zeros((SIDE, SIDE), np.uint8)
    tile[place] = 255
    blurred = Image.fromarray(np.tile(tile, (tiles, tiles))).filter(ImageFilter.GaussianBlur(3))
    values = np.asarray(blurred.resize((pixels.shape[1], pixels.shape[0])), np.float32)
    return Heat(values / values.max(), regions(pixels, spec).boxes)
