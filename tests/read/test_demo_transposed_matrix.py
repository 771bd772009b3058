"""TransposedMatrix's arithmetic is torch's, and the lecture's print is what it shows beside it."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook.conv import conv_matrix
from cnnbook.demos import TransposedMatrix
from tests.demo_harness import in_node

CASES = 2500
# The rows of the print as the slide shows them, "uv" for kernel cell (u, v).
PRINT = """
00 -- -- --
01 00 -- --
02 01 00 --
-- 02 01 00
10 -- 02 01
11 10 -- 02
12 11 10 --
-- 12 11 10
20 -- 12 11
21 20 -- 12
22 21 20 --
-- 22 21 20
-- -- 22 21
-- -- -- 22
-- -- -- --
-- -- -- --
"""


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    made = []
    for _ in range(CASES):
        n = r.randint(2, 6)
        k = r.randint(1, n)
        square = lambda size: [[r.uniform(-9, 9) for _ in range(size)] for _ in range(size)]  # noqa: E731
        made.append({"n": n, "w": square(k), "x": square(n), "y": square(n - k + 1)})
    return made


def tensor(rows: list) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def close(got: list, expected: torch.Tensor) -> None:
    torch.testing.assert_close(tensor(got), expected, rtol=0, atol=1e-10)


def test_the_matrix_is_the_one_of_the_package(cases):
    for case, got in zip(
        cases, in_node(TransposedMatrix, "(m, c) => m.convMatrix(c.w, c.n)", cases), strict=True
    ):
        close(got, conv_matrix(tensor(case["w"]), (case["n"], case["n"])))


def test_multiplying_by_it_is_torchs_convolution(cases):
    call = "(m, c) => m.times(m.convMatrix(c.w, c.n), c.x.flat())"
    for case, got in zip(cases, in_node(TransposedMatrix, call, cases), strict=True):
        close(got, F.conv2d(tensor(case["x"])[None, None], tensor(case["w"])[None, None]).flatten())


def test_multiplying_by_its_transpose_is_torchs_transposed_convolution(cases):
    call = "(m, c) => m.times(m.flip(m.convMatrix(c.w, c.n)), c.y.flat())"
    for case, got in zip(cases, in_node(TransposedMatrix, call, cases), strict=True):
        y, w = tensor(case["y"])[None, None], tensor(case["w"])[None, None]
        close(got, F.conv_transpose2d(y, w).flatten())


def test_there_and_back_is_the_product_of_both(cases):
    some = cases[:300]
    call = "(m, c) => { const C = m.convMatrix(c.w, c.n); return m.product(m.flip(C), C); }"
    for case, got in zip(some, in_node(TransposedMatrix, call, some), strict=True):
        c = conv_matrix(tensor(case["w"]), (case["n"], case["n"]))
        close(got, c.T @ c)


def test_a_kernel_cell_stands_36_times_in_the_lectures_matrix():
    places = [[out, at] for out in range(4) for at in range(16)]
    cells = in_node(TransposedMatrix, "(m, c) => m.kernelCell(...c, 4, 3)", places)
    assert sum(cell is not None for cell in cells) == 36


def test_the_print_is_the_slides():
    places = [[row, column] for row in range(16) for column in range(4)]
    cells = in_node(TransposedMatrix, "(m, c) => m.printedCell(...c)", places)
    shown = ["--" if cell is None else f"{cell[0]}{cell[1]}" for cell in cells]
    assert shown == PRINT.split()


def test_the_print_begins_its_columns_at_the_wrong_rows():
    w = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    call = "(m, w) => [m.printedMatrix(w), m.flip(m.convMatrix(w, 4))]"
    printed, right = (tensor(m) for m in in_node(TransposedMatrix, call, [w])[0])
    first = [[int(column.nonzero()[0]) for column in m.T] for m in (printed, right)]
    assert first == [[0, 1, 2, 3], [0, 1, 4, 5]]
    assert not printed[14:].any()
    assert right[14:].any(dim=1).all()


@pytest.mark.parametrize("mode", ["forward", "transpose", "printed", "back"])
def test_the_torch_lines_compute_what_is_shown(mode):
    r = random.Random(mode)
    made = []
    for _ in range(60):
        square = lambda size: [[r.choice([r.randint(-9, 9), 0.25]) for _ in range(size)] for _ in range(size)]  # noqa: E731
        made.append({"x": square(4), "y": square(2), "w": square(3)})
    texts = in_node(TransposedMatrix, f"(m, c) => m.torchLines('{mode}', c.x, c.y, c.w)", made)
    shown = in_node(
        TransposedMatrix,
        f"""(m, c) => {{
          const C = m.convMatrix(c.w, 4), x = c.x.flat(), y = c.y.flat();
          const results = {{
            forward: m.times(C, x), transpose: m.times(m.flip(C), y), back: m.times(m.flip(C), m.times(C, x)),
            printed: m.times(m.printedMatrix(c.w), y),
          }};
          return results['{mode}'];
        }}""",
        made,
    )
    for text, expected in zip(texts, shown, strict=True):
        names: dict = {}
        exec(text, names)
        if mode == "printed":
            torch.testing.assert_close(names["wrong"].double(), tensor(expected))
        else:
            torch.testing.assert_close(names["result"].double(), tensor(expected))
            torch.testing.assert_close(names["same"], names["result"])


def test_it_opens_on_the_lectures_numbers():
    demo = TransposedMatrix()
    x = torch.tensor(demo.x, dtype=torch.float64)
    assert (demo.matrix @ x.flatten()).tolist() == [12, 12, 10, 17]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"x": [[1, 2], [3, 4]]}, "x needs a list of 4"),
        ({"y": [[1] * 4] * 4}, "y needs a list of 2"),
        ({"kernel": [[float("nan")] * 3] * 3}, "finite"),
        ({"mode": "sideways"}, "mode"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        TransposedMatrix(**state)
