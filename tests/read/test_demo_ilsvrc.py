"""The contest's arithmetic, and the top-k error against torch."""

from __future__ import annotations

import random

import pytest
import torch
import traitlets

from cnnbook.demos import Ilsvrc, TopK
from cnnbook.models import accuracy
from tests.demo_harness import in_node

CASES = 2000


def test_progress_is_a_difference_and_a_share_of_what_was():
    r = random.Random(0)
    pairs = [[r.uniform(1, 40), r.uniform(1, 40)] for _ in range(CASES)]
    for (now, then), got in zip(pairs, in_node(Ilsvrc, "(m, c) => m.progress(...c)", pairs), strict=True):
        assert got["points"] == pytest.approx(then - now, abs=1e-12)
        assert got["share"] == pytest.approx(100 * (1 - now / then), abs=1e-9)


def test_with_given_data_alone_the_lecture_s_9_4_points_come_out():
    entries = Ilsvrc().entries
    call = """(m, e) => [true, false].map((given) =>
      m.progress(m.errorOf(m.winner(e, 2012), given), m.errorOf(m.winner(e, 2011), given)).points)"""
    ((given, open_data),) = in_node(Ilsvrc, call, [entries])
    assert given == pytest.approx(9.4) and open_data == pytest.approx(10.5)


def test_the_demo_shows_what_the_data_file_holds():
    demo = Ilsvrc()
    assert [(e["year"], e["error"]) for e in demo.entries] == [
        (e.year, e.top5_error) for e in accuracy.ilsvrc()
    ]
    assert demo.human == accuracy.human_error()[0]


def test_the_code_shown_computes_the_numbers_shown():
    demo = Ilsvrc()
    (lines,) = in_node(Ilsvrc, "(m, e) => m.pythonLines(e, false, 2015, 2014)", [demo.entries])
    values: dict[str, float] = {}
    exec(lines, values)
    assert values["points"] == pytest.approx(6.66 - 3.57)


def test_a_year_without_a_contest_is_refused():
    with pytest.raises(traitlets.TraitError):
        Ilsvrc(year=2009)


def test_the_top_k_error_is_torchs():
    r = random.Random(1)
    cases = []
    for _ in range(CASES):
        n, classes = r.randint(1, 8), r.randint(2, 12)
        cases.append(
            {
                "scores": [[r.gauss(0, 1) for _ in range(classes)] for _ in range(n)],
                "answers": [r.randrange(classes) for _ in range(n)],
                "k": r.randint(1, classes),
            }
        )
    found = in_node(TopK, "(m, c) => m.topError(c.scores, c.answers, c.k)", cases)
    for case, got in zip(cases, found, strict=True):
        best = torch.tensor(case["scores"]).topk(case["k"], dim=1).indices
        hit = (best == torch.tensor(case["answers"])[:, None]).any(dim=1)
        assert got == pytest.approx(1 - hit.double().mean().item())


def test_equal_scores_put_the_earlier_class_first():
    call = "(m, c) => [0, 1, 2].map((a) => m.rankOf(c, a))"
    assert in_node(TopK, call, [[5, 5, 9]]) == [[2, 3, 1]]


def test_the_first_pictures_are_all_told_apart_by_k():
    errors = [TopK(k=k).error for k in range(1, 6)]
    assert errors == pytest.approx([0.8, 0.6, 0.6, 0.4, 0.2])
    with pytest.raises(traitlets.TraitError, match="scores needs a list of 5"):
        TopK(scores=[[1]])
