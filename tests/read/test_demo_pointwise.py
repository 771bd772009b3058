"""Pointwise's arithmetic is torch's, as a convolution and as nn.Linear."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook.demos import Pointwise, photo
from tests.demo_harness import in_node

CASES = 2500


def values(r: random.Random, *sizes: int) -> list | float:
    if not sizes:
        return r.uniform(-5, 5)
    return [values(r, *sizes[1:]) for _ in range(sizes[0])]


def random_case(r: random.Random) -> dict:
    c, o = r.randint(1, 5), r.randint(1, 4)
    return {"x": values(r, c, r.randint(1, 6), r.randint(1, 6)), "w": values(r, o, c), "b": values(r, o)}


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    return [random_case(r) for _ in range(CASES)]


def tensors(case: dict) -> list[torch.Tensor]:
    return [torch.tensor(case[key], dtype=torch.float64) for key in "xwb"]


def close(got: list, expected: torch.Tensor) -> None:
    torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), expected, rtol=0, atol=1e-11)


def test_channels_are_mixed_as_by_torchs_1x1_convolution(cases):
    outputs = in_node(Pointwise, "(m, c) => m.mixChannels(c.x, c.w, c.b)", cases)
    for case, got in zip(cases, outputs, strict=True):
        x, w, b = tensors(case)
        close(got, F.conv2d(x[None], w[:, :, None, None], b)[0])


def test_rows_of_pixels_are_mixed_as_by_linear(cases):
    rows = in_node(Pointwise, "(m, c) => m.linearRows(m.pixelRows(c.x), c.w, c.b)", cases)
    for case, got in zip(cases, rows, strict=True):
        x, w, b = tensors(case)
        close(got, F.linear(x.flatten(1).T, w, b))


def test_a_pixel_of_the_image_is_a_row_of_the_table(cases):
    call = """(m, c) => {
      const rows = m.linearRows(m.pixelRows(c.x), c.w, c.b);
      const y = m.mixChannels(c.x, c.w, c.b), width = c.x[0][0].length;
      return rows.flatMap((row, n) => row.map((v, o) => v - y[o][Math.floor(n / width)][n % width]));
    }"""
    assert max(abs(v) for rest in in_node(Pointwise, call, cases) for v in rest) < 1e-11


def test_the_shown_torch_lines_compute_the_shown_output():
    r = random.Random(2)
    made = [
        {"view": view, "x": values(r, 3, 3, 3), "w": values(r, 2, 3), "b": values(r, 2)}
        for view in ["numbers"] * 20 + ["photo"] * 3
    ]
    texts = in_node(Pointwise, "(m, c) => m.mixLines(c.view, c.x, c.w, c.b)", made)
    pixels = photo(grey=False).tolist()
    inputs = [{**c, "x": pixels if c["view"] == "photo" else c["x"]} for c in made]
    shown = in_node(Pointwise, "(m, c) => m.mixChannels(c.x, c.w, c.b)", inputs)
    for text, y in zip(texts, shown, strict=True):
        names: dict = {}
        exec(text, names)
        torch.testing.assert_close(names["y"][0], torch.tensor(y), rtol=1e-5, atol=5e-3)


def test_matrices_do_what_they_are_called():
    pixel = [90.0, 30.0, 60.0]
    call = """(m, p) => Object.fromEntries(Object.entries(m.MATRICES)
        .map(([name, w]) => [name, m.mixPixel(w, p, [0, 0])]))"""
    (mixed,) = in_node(Pointwise, call, [pixel])
    assert mixed["pick"] == [90, 60]
    assert mixed["luma"] == pytest.approx([0.299 * 90 + 0.587 * 30 + 0.114 * 60, 60])
    assert mixed["mean"] == pytest.approx([60, 0])


def test_it_opens_with_the_numbers_of_its_stand_in():
    demo = Pointwise()
    assert demo.output[:, 0, 0].tolist() == [5, 0]
    assert "5와 0" in demo.labels["static"]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"input": [[[1]]]}, "input needs a list of 3"),
        ({"weight": [[1, 2, 3], [1, 2, float("nan")]]}, "finite"),
        ({"bias": [1, 2, 3]}, "bias needs a list of 2"),
        ({"step": -1}, "step"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        Pointwise(**state)
