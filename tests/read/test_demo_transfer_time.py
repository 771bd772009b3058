"""TransferTime reads its curves as numpy interpolates, and divides the pre-training among tasks."""

from __future__ import annotations

import random

import numpy as np
import pytest
import traitlets

from cnnbook.demos import TransferTime
from tests.demo_harness import in_node

CASES = 2000


def first_reached(at: list[float], curve: list[float], target: float) -> float | None:
    """By force: the first of many points along the line that is high enough."""
    dense = np.unique(np.concatenate([np.linspace(at[0], at[-1], 20_001), at]))
    high = dense[np.interp(dense, at, curve) >= target]
    return float(high[0]) if high.size else None


def test_the_first_update_that_reaches_the_target_is_found():
    r = random.Random(0)
    cases = []
    for _ in range(CASES):
        n = r.randint(2, 8)
        cases.append(
            [sorted(r.sample(range(201), n)), [r.uniform(0.2, 1) for _ in range(n)], r.uniform(0.2, 1)]
        )
    told = in_node(TransferTime, "(m, c) => m.reached(...c)", cases)
    for case, got in zip(cases, told, strict=True):
        expected = first_reached(*case)
        assert (got is None) == (expected is None)
        if got is not None:
            assert got == pytest.approx(expected, abs=0.011)
    assert None in told


def test_a_task_pays_its_own_updates_and_its_share():
    r = random.Random(1)
    cases = [[r.uniform(0, 200), r.uniform(0, 1), r.uniform(0, 100), r.randint(1, 100)] for _ in range(CASES)]
    for case, got in zip(cases, in_node(TransferTime, "(m, c) => m.cost(...c)", cases), strict=True):
        updates, seconds, before, tasks = case
        assert got["own"] == pytest.approx(updates * seconds)
        assert got["share"] * tasks == pytest.approx(before)


def test_stored_curves_are_complete_and_end_where_the_cells_do():
    from cnnbook import results

    demo, data = TransferTime(), results.load("transfer-cifar10").data
    assert sorted((c["way"], c["examples"]) for c in demo.curves) == sorted(
        (way, n) for way in ("scratch", "head", "tuned") for n in (50, 1000)
    )
    assert demo.at[0] == 0 and demo.at[-1] == data["updates"]
    for cell in (c for c in data["cells"] if "curve" in c):
        assert len(cell["curve"]) == len(demo.at)
        assert cell["curve"][-1] == pytest.approx(np.mean(cell["accuracies"]), abs=1e-4)


@pytest.mark.parametrize(
    ("state", "message"),
    [({"target": 20}, "target"), ({"examples": 10}, "examples"), ({"tasks": 0}, "tasks")],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        TransferTime(**state)
