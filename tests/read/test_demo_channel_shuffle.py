"""ChannelShuffle's arithmetic is torch's, and its wires are the paths by which numbers really travel."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook.demos import ChannelShuffle
from tests.demo_harness import in_node

CASES = 3000


def random_case(r: random.Random, value=lambda r: r.uniform(-9, 9)) -> dict:
    rows = lambda: [[value(r) for _ in range(4)] for _ in range(16)]  # noqa: E731
    return {
        "groups": r.randint(2, 4),
        "per_group": r.randint(2, 4),
        "shuffle": r.random() < 0.5,
        "input": [value(r) for _ in range(16)],
        "first": rows(),
        "second": rows(),
    }


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    return [random_case(r, lambda r: round(r.uniform(-9, 9), 2)) for _ in range(CASES)]


def by_torch(case: dict) -> torch.Tensor:
    g, n = case["groups"], case["per_group"]
    tensor = lambda v: torch.tensor(v, dtype=torch.float64)  # noqa: E731
    x = tensor(case["input"][: g * n])[None, :, None, None]
    w1, w2 = (tensor(case[key])[: g * n, :n, None, None] for key in ("first", "second"))
    h = F.conv2d(x, w1, groups=g)
    h = torch.nn.ChannelShuffle(g)(h) if case["shuffle"] else h
    return F.conv2d(h, w2, groups=g).flatten()


def test_outputs_are_torchs_two_grouped_convolutions(cases):
    for case, got in zip(cases, in_node(ChannelShuffle, "(m, c) => m.forward(c)[3]", cases), strict=True):
        torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), by_torch(case), rtol=0, atol=1e-9)


def test_the_products_named_for_a_channel_add_up_to_it(cases):
    call = """(m, s) => [1, 2].flatMap((layer) => m.forward(s)[layer === 1 ? 1 : 3].map((value, c) =>
      value - m.pairs(s, layer, c).reduce((sum, [v, w]) => sum + v * w, 0)))"""
    assert max(abs(v) for rest in in_node(ChannelShuffle, call, cases) for v in rest) < 1e-9


def test_the_order_is_that_of_torchs_channel_shuffle():
    made = [(g, n) for g in range(1, 7) for n in range(1, 7)]
    for (g, n), order in zip(made, in_node(ChannelShuffle, "(m, c) => m.shuffled(...c)", made), strict=True):
        channels = torch.arange(float(g * n))[None, :, None, None]
        assert order == torch.nn.ChannelShuffle(g)(channels).flatten().tolist()


def test_nine_channels_in_three_groups_come_out_as_in_the_lecture():
    assert in_node(ChannelShuffle, "(m) => m.shuffled(3, 3)", [0]) == [[0, 3, 6, 1, 4, 7, 2, 5, 8]]


@pytest.mark.parametrize("shuffle", [False, True])
def test_inputs_with_a_path_are_those_with_a_gradient(shuffle):
    made = [(g, n, c) for g in (2, 3, 4) for n in (2, 3, 4) for c in range(g * n)]
    call = f"(m, [g, n, c]) => m.sources(2, c, g, n, {str(shuffle).lower()})[0]"
    for (g, n, c), inputs in zip(made, in_node(ChannelShuffle, call, made), strict=True):
        x = torch.ones(1, g * n, 1, 1, requires_grad=True)
        w = torch.ones(g * n, n, 1, 1)
        h = F.conv2d(x, w, groups=g)
        h = torch.nn.ChannelShuffle(g)(h) if shuffle else h
        F.conv2d(h, w, groups=g)[0, c].sum().backward()
        assert inputs == x.grad.flatten().nonzero().flatten().tolist()


def test_the_torch_lines_compute_what_is_shown():
    r = random.Random(1)
    some = [
        random_case(r, lambda r: r.choice([r.randint(-9, 9), 1 / 9, 0.25, r.uniform(-1, 1)]))
        for _ in range(60)
    ]
    for case, text in zip(some, in_node(ChannelShuffle, "(m, c) => m.torchLines(c)", some), strict=True):
        names: dict = {}
        exec(text, names)
        torch.testing.assert_close(names["y"].flatten().double(), by_torch(case), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("shuffle", [False, True])
def test_python_computes_the_same_output(shuffle):
    demo = ChannelShuffle(shuffle=shuffle)
    keys = ("groups", "per_group", "shuffle", "input", "first", "second")
    state = {key: getattr(demo, key) for key in keys}
    assert demo.output.tolist() == in_node(ChannelShuffle, "(m, c) => m.forward(c)[3]", [state])[0]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"groups": 5}, "groups"),
        ({"input": [1] * 9}, "input needs a list of 16"),
        ({"second": [[1] * 3] * 16}, "second needs a list of 4"),
        ({"first": [[float("inf")] * 4] * 16}, "finite"),
        ({"layer": 3}, "layer"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        ChannelShuffle(**state)
