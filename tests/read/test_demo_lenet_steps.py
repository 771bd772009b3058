"""LenetSteps computes what cnnbook's LeNet-5 computes, and stores what that network gave."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook import results
from cnnbook.demos import LenetSteps
from cnnbook.models import lenet5_1998
from tests.demo_harness import in_node

CASES = 2000


def uniform(r: random.Random, *sizes: int):
    return [uniform(r, *sizes[1:]) for _ in range(sizes[0])] if sizes else r.uniform(-1, 1)


def tensor(value) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


@pytest.fixture(scope="module")
def net() -> torch.nn.Module:
    """LeNet-5 of 1998 up to S4, with the stored weights."""
    weights = results.load("lenet-digits").data["weights"]
    net = lenet5_1998().double()[:8]
    with torch.no_grad():
        net.c1.weight.copy_(tensor(weights["c1"]["weight"])[:, None])
        net.c1.bias.copy_(tensor(weights["c1"]["bias"]))
        for layer in ("s2", "s4"):
            getattr(net, layer).coefficient.copy_(tensor(weights[layer]["coefficient"]).reshape(-1, 1, 1))
            getattr(net, layer).bias.copy_(tensor(weights[layer]["bias"]).reshape(-1, 1, 1))
        for conv, weight, bias in zip(
            net.c3.maps, weights["c3"]["weight"], weights["c3"]["bias"], strict=True
        ):
            conv.weight.copy_(tensor(weight)[None])
            conv.bias.fill_(bias)
    return net


def test_maps_are_those_of_the_network(net):
    r = random.Random(0)
    demo = LenetSteps()
    images = [uniform(r, 32, 32) for _ in range(50)]
    call = f"(m, x) => m.forward(x, {demo.network['weights']}, {demo.network['connections']})".replace(
        "'", '"'
    )
    with torch.no_grad():
        for image, got in zip(images, in_node(LenetSteps, call, images), strict=True):
            value = tensor(image)[None, None]
            for name, layer in net.named_children():
                value = layer(value)
                after = {"tanh1": "c1", "tanh2": "s2", "tanh3": "c3", "tanh4": "s4"}.get(name)
                if after:
                    torch.testing.assert_close(tensor(got[after]), value[0], rtol=0, atol=1e-12)


def test_a_window_is_convolved_as_torch_does():
    r = random.Random(1)
    cases = []
    for _ in range(CASES):
        k = r.randint(1, 5)
        cases.append([uniform(r, r.randint(k, 9), r.randint(k, 9)), uniform(r, k, k)])
    for (x, w), got in zip(cases, in_node(LenetSteps, "(m, c) => m.slide(...c)", cases), strict=True):
        expected = F.conv2d(tensor(x)[None, None], tensor(w)[None, None])[0, 0]
        torch.testing.assert_close(tensor(got), expected, rtol=0, atol=1e-12)


def test_subsampling_is_four_times_the_average_pooling():
    r = random.Random(2)
    cases = [[uniform(r, 2 * r.randint(1, 4), 2 * r.randint(1, 4)), *uniform(r, 2)] for _ in range(CASES)]
    for (x, a, b), got in zip(cases, in_node(LenetSteps, "(m, c) => m.subsample(...c)", cases), strict=True):
        expected = 4 * F.avg_pool2d(tensor(x)[None], 2)[0] * a + b
        torch.testing.assert_close(tensor(got), expected, rtol=0, atol=1e-12)


def test_the_stored_end_of_the_way_fits_the_pictures_of_the_digits():
    data = results.load("lenet-digits").data
    assert [len(data[key][0]) for key in ("digits", "c5", "f6", "output")] == [1024, 120, 84, 10]
    codes = tensor(LenetSteps().network["codes"])
    distances = (tensor(data["f6"])[:, None] - codes).square().sum(dim=2)
    torch.testing.assert_close(-distances, tensor(data["output"]), rtol=0, atol=0.2)  # stored rounded


def test_maps_are_laid_side_by_side():
    maps = [[[n] * 2] * 2 for n in range(1, 5)]
    (got,) = in_node(LenetSteps, "(m, c) => m.atlas(c, 2, 0)", [maps])
    assert got == [[1, 1, 0, 2, 2], [1, 1, 0, 2, 2], [0] * 5, [3, 3, 0, 4, 4], [3, 3, 0, 4, 4]]


@pytest.mark.parametrize("state", [{"digit": 10}, {"layer": "c2"}, {"map": 16}, {"row": -1}])
def test_a_state_that_does_not_exist_is_refused(state):
    with pytest.raises(traitlets.TraitError):
        LenetSteps(**state)
