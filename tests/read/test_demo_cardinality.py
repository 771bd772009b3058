"""Cardinality's counts are those of real layers, and its paths add up to one grouped convolution."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets
from torch import nn

from cnnbook.demos import Cardinality
from cnnbook.models.resnext import resnext_block
from tests.demo_harness import in_node

CASES = 2000


def values(r: random.Random, *sizes: int) -> list | float:
    return [values(r, *sizes[1:]) for _ in range(sizes[0])] if sizes else r.uniform(-2, 2)


def random_block(r: random.Random) -> dict:
    n, p, w = r.randint(1, 5), r.randint(1, 4), r.randint(1, 3)
    weights = {"down": values(r, p, w, n), "middle": values(r, p, w, w), "up": values(r, p, n, w)}
    return {"x": values(r, n), "w": weights}


@pytest.fixture(scope="module")
def blocks() -> list[dict]:
    r = random.Random(0)
    return [random_block(r) for _ in range(CASES)]


def test_paths_added_up_are_one_grouped_convolution(blocks):
    told = in_node(Cardinality, "(m, c) => m.throughPaths(c.x, c.w)", blocks)
    for case, got in zip(blocks, told, strict=True):
        x = torch.tensor(case["x"], dtype=torch.float64)
        down, middle, up = (torch.tensor(case["w"][k], dtype=torch.float64) for k in ("down", "middle", "up"))
        h = F.conv2d(x.view(1, -1, 1, 1), down.flatten(0, 1)[..., None, None]).relu()
        h = F.conv2d(h, middle.flatten(0, 1)[..., None, None], groups=len(middle)).relu()
        h = F.conv2d(h, torch.cat(list(up), dim=1)[..., None, None]).flatten()
        assert got["sum"] == pytest.approx(h.tolist(), abs=1e-9)
        assert got["y"] == pytest.approx((h + x).relu().tolist(), abs=1e-9)


def test_the_shown_lines_compute_the_shown_output(blocks):
    few = blocks[:40]
    call = "(m, c) => [m.throughPaths(c.x, c.w).y, m.pathLines(c.x, c.w)]"
    for y, text in in_node(Cardinality, call, few):
        names: dict = {}
        exec(text, names)
        assert names["y"].tolist() == pytest.approx(y, rel=1e-4, abs=1e-4)


def test_weights_are_those_of_the_layers():
    r = random.Random(1)
    cases = [
        {"paths": r.randint(1, 64), "width": r.randint(1, 64), "channels": r.randint(1, 512)}
        for _ in range(CASES)
    ]
    told = in_node(Cardinality, "(m, c) => m.blockWeights(c.paths, c.width, c.channels)", cases)
    for case, got in zip(cases, told, strict=True):
        paths, width, channels = case.values()
        inner = paths * width
        layers = {
            "down": nn.Conv2d(channels, inner, 1, bias=False, device="meta"),
            "middle": nn.Conv2d(inner, inner, 3, groups=paths, bias=False, device="meta"),
            "up": nn.Conv2d(inner, channels, 1, bias=False, device="meta"),
        }
        counted = {name: layer.weight.numel() for name, layer in layers.items()}
        assert got == counted | {"all": sum(counted.values())}


def test_the_budget_gives_the_widths_of_the_papers_table_2():
    paper = {1: 64, 2: 40, 4: 24, 8: 14, 32: 4}
    assert in_node(Cardinality, "(m, p) => m.widthFor(p, 256, 69632)", list(paper)) == list(paper.values())


@pytest.mark.parametrize("channels", [256, 512, 1024, 2048])
def test_python_and_the_page_choose_the_same_widths(channels):
    call = f"""(m, p) => {{
        const all = (paths, width) => m.blockWeights(paths, width, {channels}).all;
        const w = m.widthFor(p, {channels}, all(1, {channels} / 4));
        return [w, all(p, w)];
    }}"""
    found = Cardinality.widths(channels)
    assert in_node(Cardinality, call, list(found)) == [list(pair) for pair in found.values()]


def test_the_shown_layers_are_those_of_the_models_own_block():
    for paths, width in ((1, 64), (8, 14), (32, 4)):
        (text,) = in_node(Cardinality, "(m, c) => m.blockLines(...c, 256)", [[paths, width]])
        names: dict = {}
        exec(text, names)
        block = resnext_block(256, 256, cardinality=paths, width=width)
        convolutions = [m for m in block.residual if isinstance(m, nn.Conv2d)]
        assert names["weights"] == sum(m.weight.numel() for m in convolutions)
        assert [m.weight.shape for m in names["block"]] == [m.weight.shape for m in convolutions]


def test_the_middle_joins_only_what_is_on_the_diagonal():
    r = random.Random(2)
    cases = [[r.randint(1, 16), r.randint(1, 8)] for _ in range(100)]
    for (paths, width), pairs in zip(
        cases, in_node(Cardinality, "(m, c) => m.joined(...c)", cases), strict=True
    ):
        assert pairs == int(torch.block_diag(*[torch.ones(width, width)] * paths).sum())


def test_it_opens_with_what_torch_computes():
    demo = Cardinality()
    state = {"x": demo.input, "w": {"down": demo.down, "middle": demo.middle, "up": demo.up}}
    (got,) = in_node(Cardinality, "(m, c) => m.throughPaths(c.x, c.w).y", [state])
    assert got == demo.output.tolist()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"input": [1]}, "input needs a list of 4"),
        ({"up": [[[1]]]}, "up needs"),
        ({"paths": 3}, "paths"),
        ({"path": 3}, "path"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        Cardinality(**state)
