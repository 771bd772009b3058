"""MultiChannel's arithmetic is torch's."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook.demos import MultiChannel, photo
from tests.demo_harness import in_node

CASES = 2500


def values(r: random.Random, *sizes: int) -> list | float:
    if not sizes:
        return r.uniform(-5, 5)
    return [values(r, *sizes[1:]) for _ in range(sizes[0])]


def random_case(r: random.Random) -> dict:
    k, m, c = r.randint(1, 3), r.randint(1, 3), r.randint(1, 4)
    return {
        "x": values(r, c, r.randint(k, 6), r.randint(m, 6)),
        "w": values(r, c, k, m),
        "b": r.uniform(-3, 3),
    }


def by_torch(case: dict) -> torch.Tensor:
    x, w, b = (torch.tensor(case[key], dtype=torch.float64) for key in "xwb")
    return F.conv2d(x[None], w[None], b[None])[0, 0]


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    return [random_case(r) for _ in range(CASES)]


def test_a_feature_map_is_torchs(cases):
    maps = in_node(MultiChannel, "(m, c) => m.featureMap(c.x, c.w, c.b)", cases)
    for case, got in zip(cases, maps, strict=True):
        torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), by_torch(case), rtol=0, atol=1e-11)


def test_the_shown_products_of_all_channels_and_the_bias_add_up_to_the_output(cases):
    call = """(m, c) => m.featureMap(c.x, c.w, c.b).flatMap((line, i) => line.map((v, j) =>
        v - c.b - c.x.flatMap((x, k) => m.pairs(x, c.w[k], i, j)).reduce((s, q) => s + q.product, 0)))"""
    assert max(abs(v) for rest in in_node(MultiChannel, call, cases) for v in rest) < 1e-11


def test_parameters_are_those_of_torchs_layer():
    r = random.Random(1)
    layers = [(r.randint(1, 64), r.randint(1, 64), r.randint(1, 7)) for _ in range(200)] + [(64, 3, 3)]
    counts = in_node(MultiChannel, "(m, c) => m.parameterCount(...c).all", layers)
    for (c_out, c_in, k), count in zip(layers, counts, strict=True):
        layer = torch.nn.Conv2d(c_in, c_out, k, device="meta")
        assert count == sum(p.numel() for p in layer.parameters())
    assert counts[-1] == 1792


def test_the_shown_torch_lines_compute_the_shown_outputs():
    r = random.Random(2)
    made = [
        {"view": view, "x": values(r, 3, 5, 5), "w": values(r, 2, 3, 3, 3), "b": values(r, 2)}
        for view in ["numbers"] * 20 + ["photo"] * 3
    ]
    texts = in_node(MultiChannel, "(m, c) => m.layerLines(c.view, c.x, c.w, c.b)", made)
    pixels = photo(grey=False).tolist()
    inputs = [{**c, "x": pixels if c["view"] == "photo" else c["x"]} for c in made]
    shown = in_node(MultiChannel, "(m, c) => c.w.map((w, k) => m.featureMap(c.x, w, c.b[k]))", inputs)
    for text, y in zip(texts, shown, strict=True):
        names: dict = {}
        exec(text, names)
        torch.testing.assert_close(names["y"][0], torch.tensor(y), rtol=1e-5, atol=5e-3)
        assert f"# {tuple(names['y'].shape)}" in text


def test_presets_do_what_they_are_called():
    red, dark = [[[v] * 5] * 5 for v in (90.0, 0.0)]
    slope = [[float(c) for c in range(5)] for _ in range(5)]
    call = """(m, x) => Object.fromEntries(Object.entries(m.CHANNEL_PRESETS)
        .map(([name, w]) => [name, m.featureMap(x, w, 0)[0][0]]))"""
    on_red, on_slope = in_node(MultiChannel, call, [[red, dark, dark], [slope, slope, slope]])
    assert on_red == {
        "edges": 0,
        "blur": pytest.approx(30),
        "redness": 90,
        "yellowness": 90,
    }
    assert (on_slope["edges"], on_slope["redness"]) == (3 * 8, 0)


def test_it_opens_with_the_lectures_example_in_its_first_channel():
    demo = MultiChannel()
    x, w = (torch.tensor(v, dtype=torch.float64) for v in (demo.input[0], demo.weight[0][0]))
    assert F.conv2d(x[None, None], w[None, None])[0, 0].tolist() == [[12, 12, 17], [10, 17, 19], [9, 6, 14]]
    assert demo.output[0, 0, 0] == 12 - 1 + 3 + 1


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"input": [[[1]]]}, "input needs a list of 3"),
        ({"weight": [[[[float("nan")] * 3] * 3] * 3] * 2}, "finite"),
        ({"bias": [1]}, "bias needs a list of 2"),
        ({"output_channel": 2}, "output_channel"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        MultiChannel(**state)
