"""Every architecture has the parts that its row names, and any other of torchvision is found or refused."""

from __future__ import annotations

import functools

import pytest
import torch
import torchvision
from torch import Tensor, nn

from classifier import nets, zoo

NAMES = sorted(zoo.ARCHS)
DOCUMENTED = {  # S2.41, S3.5 and S3.6 of the source documents: parameters with their own number of classes
    ("scratch_cnn_s2", 2): (0, 500_000),
    ("scratch_cnn_s3", 102): (1_900_000, 2_100_000),
    ("mini_resnet", 102): (3_900_000, 4_100_000),
}


@functools.cache
def shapes_only(name: str, classes: int = 2, size: int | None = None) -> nn.Module:
    return nets.without_memory(lambda: zoo.build(name, classes, size=size)).eval()


@pytest.mark.parametrize("name", NAMES)
def test_a_row_names_the_parts_of_its_network_from_input_to_output(name: str) -> None:
    row, network, order, maps = zoo.arch(name), shapes_only(name), list[str](), list[Tensor]()
    layers = dict(network.named_modules())
    assert set(row.stages) | set(row.walk) | set(row.aux_heads) <= set(layers)
    hooks = [
        layers[stage].register_forward_pre_hook(lambda *_, stage=stage: order.append(stage)) for stage in row.stages
    ] + [layers[layer].register_forward_hook(lambda *found: maps.append(found[2])) for layer in row.walk]
    logits = network(torch.zeros(1, 3, row.size, row.size, device="meta"))
    for hook in hooks:
        hook.remove()
    assert logits.shape == (1, 2)
    assert tuple(order) == row.stages
    shapes = [nets.as_nchw(one, row.cam_layout).shape for one in maps]
    assert [shape[2] for shape in shapes] == sorted((shape[3] for shape in shapes), reverse=True)
    assert (len(shapes), min(shape[3] for shape in shapes) > 1) == (4, True)


@pytest.mark.parametrize("name", NAMES)
def test_every_stage_can_be_trained_and_together_they_are_nearly_all(name: str) -> None:
    row = zoo.arch(name)
    held = [sum(p.numel() for p in shapes_only(name).get_submodule(stage).parameters()) for stage in row.stages]
    assert min(held) > 0
    assert 0.99 * zoo.parameters(name, 2) < sum(held) <= zoo.parameters(name, 2)


@pytest.mark.parametrize("row", [row for row in zoo.ROWS if row.weights], ids=lambda row: row.name)
def test_parameters_are_those_that_torchvision_documents(row: zoo.Arch) -> None:
    weights = torchvision.models.get_weight(row.weights or "")
    assert zoo.parameters(row.name, 1000) == weights.meta["num_params"]
    assert weights.transforms().crop_size == [row.size]
    head = shapes_only(row.name).get_submodule(row.head)
    assert zoo.parameters(row.name, 1000) - zoo.parameters(row.name, 2) == 998 * (head.in_features + 1)


def test_networks_of_our_own_are_as_large_as_the_documents_say() -> None:
    for (name, classes), (low, high) in DOCUMENTED.items():
        assert low < zoo.parameters(name, classes) < high, name
    assert 4 * zoo.parameters("scratch_cnn_s2", 2) < 2e6  # bytes


def test_auxiliary_heads_answer_while_training_only() -> None:
    network, x = zoo.build("googlenet", 3, size=32), torch.randn(2, 3, 32, 32)
    logits, auxiliary = nets.logits_and_aux(network.train()(x))
    assert [one.shape for one in (logits, *auxiliary)] == [(2, 3)] * 3
    assert nets.logits_and_aux(network.eval()(x))[1] == ()
    dropped = nets.drop_auxiliary(network, zoo.arch("googlenet").aux_heads).train()
    assert nets.logits_and_aux(dropped(x))[1] == ()
    assert not [name for name in dropped.state_dict() if name.startswith("aux")]


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0", "googlenet", "mobilenet_v3_small", "vit_b_16"])
def test_dropout_leaves_the_state_as_it_is(name: str) -> None:
    plain = nets.without_memory(lambda: zoo.build(name, 2))
    network = nets.without_memory(lambda: zoo.build(name, 2, dropout=0.4))
    assert list(network.state_dict()) == list(plain.state_dict())
    assert isinstance(network.get_submodule(zoo.arch(name).head), nn.Linear)
    rates = [
        getattr(layer, "p", 0) for layer in network.modules() if isinstance(layer, nn.Dropout | nets.DropoutLinear)
    ]
    assert rates.count(0.4) == 1  # in place of its own, not beside it


def test_dropout_works_while_training_only() -> None:
    torch.manual_seed(0)
    network, x = nets.DropoutLinear(1000, 1, bias=False, p=0.4), torch.ones(2000, 1000)
    nn.init.ones_(network.weight)
    with torch.no_grad():
        assert network.eval()(x).unique().tolist() == [1000]
        kept = network.train()(x).mean()
    assert float(kept) == pytest.approx(1000, rel=0.01)  # what is kept is scaled up by as much


@pytest.mark.parametrize(("name", "side", "told"), [
    ("resnet18", 31, "at least 32 px, not 31"),
    ("vit_b_16", 100, "a multiple of 16 px, not 100"),
    ("alexnet", 32, "takes no pictures of 32 px"),
    ("inception_v3", 96, "its own is 299"),
    ("maxvit_t", 100, "its own is 224"),
])  # fmt: skip
def test_a_size_that_a_network_cannot_take_is_refused(name: str, side: int, told: str) -> None:
    with pytest.raises(zoo.BadArch, match=told):
        zoo.build(name, 2, size=side)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_takes_its_smallest_size_in_training(name: str) -> None:
    row = zoo.arch(name)
    network = nets.without_memory(lambda: zoo.build(name, 2, size=row.smallest)).train()
    logits, _ = nets.logits_and_aux(network(torch.zeros(2, 3, row.smallest, row.smallest, device="meta")))
    assert logits.shape == (2, 2)


@pytest.mark.parametrize(("name", "head", "walk", "layout", "size"), [
    ("resnet34", "fc", ("layer1", "layer2", "layer3", "layer4"), "nchw", 224),
    ("densenet121", "classifier", (*(f"features.denseblock{n}" for n in (1, 2, 3)), "features"), "nchw", 224),
    ("vgg11_bn", "classifier.6", ("features.12", "features.19", "features.26", "features"), "nchw", 224),
    ("mnasnet0_5", "classifier.1", ("layers.8", "layers.9", "layers.11", "layers"), "nchw", 224),
    ("regnet_y_400mf", "fc", (*(f"trunk_output.block{n}" for n in (1, 2, 3)), "trunk_output"), "nchw", 224),
    ("inception_v3", "fc", ("Conv2d_4a_3x3", "Mixed_5d", "Mixed_6e", "Mixed_7c"), "nchw", 299),
    ("maxvit_t", "classifier.5", ("blocks.0", "blocks.1", "blocks.2", "blocks.3"), "nchw", 224),
    ("swin_v2_t", "head", ("features.1", "features.3", "features.5", "norm"), "nhwc", 256),
    ("vit_b_32", "heads.head", tuple(f"encoder.layers.encoder_layer_{n}.ln_1" for n in (2, 5, 8, 11)), "tokens", 224),
])  # fmt: skip
def test_other_classifiers_of_torchvision_are_found(
    name: str, head: str, walk: tuple[str, ...], layout: str, size: int
) -> None:
    row = zoo.arch(name)
    assert (row.head, row.walk, row.cam_layout, row.size) == (head, walk, layout, size)
    assert row.stages[-1] == head
    assert len(row.stages) >= 6
    assert (row.weights or "").endswith("IMAGENET1K_V1")
    network = nets.without_memory(lambda: zoo.build(name, 7)).eval()
    assert network(torch.zeros(1, 3, size, size, device="meta")).shape == (1, 7)


def test_what_is_found_agrees_with_the_rows() -> None:
    from classifier.discovery import discover

    for name in ("resnet50", "googlenet", "swin_t", "vit_b_16"):
        row, found = zoo.arch(name), discover(name)
        assert (found.head, found.walk, found.cam_layout, found.aux_heads, found.multiple) == (
            row.head, row.walk, row.cam_layout, row.aux_heads, row.multiple
        )  # fmt: skip


def test_a_network_without_a_linear_head_is_refused() -> None:
    with pytest.raises(zoo.BadArch, match="'squeezenet1_0' ends in AdaptiveAvgPool2d, not in a linear layer"):
        zoo.build("squeezenet1_0", 2)


@pytest.mark.parametrize(("name", "near"), [
    ("resnet_50", "resnet50"), ("resnet-34", "resnet34"), ("efficientnetb0", "efficientnet_b0"),
    ("ViT_b_16", "vit_b_16"),
])  # fmt: skip
def test_an_unknown_name_is_told_the_nearest(name: str, near: str) -> None:
    with pytest.raises(zoo.BadArch, match=f"no architecture '{name}'. Did you mean '{near}'"):
        zoo.arch(name)
    with pytest.raises(zoo.BadArch, match=r"Known: convnext_tiny, .*torchvision's other classifiers"):
        zoo.arch("zzzz")
