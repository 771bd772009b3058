"""Dilated's paths are gradients, its values and its holes are torch's."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook.counting import receptive_field
from cnnbook.demos import Dilated
from tests.demo_harness import in_node

CASES = 2500


def random_rates(r: random.Random) -> list[int]:
    return [r.randint(1, 5) for _ in range(r.randint(1, 4))]


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    made = []
    for _ in range(CASES):
        rates = random_rates(r)
        x = [r.uniform(-9, 9) for _ in range(1 + 2 * sum(rates) + r.randint(0, 3))]
        made.append({"rates": rates, "x": x, "w": [r.uniform(-3, 3) for _ in range(3)]})
    return made


def layers(case: dict) -> list[torch.Tensor]:
    """Each layer's values by torch, the input first."""
    y = torch.tensor(case["x"], dtype=torch.float64)[None, None]
    w = torch.tensor(case["w"], dtype=torch.float64)[None, None]
    found = [y[0, 0]]
    for rate in case["rates"]:
        y = F.conv1d(y, w, dilation=rate)
        found.append(y[0, 0])
    return found


def gradient(rates: list[int], axes: int) -> torch.Tensor:
    """The gradient of one output through kernels of ones: the number of paths from each input cell."""
    side = 1 + 2 * sum(rates)
    y = x = torch.zeros(1, 1, *[side] * axes, requires_grad=True)
    convolve = F.conv1d if axes == 1 else F.conv2d
    for rate in rates:
        y = convolve(y, torch.ones(1, 1, *[3] * axes), dilation=rate)
    return torch.autograd.grad(y.sum(), x)[0][0, 0]


def test_the_values_of_every_layer_are_torchs(cases):
    for case, got in zip(cases, in_node(Dilated, "(m, c) => m.stack(c.x, c.w, c.rates)", cases), strict=True):
        for ours, expected in zip(got, layers(case), strict=True):
            torch.testing.assert_close(torch.tensor(ours, dtype=torch.float64), expected, rtol=0, atol=1e-10)


def test_the_number_of_paths_is_the_gradient(cases):
    lines = in_node(Dilated, "(m, c) => m.pathLine(c.rates)", cases)
    for case, line in zip(cases, lines, strict=True):
        assert line == gradient(case["rates"], axes=1).tolist()


def test_over_an_area_paths_multiply():
    r = random.Random(1)
    made = [random_rates(r) for _ in range(60)]
    answers = in_node(Dilated, "(m, rates) => [m.pathLine(rates), m.touched(rates)]", made)
    for rates, (line, touched) in zip(made, answers, strict=True):
        over_area = gradient(rates, axes=2)
        assert torch.equal(torch.outer(torch.tensor(line), torch.tensor(line)).float(), over_area)
        assert touched == int((over_area > 0).sum())


def test_the_field_is_what_the_package_counts():
    r = random.Random(2)
    made = [random_rates(r) for _ in range(60)]
    for rates, size in zip(made, in_node(Dilated, "(m, rates) => m.fieldOf(rates)", made), strict=True):
        net = torch.nn.Sequential(*[torch.nn.Conv2d(1, 1, 3, dilation=rate) for rate in rates])
        assert receptive_field(net, (1, 1, size, size)) == (size, size)


def test_a_layer_rests_on_the_nodes_with_a_gradient():
    r = random.Random(3)
    made = [random_rates(r) for _ in range(500)]
    for rates, got in zip(made, in_node(Dilated, "(m, rates) => m.restsOn(rates)", made), strict=True):
        nodes = [torch.zeros(1, 1, 1 + 2 * sum(rates), requires_grad=True)]
        for rate in rates:
            nodes.append(F.conv1d(nodes[-1], torch.ones(1, 1, 3), dilation=rate))
        expected = torch.autograd.grad(nodes[-1].sum(), nodes)
        assert got == [(g[0, 0] > 0).tolist() for g in expected]


@pytest.mark.parametrize(
    ("rates", "field", "touched"),
    [
        ([1, 1, 1], 7, 49),
        ([1, 2, 4], 15, 225),
        ([2, 2, 2], 13, 49),
        ([1, 2, 3], 13, 169),
        ([3, 3, 3], 19, 49),
    ],
)
def test_the_presets_see_what_the_page_says(rates, field, touched):
    assert in_node(Dilated, "(m, c) => [m.fieldOf(c), m.touched(c)]", [rates]) == [[field, touched]]


@pytest.mark.parametrize("view", ["area", "line"])
def test_the_torch_lines_compute_what_is_shown(view):
    r = random.Random(view)
    made = []
    for _ in range(60):
        rates = [r.randint(1, 3) for _ in range(r.randint(1, 3))]
        x = [r.choice([r.randint(-9, 9), 1 / 9, r.uniform(-1, 1)]) for _ in range(19)]
        made.append({"rates": rates, "x": x, "w": [r.randint(-3, 3) for _ in range(3)]})
    for case, text in zip(
        made, in_node(Dilated, f"(m, c) => m.torchLines('{view}', c.rates, c.x, c.w)", made), strict=True
    ):
        names: dict = {}
        exec(text, names)
        if view == "area":
            assert torch.equal(names["paths"], gradient(case["rates"], axes=2))
        else:
            seen = case | {"x": case["x"][: 1 + 2 * sum(case["rates"])]}
            torch.testing.assert_close(names["y"][0].double(), layers(seen)[-1], rtol=1e-4, atol=1e-4)


def test_python_counts_the_same_paths():
    demo = Dilated(first=2, second=2, third=2)
    assert demo.paths.shape == (13, 13)
    assert int((demo.paths > 0).sum()) == 49
    assert Dilated(depth=2).paths.shape == (7, 7)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"first": 5}, "first"),
        ({"first": 4, "second": 4, "third": 2}, "add up to at most 9"),
        ({"input": [1, 2, 3]}, "input needs a list of 19"),
        ({"kernel": [1, 2, float("nan")]}, "finite"),
        ({"depth": 0}, "depth"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        Dilated(**state)
