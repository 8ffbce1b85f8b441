"""From a trained network to a detector folder: weights, a graph over them, a gate between both.

The graph holds no weights of its own: what it reads is made from weights.safetensors when the detector is opened, so
that torch and onnxruntime start from the very same bytes and a detector takes half the space.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from classifier import checkpoint, nets, zoo
from classifier.atomic import put, write_json
from classifier.data import Item, Pictures
from classifier.detector import CARD, GRAPH, WEIGHTS, Card, Installed, open_folder, sha256_of
from classifier.preprocess import Floats, regions
from classifier.preprocess_spec import Preprocess
from classifier.runtime import Detector, softmax
from classifier.tensors import TENSORS, views, write_rows

PARITY = 1e-3
"""Largest difference of a probability between torch and the exported graph that is let through."""
CHECKED = 16
"""On so many pictures both are compared."""


class ExportRefused(Exception):
    """The exported graph does not say what the network says; `str()` gives the difference."""


class Explained(nn.Module):
    """A network whose forward pass also gives its last feature map and, where it has a closed form, the class maps.

    The feature map is (N, K, h, w) in every layout. For global average pooling followed by one linear layer Grad-CAM's
    weights are the layer's weights divided by h × w (Zhou et al., CVPR 2016; Selvaraju et al., ICCV 2017, section 3.1):
    `cam` (N, C, h, w) is signed, in that scale.
    """

    def __init__(self, network: nn.Module, row: zoo.Arch) -> None:
        super().__init__()
        self.network, self.closed_form, self.row = network, row.closed_form, row
        self.features: list[Tensor] = []
        self.hook = network.get_submodule(row.cam_layer).register_forward_hook(self._keep)

    def _keep(self, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        self.features[:] = [output]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return logits (N, C), features and, with a closed form, cam (N, C, h, w)."""
        logits = self.network(x)
        features = nets.as_nchw(self.features.pop(), self.row.cam_layout)
        if not self.closed_form:
            return logits, features
        weight = self.network.get_parameter(f"{self.row.head}.weight")
        area = features.shape[-1] * features.shape[-2]
        return logits, features, torch.nn.functional.conv2d(features, weight[:, :, None, None]) / area


def export(network: nn.Module, card: Card, folder: Path, *, check: Floats) -> Installed:
    """Write a detector folder and return it; `check` (N, 3, S, S) is the input that the parity gate compares on.

    The matrices are rounded to half precision where that moves no probability by more than 1e-3, and the graph on
    onnxruntime must give probabilities within 1e-3 of the unrounded network's. Everything is written under a temporary
    name, then renamed. Raises `ExportRefused`.
    """
    row = zoo.arch(card.arch)
    network = nets.drop_auxiliary(contiguous(network.to("cpu")).eval(), row.aux_heads)
    with torch.inference_mode():
        before = network(torch.from_numpy(check)).float().numpy()
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        checkpoint.save_tensors(part / WEIGHTS, _rounded(network, before, check))
        _write_graph(network, row, part, card.preprocess.size)
        files = {name: sha256_of(part / name) for name in (WEIGHTS, GRAPH, TENSORS)}
        card = card.model_copy(update={"closed_form_cam": row.closed_form, "files": files})
        write_card(part, card)
        difference = moved(before, Detector(part).forward(check)[0])
        if difference > PARITY:
            raise ExportRefused(
                f"The exported graph moves a probability by {difference:.2g}, more than {PARITY}: not kept."
            )
        write_card(part, card.model_copy(update={"training": {**card.training, "export_max_difference": difference}}))
        part.chmod(0o755)
        (part / WEIGHTS).chmod(0o644)
        put(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return open_folder(folder)


def compared_on(items: Sequence[Item], pictures: Pictures, spec: Preprocess) -> Floats:
    """Return the input (N, 3, S, S) that the parity gate compares on: that of the first of some pictures."""
    return np.concatenate([regions(pictures[item.path], spec).batch for item in items[:CHECKED]])


def write_card(folder: Path, card: Card) -> None:
    """Write a detector's card beside its files."""
    write_json(folder / CARD, card.model_dump(mode="json"))


def contiguous(network: nn.Module) -> nn.Module:
    """Return the network with its weights in the usual order again, which the exporter and the weights file need."""
    for parameter in network.parameters():
        parameter.data = parameter.data.contiguous()
    return network


def load_network(installed: Installed) -> nn.Module:
    """Return a detector's network in torch, with the weights that its graph uses."""
    from safetensors.torch import load_file

    card = installed.card
    network = zoo.build(card.arch, len(card.classes), size=card.preprocess.size)
    network = nets.drop_auxiliary(network, zoo.arch(card.arch).aux_heads)
    state = {
        name: value.float() if value.is_floating_point() else value
        for name, value in load_file(installed.folder / WEIGHTS).items()
    }
    network.load_state_dict(state)
    return network.eval()


def _rounded(network: nn.Module, before: Floats, check: Floats) -> dict[str, Tensor]:
    """Return the state with its matrices in half precision, or as it is where the network does not bear that.

    Depthwise convolutions behind batch norms seldom do: a few inputs each, scaled up by small variances.
    """
    state = network.state_dict()
    # One-dimensional tensors (batch norm, biases) are small, and rounding them moves a probability the most.
    halved = {
        name: value.half() if value.is_floating_point() and value.dim() > 1 else value for name, value in state.items()
    }
    restored = {name: value.float() if value.is_floating_point() else value for name, value in halved.items()}
    with torch.inference_mode():
        after = torch.func.functional_call(network, restored, (torch.from_numpy(check),)).float().numpy()
    return halved if moved(before, after) <= PARITY else state


def _write_graph(network: nn.Module, row: zoo.Arch, folder: Path, size: int) -> None:
    from classifier.folding import simplified

    explained = Explained(network, row).eval()
    names = ["logits", "features", "cam"] if row.closed_form else ["logits", "features"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own deprecations
        try:
            program = torch.onnx.export(
                explained, (torch.zeros(2, 3, size, size),), dynamo=True, input_names=["input"], output_names=names,
                dynamic_shapes={"x": {0: torch.export.Dim("n", min=1, max=4096)}}, verbose=False,
                optimize=False,  # it would put copies of weights into the graph
            )  # fmt: skip
        except torch.onnx.OnnxExporterError as error:
            why = str(error.__cause__ or error).partition("\n")[0][:160]
            raise ExportRefused(f"The architecture '{row.name}' could not be exported to ONNX: {why}") from None
    explained.hook.remove()
    if program is None:
        raise ExportRefused(f"The architecture '{row.name}' could not be exported.")
    model: Any = program.model_proto
    for node in model.graph.node:  # the exporter's stack traces name files of the machine it ran on
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    model.graph.ClearField("metadata_props")
    model, rows = simplified(model, views((folder / WEIGHTS).read_bytes()), "network.", _residual(network))
    (folder / GRAPH).write_bytes(model.SerializeToString())
    (folder / TENSORS).write_bytes(write_rows(rows))


def _residual(network: nn.Module) -> str:
    """Return the name of the weight of the convolution that sees only the neighbour residual, if there is one."""
    first = getattr(network, "conv1", None)
    seen = isinstance(first, nn.Sequential) and isinstance(first[0], nets.NeighbourResidual)
    return "conv1.1.weight" if seen else ""


def moved(before: Floats, after: Floats) -> float:
    """Return by how much logits (N, C) differ: the largest shift of a probability, or a tenth of that of the logits.

    Saturated probabilities hide a wrong graph: the logits must agree as well, relative to the largest. NaN is infinite.
    """
    shift = float(np.abs(softmax(after) - softmax(before)).max())
    relative = float(np.abs(after - before).max() / max(1.0, np.abs(before).max()))
    return max(shift, relative / 10) if np.isfinite(after).all() else math.inf
