"""The lecture's recipe and ours on CIFAR-10, side by side: ``python -m bench.cifar10 run --root data``.

``run`` trains both networks on two threads (the lecture's on one, where that is faster), all pictures in
memory; no clock runs during evaluation. ``ablation`` goes from the lecture's network to ours, one change at a
time, each with the same number of pictures; finished cells are kept in ``_build/cifar10`` and a stopped run
goes on. ``gpu`` times our recipe, with wider groups, on a CUDA device. ``sheet`` puts the pictures that the
demo shows on one sheet.

The pages of ``chapters/cifar10`` and the demo ``CifarPictures`` show the results.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR

from cnnbook import results
from cnnbook.counting import count_macs, count_parameters
from cnnbook.data import CLASSES, as_tensors, cifar10
from cnnbook.demos.cifar_pictures.cifar_pictures import EACH, SHEET, STORED_EACH
from cnnbook.recipes import Batches, FastNet, Net, mixed_precision, normalize, train_fast
from cnnbook.training import accuracy_by_class, confusion_matrix, predict, seed_everything, train_one_epoch

WORK = Path("_build/cifar10")
INPUT = (1, 3, 32, 32)

LECTURE_EPOCHS, LECTURE_BATCH = 10, 4
OUR_EPOCHS = 6.2
LOOKS = (*range(4, 16), *range(20, 60, 10), *range(60, 600, 20))  # seconds at which our curve is taken
# Four times our batch; the rate grows with its root, by rule of thumb: nobody has tuned it.
GPU = {"widths": (64, 256, 256), "epochs": 10.0, "batch": 1000, "lr": 0.14}


@dataclass
class Data:
    """Pictures as bytes, (N, 3, 32, 32), and labels, (N,)."""

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    @classmethod
    def load(cls, root: str) -> Data:
        """Read CIFAR-10 from `root`, or download it to there."""
        return cls(*as_tensors(cifar10(root)), *as_tensors(cifar10(root, train=False)))


def halves(images: Tensor) -> Tensor:
    """Map bytes to values from -1 to 1, as in the lecture."""
    return images.float() / 127.5 - 1


@dataclass
class Clock:
    """Seconds of training; evaluation stops it."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0  # of all threads; with one thread and a quiet machine, the same
    since: tuple[float, float] = field(default_factory=lambda: (time.perf_counter(), time.process_time()))

    def stop(self) -> float:
        """Stop, and return the seconds so far."""
        self.seconds += time.perf_counter() - self.since[0]
        self.cpu_seconds += time.process_time() - self.since[1]
        return self.seconds

    def start(self) -> None:
        """Go on."""
        self.since = (time.perf_counter(), time.process_time())


# --- evaluation --------------------------------------------------------------------------------------------


class Answers(nn.Module):
    """A network as it answers: in the format it was trained in, and perhaps for the mirror image too."""

    def __init__(self, model: nn.Module, flips: bool = False, size: int = 32) -> None:
        super().__init__()
        self.model, self.flips, self.size = model, flips, size

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to scores (N, 10)."""
        if self.size != 32:
            x = F.interpolate(x, size=self.size, mode="bilinear", antialias=True)
        dtype = mixed_precision(x.device)
        with torch.autocast(x.device.type, dtype, enabled=dtype != torch.float32):
            scores = self.model(x).float()
            return scores + self.model(x.flip(3)).float() if self.flips else scores


def scores_of(model: nn.Module, data: Data, prepare: Callable[[Tensor], Tensor]) -> Tensor:
    """Return scores (N, 10) for all test pictures."""
    place = next(model.parameters()).device
    batches = Batches(
        data.test_images.to(place), data.test_labels.to(place), 1000, shuffle=False, prepare=prepare
    )
    return predict(model, batches)[0]


def accuracy(scores: Tensor, labels: Tensor) -> float:
    """Return the share of right answers."""
    return round((scores.argmax(1) == labels.cpu()).float().mean().item(), 4)


def portrait(scores: Tensor, labels: Tensor) -> dict[str, Any]:
    """Say how good the answers are, overall and by class."""
    predicted = scores.argmax(1)
    return {
        "accuracy": accuracy(scores, labels),
        "by_class": [round(a, 4) for a in accuracy_by_class(labels, predicted).tolist()],
        "confusion": confusion_matrix(labels, predicted).tolist(),
    }


def shown(labels: Tensor) -> Tensor:
    """Return the places of the first pictures of each class in the test set, class by class."""
    return torch.cat([(labels == c).nonzero().flatten()[:STORED_EACH] for c in range(len(CLASSES))])


def answers_for_pictures(scores: Tensor, labels: Tensor) -> dict[str, list]:
    """Return what a network says of the shown pictures, how sure it is, and what it gives the right class."""
    chosen = shown(labels)
    probabilities = scores[chosen].softmax(1)
    confidence, said = probabilities.max(1)
    truth = probabilities.gather(1, labels[chosen, None]).flatten()
    return {
        "said": said.tolist(),
        "confidence": [round(p, 3) for p in confidence.tolist()],
        "truth": [round(p, 3) for p in truth.tolist()],
    }


# --- side by side ------------------------------------------------------------------------------------------


def lecture(data: Data, epochs: int) -> tuple[dict[str, Any], Tensor]:
    """Train the lecture's network as the lecture does; return what was measured and the test scores."""
    speeds = {threads: _steps_per_second(data, threads) for threads in (1, 2)}
    threads = max(speeds, key=speeds.get)
    print(f"lecture: steps a second by threads {speeds}", flush=True)
    torch.set_num_threads(threads)
    seed_everything(0)
    model = Net()
    optimizer = SGD(model.parameters(), lr=0.001, momentum=0.9)
    batches = Batches(halves(data.images), data.labels, LECTURE_BATCH, prepare=lambda x: x)
    curve, losses, clock = [], [], Clock()
    for epoch in range(epochs):
        losses.append(round(train_one_epoch(model, batches, optimizer), 4))
        seconds = clock.stop()
        scores = scores_of(model, data, halves)
        curve.append([round(seconds, 1), accuracy(scores, data.test_labels)])
        print(f"lecture: epoch {epoch + 1}, {curve[-1]}", flush=True)
        clock.start()
    torch.set_num_threads(2)
    return {
        "threads": threads,
        "steps_per_second": {str(t): round(s) for t, s in speeds.items()},
        "epochs": epochs,
        "batch": LECTURE_BATCH,
        "parameters": count_parameters(model),
        "macs": count_macs(model, INPUT),
        "seconds": curve[-1][0],
        "cpu_seconds": round(clock.cpu_seconds, 1),
        "curve": curve,
        "train_loss": losses,
        **portrait(scores, data.test_labels),
    }, scores


def _steps_per_second(data: Data, threads: int, steps: int = 1000) -> float:
    torch.set_num_threads(threads)
    model = Net()
    few = Batches(halves(data.images[: 4 * steps]), data.labels[: 4 * steps], 4, prepare=lambda x: x)
    optimizer = SGD(model.parameters(), lr=0.001, momentum=0.9)
    train_one_epoch(model, few, optimizer)  # warms up
    start = time.perf_counter()
    train_one_epoch(model, few, optimizer)
    return steps / (time.perf_counter() - start)


def ours(data: Data, epochs: float) -> tuple[dict[str, Any], Tensor]:
    """Train our network; return what was measured and the test scores (each picture also mirrored)."""
    torch.set_num_threads(2)
    seed_everything(0)
    looks, curve = list(LOOKS), []
    clock = Clock()
    model = FastNet()

    def look(average: FastNet, step: int, steps: int, size: int) -> None:
        seconds = clock.stop()
        if seconds >= looks[0] and step < steps:
            while seconds >= looks[0]:
                looks.pop(0)
            scores = scores_of(Answers(average, size=size), data, normalize)
            curve.append([round(seconds, 1), accuracy(scores, data.test_labels)])
            print(f"ours: step {step} of {steps}, {size} pixels, {curve[-1]}", flush=True)
        clock.start()

    train_fast(model, data.images, data.labels, epochs, after_step=look)
    seconds = round(clock.stop(), 1)
    once = accuracy(scores_of(Answers(model), data, normalize), data.test_labels)
    curve.append([seconds, once])
    start = time.perf_counter()
    scores = scores_of(Answers(model, flips=True), data, normalize)
    both_ways = time.perf_counter() - start
    print(f"ours: {curve[-1]}, with flips {accuracy(scores, data.test_labels)}", flush=True)
    return {
        "threads": 2,
        "precision": str(mixed_precision(torch.device("cpu"))).removeprefix("torch."),
        "epochs": epochs,
        "parameters": count_parameters(model),
        "macs": count_macs(model, INPUT),
        "seconds": seconds,
        "cpu_seconds": round(clock.cpu_seconds, 1),
        "curve": curve,
        "accuracy_once": once,
        "test_seconds": round(both_ways, 1),
        **portrait(scores, data.test_labels),
    }, scores


def run(root: str, lecture_epochs: int, our_epochs: float) -> None:
    """Measure both and store what the pages show."""
    data = Data.load(root)
    theirs, their_scores = lecture(data, lecture_epochs)
    mine, our_scores = ours(data, our_epochs)
    command = "python -m bench.cifar10 run --root data"
    print(results.save("cifar10", {"lecture": theirs, "ours": mine}, command=command))
    chosen = shown(data.test_labels)
    pictures = {
        "index": chosen.tolist(),
        "label": data.test_labels[chosen].tolist(),
        "lecture": answers_for_pictures(their_scores, data.test_labels),
        "ours": answers_for_pictures(our_scores, data.test_labels),
    }
    print(results.save("cifar10-pictures", pictures, command=command))


def sheet(root: str) -> None:
    """Write the sheet of the demo: one row a class, pictures in the order of their stored answers.

    Raises
    ------
    ValueError
        If the test set lies in another order than when the answers were stored.
    """
    images, labels = as_tensors(cifar10(root, train=False))
    stored = results.load("cifar10-pictures").data
    if labels[stored["index"]].tolist() != stored["label"]:
        raise ValueError("the pictures of this copy lie in another order: use the copy that `run` was given")
    chosen = images[stored["index"]].view(len(CLASSES), STORED_EACH, 3, 32, 32)[:, :EACH]
    pixels = chosen.permute(0, 3, 1, 4, 2).reshape(32 * len(CLASSES), 32 * EACH, 3)
    Image.fromarray(pixels.numpy()).save(SHEET, quality=80, method=6)
    print(f"{SHEET}: {SHEET.stat().st_size:,} bytes")


# --- one change at a time ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recipe:
    """What the ablation varies. The first recipe is the lecture's."""

    batch: int = 4
    lr: float = 0.001
    prepare: Callable[[Tensor], Tensor] = halves
    network: str = "lecture"
    norm: bool = False
    schedule: bool = False
    augment: bool = False
    residual: bool = False
    smoothing: float = 0.0


CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("lecture", {}),
    ("batch", {"batch": 64, "lr": 0.016}),  # 16 times as many pictures, 16 times the rate
    ("normalisation", {"prepare": normalize}),
    ("width", {"network": "wide"}),
    ("batch norm", {"norm": True}),
    ("schedule", {"schedule": True, "lr": 0.1}),
    ("augmentation", {"augment": True}),
    ("residual", {"residual": True}),
    ("smoothing", {"smoothing": 0.1}),
)
ABLATION_EPOCHS = 2
WIDTHS = (32, 64, 128)


class Wide(nn.Module):
    """The layout of `FastNet` with everything optional and all weights learned from PyTorch's own start."""

    def __init__(self, norm: bool, residual: bool) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 48, 4, stride=2, padding=1)
        self.first, self.second = nn.ModuleList(), nn.ModuleList()
        for before, width in zip((48, *WIDTHS), WIDTHS, strict=False):
            self.first.append(self._layer(before, width, norm))
            self.second.append(self._layer(width, width, norm))
        self.head = nn.Linear(WIDTHS[-1], 10)
        self.residual = residual

    @staticmethod
    def _layer(inputs: int, outputs: int, norm: bool) -> nn.Module:
        layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=not norm)
        return nn.Sequential(layer, nn.BatchNorm2d(outputs) if norm else nn.Identity(), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to scores (N, 10)."""
        x = F.relu(self.stem(x))
        for i, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            x = first(x if i == 0 else F.max_pool2d(x, 2))
            x = x + second(x) if self.residual else second(x)
        return self.head(x.amax(dim=(2, 3)))


def train_recipe(recipe: Recipe, data: Data, seed: int) -> dict[str, float]:
    """Train by `recipe`; return accuracies, also with mirrored pictures, and seconds of the processor."""
    seed_everything(seed)
    start = time.process_time()
    model: nn.Module = Net() if recipe.network == "lecture" else Wide(recipe.norm, recipe.residual)
    model.to(memory_format=torch.channels_last)
    decay = 5e-4 if recipe.schedule else 0.0
    optimizer = SGD(
        model.parameters(), lr=recipe.lr, momentum=0.9, nesterov=recipe.schedule, weight_decay=decay
    )
    batches = Batches(
        data.images,
        data.labels,
        recipe.batch,
        flip=recipe.augment,
        shift=2 * recipe.augment,
        prepare=recipe.prepare,
    )
    steps = ABLATION_EPOCHS * len(batches)
    warm_up = steps // 5
    schedule = None
    if recipe.schedule:
        schedule = LambdaLR(optimizer, lambda s: min((s + 1) / warm_up, (steps - s) / (steps - warm_up)))
    loss = nn.CrossEntropyLoss(label_smoothing=recipe.smoothing)
    # The large networks multiply in bfloat16, as ours does; the lecture's gains nothing from it.
    answers = model if recipe.network == "lecture" else Answers(model)
    for _ in range(ABLATION_EPOCHS):
        train_one_epoch(answers, batches, optimizer, loss, schedule=schedule)
    seconds = time.process_time() - start
    return _measured(model, data, recipe.prepare, seconds)


def _measured(
    model: nn.Module, data: Data, prepare: Callable[[Tensor], Tensor], seconds: float
) -> dict[str, float]:
    once, both = (scores_of(Answers(model, flips), data, prepare) for flips in (False, True))
    return {
        "accuracy": accuracy(once, data.test_labels),
        "with_flips": accuracy(both, data.test_labels),
        "cpu_seconds": round(seconds, 1),
        "parameters": count_parameters(model),
        "macs": count_macs(model, INPUT),
    }


def train_ours(data: Data, seed: int) -> dict[str, float]:
    """Train our own recipe with the widths of the ablation, as long as the others."""
    seed_everything(seed)
    start = time.process_time()
    model = FastNet(WIDTHS)
    train_fast(model, data.images, data.labels, ABLATION_EPOCHS)
    return _measured(model, data, normalize, time.process_time() - start)


def ablation(root: str, seeds: int) -> None:
    """Measure every step of the way on one thread, and store what is finished."""
    torch.set_num_threads(1)
    data = Data.load(root)
    recipes, recipe = {}, Recipe()
    for name, change in CHANGES:
        recipe = replace(recipe, **change)
        recipes[name] = recipe
    cells: dict[str, list[dict[str, float]]] = {name: [] for name in (*recipes, "ours")}
    for seed in range(seeds):
        for name in cells:
            path = WORK / f"{name.replace(' ', '-')}-{seed}.json"
            if not path.exists():
                cell = train_ours(data, seed) if name == "ours" else train_recipe(recipes[name], data, seed)
                path.parent.mkdir(parents=True, exist_ok=True)
                draft = path.with_suffix(".tmp")
                draft.write_text(json.dumps(cell))
                os.replace(draft, path)
            cells[name].append(json.loads(path.read_text()))
            print(seed, name, cells[name][-1], flush=True)
    command = f"python -m bench.cifar10 ablation --seeds {seeds} --root data"
    stored = {"epochs": ABLATION_EPOCHS, "threads": 1, "seeds": seeds, "cells": cells}
    print(results.save("cifar10-ablation", stored, command=command))


# --- on a GPU ----------------------------------------------------------------------------------------------


def gpu(root: str) -> None:
    """Time our recipe with wider groups on a CUDA device; the first run, which warms up, does not count."""
    place = torch.device("cuda")
    data = Data.load(root)
    images, labels = data.images.to(place), data.labels.to(place)
    runs = []
    for seed in range(-1, 3):
        seed_everything(seed + 1)
        torch.cuda.synchronize()
        start = time.perf_counter()
        model = FastNet(GPU["widths"]).to(place)
        how = {"batch": GPU["batch"], "sizes": ((0.0, 32),), "lr": GPU["lr"]}
        train_fast(model, images, labels, GPU["epochs"], **how)
        torch.cuda.synchronize()
        seconds = round(time.perf_counter() - start, 2)
        scores = scores_of(Answers(model, flips=True), data, normalize)
        if seed >= 0:
            runs.append({"seconds": seconds, "accuracy": accuracy(scores, data.test_labels)})
            print(runs[-1], flush=True)
    print(results.save("cifar10-gpu", {"runs": runs}, command="python -m bench.cifar10 gpu --root data"))


def main(argv: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("what", choices=("run", "sheet", "ablation", "gpu"))
    parser.add_argument("--root", default="data", help="where CIFAR-10 lies or is downloaded to")
    parser.add_argument("--lecture-epochs", type=int, default=LECTURE_EPOCHS)
    parser.add_argument("--our-epochs", type=float, default=OUR_EPOCHS)
    parser.add_argument("--seeds", type=int, default=1, help="of the ablation")
    options = parser.parse_args(argv)
    if options.what == "run":
        run(options.root, options.lecture_epochs, options.our_epochs)
    elif options.what == "sheet":
        sheet(options.root)
    elif options.what == "ablation":
        ablation(options.root, options.seeds)
    else:
        gpu(options.root)


if __name__ == "__main__":
    main()
