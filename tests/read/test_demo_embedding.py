"""Embedding finds the neighbours that torch finds, and shows pictures the network has not learned from."""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
import traitlets

from cnnbook.demos import Embedding
from cnnbook.digits import pretrained, unseen
from cnnbook.transfer import extract_features
from tests.demo_harness import in_node

CASES = 2000
SPACES = ("pixels", "untrained", "features")


@pytest.fixture(scope="module")
def clouds() -> list[dict]:
    """Vectors of few whole numbers, so that many lie equally near; one of them asks."""
    r = random.Random(0)
    found = []
    for _ in range(CASES):
        n, size = r.randint(2, 12), r.randint(1, 6)
        vectors = [[r.randint(-1, 5) for _ in range(size)] for _ in range(n)]
        own = r.randrange(n)
        query = vectors[own] if r.random() < 0.5 else [r.randint(0, 5) for _ in range(size)]
        found.append({"q": query, "all": vectors, "k": r.randint(1, n - 1), "own": own})
    return found


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_neighbours_are_torchs(clouds, metric):
    call = f"(m, c) => m.nearest(c.q, c.all, c.k, '{metric}', c.own)"
    for case, got in zip(clouds, in_node(Embedding, call, clouds), strict=True):
        query, vectors = (torch.tensor(case[key], dtype=torch.float64) for key in ("q", "all"))
        if metric == "cosine":
            near = torch.cosine_similarity(query[None], vectors)
        else:
            near = -(vectors - query).square().sum(1).sqrt()
        here = [n["i"] for n in got]
        assert case["own"] not in here and len(set(here)) == len(here) == case["k"]
        values = torch.tensor([n["value"] for n in got], dtype=torch.float64)
        sign = 1 if metric == "cosine" else -1
        torch.testing.assert_close(sign * values, near[here])
        near[case["own"]] = -torch.inf
        torch.testing.assert_close(near[here], near.topk(case["k"]).values)


def test_precision_is_the_mean_share_of_equal_labels():
    r = random.Random(1)
    cases = []
    for _ in range(CASES):
        n = r.randint(2, 9)
        cases.append(
            {
                "found": [[r.randrange(n) for _ in range(3)] for _ in range(n)],
                "labels": [r.randrange(3) for _ in range(n)],
            }
        )
    for case, got in zip(
        cases, in_node(Embedding, "(m, c) => m.precision(c.found, c.labels)", cases), strict=True
    ):
        labels = torch.tensor(case["labels"])
        assert got == pytest.approx(
            (labels[torch.tensor(case["found"])] == labels[:, None]).double().mean().item()
        )


def test_an_arrow_leads_to_the_nearest_point_of_its_quarter():
    r = random.Random(2)
    ways = ([-1, 0], [1, 0], [0, -1], [0, 1])
    cases = [
        {
            "p": [[r.randint(0, 9), r.randint(0, 9)] for _ in range(8)],
            "at": r.randrange(8),
            "way": r.choice(ways),
        }
        for _ in range(CASES)
    ]
    for case, got in zip(
        cases, in_node(Embedding, "(m, c) => m.toward(c.p, c.at, c.way)", cases), strict=True
    ):
        shift = torch.tensor(case["p"]) - torch.tensor(case["p"][case["at"]])
        ahead = shift @ torch.tensor(case["way"])
        inside = (ahead > 0) & (shift.abs().sum(1) - ahead <= ahead)
        far = shift.double().norm(dim=1)
        if inside.any():
            assert inside[got] and far[got] == far[inside].min()
        else:
            assert got == case["at"]


def test_the_browser_finds_what_the_shown_lines_and_python_find():
    r = random.Random(3)
    for space in SPACES:
        for metric in ("cosine", "euclidean"):
            state = {"k": r.randint(1, 10), "picked": r.randrange(200), "moved": r.random() < 0.5}
            demo = Embedding(space=space, metric=metric, **state)
            case = {
                "bytes": list(getattr(demo, space)),
                "state": [space, metric, state["k"], state["picked"], state["moved"]],
            }
            call = """(m, c) => {
                const [space, metric, k, picked, moved] = c.state;
                const all = m.vectorsOf(new Uint8Array(c.bytes), 400);
                const found = m.nearest(all[200 * moved + picked], all.slice(0, 200), k, metric, picked);
                return { found: found.map((n) => n.i), lines: m.searchLines(...c.state) };
            }"""
            (got,) = in_node(Embedding, call, [case])
            names: dict = {}
            exec(got["lines"], names)
            pictures = Embedding.vectors(space)
            query = Embedding.vectors(space, state["moved"])[state["picked"]]
            if metric == "cosine":
                near = torch.cosine_similarity(query[None], pictures)
            else:
                near = (pictures - query).norm(dim=1)
            for found in (got["found"], demo.nearest(), names["found"].tolist()):
                assert len(set(found) - {state["picked"]}) == state["k"]
                torch.testing.assert_close(near[found], near[got["found"]])  # equally near ones may change


def test_bytes_and_places_are_those_of_the_pictures():
    images, digits = unseen(20)
    assert digits.tolist() == [i // 20 for i in range(200)]
    assert torch.equal(Embedding.vectors("pixels").float(), images.flatten(1))
    moved = F.pad(images, (1, 0, 0, 0))[..., :8]
    assert torch.equal(Embedding.vectors("pixels", moved=True).float(), moved.flatten(1))
    for picture, shift in ((images, False), (moved, True)):
        exact, _ = extract_features(pretrained(), [(picture, digits)])
        step = Embedding().maps["features"]["step"]
        torch.testing.assert_close(
            Embedding.vectors("features", shift), exact.double(), atol=0.51 * step, rtol=0
        )


@pytest.mark.parametrize("space", SPACES)
def test_places_are_the_two_directions_of_greatest_variance(space):
    demo = Embedding(space=space)
    x = demo.vectors(space) - demo.vectors(space).mean(dim=0)
    variances = torch.linalg.eigvalsh(x.T @ x).flip(0)
    places = torch.tensor(demo.maps[space]["places"][0], dtype=torch.float64)
    one, two = places.square().sum(0)
    torch.testing.assert_close(one / two, variances[0] / variances[1], rtol=0.01, atol=0)
    assert abs(places[:, 0] @ places[:, 1]) < 0.01 * two
    unit = (one / variances[0]).sqrt()  # a plot keeps or shortens distances, never lengthens them
    assert (torch.cdist(places, places) / unit <= torch.cdist(x, x) + 0.01 * variances[0].sqrt()).all()
    assert demo.maps[space]["explained"] == pytest.approx((variances[:2].sum() / variances.sum()).item())


def test_rounding_to_bytes_changes_the_answers_little():
    images, digits = unseen(20)
    exact, _ = extract_features(pretrained(), [(images, digits)])

    def precision(vectors):
        unit = F.normalize(vectors)
        near = (unit @ unit.T).fill_diagonal_(-torch.inf).topk(5).indices
        return (digits[near] == digits[:, None]).double().mean().item()

    assert abs(precision(exact) - precision(Embedding.vectors("features"))) < 0.01


@pytest.mark.parametrize("state", [{"space": "scores"}, {"k": 11}, {"picked": 200}, {"metric": "angle"}])
def test_a_state_it_cannot_show_is_refused(state):
    with pytest.raises(traitlets.TraitError):
        Embedding(**state)
