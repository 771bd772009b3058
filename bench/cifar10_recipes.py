"""Calibrate the marks for a recipe in the assignment ``cifar10``: ``python -m bench.cifar10_recipes``.

Networks and recipes of the answer bank are trained, as a grader trains a student's, on the pictures that the
notebook draws, with 20 seeds each. Stored are their accuracies. Six minutes on one core; with numbers (from
0) after the command, only these answers are measured anew.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
import torch

from autograders.banks import cifar10
from cnnbook import results

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "bench" / "results"
NAME = "cifar10-recipes"
SEEDS = 20
ANSWERS = {
    "lecture's network and recipe": cifar10.LEARNING.wrong["the lecture's network and recipe"],
    "no convolution": cifar10.LEARNING.wrong["no convolution"],
    "convolutions and batch normalisation": cifar10.answer(),
    **cifar10.RECIPES_RIGHT,
}


def given() -> dict[str, Any]:
    """Return what the notebook's given cells bind."""
    notebook = nbformat.read(ROOT / "source" / "cifar10" / "cifar10.ipynb", 4)
    namespace: dict[str, Any] = {}
    for cell in notebook.cells:
        if cell.id in ("tools", "try"):
            exec(cell.source, namespace)
    return namespace


def accuracy(answer: str, seed: int) -> float:
    """Train an answer's network with its recipe on the budget; its accuracy on 1000 new pictures."""
    names = given()
    exec(answer, names)
    torch.manual_seed(seed)
    net = names["Net"]()
    images = min(16_000, 20_000_000_000 // names["count_macs"](net))
    names["fit"](net, *names["make_patterns"](5000, seed=1000 + seed), images)
    pictures, labels = names["make_patterns"](1000, seed=2000 + seed)
    with torch.no_grad():
        answers = torch.cat([net.eval()(part).argmax(1) for part in names["to_input"](pictures).split(250)])
    return (answers == labels).float().mean().item()


def main() -> None:
    """Measure the answers that are named by number, or all; keep what is stored of the others."""
    torch.set_num_threads(1)
    path = FOLDER / f"{NAME}.json"
    data = results.load(NAME, FOLDER).data if path.exists() else {}
    for number in map(int, sys.argv[1:] or range(len(ANSWERS))):
        name, answer = list(ANSWERS.items())[number]
        data[name] = sorted(round(accuracy(answer, seed), 3) for seed in range(SEEDS))
        print(f"{name}: {data[name][0]:.3f} to {data[name][-1]:.3f}", flush=True)
        results.save(NAME, data, command=f"python -m bench.{Path(__file__).stem}", folder=FOLDER)


if __name__ == "__main__":
    main()
