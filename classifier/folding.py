"""A graph as fast as onnxruntime can run it: batch norms in the convolutions, constants computed, no weights inside."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import onnx
from onnx import StringStringEntryProto, TensorProto, helper, numpy_helper

from classifier.tensors import NORM, Array, Arrays, Row, made


def simplified(model: Any, state: Arrays, prefix: str, residual: str = "") -> tuple[Any, tuple[Row, ...]]:
    """Return a graph (its initializers named as in the network's `state`, after `prefix`) and how it gets its tensors.

    The graph holds none of the network's weights any more; `classifier.tensors.made` makes what it reads. `residual`
    names the weight of a convolution that sees nothing but the neighbour residual of the input.
    """
    learned = {one.name: Row(name=one.name, source=one.name.removeprefix(prefix)) for one in model.graph.initializer
               if one.name.removeprefix(prefix) in state}  # fmt: skip
    model = _computed(model, learned)
    if residual:
        learned[prefix + residual] = learned[prefix + residual].model_copy(update={"residual": True})
        _see_the_input(model.graph, prefix + residual)
    rows = {**learned, **_fold_norms(model.graph, learned, prefix), **_transpose(model.graph, learned)}
    used = list(dict.fromkeys(name for node in model.graph.node for name in node.input if name in rows))
    tensors = made([rows[name] for name in used], state)
    inputs = [helper.make_tensor_value_info(name, _kind(value), value.shape) for name, value in tensors.items()]
    model.graph.input.extend(inputs)  # for the check, which would look for external files
    onnx.checker.check_model(model)
    del model.graph.input[-len(inputs) :]
    model.graph.initializer.extend(reference(name, value) for name, value in tensors.items())
    return model, tuple(rows[name] for name in used)


def reference(name: str, value: Array) -> Any:
    """Return an initializer that is an external file of its own name."""
    facts = {"location": name, "offset": "0", "length": str(value.nbytes)}
    tensor = TensorProto(name=name, data_type=_kind(value), dims=value.shape, data_location=TensorProto.EXTERNAL)
    tensor.external_data.extend(StringStringEntryProto(key=key, value=value) for key, value in facts.items())
    return tensor


def _kind(value: Array) -> int:
    return int(helper.np_dtype_to_tensor_dtype(value.dtype))


def _computed(model: Any, learned: Collection[str]) -> Any:
    """Return the graph without what it learned, and with everything else that is constant in it computed."""
    from onnxscript import optimizer

    # As inputs: what was learned is no constant to the optimizer then, which otherwise puts copies into the graph.
    for one in [one for one in model.graph.initializer if one.name in learned]:
        model.graph.input.append(helper.make_tensor_value_info(one.name, one.data_type, one.dims))
        model.graph.initializer.remove(one)
    with silence():
        model = optimizer.optimize(model)
    for value in [value for value in model.graph.input if value.name in learned]:
        model.graph.input.remove(value)
    return model


def filled(model: Any, tensors: Arrays) -> Any:
    """Return the graph with these tensors inside, in place of its references to them."""
    for tensor in model.graph.initializer:
        if tensor.name in tensors:
            tensor.CopyFrom(numpy_helper.from_array(tensors[tensor.name], tensor.name))
    return model


@contextmanager
def silence() -> Iterator[None]:
    """Keep the libraries' remarks on how they work off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _see_the_input(graph: Any, weight: str) -> None:
    """Let the convolution with this weight (7 × 7, stride 2, padding 3) see the input, as `of_residual` says."""
    conv = next(node for node in graph.node if weight in node.input)
    facts = {one.name: list(one.ints) for one in conv.attribute if one.ints}
    if facts.get("strides") != [2, 2] or facts.get("pads") != [3, 3, 3, 3]:
        raise ValueError(f"the convolution with {weight} does not fit the neighbour residual")
    conv.input[0] = "input"
    for one in list(conv.attribute):
        if one.name in ("kernel_shape", "pads", "auto_pad"):
            conv.attribute.remove(one)
    conv.attribute.append(helper.make_attribute("pads", [4, 4, 3, 3]))
    _drop_unread(graph)


def _drop_unread(graph: Any) -> None:
    """Remove what no output depends on."""
    wanted = {one.name for one in graph.output}
    for node in reversed(list(graph.node)):  # in topological order
        if wanted & set(node.output):
            wanted |= set(node.input)
        else:
            graph.node.remove(node)
    for one in [one for one in graph.initializer if one.name not in wanted]:
        graph.initializer.remove(one)


def _fold_norms(graph: Any, learned: Mapping[str, Row], prefix: str) -> dict[str, Row]:
    """Replace each convolution whose output only a batch norm reads, and that norm, by one convolution."""
    makers = {output: node for node in graph.node for output in node.output}
    readers = Counter([name for node in graph.node for name in node.input] + [one.name for one in graph.output])
    zeros = {one.name for one in graph.initializer if not numpy_helper.to_array(one).any()}
    rows: dict[str, Row] = {}
    for norm in [node for node in graph.node if node.op_type == "BatchNormalization"]:
        conv, place = makers.get(norm.input[0]), norm.input[1].rpartition(".")[0]
        if conv is None or conv.op_type != "Conv" or readers[conv.output[0]] > 1:
            continue
        bias = [name for name in conv.input[2:] if name not in zeros]
        parts = [f"{place}.{part}" for part in NORM]
        if list(norm.input[1:]) != parts or not {*parts, conv.input[1], *bias} <= set(learned):
            continue
        eps = next((one.f for one in norm.attribute if one.name == "epsilon"), 1e-5)
        own = "".join(name.removeprefix(prefix) for name in bias)
        facts: dict[str, Any] = {"norm": place.removeprefix(prefix), "eps": eps}
        names = f"{conv.input[1]}.folded", f"{place}.folded"
        rows[names[0]] = learned[conv.input[1]].model_copy(update={"name": names[0], "kind": "weight", **facts})
        rows[names[1]] = Row(name=names[1], kind="bias", source=own, **facts)
        del conv.input[1:]
        conv.input.extend(names)
        conv.output[0] = norm.output[0]
        graph.node.remove(norm)
    return rows


def _transpose(graph: Any, learned: Mapping[str, Row]) -> dict[str, Row]:
    """Replace each learned matrix that the graph transposes by the transposed one."""
    rows: dict[str, Row] = {}
    for node in [node for node in graph.node if node.op_type == "Transpose" and node.input[0] in learned]:
        axes = next((tuple(one.ints) for one in node.attribute if one.name == "perm"), ())
        if not axes:
            continue
        name = f"{node.input[0]}.transposed"
        rows[name] = learned[node.input[0]].model_copy(update={"name": name, "axes": axes})
        for other in graph.node:
            other.input[:] = [name if one == node.output[0] else one for one in other.input]
        graph.node.remove(node)
    return rows
