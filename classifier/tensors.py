"""The tensors that a detector's graph reads, made from its weights whenever it is opened: numpy, no torch.

The weights lie in half precision and under the network's own names, so that torch can load them; a fast graph wants
them in single precision, with batch norms inside the convolutions before them. onnxruntime does neither by itself
for these graphs (12.0 ms of a processor instead of 9.0 for 112 px of the bundled detector). What is to be made of what
stands in tensors.json, a row for each tensor of the graph.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Array = NDArray[Any]
Arrays = Mapping[str, Array]
TENSORS = "tensors.json"
NOTHING = (2).to_bytes(8, "little") + b"{}"
"""A safetensors file without tensors."""
NORM = ("weight", "bias", "running_mean", "running_var")
STEPS = 64
"""Weights in 8 bits use 7 of them: the sums of processors without VNNI instructions overflow otherwise."""
KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I8": "<i1", "U8": "|u1"}


class Row(BaseModel):
    """How one tensor of the graph is made from those of the weights file.

    `copy` is `source` as it is; `weight` is a convolution's weight with the batch norm `norm` behind it folded in, and
    `bias` is the bias that this convolution then has, on top of its own `source` if it has one. `axes` transposes.
    With `scale`, a tensor with a number for each of the places along `axis`, it is rounded to 7 bits in those steps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.]{0,199}$")
    """In the graph, where it is an external file of this name."""
    kind: Literal["copy", "weight", "bias"] = "copy"
    source: str = ""
    norm: str = ""
    """What the names of the norm's four tensors begin with."""
    eps: float = Field(0.0, ge=0, le=1)
    axes: tuple[Annotated[int, Field(ge=0, le=7)], ...] = ()
    scale: str = ""
    axis: int = Field(0, ge=0, le=7)
    residual: bool = False
    """Whether the weight, (K, C, 7, 7), takes in the neighbour residual before it and becomes (K, C, 8, 8)."""


ROWS = TypeAdapter(tuple[Row, ...])


def read_rows(content: bytes) -> tuple[Row, ...]:
    """Return the rows of tensors.json; raises `ValueError`."""
    return ROWS.validate_json(content)


def write_rows(rows: Sequence[Row]) -> bytes:
    """Return the content of tensors.json."""
    return ROWS.dump_json(tuple(rows), exclude_defaults=True, indent=1)


def views(content: bytes) -> dict[str, Array]:
    """Return the tensors of a safetensors file without copying them; raises `ValueError` for one that is none.

    Format: 8 bytes of length, a JSON header, data (https://github.com/huggingface/safetensors).
    """
    start = 8 + int.from_bytes(content[:8], "little")
    found = {}
    try:
        for name, one in json.loads(content[8:start]).items():
            if name == "__metadata__" or one["dtype"] not in KINDS:
                continue
            (begin, end), kind, shape = one["data_offsets"], np.dtype(KINDS[one["dtype"]]), tuple(one["shape"])
            if not 0 <= begin <= end <= len(content) - start or math.prod(shape) * kind.itemsize != end - begin:
                raise ValueError(f"its tensor {name[:80]} does not fit its place")
            found[name] = np.frombuffer(content, kind, math.prod(shape), start + begin).reshape(shape)
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("it is no safetensors file") from None
    return found


def made(rows: Sequence[Row], weights: Arrays) -> dict[str, Array]:
    """Return the graph's tensors by name, in the graph's order; raises `ValueError` where one cannot be made."""
    tensors = {}
    for row in rows:
        try:
            tensors[row.name] = np.ascontiguousarray(_made(row, weights))
        except KeyError as error:
            raise ValueError(f"{TENSORS} needs a tensor {error} that the weights do not have") from None
        except IndexError:
            raise ValueError(f"{TENSORS} does not fit the tensor '{row.source}'") from None
    return tensors


def _made(row: Row, weights: Arrays) -> Array:
    if row.kind == "bias":
        return _folded_bias(row, weights)
    value = weights[row.source]
    value = value.astype(np.float32) if value.dtype.kind == "f" else value
    if row.residual:
        value = of_residual(value)
    if row.kind == "weight":
        gain = _gain(row, weights)
        value *= gain.reshape(-1, *(1,) * (value.ndim - 1))
    value = value.transpose(row.axes) if row.axes else value
    return _rounded(value, weights[row.scale], row.axis) if row.scale else value


def _rounded(value: Array, scale: Array, axis: int) -> Array:
    shape = [1] * value.ndim
    shape[axis] = -1
    value /= scale.reshape(shape if scale.ndim else ())  # in place: new memory costs more than the arithmetic
    np.rint(value, out=value)
    return np.clip(value, -STEPS, STEPS, out=value).astype(np.int8)


def of_residual(weight: Array) -> Array:
    """Return the convolution (K, C, 8, 8) with stride 2 and padding 4 before and 3 behind that says of a picture what
    the one (K, C, 7, 7) with stride 2 and padding 3 says of its `classifier.nets.NeighbourResidual`.

    Both are linear, and the residual's 2 × 2 blocks lie as the strides do: in each block the pixel at the upper left,
    which the others are compared with, gets the sum of their weights taken away.
    """
    if weight.ndim != 4 or weight.shape[2:] != (7, 7):
        raise ValueError("the neighbour residual needs a convolution of 7 × 7")
    grown = np.pad(weight, ((0, 0), (0, 0), (1, 0), (1, 0)))
    blocks = grown.reshape(*weight.shape[:2], 4, 2, 4, 2)
    blocks[:, :, :, 0, :, 0] -= blocks.sum(axis=(3, 5))
    return np.asarray(grown * np.float32(2 / 3))


def _gain(row: Row, weights: Arrays) -> Array:
    """Return what a batch norm multiplies each channel by."""
    scale, variance = (weights[f"{row.norm}.{part}"].astype(np.float64) for part in ("weight", "running_var"))
    return (scale / np.sqrt(variance + row.eps)).astype(np.float32)


def _folded_bias(row: Row, weights: Arrays) -> Array:
    mean, shift = (weights[f"{row.norm}.{part}"].astype(np.float64) for part in ("running_mean", "bias"))
    own = weights[row.source].astype(np.float64) if row.source else 0.0
    return np.asarray(shift + (own - mean) * _gain(row, weights), np.float32)
