"""The registry of architectures: a row each, and one function that builds any of them. Imports torch on use only."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from classifier.arch import Arch, BadArch, CamLayout
from classifier.registry import by_name

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ARCHS", "ROWS", "Arch", "BadArch", "CamLayout", "arch", "build", "parameters"]


def _torchvision(name: str, side: int) -> nn.Module:
    from classifier.torchvision_nets import torchvision_net

    return torchvision_net(name, side)


def _own(name: str, side: int) -> nn.Module:
    from classifier import small_nets

    network: nn.Module = getattr(small_nets, name)(side)
    return network


def _resnet18_npr(side: int) -> nn.Module:
    from classifier.nets import with_neighbour_residual

    return with_neighbour_residual(_torchvision("resnet18", side))


def _numbered(prefix: str, numbers: Iterable[int], *rest: str) -> tuple[str, ...]:
    return (*(f"{prefix}.{number}" for number in numbers), *rest)


RESNET = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc")
RESNET_WALK = ("layer1", "layer2", "layer3", "layer4")
DENSENET = (
    "features.conv0", "features.norm0", "features.denseblock1", "features.transition1", "features.denseblock2",
    "features.transition2", "features.denseblock3", "features.transition3", "features.denseblock4", "features.norm5",
    "classifier",
)  # fmt: skip
GOOGLENET = (
    "conv1", "conv2", "conv3", "inception3a", "inception3b", "inception4a", "inception4b", "inception4c",
    "inception4d", "inception4e", "inception5a", "inception5b", "fc",
)  # fmt: skip
MNASNET = _numbered("layers", (0, 1, 3, 4, 6, *range(7, 16)), "classifier.1")  # those that have parameters
SHUFFLENET = ("conv1", "stage2", "stage3", "stage4", "conv5", "fc")
CONVNEXT = _numbered("features", range(8), "classifier.0", "classifier.2")
MOBILENET = _numbered("features", range(13), "classifier.0", "classifier.3")
SWIN = _numbered("features", range(8), "norm", "head")
VIT = ("conv_proj", *(f"encoder.layers.encoder_layer_{n}" for n in range(12)), "encoder.ln", "heads.head")
# The last block's output cannot be mapped: only its class token reaches the head, so that every patch's gradient is
# zero. Its first norm is the last place where the patches still have a say, through the attention that follows.
VIT_WALK = tuple(f"encoder.layers.encoder_layer_{n}.ln_1" for n in (2, 5, 8, 11))
EFFICIENTNET = _numbered("features", range(9), "classifier.1")
EFFICIENTNET_WALK = _numbered("features", (2, 3, 5, 8))
SCRATCH = ("block1", "block2", "block3", "classifier.1", "classifier.4")

ROWS = (
    Arch(
        "resnet18", partial(_torchvision, "resnet18"), RESNET, RESNET_WALK,
        weights="ResNet18_Weights.IMAGENET1K_V1", closed_form=True,
    ),
    Arch("resnet18_npr", _resnet18_npr, RESNET, RESNET_WALK, closed_form=True),
    Arch(
        "resnet50", partial(_torchvision, "resnet50"), RESNET, RESNET_WALK,
        weights="ResNet50_Weights.IMAGENET1K_V1", closed_form=True,
    ),
    Arch(
        "wide_resnet50_2", partial(_torchvision, "wide_resnet50_2"), RESNET, RESNET_WALK,
        weights="Wide_ResNet50_2_Weights.IMAGENET1K_V1", closed_form=True,
    ),
    Arch(  # a norm between pooling and head
        "convnext_tiny", partial(_torchvision, "convnext_tiny"), CONVNEXT, _numbered("features", (1, 3, 5, 7)),
        weights="ConvNeXt_Tiny_Weights.IMAGENET1K_V1",
    ),
    Arch(  # a norm and a rectifier between the last block and pooling
        "densenet161", partial(_torchvision, "densenet161"), DENSENET, DENSENET[2:9:2],
        weights="DenseNet161_Weights.IMAGENET1K_V1",
    ),
    Arch(
        "efficientnet_b0", partial(_torchvision, "efficientnet_b0"), EFFICIENTNET, EFFICIENTNET_WALK,
        weights="EfficientNet_B0_Weights.IMAGENET1K_V1", closed_form=True, cpu_bf16=False,
    ),
    Arch(
        "efficientnet_b2", partial(_torchvision, "efficientnet_b2"), EFFICIENTNET, EFFICIENTNET_WALK,
        size=288, weights="EfficientNet_B2_Weights.IMAGENET1K_V1", closed_form=True, cpu_bf16=False,
    ),
    Arch(
        "efficientnet_b4", partial(_torchvision, "efficientnet_b4"), EFFICIENTNET, EFFICIENTNET_WALK,
        size=380, weights="EfficientNet_B4_Weights.IMAGENET1K_V1", closed_form=True, cpu_bf16=False,
    ),
    Arch(
        "googlenet", partial(_torchvision, "googlenet"), GOOGLENET,
        ("conv3", "inception3b", "inception4e", "inception5b"),
        weights="GoogLeNet_Weights.IMAGENET1K_V1", closed_form=True, aux_heads=("aux1.fc2", "aux2.fc2"),
    ),
    Arch(  # two linear layers
        "mobilenet_v3_small", partial(_torchvision, "mobilenet_v3_small"), MOBILENET,
        _numbered("features", (1, 3, 8, 12)), weights="MobileNet_V3_Small_Weights.IMAGENET1K_V1", cpu_bf16=False,
    ),
    Arch(
        "mnasnet0_75", partial(_torchvision, "mnasnet0_75"), MNASNET, _numbered("layers", (8, 9, 11, 16)),
        weights="MNASNet0_75_Weights.IMAGENET1K_V1", closed_form=True, cpu_bf16=False,
    ),
    Arch(
        "swin_t", partial(_torchvision, "swin_t"), SWIN, ("features.1", "features.3", "features.5", "norm"), "nhwc",
        weights="Swin_T_Weights.IMAGENET1K_V1", closed_form=True,
    ),
    Arch(
        "shufflenet_v2_x2_0", partial(_torchvision, "shufflenet_v2_x2_0"), SHUFFLENET, SHUFFLENET[1:5],
        weights="ShuffleNet_V2_X2_0_Weights.IMAGENET1K_V1", closed_form=True,
    ),
    Arch(
        "vit_b_16", partial(_torchvision, "vit_b_16"), VIT, VIT_WALK, "tokens", multiple=16,
        weights="ViT_B_16_Weights.IMAGENET1K_V1",
    ),
    Arch("scratch_cnn_s2", partial(_own, "scratch_cnn_s2"), SCRATCH, ("block1", "block2", "block3.2", "block3")),
    Arch("scratch_cnn_s3", partial(_own, "scratch_cnn_s3"), SCRATCH, ("block1", "block2", "block3.1", "block3")),
    Arch(
        "mini_resnet", partial(_own, "mini_resnet"), ("stem", "layer1", "layer2", "layer3", "fc"),
        ("stem", "layer1", "layer2", "layer3"), closed_form=True,
    ),
)  # fmt: skip


ARCHS = by_name(ROWS, "architectures")


def arch(name: str) -> Arch:
    """Return the row of that name, or one made for any other classifier of torchvision (which imports torch).

    Raises `BadArch` with the nearest name.
    """
    if name in ARCHS:
        return ARCHS[name]
    try:
        from classifier.discovery import discover, discoverable
    except ImportError:  # judging alone needs no torchvision
        others: tuple[str, ...] = ()
    else:
        others = discoverable()
        if name in others:
            return discover(name)
    near = difflib.get_close_matches(name, (*ARCHS, *others), 1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    known = ", ".join(sorted(ARCHS))
    raise BadArch(f"There is no architecture '{name}'.{hint} Known: {known}, and torchvision's other classifiers.")


def build(
    name: str, classes: int, weights: str = "none", *, size: int | None = None, dropout: float = 0.0
) -> nn.Module:
    """Return the network `name` with a fresh head of `classes` outputs, for pictures of `size` × `size`.

    `weights` is `none`, `imagenet` (torchvision's, downloaded once) or a file: a safetensors state dict of the whole
    network with any head, or torchvision's own .pth file. `dropout` is the part of the head's inputs that training
    leaves out; with 0 the architecture keeps its own. Networks with auxiliary heads have them: see
    `nets.logits_and_aux`. Raises `BadArch`.
    """
    from classifier import nets

    row = arch(name)
    side = size or row.size
    _check_side(row, side)
    network = row.build(side)
    if weights != "none":
        from classifier import pretrained

        pretrained.load(network, row, weights, side)
    nets.replace_linear(network, row.head, classes, dropout=dropout)
    for head in row.aux_heads:
        nets.replace_linear(network, head, classes)
    return network


def _check_side(row: Arch, side: int) -> None:
    if side < row.smallest:
        raise BadArch(f"'{row.name}' takes pictures of at least {row.smallest} px, not {side}: set preprocess.size.")
    if side % row.multiple:
        raise BadArch(
            f"'{row.name}' takes pictures whose side is a multiple of {row.multiple} px, not {side}: "
            "set preprocess.size."
        )
    if row.name not in ARCHS and side != row.size:
        from classifier.discovery import check_side

        check_side(row, side)


def parameters(name: str, classes: int) -> int:
    """Return how many parameters the network has when it judges, without setting memory aside for them."""
    from classifier import nets

    network = nets.without_memory(partial(build, name, classes))
    judging = nets.drop_auxiliary(network, arch(name).aux_heads)
    return sum(parameter.numel() for parameter in judging.parameters())
