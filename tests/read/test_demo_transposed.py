"""Transposed's arithmetic is torch's, in each of its three views."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook.demos import Transposed
from tests.demo_harness import in_node

CASES = 3000


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    made = []
    for _ in range(CASES):
        n, m, k = r.randint(1, 5), r.randint(1, 5), r.randint(2, 5)
        x = [[r.uniform(-9, 9) for _ in range(m)] for _ in range(n)]
        w = [[r.uniform(-3, 3) for _ in range(k)] for _ in range(k)]
        stride = r.randint(1, 4)
        # at least one cell has to be left
        most = min(k - 1, ((min(n, m) - 1) * stride + k - 1) // 2)
        made.append({"x": x, "w": w, "o": {"stride": stride, "padding": r.randint(0, most)}})
    return made


def by_torch(case: dict) -> torch.Tensor:
    x, w = (torch.tensor(case[name], dtype=torch.float64)[None, None] for name in "xw")
    return F.conv_transpose2d(x, w, **case["o"])[0, 0]


def close(got: list, expected: torch.Tensor) -> None:
    torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), expected, rtol=0, atol=1e-11)


def test_stamps_add_up_to_torchs_transposed_convolution(cases):
    outputs = in_node(Transposed, "(m, c) => m.convTranspose2d(c.x, c.w, c.o)", cases)
    for case, got in zip(cases, outputs, strict=True):
        close(got, by_torch(case))


def test_zeros_and_a_turned_kernel_give_the_same(cases):
    call = "(m, c) => m.convolve(m.spreadOut(c.x, c.w.length, c.o), m.turned(c.w))"
    for case, got in zip(cases, in_node(Transposed, call, cases), strict=True):
        close(got, by_torch(case))


def test_the_products_named_for_a_cell_add_up_to_it(cases):
    call = """(m, { x, w, o }) => m.stampAll(x, w, o.stride).flatMap((line, r) => line.map((value, c) => {
      const list = m.contributions(r, c, x.length, w.length, o.stride);
      return value - list.reduce((sum, q) => sum + x[q.i][q.j] * w[q.u][q.v], 0);
    }))"""
    square = [c for c in cases if len(c["x"]) == len(c["x"][0])]
    assert max(abs(v) for rest in in_node(Transposed, call, square) for v in rest) < 1e-11


def test_after_some_stamps_the_canvas_is_the_output_of_the_inputs_stamped_so_far():
    r = random.Random(1)
    made = []
    for _ in range(500):
        x = [[r.randint(-9, 9) for _ in range(3)] for _ in range(3)]
        w = [[r.randint(-3, 3) for _ in range(3)] for _ in range(3)]
        made.append({"x": x, "w": w, "s": r.randint(1, 3), "count": r.randint(0, 9)})
    for case, got in zip(
        made, in_node(Transposed, "(m, c) => m.stampAll(c.x, c.w, c.s, c.count)", made), strict=True
    ):
        flat = torch.tensor(case["x"]).flatten()
        flat[case["count"] :] = 0
        close(got, by_torch({**case, "x": flat.reshape(3, 3).tolist(), "o": {"stride": case["s"]}}))


def test_an_input_cell_is_found_again_among_the_zeros(cases):
    call = """(m, c) => m.spreadOut(c.x, c.w.length, c.o).flatMap((line, r) => line.map((v, col) => {
      const own = m.ownCell(r, col, c.x.length, c.w.length, c.o);
      return v - (own ? c.x[own[0]][own[1]] : 0);
    }))"""
    square = [c for c in cases if len(c["x"]) == len(c["x"][0])]
    assert len(square) > 400
    assert all(not any(rest) for rest in in_node(Transposed, call, square))


def test_overlaps_are_what_ones_stamped_by_ones_give():
    made = [{"n": n, "k": k, "s": s} for n in range(2, 8) for k in range(2, 6) for s in range(1, 5)]
    lines = in_node(Transposed, "(m, c) => m.overlapLine(c.n, c.k, c.s)", made)
    for case, line in zip(made, lines, strict=True):
        ones = torch.ones(1, 1, case["n"]), torch.ones(1, 1, case["k"])
        assert line == F.conv_transpose1d(*ones, stride=case["s"])[0, 0].tolist()


@pytest.mark.parametrize(
    ("k", "s", "counts"), [(3, 2, [1, 2, 4]), (4, 2, [4]), (3, 3, [1]), (2, 3, [0, 1]), (3, 1, [9])]
)
def test_the_inside_is_even_only_where_the_stride_divides_the_kernel(k, s, counts):
    assert in_node(Transposed, "(m, c) => m.innerCounts(5, ...c)", [[k, s]]) == [counts]


@pytest.mark.parametrize("view", ["stamp", "zeros", "overlap"])
def test_the_torch_lines_compute_what_is_shown(view):
    r = random.Random(view)
    made = []
    for _ in range(60):
        k = r.randint(2, 4)
        value = lambda: r.choice([r.randint(-9, 9), 1 / 9, 0.25, r.uniform(-1, 1)])  # noqa: E731
        x = [[value() for _ in range(3)] for _ in range(3)]
        w = [[value() for _ in range(k)] for _ in range(k)]
        made.append({"x": x, "w": w, "o": {"stride": r.randint(1, 3), "padding": r.randint(0, 1)}})
    call = f"(m, c) => m.torchLines('{view}', c.x, c.w, c.o)"
    for case, text in zip(made, in_node(Transposed, call, made), strict=True):
        names: dict = {}
        exec(text, names)
        ones = {"x": [[1] * 5] * 5, "w": [[1] * len(case["w"])] * len(case["w"])}
        expected = by_torch(case | ones if view == "overlap" else case)
        torch.testing.assert_close(names["y"][0, 0].double(), expected, rtol=1e-5, atol=1e-4)


def test_python_computes_the_same_output():
    demo = Transposed(kernel_size=4, padding=1)
    (shown,) = in_node(
        Transposed,
        "(m, c) => m.convTranspose2d(...c)",
        [[demo.input, demo.weight, {"stride": 2, "padding": 1}]],
    )
    assert demo.output.tolist() == shown
    assert demo.output.shape == (6, 6)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"input": [[1, 2], [3, 4]]}, "input needs a list of 3"),
        ({"kernel": [[1] * 3] * 3}, "kernel needs a list of 4"),
        ({"input": [[float("inf")] * 3] * 3}, "finite"),
        ({"padding": 2}, "padding"),
        ({"view": "stamps"}, "view"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        Transposed(**state)
