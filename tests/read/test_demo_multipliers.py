"""Multipliers counts what the networks of `cnnbook.models` hold and compute."""

from __future__ import annotations

import random

import pytest
import torch
import traitlets
from torch import nn

from cnnbook.counting import count_macs, count_parameters, layer_table
from cnnbook.demos import Multipliers
from cnnbook.demos.multipliers.multipliers import RESOLUTIONS, WIDTHS
from cnnbook.models import builders
from cnnbook.models.mobilenet import _multiple_of_8
from tests.demo_harness import in_node

CASES = 2000
COST = "(m, c) => m.costOf(...c)"


def built(version: str, width: float) -> nn.Module:
    with torch.device("meta"):
        return builders()[f"mobilenet_{version}"](width_mult=width)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_costs_are_those_of_the_networks(version):
    r = random.Random(version)
    cases = [[version, width, r.choice(RESOLUTIONS)] for width in WIDTHS]
    cases += [[version, r.uniform(0.05, 1.8), r.randint(33, 300)] for _ in range(25)]
    for case, got in zip(cases, in_node(Multipliers, COST, cases), strict=True):
        net, size = built(*case[:2]), case[2]
        assert got["parameters"] == count_parameters(net)
        assert got["macs"] == count_macs(net, (1, 3, size, size))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_parts_are_those_of_the_layers(version):
    (got,) = in_node(Multipliers, COST, [[version, 1, 224]])
    rows = layer_table(built(version, 1), (1, 3, 224, 224)).rows
    sums = dict.fromkeys(got["parts"], 0)
    for row in rows:
        kind = (
            "stem" if row.name.startswith("stem") else "depthwise" if "depthwise" in row.name else "pointwise"
        )
        sums["classifier" if row.name == "classifier" else kind] += row.macs
    assert {part: cost["macs"] for part, cost in got["parts"].items()} == sums


def test_one_layer_costs_what_torch_holds_and_the_map_times_it():
    r = random.Random(0)
    cases = []
    for _ in range(CASES):
        groups = r.randint(1, 8)
        shape = [groups * r.randint(1, 8), groups * r.randint(1, 8), r.choice([1, 3, 5]), 1, groups]
        cases.append([["x", *shape], r.randint(1, 60)])
    told = in_node(Multipliers, "(m, c) => m.layerCost(...c)", cases)
    for ((_, a, b, k, s, groups), size), got in zip(cases, told, strict=True):
        weights = nn.Conv2d(a, b, k, s, groups=groups, bias=False, device="meta").weight.numel()
        assert got == {"weights": weights, "macs": weights * size * size}


def test_channels_are_rounded_as_the_builders_round():
    r = random.Random(1)
    values = [*(n / 4 for n in range(200)), *(r.uniform(0, 2000) for _ in range(CASES))]
    told = in_node(Multipliers, "(m, c) => [m.rounded(c), m.byEight(c)]", values)
    assert told == [[max(1, round(v)), _multiple_of_8(v)] for v in values]


@pytest.mark.parametrize("case", [["v1", 0.5, 160], ["v2", 1.4, 96]])
def test_the_shown_lines_count_the_shown_network(case):
    text, cost = in_node(Multipliers, "(m, c) => [m.countLines(...c), m.costOf(...c)]", [case])[0]
    names: dict = {}
    exec(text, names)
    assert (names["parameters"], names["macs"]) == (cost["parameters"], cost["macs"])


@pytest.mark.parametrize("state", [{"width": 0.6}, {"resolution": 225}, {"version": "v3"}])
def test_a_setting_it_does_not_offer_is_refused(state):
    with pytest.raises(traitlets.TraitError):
        Multipliers(**state)
