"""Calibrate the margin of fine-tuning in the assignment ``transfer``: ``python -m bench.transfer_recipes``.

The instructor's answer, the bank's right answers and two mistakes are trained and compared with learning from
scratch as a grader does it, on the mean of three draws, with 20 seeds: each has a pre-trained network and
draws of its own. Stored are the leads over learning from scratch. Three minutes on one core; with numbers
(from 0) after the command, only these seeds are measured.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import torch

from autograders.banks.transfer import LEARN, TUNE_RIGHT
from cnnbook import results

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "bench" / "results"
NOTEBOOK = ROOT / "source" / "transfer" / "transfer.ipynb"
NAME = "transfer-recipes"
SEEDS = 20
ANSWERS = {
    **TUNE_RIGHT,
    "from scratch": LEARN.wrong["from scratch"],
    "large rate for all layers": LEARN.wrong["large rate for all layers"],
}


def names(cells: Mapping[str, str], seed: int) -> dict[str, Any]:
    """Return what the given cells and the test of the notebook bind, with a pre-trained network of a seed."""
    namespace: dict[str, Any] = {}
    exec(cells["tools"], namespace)
    exec(cells["data"], namespace)
    namespace["pretrained"] = lambda: namespace["pretrain"](seed)
    exec(cells["test-tune-learn"].split("\nresults = ")[0], namespace)
    return namespace


def leads(seed: int) -> dict[str, float]:
    """Return by how much each answer leads over learning from scratch; and what scratch reaches."""
    cells = {cell.id: cell.source for cell in nbformat.read(NOTEBOOK, 4).cells}
    namespace, found = names(cells, seed), {}
    for name, answer in {"instructor's": cells["tune"], **ANSWERS}.items():
        exec(answer, namespace)
        pairs = [namespace["compare_once"](3 * seed + draw) for draw in range(3)]
        tuned, scratch = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
        found[name] = round(tuned - scratch, 3)
    return {**found, "accuracy from scratch": round(scratch, 3)}


def main() -> None:
    """Measure the seeds that are named, or all; keep what is stored of the others."""
    torch.set_num_threads(1)
    path = FOLDER / f"{NAME}.json"
    data = results.load(NAME, FOLDER).data if path.exists() else {}
    for seed in map(int, sys.argv[1:] or range(SEEDS)):
        data[str(seed)] = leads(seed)
        print(seed, data[str(seed)], flush=True)
        results.save(NAME, data, command=f"python -m bench.{Path(__file__).stem}", folder=FOLDER)


if __name__ == "__main__":
    main()
