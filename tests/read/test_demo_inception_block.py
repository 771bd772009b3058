"""InceptionBlock counts what real layers cost, with the 1×1 convolutions and without."""

from __future__ import annotations

import random
import re

import pytest
import torch
import traitlets
from torch import nn

from cnnbook.counting import count_macs, layer_table
from cnnbook.demos import InceptionBlock
from cnnbook.models import googlenet
from cnnbook.models.googlenet import Inception
from tests.demo_harness import in_node

CASES = 2000


def random_case(r: random.Random) -> dict:
    return {
        "c_in": 16 * r.randint(1, 64),
        "size": r.choice([7, 14, 28, 56]),
        "widths": [8 * r.randint(1, 64) for _ in range(6)],
        "kernel5": r.choice([3, 5]),
    }


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    return [random_case(r) for _ in range(CASES)]


def macs_of(layers: list[nn.Conv2d], size: int) -> int:
    """Weights of real layers, each used once at every place."""
    return sum(layer.weight.numel() for layer in layers) * size**2


def test_each_branch_costs_what_its_layers_cost(cases):
    call = "(m, c) => m.branches(c).map((b) => [m.macsOf(b.thin), m.macsOf(b.naive), b.out, b.naiveOut])"
    for case, told in zip(cases, in_node(InceptionBlock, call, cases), strict=True):
        c, n, k = case["c_in"], case["size"], case["kernel5"]
        n1, r3, n3, r5, n5, pool = case["widths"]

        def conv(a: int, b: int, side: int) -> nn.Conv2d:
            return nn.Conv2d(a, b, side, bias=False, device="meta")

        thin = [[conv(c, n1, 1)], [conv(c, r3, 1), conv(r3, n3, 3)], [conv(c, r5, 1), conv(r5, n5, k)]]
        thin.append([conv(c, pool, 1)])
        naive = [[conv(c, n1, 1)], [conv(c, n3, 3)], [conv(c, n5, k)], []]
        outs, naive_outs = [n1, n3, n5, pool], [n1, n3, n5, c]
        assert told == [
            [macs_of(a, n), macs_of(b, n), out, naive_out]
            for a, b, out, naive_out in zip(thin, naive, outs, naive_outs, strict=True)
        ]


def test_a_whole_block_costs_and_gives_what_the_models_own_block_does(cases):
    few = cases[:60]
    call = "(m, c) => [m.totals(m.branches(c)), m.countLines(c)]"
    for case, (totals, text) in zip(few, in_node(InceptionBlock, call, few), strict=True):
        with torch.device("meta"):
            block = Inception(case["c_in"], *case["widths"], kernel5=case["kernel5"])
        shape = (1, case["c_in"], case["size"], case["size"])
        assert totals["thin"]["macs"] == count_macs(block, shape)
        assert totals["thin"]["out"] == block(torch.empty(shape, device="meta")).shape[1]
        assert f"Inception({case['c_in']}, {', '.join(map(str, case['widths']))}, kernel5=" in text


def test_the_shown_lines_count_the_shown_block():
    demo = InceptionBlock()
    state = {"c_in": demo.c_in, "size": demo.size, "widths": demo.widths, "kernel5": demo.kernel5}
    (text,) = in_node(InceptionBlock, "(m, c) => m.countLines(c)", [state])
    names: dict = {}
    exec(text, names)
    assert names["macs"] == sum(demo.macs()) == 128_049_152


def test_the_famous_saving_is_there():
    demo = InceptionBlock()
    assert (demo.macs(reduced=False)[2], demo.macs()[2]) == (120_422_400, 12_443_648)


def test_an_output_channel_belongs_to_the_branch_that_made_it(cases):
    r = random.Random(1)
    asked = [case | {"channel": r.randrange(sum(case["widths"][i] for i in (0, 2, 4, 5)))} for case in cases]
    told = in_node(InceptionBlock, "(m, c) => m.branchOf(c.channel, m.branches(c))", asked)
    for case, branch in zip(asked, told, strict=True):
        outs = torch.tensor([case["widths"][i] for i in (0, 2, 4, 5)])
        assert branch == torch.arange(4).repeat_interleave(outs)[case["channel"]]


def test_the_papers_blocks_are_those_of_the_model():
    with torch.device("meta"):
        net = googlenet()
    table = layer_table(net, (1, 3, 224, 224))
    (blocks,) = in_node(InceptionBlock, "(m) => m.BLOCKS", [0])
    assert [f"inception{name}" for name in blocks] == [
        name for name, part in net.named_children() if isinstance(part, Inception)
    ]
    for name, (c_in, size, widths) in blocks.items():
        parts = ("conv1x1", "reduce3x3", "conv3x3", "reduce5x5", "conv5x5", "project")
        shapes = [table[f"inception{name}.{part}.conv"].output_shape for part in parts]
        assert [s[1:] for s in shapes] == [(w, size, size) for w in widths]
        assert net.get_submodule(f"inception{name}.conv1x1.conv").in_channels == c_in


@pytest.mark.parametrize(
    ("value", "words"),
    [(9_634_000, "963만"), (120_422_400, "1억 2042만"), (200_000_000, "2억"), (99_999_999, "1억")],
)
def test_large_numbers_are_counted_in_ten_thousands(value, words):
    call = "(m, v) => { const [key, of] = m.tenThousands(v); return m.t(key, of); }"
    assert re.sub(",", "", in_node(InceptionBlock, call, [value])[0]) == words


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"c_in": 20}, "c_in takes multiples of 16"),
        ({"widths": [8] * 5}, "widths needs a list of 6"),
        ({"widths": [8, 8, 8, 8, 8, 520]}, "widths takes multiples of 8"),
        ({"branch": 4}, "branch"),
        ({"size": 13}, "size"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        InceptionBlock(**state)
