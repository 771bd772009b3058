"""StackedKernels: the stack, the kernel it makes and the counts are torch's."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets
from torch import nn

from cnnbook.counting import count_parameters, receptive_field
from cnnbook.demos import StackedKernels
from tests.demo_harness import in_node

CASES = 2000


def uniform(r: random.Random, *sizes: int):
    return [uniform(r, *sizes[1:]) for _ in range(sizes[0])] if sizes else r.uniform(-3, 3)


def tensor(value) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


@pytest.fixture(scope="module")
def states() -> list[dict]:
    r = random.Random(0)
    return [
        {"x": uniform(r, 2 * n + 1 + extra, 2 * n + 1 + extra), "kernels": uniform(r, n, 3, 3), "relu": relu}
        for n, relu, extra in ((r.randint(1, 3), r.random() < 0.5, r.randint(0, 3)) for _ in range(CASES))
    ]


def test_every_map_of_the_stack_is_torchs(states):
    found = in_node(StackedKernels, "(m, c) => m.stack(c.x, c.kernels, c.relu)", states)
    for state, maps in zip(states, found, strict=True):
        y = tensor(state["x"])[None, None]
        for kernel, got in zip(state["kernels"], maps[1:], strict=True):
            y = F.conv2d(y, tensor(kernel)[None, None])
            y = y.relu() if state["relu"] else y
            torch.testing.assert_close(tensor(got), y[0, 0], rtol=1e-9, atol=1e-9)


def test_the_large_kernel_does_in_one_step_what_the_stack_does_without_relu(states):
    found = in_node(StackedKernels, "(m, c) => c.kernels.reduce(m.compose)", states)
    for state, large in zip(states, found, strict=True):
        y = tensor(state["x"])[None, None]
        once = F.conv2d(y, tensor(large)[None, None])
        for kernel in state["kernels"]:
            y = F.conv2d(y, tensor(kernel)[None, None])
        torch.testing.assert_close(once, y, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_sides_and_weights_are_those_of_the_layers(depth):
    channels = 8
    net = nn.Sequential(*(nn.Conv2d(channels, channels, 3, bias=False) for _ in range(depth)))
    (cost,) = in_node(StackedKernels, f"(m) => m.cost({depth}, {channels})", [0])
    side = receptive_field(net)[0]
    single = nn.Conv2d(channels, channels, side, bias=False)
    assert cost == {"side": side, "stack": count_parameters(net), "single": count_parameters(single)}


def test_ways_from_a_cell_to_the_output_are_counted_by_gradients():
    for depth, ways in zip((1, 2, 3), in_node(StackedKernels, "(m, n) => m.ways(n)", [1, 2, 3]), strict=True):
        x = torch.ones(1, 1, 2 * depth + 1, 2 * depth + 1, requires_grad=True)
        y = x
        for _ in range(depth):
            y = F.conv2d(y, torch.ones(1, 1, 3, 3))
        y.sum().backward()
        assert ways == x.grad[0, 0].tolist()


def test_a_smaller_stack_sees_the_middle_of_the_input():
    demo = StackedKernels(depth=1)
    (seen,) = in_node(StackedKernels, "(m, x) => m.middle(x, 3)", [demo.input])
    assert seen == [line[2:5] for line in demo.input[2:5]]
    assert demo.output == (tensor(seen) * tensor(demo.kernels[0])).sum()


def test_the_first_picture_is_changed_by_relu():
    outputs = [StackedKernels(relu=relu).output.item() for relu in (False, True)]
    assert outputs[0] != outputs[1]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"depth": 4}, "depth"),
        ({"channels": 0}, "channels"),
        ({"input": [[1, 2], [3, 4]]}, "input needs a list of 7"),
        ({"kernels": [[[1] * 3] * 3] * 2}, "kernels needs a list of 3"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_by_name(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        StackedKernels(**state)
