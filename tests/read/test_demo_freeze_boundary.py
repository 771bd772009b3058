"""FreezeBoundary counts what real frozen networks let learn, and judges runs as Python's statistics do."""

from __future__ import annotations

import random
import statistics
from collections import OrderedDict
from itertools import pairwise

import pytest
import torch
import traitlets
from torch import nn

from bench import transfer
from cnnbook import results
from cnnbook.demos import FreezeBoundary
from cnnbook.transfer import freeze
from tests.demo_harness import in_node

CASES = 2000
STAGES = 4


def network(widths: list[int], classes: int, device: str = "meta") -> nn.Sequential:
    """The stored runs' kind of network: stages of convolution, pooling, batch norm and ReLU; a head."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (before, width) in enumerate(pairwise([3, *widths]), start=1):
        layers[f"stage{i}"] = nn.Sequential(
            nn.Conv2d(before, width, 3, padding=1, bias=False, device=device),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(width, device=device),
            nn.ReLU(),
        )
    layers["flatten"] = nn.Flatten()
    layers["fc"] = nn.Linear(widths[-1], classes, device=device)
    return nn.Sequential(layers)


def learning(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def until(frozen: int, stages: int = STAGES) -> str:
    return f"stage{frozen + 1}" if frozen < stages else "fc"


@pytest.fixture(scope="module")
def stored() -> dict:
    return results.load("transfer-cifar10").data


def test_what_learns_is_what_requires_a_gradient():
    r = random.Random(0)
    cases = []
    for _ in range(CASES):
        widths = [r.randint(1, 200) for _ in range(r.randint(1, 5))]
        cases.append([widths, r.randint(2, 20), r.randint(0, len(widths))])
    told = in_node(FreezeBoundary, "(m, [w, k, f]) => m.learning(m.weightsOf(w, k), f)", cases)
    for (widths, classes, frozen), got in zip(cases, told, strict=True):
        assert got == learning(freeze(network(widths, classes), until(frozen, len(widths))))


def test_mean_deviation_and_verdict_are_those_of_statistics():
    r = random.Random(1)
    draws = [[[r.uniform(0, 1) for _ in range(r.randint(2, 6))] for _ in range(2)] for _ in range(CASES)]
    call = "(m, [a, b]) => [m.mean(a), m.deviation(a), m.verdict(a, b)]"
    seen = set()
    for (a, b), (mean, deviation, said) in zip(draws, in_node(FreezeBoundary, call, draws), strict=True):
        assert mean == pytest.approx(statistics.mean(a))
        assert deviation == pytest.approx(statistics.stdev(a))
        gap, room = statistics.mean(a) - statistics.mean(b), statistics.stdev(a) + statistics.stdev(b)
        assert said == ("same" if abs(gap) <= room else "more" if gap > 0 else "less")
        seen.add(said)
    assert seen == {"more", "less", "same"}


@pytest.mark.parametrize("frozen", range(STAGES + 1))
def test_the_shown_lines_freeze_what_they_say(frozen, stored):
    (text,) = in_node(FreezeBoundary, "(m, f) => m.freezeLines(f, 0)", [frozen])
    net = network(stored["widths"], len(stored["held_out"]), "cpu")
    names: dict = {"net": net}
    exec(text, names)
    twin = freeze(network(stored["widths"], len(stored["held_out"])), until(frozen))
    assert names["learning"] == learning(twin)
    held = [name for name, m in net.named_modules() if isinstance(m, nn.BatchNorm2d) and not m.training]
    assert held == [f"stage{i + 1}.2" for i in range(frozen)]


def test_stored_counts_are_those_of_the_page(stored):
    shape = [stored["widths"], len(stored["held_out"])]
    for stage in stored["stages"]:
        (count,) = in_node(
            FreezeBoundary, "(m, [w, k, f]) => m.learning(m.weightsOf(w, k), f)", [[*shape, stage["frozen"]]]
        )
        assert count == stage["learning"]


def test_every_state_a_reader_can_choose_has_runs_of_several_seeds(stored):
    demo = FreezeBoundary()
    chosen = [[s, f, n] for s in ("classes", "digits") for f in range(STAGES + 1) for n in transfer.EXAMPLES]
    chosen += [["scratch", 0, n] for n in transfer.EXAMPLES]
    told = in_node(FreezeBoundary, "(m, [c, w]) => m.runs(c, ...w)", [[demo.cells, way] for way in chosen])
    for (source, frozen, examples), runs in zip(chosen, told, strict=True):
        assert len(runs) >= 3
        assert all(0 < accuracy < 1 for accuracy in runs)
        assert demo.mean(source, frozen, examples) == pytest.approx(100 * statistics.mean(runs))


def test_no_picture_trains_that_also_chooses_learning_rates_and_draws_are_nested():
    labels = torch.arange(4).repeat_interleave(5000)
    pictures = torch.arange(20_000)  # each stands for itself
    aside = set(transfer.validation((pictures, labels))[0].tolist())
    assert len(aside) == 4000
    for seed in range(transfer.SEEDS):
        smaller: set[int] = set()
        for examples in transfer.EXAMPLES:
            drawn, classes = transfer.draw((pictures, labels), examples, seed)
            assert classes.bincount().tolist() == [examples] * 4
            assert torch.equal(classes, labels[drawn])
            assert smaller < set(drawn.tolist()) and not aside & set(drawn.tolist())
            smaller = set(drawn.tolist())


def test_pre_training_and_transfer_share_no_class():
    labels = torch.arange(10).repeat(3)
    known, new = (
        transfer.of_classes((labels, labels), names) for names in (transfer.KNOWN, transfer.HELD_OUT)
    )
    assert not set(known[0].tolist()) & set(new[0].tolist())
    for (chosen, classes), names in ((known, transfer.KNOWN), (new, transfer.HELD_OUT)):
        assert [names[c] for c in classes] == [transfer.CLASSES[label] for label in chosen]


def test_a_run_of_the_experiment_learns_and_leaves_the_frozen_stages_alone():
    torch.manual_seed(0)
    net = freeze(transfer.Net(2), "stage3")
    before = {name: value.clone() for name, value in net.state_dict().items()}
    labels = torch.arange(40) % 2
    pictures = (labels * 200).to(torch.uint8)[:, None, None, None].expand(-1, 3, 32, 32).contiguous()
    groups = [{"params": [p for p in net.parameters() if p.requires_grad], "lr": 0.05}]
    transfer.train(net, (pictures, labels), groups, updates=10, batch=20)
    moved = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert {name.split(".")[0] for name in moved} == {"stage3", "stage4", "fc"}


@pytest.mark.parametrize(
    ("state", "message"),
    [({"frozen": 5}, "frozen"), ({"examples": 20}, "examples"), ({"source": "mars"}, "source")],
)
def test_a_state_it_cannot_show_is_refused_in_words(state, message):
    with pytest.raises(traitlets.TraitError, match=message):
        FreezeBoundary(**state)
