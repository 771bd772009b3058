"""Grouped's arithmetic is torch's grouped convolution of one window."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook.demos import Grouped
from tests.demo_harness import in_node

CASES = 2000


def random_case(r: random.Random, value=lambda r: r.uniform(-9, 9)) -> dict:
    kernel = lambda: [[value(r) for _ in range(3)] for _ in range(3)]  # noqa: E731
    groups = r.randint(1, 4)
    n = groups * r.randint(1, 2)
    return {
        "x": [kernel() for _ in range(n)],
        "w": [[kernel() for _ in range(n)] for _ in range(n)],
        "g": groups,
    }


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    return [random_case(r) for _ in range(CASES)]


def blocks(case: dict) -> torch.Tensor:
    """The diagonal blocks of the dense weights, as torch wants them."""
    w = torch.tensor(case["w"], dtype=torch.float64)
    parts = [rows.chunk(case["g"], dim=1)[k] for k, rows in enumerate(w.chunk(case["g"], dim=0))]
    return torch.cat(parts)


def by_torch(case: dict) -> torch.Tensor:
    x = torch.tensor(case["x"], dtype=torch.float64)
    return F.conv2d(x[None], blocks(case), groups=case["g"]).flatten()


def test_outputs_are_torchs_grouped_convolution(cases):
    for case, got in zip(cases, in_node(Grouped, "(m, c) => m.output(c.x, c.w, c.g)", cases), strict=True):
        torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), by_torch(case), rtol=0, atol=1e-10)


def test_kernels_in_use_are_the_diagonal_blocks(cases):
    some = cases[:60]
    for case, got in zip(some, in_node(Grouped, "(m, c) => m.used(c.w, c.g)", some), strict=True):
        assert torch.equal(torch.tensor(got, dtype=torch.float64), blocks(case))


def test_each_share_is_one_kernel_on_one_channel_and_is_missing_across_groups(cases):
    some = cases[:200]
    for case, got in zip(some, in_node(Grouped, "(m, c) => m.shares(c.x, c.w, c.g)", some), strict=True):
        x, w = (torch.tensor(case[k], dtype=torch.float64) for k in "xw")
        n = len(x) // case["g"]
        for o in range(len(x)):
            for i in range(len(x)):
                if o // n != i // n:
                    assert got[o][i] is None
                else:
                    assert got[o][i] == pytest.approx((x[i] * w[o, i]).sum().item(), abs=1e-10)


def test_weights_are_counted_as_torch_counts_them():
    made = [(c * g, o * g, k, g) for c in (1, 3) for o in (1, 2, 4) for k in (1, 3) for g in (1, 2, 5)]
    expected = [torch.nn.Conv2d(i, o, k, groups=g, bias=False).weight.numel() for i, o, k, g in made]
    assert in_node(Grouped, "(m, c) => m.weights(...c)", made) == expected


def test_the_torch_lines_compute_what_is_shown():
    r = random.Random(1)
    some = [
        random_case(r, lambda r: r.choice([r.randint(-9, 9), 1 / 9, 0.25, r.uniform(-1, 1)]))
        for _ in range(40)
    ]
    for case, text in zip(some, in_node(Grouped, "(m, c) => m.torchLines(c.x, c.w, c.g)", some), strict=True):
        names: dict = {}
        exec(text, names)
        torch.testing.assert_close(names["y"].flatten().double(), by_torch(case), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_python_computes_the_same_output(groups):
    demo = Grouped(groups=groups)
    (shown,) = in_node(Grouped, "(m, c) => m.output(...c)", [[demo.input, demo.weight, groups]])
    assert demo.output.tolist() == shown


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"groups": 3}, "groups"),
        ({"input": [[[1] * 3] * 3] * 7}, "input needs a list of 8"),
        ({"weight": [[[[float("nan")] * 3] * 3] * 8] * 8}, "finite"),
        ({"output_channel": 8}, "output_channel"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        Grouped(**state)
