"""DualPath's channels and weights are those of the models' own blocks, and its numbers are torch's."""

from __future__ import annotations

import random

import pytest
import torch
import traitlets
from torch import nn

from cnnbook import models
from cnnbook.demos import DualPath
from tests.demo_harness import in_node

CASES = 2000


def values(r: random.Random, *sizes: int) -> list | float:
    return [values(r, *sizes[1:]) for _ in range(sizes[0])] if sizes else r.uniform(-2, 2)


def random_blocks(r: random.Random) -> dict:
    residual, dense, growth = r.randint(1, 4), r.randint(1, 4), r.randint(1, 3)
    sizes = [residual + dense + i * growth for i in range(r.randint(1, 3))]
    blocks = [values(r, residual + growth, n) for n in sizes]
    return {"h": values(r, residual + dense), "blocks": blocks, "residual": residual}


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    return [random_blocks(r) for _ in range(CASES)]


def by_torch(case: dict) -> torch.Tensor:
    h, n = torch.tensor(case["h"], dtype=torch.float64), case["residual"]
    for rows in case["blocks"]:
        new = torch.tensor(rows, dtype=torch.float64) @ h.relu()
        h = torch.cat([h[:n] + new[:n], h[n:], new[n:]])
    return h


def test_a_place_is_what_torch_computes(cases):
    call = "(m, c) => c.blocks.reduce((h, w) => m.dualPath(h, w, c.residual).out, c.h)"
    for case, got in zip(cases, in_node(DualPath, call, cases), strict=True):
        assert got == pytest.approx(by_torch(case).tolist(), abs=1e-9)


def test_the_dense_path_keeps_what_was_there(cases):
    call = "(m, c) => m.dualPath(c.h, c.blocks[0], c.residual)"
    for case, got in zip(cases, in_node(DualPath, call, cases), strict=True):
        n = case["residual"]
        assert got["out"][n : len(case["h"])] == case["h"][n:]
        assert got["out"][:n] == got["added"] and got["out"][len(case["h"]) :] == got["appended"]


def test_the_shown_lines_compute_the_shown_numbers(cases):
    few = cases[:60]
    call = "(m, c) => m.pathsLines(c.h, c.blocks, c.residual)"
    for case, text in zip(few, in_node(DualPath, call, few), strict=True):
        names: dict = {}
        exec(text, names)
        assert names["h"].tolist() == pytest.approx(by_torch(case).tolist(), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", ["dpn68", "dpn92"])
def test_channels_and_weights_are_those_of_the_models(name):
    with torch.device("meta"):
        net = getattr(models, name)()
    told = in_node(DualPath, f"(m, s) => m.blocksOf('{name}', s)", [0, 1, 2, 3])
    for stage, blocks in enumerate(told):
        real = getattr(net, f"conv{stage + 2}")
        assert len(blocks) == len(real)
        for got, block in zip(blocks, real, strict=True):
            convolutions = [m for m in block.modules() if isinstance(m, nn.Conv2d)]
            assert got == {
                "comes": block.bottleneck.a.conv.in_channels,
                "made": block.bottleneck.c.conv.out_channels,
                "leaves": block.out_channels,
                "weights": sum(m.weight.numel() for m in convolutions),
            }


def test_the_shown_lines_find_the_shown_block():
    (text,) = in_node(DualPath, "(m, c) => m.modelLines(...c)", [["dpn68", 1, 2]])
    names: dict = {}
    with torch.device("meta"):
        exec(text, names)
    ((block,),) = in_node(DualPath, "(m, c) => [m.blocksOf('dpn68', 1)[2]]", [0])
    assert names["block"].out_channels == block["leaves"]


def test_it_opens_with_what_torch_computes():
    demo = DualPath()
    state = {"h": demo.input, "blocks": [demo.first, demo.second]}
    (got,) = in_node(DualPath, "(m, c) => c.blocks.reduce((h, w) => m.dualPath(h, w, 2).out, c.h)", [state])
    assert got == demo.output.tolist()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"input": [1]}, "input needs a list of 4"),
        ({"second": [[1]]}, "second needs"),
        ({"model": "dpn98"}, "model"),
        ({"stage": 4}, "stage"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        DualPath(**state)
