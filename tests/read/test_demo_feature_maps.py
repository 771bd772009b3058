"""FeatureMaps computes in the browser what torch computes."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook import inside
from cnnbook.demos import FeatureMaps
from tests.demo_harness import in_node

CASES = 2000
NET = "const net = m.unpack(c.weights)"


def values(r: random.Random, *sizes: int) -> list | float:
    return [values(r, *sizes[1:]) for _ in range(sizes[0])] if sizes else r.uniform(-2, 2)


def test_a_convolution_with_relu_is_torchs():
    r = random.Random(0)
    cases = []
    for _ in range(CASES):
        channels, out, side, kernel = r.randint(1, 3), r.randint(1, 3), r.randint(1, 6), r.choice([1, 3, 5])
        cases.append(
            {
                "x": values(r, channels, side, side),
                "w": values(r, out, channels, kernel, kernel),
                "b": values(r, out),
            }
        )
    call = """(m, c) => Array.from(m.convolve(
        { channels: c.x.length, side: c.x[0].length, data: c.x.flat(2) },
        { weight: c.w.flat(3), bias: c.b, kernel: c.w[0][0].length }).data)"""
    for case, got in zip(cases, in_node(FeatureMaps, call, cases), strict=True):
        x, w, b = (torch.tensor(case[k], dtype=torch.float64) for k in "xwb")
        assert got == pytest.approx(
            F.conv2d(x[None], w, b, padding=w.shape[-1] // 2).relu().flatten().tolist()
        )


def test_pooling_is_torchs():
    r = random.Random(1)
    cases = [values(r, r.randint(1, 4), side, side) for side in (2 * r.randint(1, 5) for _ in range(CASES))]
    call = "(m, x) => Array.from(m.pool({ channels: x.length, side: x[0].length, data: x.flat(2) }).data)"
    for case, got in zip(cases, in_node(FeatureMaps, call, cases), strict=True):
        assert got == F.max_pool2d(torch.tensor(case, dtype=torch.float64), 2).flatten().tolist()


def test_every_half_is_read_as_numpy_reads_it():
    bits = np.arange(2**16, dtype="<u2")
    (got,) = in_node(
        FeatureMaps, "(m, c) => Array.from(m.halves(c)).map((v) => String(v))", [list(bits.tobytes())]
    )
    expected = bits.view("<f2").astype(np.float64)
    told = np.array([float(v.replace("Infinity", "inf")) for v in got])
    np.testing.assert_array_equal(told, expected)


@pytest.fixture(scope="module")
def runs() -> list[dict]:
    """The network on its ten pictures and on ten of noise, in node."""
    noise = np.random.default_rng(0).integers(0, 256, (10, 3, 32, 32), dtype=np.uint8)
    pictures = np.concatenate([inside.stored()["pictures"], noise])
    weights = list(FeatureMaps().weights)
    cases = [
        {"x": p.flatten().tolist(), "weights": weights, "target": i % 10} for i, p in enumerate(pictures)
    ]
    call = f"""(m, c) => {{ {NET}; const run = m.forward(net, c.x);
        const last = run.maps[3];
        return {{ maps: run.maps.map((s) => Array.from(s.data)), scores: run.scores,
                  chances: m.softmax(run.scores), classMap: m.classMap(net, last, c.target),
                  parts: m.parts(net, last, c.target, 2, 5), peak: m.peak(m.rowsOf(run.maps[2], 7)) }}; }}"""
    return [told | {"x": p} for told, p in zip(in_node(FeatureMaps, call, cases), pictures, strict=True)]


def test_the_whole_network_is_torchs(runs):
    net = inside.small_net().double()
    for i, run in enumerate(runs):
        x = inside.to_input(run["x"][None]).double()
        with torch.no_grad():
            maps, scores = inside.feature_maps(net, x), net(x)[0]
        for got, expected in zip(run["maps"], maps, strict=True):
            assert got == pytest.approx(expected.flatten().tolist(), abs=1e-9)
        assert run["scores"] == pytest.approx(scores.tolist(), abs=1e-9)
        assert run["chances"] == pytest.approx(scores.softmax(0).tolist(), abs=1e-9)
        parts = net.fc.weight[i % 10][:, None, None] * maps[3][0]
        assert torch.tensor(run["classMap"]).flatten().tolist() == pytest.approx(
            parts.sum(dim=0).flatten().tolist(), abs=1e-5
        )
        assert run["parts"] == pytest.approx(parts[:, 2, 5].tolist(), abs=1e-9)
        assert run["peak"] == list(divmod(maps[2][0, 7].argmax().item(), 8))


def test_fields_are_those_of_python():
    told = in_node(FeatureMaps, "(m, layer) => m.field(layer)", [1, 2, 3, 4])
    assert [tuple(f.values()) for f in told] == [inside.receptive_field(layer) for layer in (1, 2, 3, 4)]


def test_the_layers_are_those_of_python():
    call = "(m) => [m.WIDTHS, m.KERNELS, m.POOLED]"
    assert in_node(FeatureMaps, call, [0]) == [
        [list(v) for v in (inside.WIDTHS, inside.KERNELS, inside.POOLED)]
    ]


def test_the_sheet_shows_every_cell_once():
    r = random.Random(2)
    cases = [values(r, 8 * r.randint(1, 3), side, side) for side in (r.randint(1, 4) for _ in range(50))]
    call = "(m, x) => m.mosaic({ channels: x.length, side: x[0].length, data: x.flat(2) }, 8)"
    for case, got in zip(cases, in_node(FeatureMaps, call, cases), strict=True):
        side = len(case[0])
        for channel, rows in enumerate(case):
            top, left = channel // 8 * (side + 1), channel % 8 * (side + 1)
            assert [line[left : left + side] for line in got[top : top + side]] == rows


@pytest.mark.parametrize("view", ["maps", "classes"])
def test_the_shown_lines_compute_the_shown_value(runs, view):
    cases = [{"n": n, "layer": 1 + n % 4, "channel": n, "target": (n + 3) % 10} for n in range(10)]
    texts = in_node(
        FeatureMaps, f"(m, c) => m.torchLines('{view}', c.n, c.layer, c.channel, c.target, 2, 5)", cases
    )
    weight = inside.small_net().fc.weight
    for case, text, run in zip(cases, texts, runs, strict=False):
        names: dict = {}
        exec(text, names)
        last = torch.tensor(run["maps"][3]).reshape(48, 8, 8)[:, 2, 5]
        side = (32, 16, 8, 8)[case["layer"] - 1]
        maps = torch.tensor(run["maps"][case["layer"] - 1]).reshape(-1, side, side)
        shown = maps[case["channel"], 2, 5] if view == "maps" else (weight[case["target"]] * last).sum()
        assert names["value"].item() == pytest.approx(shown.item(), abs=1e-4)


@pytest.mark.parametrize(
    ("state", "message"), [({"picture": 10}, "picture"), ({"layer": 0}, "layer"), ({"view": "both"}, "view")]
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        FeatureMaps(**state)
