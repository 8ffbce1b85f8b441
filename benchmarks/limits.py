"""What this machine could do at best: matrix products a second in each precision, and pictures decoded a second."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIDE, ROUNDS = 2048, 5


def peaks() -> dict[str, float]:
    """Return operations a second (a multiplication and an addition are two) in fp32, bf16 and int8, on all cores."""
    return {"fp32": _fastest(_torch("float32")), "bf16": _fastest(_torch("bfloat16")), "int8": _fastest(_int8())}


def _fastest(product: Callable[[], Any]) -> float:
    product()
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        product()
        times.append(time.perf_counter() - begun)
    return 2 * SIDE**3 / min(times)


def _torch(kind: str) -> Callable[[], Any]:
    import torch

    one = torch.ones(SIDE, SIDE, dtype=getattr(torch, kind))
    return lambda: one @ one


def _int8() -> Callable[[], Any]:
    """Return onnxruntime's product of bytes, unsigned by signed, with the second packed beforehand as weights are."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.ones((SIDE, SIDE), np.int8), "w")
    shapes = [
        helper.make_tensor_value_info(name, kind, [SIDE, SIDE])
        for name, kind in (("x", TensorProto.UINT8), ("y", TensorProto.INT32))
    ]
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])], "p", [shapes[0]], [shapes[1]], [weights]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    content: bytes = model.SerializeToString()  # type: ignore[no-untyped-call]
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    x = np.ones((SIDE, SIDE), np.uint8)
    return lambda: session.run(None, {"x": x})


def decoded_a_second(paths: Sequence[Path]) -> float:
    """Return how many pictures Pillow decodes a second, a process on each core."""
    cores = os.cpu_count() or 1
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        pool.map(_decode, paths[:cores], chunksize=1)
        begun = time.perf_counter()
        pool.map(_decode, paths, chunksize=4)
        return len(paths) / (time.perf_counter() - begun)


def _decode(path: Path) -> None:
    with Image.open(path) as image:
        image.convert("RGB")


def operations(folder: Path) -> float:
    """Return how many operations a detector's network needs for one region."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from classifier.detector import open_folder
    from classifier.export import load_network

    installed = open_folder(folder)
    network, side = load_network(installed), installed.card.preprocess.size
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, 3, side, side))
    return float(counter.get_total_flops())
