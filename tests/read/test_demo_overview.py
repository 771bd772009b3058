"""Overview's arithmetic is torch's, for each of the ten forms, and its costs are what the counter counts."""

from __future__ import annotations

import random

import pytest
import torch
import traitlets
from torch import nn

from cnnbook.counting import count_macs, count_parameters
from cnnbook.demos import Overview
from cnnbook.demos.overview.overview import FORMS, by_torch
from tests.demo_harness import in_node

CASES = 2000


def random_case(r: random.Random, form: str, value=lambda r: round(r.uniform(-9, 9), 2)) -> dict:
    def fill(size: int, *rest: int) -> list:
        return [fill(*rest) if rest else value(r) for _ in range(size)]

    return {"form": form, "x": fill(4, 5, 5), "w": fill(4, 4, 3, 3), "o": r.randrange(4)}


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    """Each form as often as the others; a form with one output channel gets channel 0."""
    r = random.Random(0)
    made = [random_case(r, FORMS[k % 10]) for k in range(CASES)]
    return [c | {"o": 0} if c["form"] in ("single", "spatial") else c for c in made]


def expected(case: dict) -> torch.Tensor:
    return by_torch(case["form"], *(torch.tensor(case[key], dtype=torch.float64) for key in "xw"))


def test_outputs_are_torchs(cases):
    call = "(m, c) => m.output(c.form, c.x, c.w, c.o)"
    for case, got in zip(cases, in_node(Overview, call, cases), strict=True):
        torch.testing.assert_close(
            torch.tensor(got, dtype=torch.float64), expected(case)[case["o"]], rtol=0, atol=1e-9
        )


def test_shapes_are_torchs():
    for form, shape in zip(FORMS, in_node(Overview, "(m, f) => m.shape(f)", list(FORMS)), strict=True):
        assert tuple(shape) == tuple(Overview(form=form).output.shape), form


def test_the_numbers_of_the_last_step_add_up_to_the_output(cases):
    call = """(m, { form, x, w, o }) => m.output(form, x, w, o).flatMap((line, i) => line.map((value, j) =>
      value - m.lastStep(form, x, w, o, i, j).reduce((sum, p) => sum + p[0] * (p[1] ?? 1), 0)))"""
    assert max(abs(v) for rest in in_node(Overview, call, cases[:500]) for v in rest) < 1e-9


def test_the_cells_of_the_window_are_those_with_a_gradient():
    made = [
        {"form": form, "o": 0 if form in ("single", "spatial") else 1, "i": i, "j": j}
        for form in FORMS
        for i, j in ((0, 0), (2, 2), (4, 1))
    ]
    call = """(m, { form, o, i, j }) => {
      const ones = (n, ...rest) => Array.from({ length: n }, () => (rest.length ? ones(...rest) : 1));
      return m.terms(form, ones(4, 5, 5), ones(4, 4, 3, 3), o, i, j)
        .filter((q) => q.w).map((q) => [q.c, q.r, q.s]);
    }"""
    for case, cells in zip(made, in_node(Overview, call, made), strict=True):
        x = torch.ones(4, 5, 5, requires_grad=True)
        by_torch(case["form"], x, torch.ones(4, 4, 3, 3))[case["o"], case["i"], case["j"]].backward()
        assert sorted(cells) == x.grad.nonzero().tolist(), case


def layers() -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    """Each form as torch layers without bias, with the shape they are called with."""
    images, one = (1, 4, 5, 5), (1, 1, 5, 5)
    keep = {"padding": 1, "bias": False}
    grouped = nn.Conv2d(4, 4, 3, groups=2, **keep)
    return {
        "single": (nn.Conv2d(1, 1, 3, **keep), one),
        "multi": (nn.Conv2d(4, 4, 3, **keep), images),
        "conv3d": (nn.Conv3d(1, 1, 3, **keep), (1, 1, 4, 5, 5)),
        "pointwise": (nn.Conv2d(4, 4, 1, bias=False), images),
        "transposed": (nn.ConvTranspose2d(4, 4, 3, stride=2, **keep), images),
        "dilated": (nn.Conv2d(4, 4, 3, padding=2, dilation=2, bias=False), images),
        "spatial": (
            nn.Sequential(
                nn.Conv2d(1, 1, (3, 1), padding=(1, 0), bias=False),
                nn.Conv2d(1, 1, (1, 3), padding=(0, 1), bias=False),
            ),
            one,
        ),
        "depthwise": (
            nn.Sequential(nn.Conv2d(4, 4, 3, groups=4, **keep), nn.Conv2d(4, 4, 1, bias=False)),
            images,
        ),
        "grouped": (grouped, images),
        "shuffled": (nn.Sequential(grouped, nn.ChannelShuffle(2)), images),
    }


@pytest.mark.parametrize("form", FORMS)
def test_costs_are_what_the_counter_counts(form):
    module, shape = layers()[form]
    counted = {"weights": count_parameters(module), "macs": count_macs(module, shape)}
    assert in_node(Overview, "(m, f) => m.cost(f)", [form]) == [counted]


@pytest.mark.parametrize("form", FORMS)
def test_the_torch_lines_compute_what_is_shown(form):
    r = random.Random(form)
    some = [
        random_case(r, form, lambda r: r.choice([r.randint(-9, 9), 1 / 9, 0.25, r.uniform(-1, 1)]))
        for _ in range(6)
    ]
    call = "(m, c) => m.torchLines(c.form, c.x, c.w)"
    for case, text in zip(some, in_node(Overview, call, some), strict=True):
        names: dict = {}
        exec(text, names)
        y = expected(case)
        torch.testing.assert_close(names["y"].double().reshape(y.shape), y, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"form": "deconvolution"}, "form"),
        ({"input": [[[1] * 5] * 5] * 3}, "input needs a list of 4"),
        ({"weight": [[[[float("inf")] * 3] * 3] * 4] * 4}, "finite"),
        ({"channel": 4}, "channel"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        Overview(**state)
