"""What a detector's graph runs on: the processor, a GPU, or the processor through OpenVINO. A row for each.

The processor gives the answers that a card's figures are of. OpenVINO computes in bfloat16 where the processor can.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a scan's parent looks a device up without numpy
    from numpy.typing import NDArray

    Tensors = Mapping[str, NDArray[Any]]
    Files = Mapping[str, bytes]


class NoDevice(Exception):
    """A device that cannot be used; `str()` is one sentence that says which, why and what to do."""


@dataclass(frozen=True)
class Port:
    """An input or output of a graph: its name, and its shape with None for what may change."""

    name: str
    shape: tuple[Any, ...]


@dataclass(frozen=True)
class Source:
    """A graph, the files that it may read from and its tensors by name; `place` is where the graph itself lies."""

    graph: bytes
    files: Files
    tensors: Tensors
    place: Path


@dataclass(frozen=True)
class Device:
    """A name for `--device`, what it is, and the function that opens a session on it with so many threads."""

    name: str
    words: str
    opens: Callable[[Source, int], Any]


def session(name: str, source: Source, threads: int) -> Any:
    """Open a session of a graph on a device by name; raises `NoDevice`, and what the library raises for the graph."""
    return named(name).opens(source, threads)


def named(name: str) -> Device:
    """Return the device of that name, `auto` being the best that is there; raises `NoDevice` for an unknown one."""
    if name == "auto":
        return named("cuda" if "CUDAExecutionProvider" in _providers() else "cpu")
    for row in DEVICES:
        if row.name == name:
            return row
    raise NoDevice(f"There is no device '{name}'; there are auto, {', '.join(row.name for row in DEVICES)}.")


def _providers() -> list[str]:
    import onnxruntime

    return list(onnxruntime.get_available_providers())


def _cpu(source: Source, threads: int) -> Any:
    return _onnxruntime(source, threads, ["CPUExecutionProvider"])


def _cuda(source: Source, threads: int) -> Any:
    if "CUDAExecutionProvider" not in _providers():
        raise NoDevice(
            "The device 'cuda' needs the package onnxruntime-gpu in the place of onnxruntime, and an NVIDIA GPU."
        )
    opened = _onnxruntime(source, threads, ["CUDAExecutionProvider", "CPUExecutionProvider"])
    if "CUDAExecutionProvider" not in opened.get_providers():
        raise NoDevice("The device 'cuda' does not start: look at the driver of the GPU with nvidia-smi, or take cpu.")
    return opened


def _onnxruntime(source: Source, threads: int, providers: Sequence[str]) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what it has to say comes as an exception
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(one) for one in source.tensors.values()]
    options.add_external_initializers(list(source.tensors), values)
    graph: bytes | str = source.graph
    if hasattr(options, "add_external_initializers_from_files_in_memory"):
        # The graph sees the very bytes that were checked, and no other file whatever paths it holds.
        files = source.files or {"nothing": b"0"}
        options.add_external_initializers_from_files_in_memory(
            list(files), list(files.values()), [len(data) for data in files.values()]
        )
    else:
        graph = str(source.place)
    return onnxruntime.InferenceSession(graph, options, providers=list(providers))


def _openvino(source: Source, threads: int) -> Any:
    # With it, the import alone reports to its maker; without it, OpenVINO goes without.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        openvino: Any = import_module("openvino")
    except ImportError:
        raise NoDevice("The device 'openvino' needs the package openvino: pip install 'forensics[openvino]'.") from None
    core: Any = openvino.Core()
    settings: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads} if threads else {}
    # Several processes that pin themselves end up on the same cores.
    settings |= {"ENABLE_CPU_PINNING": False, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "bf16"}
    with tempfile.TemporaryDirectory(prefix="forensics-openvino-") as place:  # it reads graphs and tensors as files
        Path(place, "model.onnx").write_bytes(source.graph)
        for name, value in source.tensors.items():
            Path(place, name).write_bytes(value.tobytes())
        for name, data in source.files.items():
            Path(place, name).write_bytes(data)
        return _OpenVino(core.compile_model(core.read_model(str(Path(place, "model.onnx"))), "CPU", settings))


class _OpenVino:
    """A compiled model of OpenVINO, used as a session of onnxruntime is."""

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled
        self.outputs = {one.get_any_name(): one for one in compiled.outputs}

    def get_inputs(self) -> list[Port]:
        """Return the inputs."""
        return [_port(one) for one in self.compiled.inputs]

    def get_outputs(self) -> list[Port]:
        """Return the outputs."""
        return [_port(one) for one in self.compiled.outputs]

    def run(self, names: Sequence[str], inputs: Tensors) -> list[NDArray[Any]]:
        """Return the named outputs; a request each time, so that threads may share this."""
        import numpy as np

        answers = self.compiled.create_infer_request().infer(dict(inputs))
        return [np.array(answers[self.outputs[name]]) for name in names]


def _port(one: Any) -> Port:
    shape = tuple(None if size.is_dynamic else size.get_length() for size in one.get_partial_shape())
    return Port(one.get_any_name(), shape)


DEVICES = (
    Device("cpu", "the processor, as the figures on a card were measured", _cpu),
    Device("cuda", "an NVIDIA GPU", _cuda),
    Device("openvino", "the processor through OpenVINO, in bfloat16 where it can", _openvino),
)
