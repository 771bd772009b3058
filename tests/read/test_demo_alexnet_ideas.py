"""AlexnetIdeas: gradients are autograd's, costs are the network's, dropout keeps the mean."""

from __future__ import annotations

import random

import pytest
import torch
import traitlets

from cnnbook.counting import count_macs
from cnnbook.demos import AlexnetIdeas
from cnnbook.models import alexnet_2012
from tests.demo_harness import in_node

CASES = 700  # of each of three functions


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_gradients_down_the_chain_are_autograds(name):
    r = random.Random(0)
    cases = [[name, r.uniform(-3, 3), [r.uniform(-3, 3) for _ in range(8)]] for _ in range(CASES)]
    cases.append([name, 0.0, [1.0] * 8])  # ReLU has no slope at 0; torch takes 0
    for (_, start, weights), units in zip(
        cases, in_node(AlexnetIdeas, "(m, c) => m.chain(...c)", cases), strict=True
    ):
        expected = AlexnetIdeas(start=start, weights=weights).gradients(name)
        got = torch.tensor([unit["gradient"] for unit in units], dtype=torch.float64)
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-12)


def test_costs_are_those_of_the_network_of_2012():
    with torch.device("meta"):
        nets = {groups: alexnet_2012(groups=groups) for groups in (1, 2)}
    shapes = {"conv2": (1, 96, 27, 27), "conv3": (1, 256, 13, 13), "conv4": (1, 384, 13, 13)}
    shapes["conv5"] = (1, 384, 13, 13)
    call = "(m, c) => m.cost(m.LAYERS[c[0]], c[1])"
    cases = [[name, 1 if name == "conv3" else groups] for name in shapes for groups in (1, 2)]
    for (name, groups), got in zip(cases, in_node(AlexnetIdeas, call, cases), strict=True):
        layer = getattr(nets[groups], name)
        assert got["weights"] == layer.weight.numel() and got["biases"] == layer.bias.numel()
        assert got["macs"] == count_macs(layer, shapes[name])


def test_dropout_scales_what_stays_as_torch_does():
    r = random.Random(1)
    cases = [
        [
            [r.uniform(-5, 5) for _ in range(10)],
            [r.randint(0, 1) for _ in range(10)],
            r.choice([0, 0.2, 0.5, 0.9]),
        ]
        for _ in range(2000)
    ]
    for (values, kept, p), got in zip(
        cases, in_node(AlexnetIdeas, "(m, c) => m.dropped(...c)", cases), strict=True
    ):
        expected = torch.tensor(values, dtype=torch.float64) * torch.tensor(kept) / (1 - p)
        torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), expected)
    # torch's own: what stays is what was, divided by 1 - p
    ones = torch.nn.functional.dropout(torch.ones(1000), 0.2)
    assert set(ones.tolist()) == {0.0, 1.25}


def test_units_are_dropped_with_the_probability_asked_for():
    cases = [[p, seed] for p in (0, 0.1, 0.5, 0.9) for seed in range(1000)]
    masks = in_node(AlexnetIdeas, "(m, c) => m.mask(10, ...c)", cases)
    for i, p in enumerate((0, 0.1, 0.5, 0.9)):
        kept = sum(map(sum, masks[1000 * i : 1000 * (i + 1)])) / 10_000
        assert kept == pytest.approx(1 - p, abs=0.02)
    assert masks[2500] != masks[2501]
    again = in_node(AlexnetIdeas, "(m, c) => m.mask(10, ...c)", cases[2500:2501])
    assert again == masks[2500:2501]


@pytest.mark.parametrize("state", [{"weights": [1, 2]}, {"p": 1.0}, {"layer": "conv1"}, {"start": 4}])
def test_a_state_that_does_not_fit_is_refused(state):
    with pytest.raises(traitlets.TraitError):
        AlexnetIdeas(**state)
