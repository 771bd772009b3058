"""ConvolutionExplorer's arithmetic is torch's."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook.demos import ConvolutionExplorer, photo
from tests.demo_harness import in_node

CASES = 3000


def random_case(r: random.Random) -> dict:
    h, w, k, m = r.randint(1, 9), r.randint(1, 9), r.randint(1, 4), r.randint(1, 4)
    return {
        "x": [[r.uniform(-9, 9) for _ in range(w)] for _ in range(h)],
        "w": [[r.uniform(-3, 3) for _ in range(m)] for _ in range(k)],
        "o": {"stride": r.randint(1, 3), "padding": r.randint(0, 3), "dilation": r.randint(1, 3)},
    }


def by_torch(case: dict) -> torch.Tensor | None:
    """The output, or None where torch says that the window is larger than the input."""
    x, w = (torch.tensor(case[k], dtype=torch.float64)[None, None] for k in "xw")
    try:
        return F.conv2d(x, w, **case["o"])[0, 0]
    except RuntimeError as error:
        assert "can't be greater than" in str(error)
        return None


@pytest.fixture(scope="module")
def cases() -> list[tuple[dict, torch.Tensor | None]]:
    r = random.Random(0)
    made = [random_case(r) for _ in range(CASES)]
    return [(case, by_torch(case)) for case in made]


def test_output_is_torchs_and_empty_where_torch_refuses(cases):
    outputs = in_node(ConvolutionExplorer, "(m, c) => m.conv2d(c.x, c.w, c.o)", [c for c, _ in cases])
    refused = 0
    for (case, expected), got in zip(cases, outputs, strict=True):
        if expected is None:
            refused += 1
            assert got == [], case
        else:
            torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), expected, rtol=0, atol=1e-12)
    assert 100 < refused < CASES / 2  # both kinds are really among the cases


def test_output_size_is_torchs(cases):
    some = [c for c, y in cases if y is not None]
    call = "(m, c) => [m.outSize(c.x.length, c.w.length, c.o), m.outSize(c.x[0].length, c.w[0].length, c.o)]"
    sizes = in_node(ConvolutionExplorer, call, some)
    assert sizes == [list(y.shape) for _, y in cases if y is not None]


def test_the_products_of_each_window_add_up_to_its_output(cases):
    call = """(m, c) => m.conv2d(c.x, c.w, c.o).flatMap((line, i) =>
        line.map((v, j) => v - m.windowTerms(c.x, c.w, i, j, c.o).reduce((s, q) => s + q.product, 0)))"""
    rests = in_node(ConvolutionExplorer, call, [c for c, _ in cases])
    assert max(abs(v) for rest in rests for v in rest) < 1e-12


def test_the_outputs_that_use_an_input_cell_are_those_with_a_gradient():
    r = random.Random(1)
    made = []
    for _ in range(500):
        k, o = (
            r.randint(1, 3),
            {"stride": r.randint(1, 3), "padding": r.randint(0, 2), "dilation": r.randint(1, 3)},
        )
        n = r.randint(o["dilation"] * (k - 1) + 1, 9)
        made.append({"n": n, "k": k, "o": o, "r": r.randrange(n), "c": r.randrange(n)})
    expected = []
    for case in made:
        x = torch.zeros(1, 1, case["n"], case["n"])
        x[0, 0, case["r"], case["c"]] = (
            1  # with a kernel of ones, an output is 1 exactly where this cell is used
        )
        y = F.conv2d(x, torch.ones(1, 1, case["k"], case["k"]), **case["o"])[0, 0]
        case["rows"], case["cols"] = y.shape
        expected.append(y.nonzero().tolist())
    assert (
        in_node(ConvolutionExplorer, "(m, c) => m.usedBy(c.r, c.c, c.k, c.rows, c.cols, c.o)", made)
        == expected
    )


def test_the_shown_torch_lines_compute_the_shown_output():
    r = random.Random(2)
    made = []
    for view in ["numbers"] * 40 + ["photo"] * 4:
        h, w = r.randint(5, 8), r.randint(5, 8)
        value = lambda: r.choice([r.randint(-9, 9), 1 / 9, -2 / 3, 0.25, r.uniform(-1, 1)])  # noqa: E731
        made.append(
            {
                "view": view,
                "x": [[value() for _ in range(w)] for _ in range(h)],
                "w": [[value() for _ in range(3)] for _ in range(3)],
                "o": {"stride": r.randint(1, 3), "padding": r.randint(0, 2), "dilation": r.randint(1, 2)},
            }
        )
    texts = in_node(ConvolutionExplorer, "(m, c) => m.torchLines(c.view, c.x, c.w, c.o)", made)
    pixels = photo().tolist()
    inputs = [{**c, "x": pixels if c["view"] == "photo" else c["x"]} for c in made]
    shown = in_node(ConvolutionExplorer, "(m, c) => m.conv2d(c.x, c.w, c.o)", inputs)
    for text, y in zip(texts, shown, strict=True):
        names: dict = {}
        exec(text, names)
        torch.testing.assert_close(names["y"][0, 0], torch.tensor(y), rtol=1e-5, atol=1e-3)


def test_a_signed_output_is_painted_around_zero():
    ranges = in_node(
        ConvolutionExplorer, "(m, y) => m.greyRange(y)", [[[0, 100]], [[-30, 10]], [[0, 400]], [[-5, 50]]]
    )
    assert ranges == [[0, 255], [-30, 30], [0, 400], [-50, 50]]


def test_presets_do_what_they_are_called():
    ramp = [[float(c) for c in range(6)] for _ in range(6)]  # brighter to the right, flat downwards
    call = "(m, x) => Object.fromEntries(Object.entries(m.PRESETS).map(([k, w]) => [k, m.conv2d(x, w)]))"
    (y,) = in_node(ConvolutionExplorer, call, [ramp])
    middle = np.array(ramp)[1:-1, 1:-1]
    np.testing.assert_allclose(y["identity"], middle)
    np.testing.assert_allclose(y["blur"], middle)  # the mean of neighbours on a slope is the slope
    np.testing.assert_allclose(y["sharpen"], middle)
    np.testing.assert_allclose(y["sobelX"], np.full((4, 4), 8.0))
    np.testing.assert_allclose(y["sobelY"], np.zeros((4, 4)))


def test_it_opens_with_the_lectures_example():
    assert ConvolutionExplorer().output.tolist() == [[12, 12, 17], [10, 17, 19], [9, 6, 14]]


def test_the_photograph_is_small_grey_and_the_widgets_own():
    picture = photo()
    assert (picture.shape, picture.dtype) == ((96, 96), np.uint8)
    assert picture.min() < 20 < 235 < picture.max()
    assert photo(grey=False).shape == (3, 96, 96)
    assert ConvolutionExplorer().photo == picture.tobytes()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"kernel": [[1]]}, "kernel must be 3 to 3 cells"),
        ({"input": [[1, 2, 3], [1, 2]]}, r"rectangle; its rows have lengths \[2, 3\]"),
        ({"input": [[float("nan")] * 3] * 3}, "finite"),
        ({"input": [[0] * 9] * 9}, "3 to 8 cells"),
        ({"padding": 3}, "padding"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        ConvolutionExplorer(**state)


def test_a_stand_in_is_drawn_even_where_there_is_no_output():
    small = ConvolutionExplorer(input=[[1, 2, 3]] * 3, dilation=3)
    assert "<svg" in small.static_html()
