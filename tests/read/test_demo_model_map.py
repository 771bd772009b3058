"""ModelMap shows what was published and counted; its frontier, its order and its ticks are right."""

from __future__ import annotations

import random

import pytest
import traitlets

from cnnbook.counting import count_macs, count_parameters
from cnnbook.demos import ModelMap
from cnnbook.demos.model_map.model_map import FAMILIES
from cnnbook.models import accuracy, builders
from tests.demo_harness import in_node

CASES = 2000


@pytest.fixture(scope="module")
def sets() -> list[list[dict]]:
    """Sets of models on few values, so that many are equal; some without a second accuracy."""
    r = random.Random(0)
    return [
        [{"x": r.randint(1, 6), "y": r.choice([None, 1, 2, 3, 4]), "id": i} for i in range(r.randint(0, 9))]
        for _ in range(CASES)
    ]


def beats(a: dict, b: dict) -> bool:
    return a["x"] <= b["x"] and a["y"] >= b["y"] and (a["x"], a["y"]) != (b["x"], b["y"])


def test_the_frontier_holds_what_none_beats(sets):
    for models, got in zip(sets, in_node(ModelMap, "(m, s) => m.frontier(s, 'x', 'y')", sets), strict=True):
        known = [m for m in models if m["y"] is not None]
        best = [m["id"] for m in known if not any(beats(o, m) for o in known)]
        assert sorted(m["id"] for m in got) == best
        assert [m["x"] for m in got] == sorted(m["x"] for m in got)


def test_better_ones_cost_no_more_and_come_best_first(sets):
    full = [s for s in sets if s and s[0]["y"] is not None]
    told = in_node(ModelMap, "(m, s) => m.better(s, s[0], 'x', 'y')", full)
    for models, got in zip(full, told, strict=True):
        first = models[0]
        ids = {m["id"] for m in models if m["y"] is not None and m["x"] <= first["x"] and m["y"] > first["y"]}
        assert {m["id"] for m in got} == ids
        assert [m["y"] for m in got] == sorted((m["y"] for m in got), reverse=True)


@pytest.mark.parametrize("falling", [False, True])
def test_a_column_orders_the_table_and_gaps_come_last(sets, falling):
    call = f"(m, s) => m.ordered(s, 'y', {str(falling).lower()})"
    for models, got in zip(sets, in_node(ModelMap, call, sets), strict=True):
        known = sorted((m for m in models if m["y"] is not None), key=lambda m: m["y"], reverse=falling)
        assert got == known + [m for m in models if m["y"] is None]


@pytest.mark.parametrize("log", [False, True])
def test_ticks_lie_within_the_axis_and_are_few(log):
    r = random.Random(1)
    cases = [[low := 10 ** r.uniform(-2, 9), low * r.uniform(1.5, 300), log] for _ in range(500)]
    for (low, high, _), got in zip(cases, in_node(ModelMap, "(m, c) => m.ticks(...c)", cases), strict=True):
        assert got == sorted(got)
        assert all(low * 0.999 <= v <= high * 1.001 for v in got)
        assert len(got) <= 9


def test_every_entry_is_counted_and_published():
    entries = ModelMap().entries
    assert len(entries) == sum(row.name in builders() for row in accuracy.table())
    assert tuple(dict.fromkeys(e["family"] for e in entries)) == FAMILIES
    for entry in entries:
        row = accuracy.of(entry["name"], entry["weights"])
        assert (entry["top1"], entry["top5"], entry["year"]) == (row.top1, row.top5, row.year)
    alexnet = builders()["alexnet"]()
    assert entries[0]["parameters"] == count_parameters(alexnet)
    assert entries[0]["macs"] == count_macs(alexnet, (1, 3, 224, 224))


def test_the_shown_lines_give_the_shown_numbers():
    entries = [e for e in ModelMap().entries if e["name"] in ("mobilenet_v2", "shufflenet_v1")]
    for entry, text in zip(entries, in_node(ModelMap, "(m, e) => m.entryLines(e)", entries), strict=True):
        names: dict = {}
        exec(text, names)
        assert {key: names[key] for key in ("parameters", "macs", "top1")}.items() <= entry.items()


@pytest.mark.parametrize("state", [{"x": "year"}, {"hidden": 2 ** len(FAMILIES)}, {"sort": "family"}])
def test_a_state_it_cannot_show_is_refused(state):
    with pytest.raises(traitlets.TraitError):
        ModelMap(**state)
