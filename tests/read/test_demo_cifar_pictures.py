"""CifarPictures shows the stored answers, in every state, and the pictures that they belong to."""

from __future__ import annotations

from itertools import product
from statistics import fmean
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import traitlets

from bench import cifar10 as bench
from cnnbook import data, results
from cnnbook.demos import CifarPictures
from cnnbook.demos.cifar_pictures import cifar_pictures as module
from tests.demo_harness import in_node

MODELS = ("lecture", "ours")
KINDS = ("all", *data.CLASSES)
STORED = results.load("cifar10-pictures").data
KEPT = [k for k in range(500) if k % 50 < 20]


def places(kind: str) -> list[int]:
    """The demo's numbers of the pictures of a class."""
    return [k for k in range(200) if kind == "all" or data.CLASSES[k // 20] == kind]


def expected(kind: str, model: str, order: str) -> list[int]:
    """The order by Python's own sort, from the stored result."""
    answer = STORED[model]
    sure = {k: answer["confidence"][KEPT[k]] for k in range(200)}
    right = {k: answer["said"][KEPT[k]] == STORED["label"][KEPT[k]] for k in range(200)}
    key = {
        "index": lambda k: k,
        "sure": lambda k: -sure[k],
        "unsure": lambda k: sure[k],
        "wrong": lambda k: (right[k], sure[k] if right[k] else -sure[k]),
    }[order]
    return sorted(places(kind), key=key)


def test_the_classes_are_those_of_the_data():
    assert module.CLASSES == data.CLASSES
    assert [CifarPictures.labels[name] for name in module.CLASSES] == list(data.KOREAN)
    assert [STORED["label"][k] for k in KEPT] == [k // 20 for k in range(200)]


def test_the_answers_are_the_stored_ones():
    answers = CifarPictures().answers
    for model, key in product(MODELS, ("said", "confidence", "truth")):
        assert answers[model][key] == [STORED[model][key][k] for k in KEPT]


def test_every_order_of_every_class_is_pythons():
    states = [list(s) for s in product(KINDS, MODELS, ("index", "sure", "unsure", "wrong"))]
    answers = CifarPictures().answers
    cases = [{"kind": k, "order": o, "answer": answers[m]} for k, m, o in states]
    got = in_node(CifarPictures, "(m, c) => m.ordered(m.placesOf(c.kind), c.order, c.answer)", cases)
    for (kind, model, order), found in zip(states, got, strict=True):
        assert found == expected(kind, model, order)


def test_what_is_counted_is_what_the_stored_answers_say():
    states = list(product(KINDS, MODELS))
    answers = CifarPictures().answers
    cases = [{"kind": kind, "answer": answers[model]} for kind, model in states]
    got = in_node(CifarPictures, "(m, c) => m.tally(m.placesOf(c.kind), c.answer)", cases)
    for (kind, model), found in zip(states, got, strict=True):
        answer = STORED[model]
        sure: dict[bool, list[float]] = {True: [], False: []}
        for k in (KEPT[p] for p in places(kind)):
            sure[answer["said"][k] == STORED["label"][k]].append(answer["confidence"][k])
        assert found["right"] == len(sure[True])
        for key, kept in (("sureRight", sure[True]), ("sureWrong", sure[False])):
            assert found[key] == (pytest.approx(fmean(kept)) if kept else None)


def test_a_network_that_errs_never_or_always_has_no_mean_of_the_other_kind():
    said = [k // 20 for k in range(200)]
    never, always = ({"said": [(s + e) % 10 for s in said], "confidence": [0.5] * 200} for e in (0, 1))
    got = in_node(CifarPictures, "(m, a) => m.tally(m.placesOf('ship'), a)", [never, always])
    assert got == [
        {"right": 20, "sureRight": 0.5, "sureWrong": None},
        {"right": 0, "sureRight": None, "sureWrong": 0.5},
    ]


def test_a_rounded_probability_claims_no_certainty():
    told = in_node(CifarPictures, "(m, p) => m.percent(p)", [0, 0.001, 0.1234, 0.5, 0.999, 1])
    assert told == ["약 0%", "0.1%", "12.3%", "50.0%", "99.9%", "약 100%"]


def test_the_shown_lines_find_the_shown_answer(capsys):
    answers = CifarPictures().answers
    for k, lines in enumerate(in_node(CifarPictures, "(m, k) => m.lookLines(k)", list(range(200)))):
        exec(lines, {})
        words = [line.split() for line in capsys.readouterr().out.splitlines()]
        for model, told in zip(MODELS, words, strict=True):
            answer = answers[model]
            said, sure, truth = answer["said"][k], answer["confidence"][k], answer["truth"][k]
            assert told == [model, data.KOREAN[k // 20], data.KOREAN[said], str(sure), str(truth)]


def test_the_sheet_holds_two_hundred_different_pictures_with_a_note_of_their_source():
    pictures = CifarPictures().pictures()
    assert pictures.shape == (200, 32, 32, 3) and pictures.dtype == np.uint8
    assert len({p.tobytes() for p in pictures}) == 200
    assert (pictures.std(axis=(1, 2, 3)) > 5).all(), "an empty place on the sheet"
    # Blue sky and blue sea against the ground that animals stand on: rows are where they belong.
    blue = [(p[..., 2].astype(float) - p[..., 0]).mean() for p in pictures.reshape(10, -1, 32, 3)]
    assert min(blue[0], blue[8]) > max(blue[c] for c in range(2, 8))
    assert module.SHEET.stat().st_size < 70_000
    assert "Krizhevsky" in (module.SHEET.parent / "NOTICE.txt").read_text("utf-8")


def test_the_sheet_is_made_of_the_pictures_whose_answers_are_stored(monkeypatch, tmp_path):
    labels = torch.arange(10_000) // 1000
    greys = (labels + 10 * (torch.arange(10_000) % 1000)).clamp(max=255).byte()
    images = greys.view(-1, 1, 1, 1).expand(-1, 3, 32, 32)
    monkeypatch.setattr(bench, "cifar10", lambda root, train: None)
    monkeypatch.setattr(bench, "as_tensors", lambda _: (images, labels))
    monkeypatch.setattr(bench, "SHEET", tmp_path / "sheet.webp")
    bench.sheet("data")
    pictures = CifarPictures.pictures(SimpleNamespace(sheet=bench.SHEET.read_bytes()))
    expected = np.array([k // 20 + 10 * (k % 20) for k in range(200)])
    assert np.abs(pictures.mean(axis=(1, 2, 3)) - expected).max() < 3  # WebP is not exact

    monkeypatch.setattr(bench, "as_tensors", lambda _: (images, labels.flip(0)))
    with pytest.raises(ValueError, match="another order"):
        bench.sheet("data")


def test_the_stand_in_says_what_the_networks_said():
    told = CifarPictures().static_figure().alt
    for c, name in enumerate(data.KOREAN):
        said = [data.KOREAN[STORED[m]["said"][50 * c]] for m in MODELS]
        assert f"{name} (강의의 신경망: {said[0]}, 고친 신경망: {said[1]})" in told


@pytest.mark.parametrize("state", [{"kind": "fish"}, {"model": "best"}, {"order": "up"}, {"picked": 200}])
def test_a_state_it_cannot_show_is_refused(state):
    with pytest.raises(traitlets.TraitError):
        CifarPictures(**state)
