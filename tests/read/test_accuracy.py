"""Published accuracies: complete, sourced, and the ones that torchvision itself states."""

from __future__ import annotations

import pytest
from torchvision import models as torchvision_models

from cnnbook.models import accuracy, builders

FROM_TORCHVISION = [row for row in accuracy.table() if row.weights]


@pytest.mark.parametrize("row", FROM_TORCHVISION, ids=lambda row: f"{row.name}-{row.weights}")
def test_torchvisions_numbers_are_torchvisions(row):
    stated = torchvision_models.get_model_weights(row.name)[row.weights].meta["_metrics"]["ImageNet-1K"]
    assert (row.top1, row.top5) == (stated["acc@1"], stated["acc@5"])


def test_every_network_for_imagenet_has_an_accuracy():
    published = {row.name for row in accuracy.table()}
    without = {"lenet5", "lenet5_1998", "alexnet_2012"}  # digits; weights of 2012 are not to be had
    assert set(builders()) - without <= published
    assert published - set(builders()) == {"dpn98", "dpn131"}


def test_errors_of_the_authors_became_accuracies():
    errors = {
        **{"dpn68": (23.57, 6.93), "dpn92": (20.73, 5.37), "dpn98": (20.15, 5.15), "dpn131": (19.93, 5.12)},
        **{"se_resnet50": (22.37, 6.36), "senet154": (18.68, 4.47), "shufflenet_v1": (32.2, 12.3)},
    }
    for name, (top1, top5) in errors.items():
        row = accuracy.of(name)
        assert (round(100 - row.top1, 2), round(100 - row.top5, 2)) == (top1, top5), name


def test_the_first_weights_are_meant_unless_others_are_named():
    assert accuracy.of("resnet50").weights == "IMAGENET1K_V1"
    assert accuracy.of("resnet50", "IMAGENET1K_V2").top1 > accuracy.of("resnet50").top1
    with pytest.raises(KeyError, match=r"no accuracy of 'resnet51'; there are alexnet, vgg16"):
        accuracy.of("resnet51")
    with pytest.raises(KeyError, match="with IMAGENET1K_V9"):
        accuracy.of("resnet50", "IMAGENET1K_V9")


def test_the_contest_has_one_winner_a_year_and_each_is_better():
    winners = [entry for entry in accuracy.ilsvrc() if entry.place == 1]
    assert [entry.year for entry in winners] == list(range(2010, 2018))
    errors = [entry.top5_error for entry in winners]
    assert errors == sorted(errors, reverse=True)
    assert [entry.deep for entry in winners] == [False] * 2 + [True] * 6


def test_every_number_is_a_percentage_and_names_a_source():
    for row in accuracy.table():
        assert 50 < row.top1 < (row.top5 or 99) < 100
        assert row.source.url.startswith("https://") and row.source.title and row.source.test
    for entry in accuracy.ilsvrc():
        assert 0 < entry.top5_error < 30 and entry.source.url.startswith("https://")
    assert accuracy.human_error()[0] == 5.1 and accuracy.lenet_error()[0] == 0.95
    with pytest.raises(KeyError, match="no source 'nobody'"):
        accuracy.source("nobody")
