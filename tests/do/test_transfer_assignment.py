"""The assignment ``transfer``: its answers against torchvision and the library, its margin over seeds."""

import copy

import pytest
import torch
import torchvision
from nbgrader.utils import is_grade, is_solution
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from autograders.banks.transfer import LEARN, TUNE_RIGHT
from bench import transfer_recipes
from cnnbook import results, transfer

MARGIN = 0.12  # what the text asks for


@pytest.fixture
def cells(source_of):
    return {cell.id: cell for cell in source_of("transfer").cells}


@pytest.fixture
def solved(cells):
    """The names that the given cells and the instructor's solution bind."""
    namespace = {}
    for cell in cells.values():
        if cell.id in ("tools", "data") or is_solution(cell):
            exec(cell.source, namespace)
    return namespace


def learning(net):
    return {name for name, value in net.named_parameters() if value.requires_grad}


def test_layers_freeze_as_the_library_freezes_them(solved):
    ours = torchvision.models.resnet18()
    theirs = copy.deepcopy(ours)
    count = solved["freeze_except"](ours, "fc")
    assert learning(ours) == learning(transfer.freeze(theirs)) and count == 512 * 1000 + 1000
    for layer in ("layer3", "layer2.1", "avgpool", "layer4.0.conv2"):
        count = solved["freeze_until"](ours, layer)
        assert learning(ours) == learning(transfer.freeze(theirs, layer))
        assert count == sum(value.numel() for value in theirs.parameters() if value.requires_grad)
    with pytest.raises(ValueError):
        solved["freeze_until"](ours, "layer5")


@pytest.mark.parametrize(
    "kind", ["resnet18", "squeezenet1_0", "mobilenet_v2", "densenet121", "mnasnet1_0", "MiniVGG", "MiniDense"]
)
def test_heads_are_those_of_networks_built_with_so_many_classes(solved, kind):
    got = solved["replace_head"](solved["build"](kind, 10), 3).eval()
    want = solved["build"](kind, 3).eval()
    x = torch.randn(1, 1 if kind.startswith("Mini") else 3, 64, 64)
    for net in (got, want):
        solved["fill_values"](net, 1)
    with torch.no_grad():
        assert got.state_dict().keys() == want.state_dict().keys()
        assert torch.equal(got(x), want(x))


def test_features_are_those_of_the_library(solved):
    net = solved["fill_values"](solved["MiniVGG"](3), 2)
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(torch.randn(11, 1, 8, 8), torch.arange(11)), 4)
    want, labels = transfer.extract_features(net, loader)
    backbone = nn.Sequential(net.features, *net.classifier[:-1])
    got, order = solved["extract_features"](backbone, loader)
    assert torch.allclose(got, want, atol=1e-6) and torch.equal(order, labels)
    assert net.training and not got.requires_grad


def test_groups_have_the_rates_of_the_library(solved):
    net = transfer.freeze(torchvision.models.resnet18(num_classes=4), "layer3")
    rates = {
        id(value): group["lr"]
        for group in transfer.parameter_groups(net, head_lr=0.1, backbone_lr=0.01)
        for value in group["params"]
    }
    for groups in (
        solved["parameter_groups"](net, "fc", 0.01, 0.1),
        solved["decay_groups"](net, "fc", 0.01, 0.1, 0.5),
    ):
        got = [(id(value), group["lr"]) for group in groups for value in group["params"]]
        assert len(got) == len(rates) and dict(got) == rates
    decayed = {
        id(value)
        for group in solved["decay_groups"](net, "fc", 0.01, 0.1, 0.5)
        for value in group["params"]
        if group["weight_decay"] == 0.5
    }
    layers = [layer for layer in net.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    assert decayed == {id(layer.weight) for layer in layers if layer.weight.requires_grad}


def test_numbers_of_the_text(solved, cells):
    net = solved["DigitNet"](7)
    assert "23,863" in cells["example"].source and "455" in cells["example"].source
    assert sum(value.numel() for value in net.parameters()) == 23_863
    assert solved["freeze_except"](net, "fc") == 455
    images, labels = solved["draw_digits"](solved["SOURCE"], 1, 5)[2:]
    assert solved["accuracy"](solved["pretrained"]()(images), labels) > 0.9
    assert f"**{MARGIN * 100:g} %p 이상**" in cells["tune-text"].source
    assert f"scratch + {MARGIN}" in cells["test-tune-learn"].source


def test_the_margin_stands_far_from_right_and_wrong_over_twenty_seeds():
    leads = results.load(transfer_recipes.NAME, transfer_recipes.FOLDER).data.values()
    assert len(leads) == 20
    for name in ("instructor's", *TUNE_RIGHT):
        assert min(lead[name] for lead in leads) > MARGIN + 0.06, name
    for name in ("from scratch", "large rate for all layers"):
        assert name in LEARN.wrong
        assert max(lead[name] for lead in leads) < MARGIN - 0.06, name


def test_the_instructor_s_answer_leads_by_more_on_this_machine_too(monkeypatch):
    monkeypatch.setattr(transfer_recipes, "ANSWERS", {})
    assert transfer_recipes.leads(7)["instructor's"] > MARGIN + 0.03


def test_points_are_forty_and_a_bonus(cells):
    points = {name: cell.metadata.nbgrader["points"] for name, cell in cells.items() if is_grade(cell)}
    assert sum(points.values()) == 43
    assert points["test-decay"] == 3
