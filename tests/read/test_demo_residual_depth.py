"""ResidualDepth: its chain is torch's autograd, and what it shows of networks is what was measured."""

from __future__ import annotations

import math
import random

import pytest
import torch
import traitlets

from bench import resnet_depth
from cnnbook import results
from cnnbook.demos import ResidualDepth
from tests.demo_harness import in_node

CASES = 2000


@pytest.fixture(scope="module")
def chains() -> list[dict]:
    r = random.Random(0)
    return [
        {
            "x": r.uniform(-2, 2),
            "weights": [r.uniform(-1.5, 1.5) for _ in range(r.randint(1, 12))],
            "skip": r.random() < 0.5,
        }
        for _ in range(CASES)
    ]


def test_values_and_gradients_of_a_chain_are_those_of_autograd(chains):
    told = in_node(ResidualDepth, "(m, c) => m.chain(c.x, c.weights, c.skip)", chains)
    for case, got in zip(chains, told, strict=True):
        values = [torch.tensor(case["x"], dtype=torch.float64, requires_grad=True)]
        for w in case["weights"]:
            values.append(values[-1] + w * values[-1] if case["skip"] else w * values[-1])
        gradients = torch.autograd.grad(values[-1], values)
        assert got["values"] == pytest.approx([v.item() for v in values], rel=1e-9, abs=1e-12)
        assert got["gradients"] == pytest.approx([g.item() for g in gradients], rel=1e-9, abs=1e-12)


def test_the_shown_lines_compute_the_shown_chain(chains):
    few = [case | {"x": 1} for case in chains[:40]]
    call = "(m, c) => [m.chain(1, c.weights, c.skip).gradients, m.chainLines(c.weights, c.skip)]"
    for gradients, text in in_node(ResidualDepth, call, few):
        names: dict = {}
        exec(text, names)
        assert [g.item() for g in names["gradients"]] == pytest.approx(gradients, rel=1e-4, abs=1e-5)


def test_factors_multiply_to_the_whole_change():
    networks = ResidualDepth().networks
    lists = [n["gradients"] for n in networks]
    told = in_node(
        ResidualDepth, "(m, g) => [m.factors(g), m.perBlock(g, g.length - 1), m.perBlock(g, 0)]", lists
    )
    for gradients, (factors, each, none) in zip(lists, told, strict=True):
        change = gradients[0] / gradients[-1]
        assert math.prod(factors) == pytest.approx(change, rel=1e-9)
        assert each ** len(factors) == pytest.approx(change, rel=1e-9)
        assert none == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.00626, "0.00626"), (541.5, "542"), (1.537e-29, "1.5×10⁻²⁹"), (123456, "1.2×10⁵"), (1, "1"), (0, "0")],
)
def test_numbers_of_every_size_can_be_read(value, words):
    assert in_node(ResidualDepth, "(m, v) => m.scientific(v)", [value]) == [words]


def test_the_scale_holds_every_value():
    lists = [n["gradients"] for n in ResidualDepth().networks]
    (low, high), *places = in_node(
        ResidualDepth, "(m, c) => (c.all ? m.decades(c.all) : m.logPlace(c.v, ...c.scale))",
        [{"all": lists}, *({"v": v, "scale": [-30, 3]} for g in lists for v in g)],
    )  # fmt: skip
    assert 10**low <= min(map(min, lists))
    assert max(map(max, lists)) <= 10**high
    assert places == pytest.approx([(math.log10(v) + 30) / 33 for g in lists for v in g])


def test_every_setting_of_the_demo_was_measured():
    demo = ResidualDepth()
    assert demo.networks == results.load("resnet-depth").data["networks"]
    for convolutions in (4, 8, 16, 32, 64):
        for skip in (False, True):
            for norm in (False, True):
                gradients = demo.gradients(convolutions, skip=skip, norm=norm)
                assert len(gradients) == convolutions // 2 + 1


def test_the_stored_gradients_are_those_of_the_networks_that_the_bench_builds():
    images, labels = resnet_depth.digits()
    for norm in (False, True):
        for skip in (False, True):
            seeds = range(resnet_depth.SEEDS)
            runs = [resnet_depth.first_gradients(4, skip, norm, s, images, labels) for s in seeds]
            middle = torch.tensor(runs, dtype=torch.float64).median(dim=0).values.tolist()
            assert ResidualDepth().gradients(8, skip=skip, norm=norm) == pytest.approx(middle, rel=0.05)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"weights": [1] * 5}, "weights needs a list of 6"),
        ({"convolutions": 5}, "convolutions"),
        ({"view": "x"}, "view"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        ResidualDepth(**state)
