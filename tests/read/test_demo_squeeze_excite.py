"""SqueezeExcite's means and gates are torch's, its counts those of the models."""

from __future__ import annotations

import random

import pytest
import torch
import traitlets

from cnnbook import results
from cnnbook.counting import count_parameters
from cnnbook.demos import SqueezeExcite
from cnnbook.models import resnet50, se_resnet50
from cnnbook.models.senet import SqueezeExcitation
from tests.demo_harness import in_node

CASES = 2000


def values(r: random.Random, *sizes: int) -> list | float:
    return [values(r, *sizes[1:]) for _ in range(sizes[0])] if sizes else r.uniform(-2, 2)


def random_case(r: random.Random) -> dict:
    channels, hidden = r.randint(1, 6), r.randint(1, 4)
    net = {"down": values(r, hidden, channels), "downBias": values(r, hidden)}
    net |= {"up": values(r, channels, hidden), "upBias": values(r, channels)}
    return {"maps": values(r, channels, r.randint(1, 9)), "net": net}


def test_gates_are_those_of_torch_layers():
    r = random.Random(0)
    cases = [random_case(r) for _ in range(CASES)]
    told = in_node(SqueezeExcite, "(m, c) => [m.squeeze(c.maps), m.excite(m.squeeze(c.maps), c.net)]", cases)
    for case, (means, got) in zip(cases, told, strict=True):
        net = {key: torch.tensor(value, dtype=torch.float64) for key, value in case["net"].items()}
        z = torch.tensor(case["maps"], dtype=torch.float64).mean(dim=1)
        hidden = torch.nn.functional.linear(z, net["down"], net["downBias"]).relu()
        gates = torch.nn.functional.linear(hidden, net["up"], net["upBias"]).sigmoid()
        assert means == pytest.approx(z.tolist(), abs=1e-9)
        assert got["hidden"] == pytest.approx(hidden.tolist(), abs=1e-9)
        assert got["gates"] == pytest.approx(gates.tolist(), abs=1e-9)


@pytest.mark.parametrize("digit", range(10))
def test_the_stored_network_is_the_models_own_layer(digit):
    demo = SqueezeExcite(digit=digit, channel=digit, strength=2)
    net = demo.network
    layer = SqueezeExcitation(16, 4).double()
    with torch.no_grad():
        layer.excite.fc1.weight.copy_(torch.tensor(net["down"]))
        layer.excite.fc1.bias.copy_(torch.tensor(net["downBias"]))
        layer.excite.fc2.weight.copy_(torch.tensor(net["up"]))
        layer.excite.fc2.bias.copy_(torch.tensor(net["upBias"]))
        gates = layer.excite(layer.squeeze(demo.maps_of_digit[None]))[0]
    case = {"maps": demo.maps_of_digit.flatten(1).tolist(), "net": net}
    (got,) = in_node(SqueezeExcite, "(m, c) => m.excite(m.squeeze(c.maps), c.net).gates", [case])
    assert got == pytest.approx(gates.tolist(), abs=1e-6)
    assert got == pytest.approx(demo.gates.tolist(), abs=1e-9)


def test_the_shown_lines_compute_the_shown_gates():
    cases = [[3, 0, 1], [7, 5, 4], [0, 15, 0]]
    for case, text in zip(cases, in_node(SqueezeExcite, "(m, c) => m.gateLines(...c)", cases), strict=True):
        names: dict = {}
        exec(text, names)
        digit, channel, strength = case
        expected = SqueezeExcite(digit=digit, channel=channel, strength=strength).gates
        torch.testing.assert_close(names["gates"], expected)


@pytest.mark.parametrize("ratio", [2, 16, 64])
def test_the_count_is_what_the_model_has_more_than_resnet50(ratio):
    (parts,) = in_node(SqueezeExcite, "(m, r) => m.added(r)", [ratio])
    with torch.device("meta"):
        plain, with_gates = count_parameters(resnet50()), count_parameters(se_resnet50(reduction=ratio))
    assert sum(parts) == with_gates - plain
    assert SqueezeExcite().resnet50 == plain


def test_one_layer_costs_what_torch_counts():
    cases = [[c, r] for c in (8, 16, 64, 256) for r in (1, 2, 16, 64)]
    told = in_node(SqueezeExcite, "(m, c) => m.cost(...c)", cases)
    for (channels, ratio), got in zip(cases, told, strict=True):
        layer = SqueezeExcitation(channels, ratio)
        assert got["weights"] + got["biases"] == count_parameters(layer)
        assert got["hidden"] == layer.excite.fc1.out_features


def test_what_is_stored_fits_together():
    data = results.load("squeeze-excite").data
    demo = SqueezeExcite()
    assert (len(demo.pixels), len(demo.maps)) == (10 * 16 * 16, 10 * 16 * 8 * 8)
    assert max(demo.maps) == 255 and data["accuracy"]["own"] > 0.9
    assert len({tuple(SqueezeExcite(digit=d).gates.tolist()) for d in range(10)}) == 10


@pytest.mark.parametrize("state", [{"digit": 10}, {"channel": 16}, {"strength": 3}, {"ratio": 5}])
def test_a_state_it_cannot_show_is_refused(state):
    with pytest.raises(traitlets.TraitError, match=next(iter(state))):
        SqueezeExcite(**state)
