"""Conv3d's arithmetic is torch's, in 3D and for its 2D cousin."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook.demos import Conv3d
from tests.demo_harness import in_node

CASES = 2500


def values(r: random.Random, *sizes: int) -> list | float:
    if not sizes:
        return r.uniform(-5, 5)
    return [values(r, *sizes[1:]) for _ in range(sizes[0])]


def random_case(r: random.Random) -> dict:
    c, kernel = r.randint(1, 3), [r.randint(1, 3) for _ in range(3)]
    return {"x": values(r, c, *[r.randint(k, 5) for k in kernel]), "w": values(r, c, *kernel)}


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    return [random_case(r) for _ in range(CASES)]


def tensors(case: dict) -> tuple[torch.Tensor, torch.Tensor]:
    x, w = (torch.tensor(case[key], dtype=torch.float64)[None] for key in "xw")
    return x, w


def close(got: list, expected: torch.Tensor) -> None:
    torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), expected, rtol=0, atol=1e-11)


def test_a_volume_is_convolved_as_by_torch(cases):
    outputs = in_node(Conv3d, "(m, c) => m.convolveVolume(c.x, c.w)", cases)
    for case, got in zip(cases, outputs, strict=True):
        close(got, F.conv3d(*tensors(case))[0, 0])


def test_the_2d_cousin_takes_slices_for_channels(cases):
    whole = []
    for case in cases:
        r = random.Random(len(whole))
        x = case["x"]
        whole.append(
            {"x": x, "w": values(r, len(x), len(x[0]), len(case["w"][0][0]), len(case["w"][0][0][0]))}
        )
    outputs = in_node(Conv3d, "(m, c) => m.convolveSlices(c.x, c.w)", whole)
    for case, got in zip(whole, outputs, strict=True):
        x, w = tensors(case)
        close(got, F.conv2d(x.flatten(1, 2), w.flatten(1, 2))[0, 0])


def test_the_shown_sums_of_slices_add_up_to_the_output(cases):
    call = """(m, c) => m.convolveVolume(c.x, c.w).flatMap((rows, d) => rows.flatMap((line, i) =>
        line.map((v, j) => v - m.boxTerms(c.x, c.w, d, i, j)
            .flatMap((q) => q.pairs).reduce((s, p) => s + p.product, 0))))"""
    assert max(abs(v) for rest in in_node(Conv3d, call, cases) for v in rest) < 1e-11


def test_the_shown_torch_lines_compute_the_shown_output():
    r = random.Random(2)
    made = []
    for view in ["3d", "2d"] * 20:
        c = r.randint(1, 2)
        depth = 4 if view == "2d" else r.randint(1, 4)
        made.append({"view": view, "x": values(r, c, 4, 4, 4), "w": values(r, c, depth, 2, 2)})
    texts = in_node(Conv3d, "(m, c) => m.volumeLines(c.view, c.x, c.w)", made)
    shown = in_node(Conv3d, "(m, c) => m.convolveVolume(c.x, c.w)", made)
    for case, text, y in zip(made, texts, shown, strict=True):
        names: dict = {}
        exec(text, names)
        expected = torch.tensor(y if case["view"] == "3d" else y[0])
        torch.testing.assert_close(names["y"][0, 0], expected, rtol=1e-5, atol=1e-4)
        assert f"# {tuple(names['y'].shape)}" in text


def test_python_gives_the_same_output_for_the_state():
    for channels, depth in [(1, 1), (1, 2), (2, 3), (2, 4)]:
        demo = Conv3d(channels=channels, kernel_depth=depth)
        case = {"x": demo.input[:channels], "w": [w[:depth] for w in demo.weight[:channels]]}
        (y,) = in_node(Conv3d, "(m, c) => m.convolveVolume(c.x, c.w)", [case])
        assert demo.output.tolist() == y


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"input": [[[[1]]]]}, "input needs a list of 2"),
        ({"weight": [[[[float("inf")] * 2] * 2] * 4] * 2}, "finite"),
        ({"kernel_depth": 5}, "kernel_depth"),
        ({"view": "4d"}, "view"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        Conv3d(**state)
