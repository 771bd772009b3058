"""DepthwiseSeparable's arithmetic is torch's, and its counts are those of real layers."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets
from torch import nn

from cnnbook.counting import count_macs, count_parameters
from cnnbook.demos import DepthwiseSeparable
from tests.demo_harness import in_node

CASES = 2000


def uniform(r: random.Random, *sizes: int):
    if not sizes:
        return r.uniform(-5, 5)
    return [uniform(r, *sizes[1:]) for _ in range(sizes[0])]


def tensor(value) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    made = []
    for _ in range(CASES):
        channels, outputs, k, m = (r.randint(1, 4) for _ in range(4))
        made.append(
            {
                "x": uniform(r, channels, r.randint(k, 6), r.randint(m, 6)),
                "d": uniform(r, channels, k, m),
                "p": uniform(r, outputs, channels),
            }
        )
    return made


def test_depthwise_then_pointwise_is_torchs(cases):
    call = "(m, c) => { const a = m.eachChannel(c.x, c.d); return [a, m.mixChannels(a, c.p)]; }"
    for case, (middle, y) in zip(cases, in_node(DepthwiseSeparable, call, cases), strict=True):
        x, d, p = (tensor(case[key]) for key in "xdp")
        between = F.conv2d(x, d[:, None], groups=len(x))
        torch.testing.assert_close(tensor(middle), between, rtol=0, atol=1e-9)
        torch.testing.assert_close(tensor(y), F.conv2d(between, p[:, :, None, None]), rtol=0, atol=1e-8)


def test_the_joined_kernels_give_the_same_output_at_once_as_torchs_ordinary_convolution(cases):
    call = "(m, c) => { const w = m.joinedKernels(c.d, c.p); return [w, m.ordinaryConv(c.x, w)]; }"
    for case, (w, y) in zip(cases, in_node(DepthwiseSeparable, call, cases), strict=True):
        x, d, p = (tensor(case[key]) for key in "xdp")
        torch.testing.assert_close(tensor(w), p[:, :, None, None] * d)
        torch.testing.assert_close(tensor(y), F.conv2d(x, tensor(w)), rtol=0, atol=1e-9)
        both = F.conv2d(F.conv2d(x, d[:, None], groups=len(x)), p[:, :, None, None])
        torch.testing.assert_close(tensor(y), both, rtol=0, atol=1e-8)


def test_costs_are_those_of_the_layers():
    r = random.Random(1)
    states = [
        {
            "c_in": r.randint(1, 64),
            "c_out": r.randint(1, 64),
            "k": r.choice([1, 3, 5, 7]),
            "size": r.randint(1, 32),
        }
        for _ in range(CASES)
    ]
    for state, told in zip(states, in_node(DepthwiseSeparable, "(m, c) => m.costs(c)", states), strict=True):
        a, b, k, n = state.values()
        same = {"padding": k // 2, "bias": False, "device": "meta"}
        layers = {
            "ordinary": nn.Conv2d(a, b, k, **same),
            "split": nn.Sequential(
                nn.Conv2d(a, a, k, groups=a, **same), nn.Conv2d(a, b, 1, bias=False, device="meta")
            ),
        }
        for name, layer in layers.items():
            assert told[name] == count_parameters(layer)
            assert told["macs"][name] == count_macs(layer, (1, a, n, n))
        assert told["depthwise"] + told["pointwise"] == told["split"]
        assert told["ratio"] == pytest.approx(1 / b + 1 / k**2)


def test_the_lectures_size_costs_what_the_book_says():
    (told,) = in_node(
        DepthwiseSeparable, "(m, c) => m.costs(c)", [{"c_in": 128, "c_out": 256, "k": 3, "size": 14}]
    )
    assert (told["ordinary"], told["split"]) == (294_912, 33_920)


def test_python_gives_the_output_of_its_state():
    demo = DepthwiseSeparable()
    (told,) = in_node(
        DepthwiseSeparable,
        "(m, c) => m.mixChannels(m.eachChannel(c[0], c[1]), c[2])",
        [[demo.input, demo.depthwise, demo.pointwise]],
    )
    assert demo.output.tolist() == told


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"input": [[[0] * 4] * 4] * 2}, "input needs a list of 3"),
        ({"depthwise": [[[0] * 3] * 3] * 4}, "depthwise needs a list of 3"),
        ({"pointwise": [[1, 2, "3"]] * 4}, "pointwise must hold finite numbers"),
        ({"k": 2}, "k"),
        ({"c_in": 0}, "c_in"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_by_name(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        DepthwiseSeparable(**state)
