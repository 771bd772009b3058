"""Measure what transfer learning gives and where it hurts: ``python -m bench.transfer --root data``.

A small convolutional network learns six classes of CIFAR-10. Four classes that it never saw are then
learned from 10, 50, 250 and 1000 pictures a class: from scratch, and from the pre-trained weights with the
first 0 to 4 stages frozen. Every run gets the same number of updates. Learning rates are chosen first, on
pictures that are neither trained nor tested on. Where transfer hurts is measured with a source that looks
different: scikit-learn's written digits.

Every finished cell is kept in ``_build/transfer``; a stopped run goes on from there. The pages
``chapters/transfer/why.md`` and ``forms.md`` and the demo ``freeze_boundary`` show the result. Networks
are trained on one thread, where the same seed gives the same accuracy; updates are timed on all cores. About
half an hour on a core that knows bfloat16.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnbook import results
from cnnbook.counting import count_parameters
from cnnbook.data import CLASSES, as_tensors, cifar10, digits
from cnnbook.transfer import freeze, parameter_groups, replace_head

KNOWN = ("airplane", "bird", "deer", "frog", "horse", "truck")  # pre-training sees these
HELD_OUT = ("automobile", "cat", "dog", "ship")  # and these are to be learned
WIDTHS = (16, 32, 64, 128)
EXAMPLES = (10, 50, 250, 1000)  # pictures a class
POOL = 4000  # training pictures of each held-out class to draw from; the other 1000 choose learning rates
SEEDS, RATE_SEEDS = 3, 2

BATCH, UPDATES = 64, 200
PRETRAINING = {"classes": 1500, "digits": 300}  # updates
PRETRAINING_BATCH, PRETRAINING_RATE = 128, 0.1
MOMENTUM, DECAY, WARM_UP = 0.9, 5e-4, 0.15

CURVE = (0, 10, 20, 40, 80, 140, 200)  # updates after which the accuracy is taken
CURVE_EXAMPLES = (50, 1000)
LONGER = 1000  # updates: what patience gives, with and without transfer
RATES = {
    "scratch": (0.03, 0.1, 0.3),
    "head": (0.03, 0.1, 0.3),
    "backbone": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
}
RATE_EXAMPLES = (50, 1000)
WORK = Path("_build/transfer")

Pictures = tuple[Tensor, Tensor]  # uint8 (N, 3, 32, 32) and labels int64 (N,)


class Net(nn.Module):
    """Four stages, each a 3 × 3 convolution, max pooling, batch norm and ReLU; then the mean and a head."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        for i, (before, width) in enumerate(zip((3, *WIDTHS), WIDTHS, strict=False), start=1):
            convolution = nn.Conv2d(before, width, 3, padding=1, bias=False)
            stage = nn.Sequential(convolution, nn.MaxPool2d(2), nn.BatchNorm2d(width), nn.ReLU())
            self.add_module(f"stage{i}", stage)
        self.fc = nn.Linear(WIDTHS[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to scores (N, classes)."""
        for i in range(1, len(WIDTHS) + 1):
            x = self.get_submodule(f"stage{i}")(x)
        return self.fc(x.mean(dim=(2, 3)))


# --- pictures ----------------------------------------------------------------------------------------------


def of_classes(pictures: Pictures, names: tuple[str, ...]) -> Pictures:
    """Keep the pictures of these classes; their labels count from 0 in the order of `names`."""
    x, y = pictures
    found = [(y == CLASSES.index(name)).nonzero().flatten() for name in names]
    labels = torch.repeat_interleave(torch.arange(len(names)), torch.tensor([len(f) for f in found]))
    return x[torch.cat(found)], labels


def draw(pictures: Pictures, examples: int, seed: int) -> Pictures:
    """Draw `examples` pictures of each class from the first `POOL`; a larger draw holds the smaller one."""
    x, y = pictures
    chance = torch.Generator().manual_seed(seed)
    chosen = torch.cat(
        [
            (y == label).nonzero().flatten()[torch.randperm(POOL, generator=chance)[:examples]]
            for label in y.unique()
        ]
    )
    return x[chosen], y[chosen]


def validation(pictures: Pictures) -> Pictures:
    """Return the pictures of each class behind the first `POOL`."""
    x, y = pictures
    chosen = torch.cat([(y == label).nonzero().flatten()[POOL:] for label in y.unique()])
    return x[chosen], y[chosen]


def prepare(x: Tensor) -> Tensor:
    """Map bytes to values around 0, channels last in memory, where convolutions are fastest."""
    return ((x.float() / 255 - 0.5) / 0.25).contiguous(memory_format=torch.channels_last)


def augment(x: Tensor) -> Tensor:
    """Mirror half of the pictures and shift the batch by up to 2 pixels, (N, 3, 32, 32) to the same."""
    mirrored = torch.rand(len(x)) < 0.5
    x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    top, left = torch.randint(5, (2,)).tolist()
    return F.pad(x, (2, 2, 2, 2), mode="reflect")[:, :, top : top + 32, left : left + 32]


@dataclass(frozen=True)
class Data:
    """All pictures of the experiment."""

    sources: dict[str, Pictures]
    pool: Pictures
    test: Pictures
    known_test: Pictures

    @classmethod
    def load(cls, root: str) -> Data:
        """Read CIFAR-10 from `root` and scikit-learn's digits, scaled to 32 × 32 and given three channels."""
        train, test = (as_tensors(cifar10(root, train=part)) for part in (True, False))
        known = of_classes(train, KNOWN)
        small, labels = digits()
        large = F.interpolate(small, size=32, mode="bilinear", align_corners=False).expand(-1, 3, -1, -1)
        written = (large * 255).round().to(torch.uint8), labels
        return cls(
            sources={"classes": known, "digits": written},
            pool=of_classes(train, HELD_OUT),
            test=of_classes(test, HELD_OUT),
            known_test=of_classes(test, KNOWN),
        )


# --- training ----------------------------------------------------------------------------------------------


def batches(pictures: Pictures, size: int, updates: int) -> Iterator[Pictures]:
    """Give `updates` batches, going through the shuffled pictures again and again."""
    x, y = pictures
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(updates):
        while len(order) < min(size, len(x)):
            order = torch.cat([order, torch.randperm(len(x))])
        now, order = order[: min(size, len(x))], order[min(size, len(x)) :]
        yield augment(prepare(x[now])), y[now]


def schedule(step: int, updates: int) -> float:
    """Return the share of the learning rate: up in a straight line, then down to 0."""
    done = (step + 1) / updates
    return min(done / WARM_UP, (1 - done) / (1 - WARM_UP) + 1e-3)


def train(
    net: nn.Module,
    pictures: Pictures,
    groups: list[dict[str, Any]],
    *,
    updates: int = UPDATES,
    batch: int = BATCH,
    after: Callable[[int], None] = lambda _: None,
) -> nn.Module:
    """Train by SGD with Nesterov momentum in bfloat16; ``after(done)`` is called at 0 and after each."""
    net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(groups, momentum=MOMENTUM, weight_decay=DECAY, nesterov=True)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: schedule(step, updates))
    after(0)
    for done, (x, y) in enumerate(batches(pictures, batch, updates), start=1):
        net.train()
        with torch.autocast("cpu", torch.bfloat16):
            scores = net(x)
        optimizer.zero_grad()
        F.cross_entropy(scores.float(), y).backward()
        optimizer.step()
        scheduler.step()
        after(done)
    return net


@torch.no_grad()
def accuracy(net: nn.Module, pictures: Pictures) -> float:
    """Return the share of the pictures that `net` gets right."""
    net.eval()
    with torch.autocast("cpu", torch.bfloat16):
        right = sum(
            (net(prepare(x)).argmax(dim=1) == y).sum().item()
            for x, y in zip(*(part.split(500) for part in pictures), strict=True)
        )
    return round(right / len(pictures[1]), 5)


# --- the experiment ----------------------------------------------------------------------------------------


class Store:
    """Finished cells, on the disk after each: a stopped run goes on where it was."""

    def __init__(self, folder: Path, minutes: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.file = folder, folder / "cells.json"
        self.cells: dict[str, Any] = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.end = time.monotonic() + 60 * minutes

    def get(self, key: str, measure: Callable[[], Any]) -> Any:
        """Return the cell `key`, measured now if it is not there."""
        if key not in self.cells:
            if time.monotonic() > self.end:
                raise TimeoutError
            start = time.monotonic()
            self.cells[key] = measure()
            draft = self.file.with_suffix(".tmp")
            draft.write_text(json.dumps(self.cells))
            draft.replace(self.file)
            print(f"{key}: {self.cells[key]} ({time.monotonic() - start:.1f} s)", flush=True)
        return self.cells[key]


class Experiment:
    """All runs, each kept in a store under a name that says what it is."""

    def __init__(self, data: Data, store: Store) -> None:
        self.data, self.store = data, store
        self.pretrained = cache(self._pretrained)

    def pretraining(self, source: str, seed: int) -> float:
        """Pre-train on `source`, keep the weights, and return the accuracy there."""

        def measure() -> float:
            torch.manual_seed(seed)
            x, y = self.data.sources[source]
            net = Net(len(y.unique()))
            groups = [{"params": net.parameters(), "lr": PRETRAINING_RATE}]
            train(net, (x, y), groups, updates=PRETRAINING[source], batch=PRETRAINING_BATCH)
            torch.save(net.state_dict(), self.store.folder / f"{source}-{seed}.pt")
            seen = self.data.known_test if source == "classes" else (x[:5000], y[:5000])
            return accuracy(net, seen)

        return self.store.get(f"pretraining {source} {seed}", measure)

    def _pretrained(self, source: str, seed: int) -> dict[str, Tensor]:
        self.pretraining(source, seed)
        return torch.load(self.store.folder / f"{source}-{seed}.pt")

    def start(self, source: str, frozen: int, seed: int) -> nn.Module:
        """Return a network for the held-out classes: fresh, or pre-trained with `frozen` stages frozen."""
        if source == "scratch":
            torch.manual_seed(seed)
            return Net(len(HELD_OUT))
        weights = self.pretrained(source, seed)
        torch.manual_seed(seed)
        net = Net(len(weights["fc.bias"]))
        net.load_state_dict(weights)
        replace_head(net, len(HELD_OUT))
        return freeze(net, f"stage{frozen + 1}" if frozen < len(WIDTHS) else "fc")

    def run(
        self,
        source: str,
        frozen: int,
        examples: int,
        seed: int,
        rates: dict[str, float],
        judge: Pictures,
        at: tuple[int, ...] = (UPDATES,),
        updates: int = UPDATES,
    ) -> list[float]:
        """Train on the held-out classes and return the accuracy on `judge` after each of `at` updates."""
        net = self.start(source, frozen, seed)
        if source == "scratch":
            groups = [{"params": net.parameters(), "lr": rates["scratch"]}]
        else:
            groups = parameter_groups(net, head_lr=rates["head"], backbone_lr=rates["backbone"])
        found = []

        def after(update: int) -> None:
            if update in at:
                found.append(accuracy(net, judge))

        train(net, draw(self.data.pool, examples, seed), groups, updates=updates, after=after)
        return found

    def rates(self) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """Choose each learning rate on pictures kept aside; return those chosen and every try."""
        chosen: dict[str, float] = {"backbone": RATES["backbone"][0]}  # not used while only the head learns
        tried = []
        ways = {"scratch": ("scratch", 0), "head": ("classes", len(WIDTHS)), "backbone": ("classes", 0)}
        judge = validation(self.data.pool)
        for kind, way in ways.items():
            for rate, examples in product(RATES[kind], RATE_EXAMPLES):
                with_rate = chosen | {kind: rate}
                accuracies = [
                    self.store.get(
                        f"rate {kind} {rate} {examples} {seed}",
                        lambda e=examples, s=seed, r=with_rate, w=way: self.run(*w, e, s, r, judge),
                    )[0]
                    for seed in range(RATE_SEEDS)
                ]
                tried.append({"kind": kind, "rate": rate, "examples": examples, "accuracies": accuracies})
            chosen[kind] = max(
                RATES[kind],
                key=lambda rate, kind=kind: sum(
                    sum(t["accuracies"]) for t in tried if (t["kind"], t["rate"]) == (kind, rate)
                ),
            )
        return chosen, tried

    def cells(self, rates: dict[str, float]) -> Iterator[dict[str, Any]]:
        """Measure every way at every amount of data, on the test pictures."""
        boundaries = range(len(WIDTHS) + 1)
        ways = [("scratch", 0), *product(PRETRAINING, boundaries)]
        for (source, frozen), examples in product(ways, EXAMPLES):
            drawn = source in ("scratch", "classes") and frozen in (0, len(WIDTHS))
            at = CURVE if drawn and examples in CURVE_EXAMPLES else (UPDATES,)
            curves = [
                self.store.get(
                    f"{source} {frozen} {examples} {seed}",
                    lambda s=seed, e=examples, w=(source, frozen), a=at: self.run(
                        *w, e, s, rates, self.data.test, a
                    ),
                )
                for seed in range(SEEDS)
            ]
            cell: dict[str, Any] = {"source": source, "frozen": frozen, "examples": examples}
            cell["accuracies"] = [curve[-1] for curve in curves]
            if len(at) > 1:
                cell["curve"] = [round(statistics.mean(values), 5) for values in zip(*curves, strict=True)]
            yield cell

    def longer(self, rates: dict[str, float]) -> Iterator[dict[str, Any]]:
        """Measure learning from scratch and fine-tuning with more updates."""
        for source, examples in product(("scratch", "classes"), CURVE_EXAMPLES):
            accuracies = [
                self.store.get(
                    f"longer {source} {examples} {seed}",
                    lambda s=seed, e=examples, w=source: self.run(
                        w, 0, e, s, rates, self.data.test, (LONGER,), LONGER
                    ),
                )[0]
                for seed in range(SEEDS)
            ]
            yield {"source": source, "examples": examples, "updates": LONGER, "accuracies": accuracies}

    def seconds(self, frozen: int, batch: int = BATCH) -> float:
        """Return the median time of an update with `frozen` stages frozen, in seconds."""

        def measure() -> float:
            net, times = self.start("classes", frozen, 0), [time.monotonic()]
            groups = parameter_groups(net, head_lr=0.01, backbone_lr=0.01)
            torch.set_num_threads(os.cpu_count() or 1)
            train(net, self.data.pool, groups, batch=batch, after=lambda _: times.append(time.monotonic()))
            torch.set_num_threads(1)
            return round(statistics.median(b - a for a, b in pairwise(times)), 5)

        return self.store.get(f"seconds {frozen} {batch}", measure)

    def everything(self) -> dict[str, Any]:
        """Run what is not there yet and return all of it."""
        pretraining = {
            source: [self.pretraining(source, seed) for seed in range(SEEDS)] for source in PRETRAINING
        }
        stages = []
        for frozen in range(len(WIDTHS) + 1):
            net = self.start("classes", frozen, 0)
            learning = sum(p.numel() for p in net.parameters() if p.requires_grad)
            stages.append({"frozen": frozen, "learning": learning, "seconds": self.seconds(frozen)})
        rates, tried = self.rates()
        return {
            "known": list(KNOWN),
            "held_out": list(HELD_OUT),
            "widths": list(WIDTHS),
            "parameters": count_parameters(Net(len(HELD_OUT))),
            "batch": BATCH,
            "updates": UPDATES,
            "test": len(self.data.test[1]),
            "pretraining_pictures": {source: len(y) for source, (_, y) in self.data.sources.items()},
            "pretraining_updates": PRETRAINING,
            "pretraining_batch": PRETRAINING_BATCH,
            "pretraining": pretraining,
            "pretraining_seconds": round(PRETRAINING["classes"] * self.seconds(0, PRETRAINING_BATCH), 1),
            "stages": stages,
            "rates": rates,
            "tried": tried,
            "curve_at": list(CURVE),
            "cells": list(self.cells(rates)),
            "longer": list(self.longer(rates)),
        }


def main(argv: list[str] | None = None) -> None:
    """Command line of ``python -m bench.transfer``."""
    parser = argparse.ArgumentParser(prog="python -m bench.transfer", description=__doc__.splitlines()[0])
    parser.add_argument("--root", default="data", help="where CIFAR-10 is, or is to be downloaded to")
    parser.add_argument("--minutes", type=float, default=60, help="stop after so long; run again to go on")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)  # sums in another order would give slightly other accuracies
    try:
        data = Experiment(Data.load(arguments.root), Store(WORK, arguments.minutes)).everything()
    except TimeoutError:
        print("time is up: run the command again to go on")
        return
    command = "python -m bench.transfer --root data"
    print(results.save("transfer-cifar10", data, command=command, packages=("torch", "scikit-learn")))


if __name__ == "__main__":
    main()
