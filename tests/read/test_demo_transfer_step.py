"""TransferStep makes the steps of torch's SGD with the groups of `cnnbook.transfer`."""

from __future__ import annotations

import random

import pytest
import torch
import traitlets

from cnnbook.demos import TransferStep
from tests.demo_harness import in_node

CASES = 2000


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    r = random.Random(0)
    return [
        {
            "w": [r.uniform(-1.5, 1.5) if r.random() < 0.3 else r.uniform(0.1, 1.5) for _ in range(4)],
            "x": r.uniform(-2, 2),
            "target": r.uniform(-2, 2),
            "frozen": r.randint(0, 3),
            "head": r.choice([0.01, 0.1, 0.5]),
            "backbone": r.choice([0.01, 0.1, 0.2]),
            "decay": r.choice([0.1, 0.5, 1]),
        }
        for _ in range(CASES)
    ]


def score(weights: list[torch.Tensor], x: float) -> torch.Tensor:
    y = torch.tensor(x, dtype=torch.float64)
    for w in weights[:-1]:
        y = (w * y).relu()
    return weights[-1] * y


def test_gradients_are_autograds(cases):
    told = in_node(TransferStep, "(m, c) => m.gradients(c.w, c.x, c.target)", cases)
    for case, got in zip(cases, told, strict=True):
        weights = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in case["w"]]
        ((score(weights, case["x"]) - case["target"]) ** 2 / 2).backward()
        assert got == pytest.approx([w.grad.item() for w in weights], abs=1e-12)


def test_steps_are_those_of_the_courses_own_functions(cases):
    call = "(m, c) => m.run(c.w, c.x, c.target, m.rates(4, c.frozen, c.head, c.backbone, c.decay), 3)[3]"
    few = cases[:200]  # each of them builds a network and an optimiser
    for case, got in zip(few, in_node(TransferStep, call, few), strict=True):
        demo = TransferStep(
            input=case["x"],
            target=case["target"],
            weights=case["w"],
            frozen=case["frozen"],
            head_lr=case["head"],
            backbone_lr=case["backbone"],
            decay=case["decay"],
        )
        assert got == pytest.approx(demo.run(3), rel=1e-9)
        assert got[: case["frozen"]] == case["w"][: case["frozen"]]


def test_the_shown_lines_make_the_same_steps(cases):
    few = cases[:60]
    call = """(m, c) => [
        m.run(c.w, c.x, c.target, m.rates(4, c.frozen, c.head, c.backbone, c.decay), 4)[4],
        m.torchLines(c.w, c.x, c.target, c.frozen, c.head, c.backbone, c.decay, 4)]"""
    for weights, text in in_node(TransferStep, call, few):
        names: dict = {}
        exec(text, names)
        assert [w.item() for w in names["w"]] == pytest.approx(weights, rel=1e-9)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"weights": [1, 1]}, "weights needs a list of 4"),
        ({"frozen": 4}, "frozen"),
        ({"decay": 2.0}, "decay"),
    ],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        TransferStep(**state)
