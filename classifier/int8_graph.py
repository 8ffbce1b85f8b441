"""A detector's graph in 8-bit integers: static quantization by onnxruntime, weights by channel, in QDQ form.

Both ends stay in single precision. What comes after the last feature map, the head and the closed form of the class
maps, costs next to nothing, and the map keeps its meaning. The first convolution sees the finest differences between
pixels: with 8 bits in it the largest shift of the bundled detector's probabilities on 305 pictures was .13, without
.04. `classifier.ranges` sets the ranges; what passes is for the gate to say.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import StringStringEntryProto, TensorProto, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from classifier.detector import GRAPH, WEIGHTS, Installed
from classifier.folding import filled, reference, silence
from classifier.preprocess import Floats
from classifier.ranges import Range, Ranging, ranges
from classifier.runtime import opened
from classifier.tensors import TENSORS, Row, read_rows, write_rows

FIRST = 1
"""So many convolutions, and all before the next one, stay in single precision."""
INLINE_BYTES = 256
"""Tensors smaller than this stay in the graph."""


def single(installed: Installed) -> Any:
    """Return a detector's graph with its weights inside, in single precision, with constants and BatchNorm folded.

    Raises `BadDetector`.
    """
    if TENSORS in installed.card.files:
        source = opened(installed)
        return onnx.shape_inference.infer_shapes(filled(onnx.load_from_string(source.graph), source.tensors))
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
    convolutions = [place for place, node in enumerate(nodes) if node.op_type == "Conv"]
    end = convolutions[FIRST] if len(convolutions) > FIRST else 0
    names = [node.name for node in nodes[:end]]
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


def pool_first(model: Any) -> Any:
    """Return the graph with each rectifier behind the pooling that alone reads it, which gives the same numbers.

    onnxruntime otherwise pools the first layer in 8 bits, at 10 times the cost: a quarter of the whole graph's.
    """
    nodes = list(model.graph.node)
    makers = {output: node for node in nodes for output in node.output}
    readers = Counter(name for node in nodes for name in node.input)
    for pool in [node for node in nodes if node.op_type == "MaxPool" and len(node.output) == 1]:
        relu = makers.get(pool.input[0])
        if relu is None or relu.op_type != "Relu" or readers[relu.output[0]] > 1:
            continue
        before, between, after = relu.input[0], relu.output[0], pool.output[0]
        pool.input[0], pool.output[0], relu.input[0], relu.output[0] = (
            before,
            f"{between}.pooled",
            f"{between}.pooled",
            after,
        )
        first, second = nodes.index(relu), nodes.index(pool)
        nodes[first], nodes[second] = pool, relu
    ordered = [copy.deepcopy(node) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(ordered)
    model.graph.ClearField("value_info")
    return onnx.shape_inference.infer_shapes(model)


def quantized(model: Any, batches: Sequence[Floats]) -> Iterator[Ranging | bytes]:
    """Quantize a graph in single precision, learning the ranges on pictures' regions, each (N, 3, S, S).

    The last event is the quantized graph with its weights inside. Activations have 8 bits unsigned, weights 7 bits
    signed and a scale for each output channel: with 8 bits the sums of processors without VNNI instructions overflow,
    and a detector would say something else there.
    """
    model = pool_first(model)
    for event in ranges(model, batches):
        if isinstance(event, Ranging):
            yield event
            continue
        with tempfile.TemporaryDirectory(prefix="forensics-int8-") as place:
            source, target = Path(place, "single.onnx"), Path(place, "int8.onnx")
            onnx.save(model, str(source))
            _quantize(source, target, batches[0], event, kept_single(model))
            yield target.read_bytes()


class _Once(CalibrationDataReader):
    """Gives onnxruntime one picture, for it must have one; the ranges are known."""

    def __init__(self, batch: Floats) -> None:
        self.left = [{"input": batch}]

    def get_next(self) -> Any:
        """Return the picture's regions (N, 3, S, S), then None."""
        return self.left.pop() if self.left else None


def _quantize(source: Path, target: Path, batch: Floats, found: Mapping[str, Range], excluded: list[str]) -> None:
    known = {name: [{"rmin": np.float32(min(low, 0)), "rmax": np.float32(max(high, 0))}]
             for name, (low, high) in found.items()}  # fmt: skip
    with silence():
        quantize_static(
            str(source), str(target), _Once(batch), quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_exclude=excluded,
            calibrate_method=CalibrationMethod.MinMax, extra_options={"TensorQuantOverrides": known},
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


def write_twin(graph: bytes, folder: Path, installed: Installed) -> bool:
    """Write a graph as the fast twin of the detector that it was made from; return whether the two share weights.

    Its matrices are made from those of the folder above whenever it is opened, so that a twin needs next to no space.
    Where that cannot be, for detectors exported before there was a `TENSORS`, it has weights of its own.
    """
    from safetensors.numpy import save_file

    model: Any = onnx.load_from_string(graph)
    above = {row.name: row for row in rows_of(installed)}
    scales = {node.input[0]: (node.input[1], _axis(node)) for node in model.graph.node
              if node.op_type == "DequantizeLinear"}  # fmt: skip
    rows, own = list[Row](), dict[str, Any]()
    for tensor in model.graph.initializer:
        row, (scale, axis) = above.get(tensor.name.removesuffix("_quantized")), scales.get(tensor.name, ("", 0))
        if tensor.name in above:
            rows.append(above[tensor.name])
        elif row and tensor.data_type == TensorProto.INT8:
            rows.append(row.model_copy(update={"name": tensor.name, "scale": scale, "axis": axis}))
            values = {one.name: one for one in model.graph.initializer}[scale]
            own[scale] = numpy_helper.to_array(values)
        elif len(tensor.raw_data) >= INLINE_BYTES:
            own[tensor.name] = numpy_helper.to_array(tensor)
    rows += [Row(name=name, source=name) for name in own]
    references = {row.name for row in rows}
    for tensor in [one for one in model.graph.initializer if one.name in references]:
        model.graph.initializer.append(reference(tensor.name, numpy_helper.to_array(tensor)))
        model.graph.initializer.remove(tensor)
    model.graph.ClearField("value_info")
    save_file(own, folder / WEIGHTS)
    (folder / TENSORS).write_bytes(write_rows(rows))
    (folder / GRAPH).write_bytes(model.SerializeToString())
    return any(row.source not in own for row in rows)


def rows_of(installed: Installed) -> tuple[Row, ...]:
    """Return how a detector's graph gets its tensors; nothing of one exported before there was a `TENSORS`."""
    if TENSORS not in installed.card.files:
        return ()
    return read_rows((installed.folder / TENSORS).read_bytes())


def _axis(node: Any) -> int:
    return next((int(one.i) for one in node.attribute if one.name == "axis"), 1) if node.input else 0
