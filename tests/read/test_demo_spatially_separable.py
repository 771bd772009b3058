"""SpatiallySeparable's arithmetic is torch's: two steps, three steps, and the singular values."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook.demos import SpatiallySeparable
from tests.demo_harness import in_node

CASES = 2000


def uniform(r: random.Random, *sizes: int):
    if not sizes:
        return r.uniform(-5, 5)
    return [uniform(r, *sizes[1:]) for _ in range(sizes[0])]


def tensor(value) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def close(got, expected: torch.Tensor, atol: float = 1e-9) -> None:
    torch.testing.assert_close(tensor(got), expected, rtol=0, atol=atol)


def test_column_then_row_is_torchs_convolution_by_their_product():
    r = random.Random(0)
    cases = []
    for _ in range(CASES):
        k, m = r.randint(1, 4), r.randint(1, 4)
        x = uniform(r, r.randint(k, 8), r.randint(m, 8))
        cases.append({"x": x, "column": uniform(r, k), "row": uniform(r, m)})
    call = """(m, c) => {
      const middle = m.slideDown(c.x, c.column);
      return [m.slideAlong(middle, c.row), m.slideAll(c.x, m.outer(c.column, c.row)), middle];
    }"""
    for case, (twice, once, middle) in zip(cases, in_node(SpatiallySeparable, call, cases), strict=True):
        x, column, row = (tensor(case[key]) for key in ("x", "column", "row"))
        expected = F.conv2d(x[None, None], torch.outer(column, row)[None, None])[0, 0]
        close(twice, expected)
        close(once, expected)
        close(middle, F.conv2d(x[None, None], column.reshape(1, 1, -1, 1))[0, 0])


def test_three_directions_are_torchs_3d_convolution_by_the_product():
    r = random.Random(1)
    cases = []
    for _ in range(CASES):
        d, k, m = (r.randint(1, 4) for _ in range(3))
        volume = uniform(r, d, r.randint(k, 6), r.randint(m, 6))
        cases.append({"x": volume, "d": uniform(r, d), "c": uniform(r, k), "r": uniform(r, m)})
    call = "(m, c) => m.slideAlong(m.slideDown(m.slideInward(c.x, c.d), c.c), c.r)"
    for case, got in zip(cases, in_node(SpatiallySeparable, call, cases), strict=True):
        x, d, c, row = (tensor(case[key]) for key in ("x", "d", "c", "r"))
        kernel = torch.einsum("d,h,w->dhw", d, c, row)
        close(got, F.conv3d(x[None, None], kernel[None, None])[0, 0, 0], atol=1e-8)


@pytest.fixture(scope="module")
def kernels() -> list[list[list[float]]]:
    """Kernels of every rank: random, of whole numbers as readers type them, sums of one and two products."""
    r = random.Random(2)
    made = [uniform(r, 3, 3) for _ in range(CASES)]
    made += [[[r.randint(-2, 2) for _ in range(3)] for _ in range(3)] for _ in range(CASES)]
    for terms in (1, 2):
        for _ in range(500):
            made.append((tensor(uniform(r, 3, terms)) @ tensor(uniform(r, terms, 3))).tolist())
    return [*made, [[0, 0, 0]] * 3]


def test_singular_values_and_rank_are_torchs(kernels):
    call = "(m, k) => [m.singular(k).map((s) => s.sigma), m.rankOf(m.singular(k))]"
    found = in_node(SpatiallySeparable, call, kernels)
    matrices = tensor(kernels)
    close([sigma for sigma, _ in found], torch.linalg.svdvals(matrices))
    ranks = torch.linalg.matrix_rank(matrices, rtol=1e-9).tolist()
    assert [rank for _, rank in found] == ranks
    assert set(ranks) == {0, 1, 2, 3}  # each is really among the cases


@pytest.mark.parametrize("terms", [1, 2, 3])
def test_the_sum_of_the_first_products_is_torchs_best_approximation(kernels, terms):
    apart = [
        k for k in kernels if min(-torch.linalg.svdvals(tensor(k)).diff()) > 1e-3
    ]  # else it is not unique
    assert len(apart) > CASES
    sums = in_node(SpatiallySeparable, f"(m, k) => m.partial(m.singular(k), {terms})", apart)
    u, s, vh = torch.linalg.svd(tensor(apart))
    close(sums, (u[..., :terms] * s[:, None, :terms]) @ vh[:, :terms])


def test_the_column_and_row_shown_multiply_to_the_term(kernels):
    call = """(m, k) => {
      const [term] = m.singular(k), { down, along } = m.tidy(term);
      return [m.outer(down, along), m.product(term)];
    }"""
    for shown, term in in_node(SpatiallySeparable, call, kernels):
        close(shown, tensor(term))


def test_the_sobel_kernel_is_shown_in_whole_numbers():
    sobel = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    (shown,) = in_node(SpatiallySeparable, "(m, k) => m.tidy(m.singular(k)[0])", [sobel])
    assert shown == {"down": [1, 2, 1], "along": [-1, 0, 1]}


def test_python_gives_the_output_of_its_state():
    demo = SpatiallySeparable(column=[1, 0, 2], row=[0, 3, 1])
    x = tensor(demo.input)[None, None]
    kernel = torch.outer(tensor(demo.column), tensor(demo.row))[None, None]
    assert torch.equal(demo.output, F.conv2d(x, kernel)[0, 0])


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"column": [1, 2]}, "column needs a list of 3"),
        ({"row": [1, 2, "3"]}, "row must hold finite numbers"),
        ({"kernel": [[1, 2, 3], [4, 5, 6]]}, "kernel needs a list of 3"),
        ({"volume": [[[0] * 4] * 4] * 2}, "volume needs a list of 3"),
        ({"depth": [1, 2, float("inf")]}, "depth must hold finite numbers"),
        ({"terms": 4}, "terms"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_by_name(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        SpatiallySeparable(**state)
