"""Growth's counts are those of the dense blocks of the models, and its numbers are torch's."""

from __future__ import annotations

import random

import pytest
import torch
import traitlets
from torch import nn

from cnnbook.demos import Growth
from cnnbook.models.densenet import dense_block, transition
from cnnbook.models.resnet import Bottleneck
from tests.demo_harness import in_node

CASES = 2000


def convolution_weights(module: nn.Module) -> int:
    return sum(m.weight.numel() for m in module.modules() if isinstance(m, nn.Conv2d))


def values(r: random.Random, *sizes: int) -> list | float:
    return [values(r, *sizes[1:]) for _ in range(sizes[0])] if sizes else r.uniform(-2, 2)


def random_place(r: random.Random) -> dict:
    c = r.randint(1, 4)
    weights = [values(r, c, c * (i + 1)) for i in range(r.randint(1, 4))]
    return {"x": values(r, c), "w": weights, "join": r.choice(["concat", "sum"])}


@pytest.fixture(scope="module")
def places() -> list[dict]:
    r = random.Random(0)
    return [random_place(r) for _ in range(CASES)]


def by_torch(case: dict) -> torch.Tensor:
    h = torch.tensor(case["x"], dtype=torch.float64)
    for rows in case["w"]:
        new = torch.tensor(rows, dtype=torch.float64)[:, : len(h)] @ h.relu()
        h = torch.cat([h, new]) if case["join"] == "concat" else h + new
    return h


def test_a_place_is_what_torch_computes(places):
    told = in_node(Growth, "(m, c) => m.grow(c.x, c.w, c.join)", places)
    for case, got in zip(places, told, strict=True):
        assert got["out"] == pytest.approx(by_torch(case).tolist(), abs=1e-9)
        if case["join"] == "concat":
            made = [v for step in got["steps"] for v in step["made"]]
            assert got["out"] == case["x"] + made  # nothing that was there has changed


def test_the_shown_lines_compute_the_shown_numbers(places):
    few = places[:60]
    for case, text in zip(few, in_node(Growth, "(m, c) => m.placeLines(c.x, c.w, c.join)", few), strict=True):
        names: dict = {}
        exec(text, names)
        assert names["h"].tolist() == pytest.approx(by_torch(case).tolist(), rel=1e-3, abs=1e-3)


def test_weights_are_those_of_the_models_own_block():
    r = random.Random(1)
    cases = [[r.choice([16, 24, 64, 96]), r.choice([4, 12, 32, 48]), r.randint(1, 12)] for _ in range(60)]
    told = in_node(Growth, "(m, c) => [m.plan(...c, true), m.plan(...c, false)]", cases)
    for (start, growth, layers), (thin, plain) in zip(cases, told, strict=True):
        with torch.device("meta"):
            block = dense_block(start, layers, growth)
            threes = [nn.Conv2d(start + i * growth, growth, 3, bias=False) for i in range(layers)]
        assert [layer["all"] for layer in thin["layers"]] == [convolution_weights(layer) for layer in block]
        assert thin["all"] == convolution_weights(block)
        assert [layer["all"] for layer in plain["layers"]] == [conv.weight.numel() for conv in threes]
        assert thin["out"] == plain["out"] == block[-1].new_maps.norm1.num_features + growth


def test_counts_agree_over_thousands_of_settings():
    r = random.Random(2)
    cases = [[r.randint(1, 200), r.randint(1, 64), r.randint(1, 30), r.random() < 0.5] for _ in range(CASES)]
    told = in_node(Growth, "(m, c) => m.plan(...c)", cases)
    for (start, k, layers, thin), got in zip(cases, told, strict=True):
        sees = [start + i * k for i in range(layers)]
        assert [layer["sees"] for layer in got["layers"]] == sees
        assert got["all"] == sum(c * 4 * k + 36 * k * k if thin else 9 * c * k for c in sees)


@pytest.mark.parametrize("channels", [64, 256, 512])
def test_the_comparison_is_with_real_layers(channels):
    call = "(m, c) => [m.addingWeights(c, 3, true), m.addingWeights(c, 3, false), m.transitionWeights(c)]"
    ((thin, plain, between),) = in_node(Growth, call, [channels])
    with torch.device("meta"):
        assert thin == 3 * convolution_weights(Bottleneck(channels, channels).residual)
        assert plain == 3 * nn.Conv2d(channels, channels, 3, bias=False).weight.numel()
        assert between == convolution_weights(transition(channels, channels // 2))


@pytest.mark.parametrize("thin", [True, False])
def test_the_shown_layers_count_the_shown_weights(thin):
    case = [64, 32, 6, thin]
    ((text, expected),) = in_node(Growth, "(m, c) => [m.blockLines(...c), m.plan(...c)]", [case])
    names: dict = {}
    exec(text, names)
    assert (names["weights"], names["channels"]) == (expected["all"], expected["out"])


@pytest.mark.parametrize("join", ["concat", "sum"])
def test_it_opens_with_what_torch_computes(join):
    demo = Growth(join=join)
    state = {"x": demo.input, "w": [demo.first, demo.second, demo.third]}
    (got,) = in_node(Growth, f"(m, c) => m.grow(c.x, c.w, '{join}').out", [state])
    assert got == demo.output.tolist()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"input": [1]}, "input needs a list of 2"),
        ({"second": [[1, 2], [3, 4]]}, "second needs"),
        ({"layers": 0}, "layers"),
        ({"growth": 5}, "growth"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        Growth(**state)
