"""ShuffledGroups counts the networks of `cnnbook.models` and follows channels as torch does."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets
from torch import nn

from cnnbook.counting import count_macs, count_parameters, layer_table
from cnnbook.demos import ShuffledGroups
from cnnbook.demos.shuffled_groups.shuffled_groups import GROUPS
from cnnbook.models import shufflenet_v1
from tests.demo_harness import in_node

CASES = 2000
PHOTO = (1, 3, 224, 224)


@pytest.mark.parametrize("groups", GROUPS)
def test_costs_are_those_of_the_network(groups):
    (got,) = in_node(ShuffledGroups, "(m, g) => m.netCost(g)", [groups])
    with torch.device("meta"):
        net = shufflenet_v1(groups=groups)
    assert got["macs"] == count_macs(net, PHOTO)
    assert got["parameters"] == count_parameters(net)
    sums = dict.fromkeys(got["parts"], 0)
    for row in layer_table(net, PHOTO).rows:
        known = {"conv1": "stem", "fc": "classifier"}.get(row.name.split(".")[0])
        sums[known or ("depthwise" if "depthwise" in row.name else "pointwise")] += row.macs
    assert got["parts"] == sums


def test_one_layer_costs_what_torch_holds_and_the_map_times_it():
    r = random.Random(0)
    cases = []
    for _ in range(CASES):
        g = r.randint(1, 8)
        cases.append([g * r.randint(1, 9), g * r.randint(1, 9), r.choice([1, 3, 5]), g, r.randint(1, 60)])
    told = in_node(ShuffledGroups, "(m, c) => m.groupedCost(...c)", cases)
    for (a, b, k, g, size), got in zip(cases, told, strict=True):
        weights = nn.Conv2d(a, b, k, groups=g, bias=False, device="meta").weight.numel()
        assert got == {"weights": weights, "macs": weights * size * size}


def reach(channels: int, inner: int, groups: int, shuffle: bool) -> torch.Tensor:
    """Which inputs reach which outputs, shape (channels, channels)."""
    x = torch.eye(channels)[:, :, None, None]
    h = F.conv2d(x, torch.ones(inner, channels // groups, 1, 1), groups=groups)
    if shuffle:
        h = nn.ChannelShuffle(groups)(h)
    return F.conv2d(h, torch.ones(channels, inner // groups, 1, 1), groups=groups)[:, :, 0, 0] > 0


def test_inputs_that_reach_an_output_are_those_torch_lets_through():
    r = random.Random(1)
    cases = []
    for _ in range(CASES):
        g = r.randint(1, 6)
        channels, inner = g * r.randint(1, 6), g * r.randint(1, 6)  # narrow ones do not mix all groups
        cases.append([channels, inner, g, r.random() < 0.5, r.randrange(channels)])
    told = in_node(ShuffledGroups, "(m, c) => m.reachedBy(...c)", cases)
    for case, got in zip(cases, told, strict=True):
        assert got == reach(*case[:4])[:, case[4]].nonzero().flatten().tolist()


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("shuffle", [False, True])
def test_the_shown_lines_find_the_shown_channels(groups, shuffle):
    call = "(m, c) => [m.reachLines(...c), m.reachedBy(m.WIDTHS[c[0]], m.WIDTHS[c[0]] / 4, ...c)]"
    ((text, got),) = in_node(ShuffledGroups, call, [[groups, shuffle, 100]])
    names: dict = {}
    exec(text, names)
    assert names["reached"] == got


@pytest.mark.parametrize("state", [{"groups": 5}, {"channel": -1}, {"channel": 384}])
def test_a_state_it_cannot_show_is_refused(state):
    with pytest.raises(traitlets.TraitError):
        ShuffledGroups(**state)
