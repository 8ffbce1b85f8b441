"""A detector's graph in 8-bit integers: static quantization by onnxruntime, weights by channel, in QDQ form.

Both ends stay in single precision. What comes after the last feature map, the head and the closed form of the class
maps, costs next to nothing, and the map keeps its meaning. The first convolutions see the finest differences between
pixels: on 120 pictures 8 bits in them moved the bundled detector's probabilities by up to .22, without them by .03, at
the same speed (on 300 others by up to .38: what passes is for the gate to say).
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import StringStringEntryProto, TensorProto, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from classifier.detector import GRAPH, WEIGHTS, Installed
from classifier.folding import filled, silence
from classifier.preprocess import Floats
from classifier.runtime import opened
from classifier.tensors import TENSORS

FIRST = 3
"""So many convolutions, and what comes before them, stay in single precision."""
INLINE_BYTES = 256
"""Tensors smaller than this stay in the graph."""


@dataclass(frozen=True)
class Ranging:
    """Pictures went through the graph to learn the range of every activation: `done` of `total`."""

    done: int
    total: int


class _Reader(CalibrationDataReader):
    """Gives onnxruntime one picture after another, counts them, and ends early when told to."""

    def __init__(self, batches: Sequence[Floats]) -> None:
        self.batches, self.done, self.stopped = batches, 0, threading.Event()

    def get_next(self) -> Any:
        """Return the next picture's regions (N, 3, S, S), or None at the end."""
        if self.stopped.is_set() or self.done == len(self.batches):
            return None
        self.done += 1
        return {"input": self.batches[self.done - 1]}


def single(installed: Installed) -> Any:
    """Return a detector's graph with its weights inside, in single precision, with constants and BatchNorm folded.

    Raises `BadDetector`.
    """
    if TENSORS in installed.card.files:
        graph, _, tensors = opened(installed)
        return onnx.shape_inference.infer_shapes(filled(onnx.load_from_string(graph), tensors))
    return _folded(installed)


def _folded(installed: Installed) -> Any:
    """The same of a detector exported before there was a `TENSORS`."""
    from onnxscript import optimizer

    model = onnx.load(str(installed.folder / GRAPH))
    halves = {one.name: one for one in model.graph.initializer if one.data_type == TensorProto.FLOAT16}
    for node in [node for node in model.graph.node if node.op_type == "Cast" and node.input[0] in halves]:
        whole = numpy_helper.to_array(halves[node.input[0]]).astype(np.float32)
        model.graph.initializer.remove(halves[node.input[0]])
        model.graph.initializer.append(numpy_helper.from_array(whole, node.output[0]))
        model.graph.node.remove(node)
    with silence():
        return onnx.shape_inference.infer_shapes(optimizer.optimize(model))


def kept_single(model: Any) -> list[str]:
    """Return the names of the nodes that stay in single precision: the first layers, the head, what makes the map."""
    nodes = list(model.graph.node)  # in topological order
    first = [place for place, node in enumerate(nodes) if node.op_type == "Conv"][:FIRST]
    names = [node.name for node in nodes[: first[-1] + 1 if first else 0]]
    reached = {"features"}
    for node in nodes:
        if reached & set(node.input):
            reached |= set(node.output)
            names.append(node.name)
    makers, tensor = {output: node for node in nodes for output in node.output}, "logits"
    while tensor in makers:  # where the map is a copy in another layout, the head does not come after it
        names.append(makers[tensor].name)
        if makers[tensor].op_type in ("Gemm", "MatMul"):
            break
        tensor = makers[tensor].input[0]
    return list(dict.fromkeys(names))


def quantized(model: Any, batches: Sequence[Floats]) -> Iterator[Ranging | bytes]:
    """Quantize a graph in single precision, learning the ranges on pictures' regions, each (N, 3, S, S).

    The last event is the quantized graph with its weights inside. Activations have 8 bits unsigned, weights 7 bits
    signed and a scale for each output channel: with 8 bits the sums of processors without VNNI instructions overflow,
    and a detector would say something else there.
    """
    reader = _Reader(batches)
    with tempfile.TemporaryDirectory(prefix="forensics-int8-") as place, ThreadPoolExecutor(1) as pool:
        source, target = Path(place, "single.onnx"), Path(place, "int8.onnx")
        onnx.save(model, str(source))
        work = pool.submit(_quantize, source, target, reader, kept_single(model))
        try:
            while not work.done():
                yield Ranging(reader.done, len(batches))
                _wait(work)
            work.result()
        finally:
            reader.stopped.set()
        yield target.read_bytes()


def _wait(work: Any) -> None:
    from concurrent.futures import wait

    wait([work], timeout=0.4)


def _quantize(source: Path, target: Path, reader: _Reader, excluded: list[str]) -> None:
    with silence():
        quantize_static(
            str(source), str(target), reader, quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_exclude=excluded,
            calibrate_method=CalibrationMethod.MinMax,
        )  # fmt: skip


def offsets(weights: Path) -> dict[str, tuple[int, int]]:
    """Return where each tensor of a safetensors file begins and ends (8 bytes of length, JSON header, data)."""
    with weights.open("rb") as file:
        start = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(start))
    places = {name: one["data_offsets"] for name, one in header.items() if name != "__metadata__"}
    return {name: (8 + start + begin, 8 + start + end) for name, (begin, end) in places.items()}


def write(graph: bytes, folder: Path) -> None:
    """Write a graph as weights.safetensors and, referring to the tensors in it, model.onnx."""
    from safetensors.numpy import save_file

    model: Any = onnx.load_from_string(graph)
    large = [one for one in model.graph.initializer if len(one.raw_data) >= INLINE_BYTES]
    save_file({one.name: numpy_helper.to_array(one) for one in large}, folder / WEIGHTS)
    places = offsets(folder / WEIGHTS)
    for tensor in large:
        begin, end = places[tensor.name]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        facts = {"location": WEIGHTS, "offset": str(begin), "length": str(end - begin)}
        tensor.external_data.extend(StringStringEntryProto(key=key, value=value) for key, value in facts.items())
    model.graph.ClearField("value_info")
    (folder / GRAPH).write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(folder / GRAPH))
