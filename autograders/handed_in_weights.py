"""A trained network that travels in the notebook, scored where the instructor has the test pictures.

A given cell of the source whose metadata is ``{"cnnbook": {"keep_output": BYTES, "weights": {...}}}`` prints
the weights in the student's run (`inside/weights.py` has the form). It is not run again: its saved text goes
into the sandbox as a file, is read there as plain numbers and put into the student's own network, whose
predictions come back as plain data. The points go to a task cell, which is marked by hand on a stock
nbgrader. The keys of ``weights``:

``task``
    grade_id of the task cell.
``network``
    The name of the student's class (or function) that makes the network without arguments.
``inputs``
    The name of a given function from uint8 pictures to the network's input.
``dataset``
    The data set of ``c.Engine.datasets``. The student's process never sees it.
``marks``
    ``[[accuracy, points], ...]``, rising: the last accuracy that is reached gives the points.

Whatever is wrong with the text costs this question alone. Where the data set is missing, or the time runs
out, the question waits for a person.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbformat.notebooknode import NotebookNode

from .job import Cell, CellResult
from .mend import MendedCell, Note

FILE = "handed-in-weights.txt"
WAITING = ("NotScored", "시간 제한", "메모리 제한", "프로세스 제한", "출력 제한", "채점 중단", "NotRun")
"""Errors of the scoring cell after which a person marks; any other is the fault of what was handed in."""

SCORE = """
import torch
from inside import weights as packed

def probe_make(network):
    return network()

def probe_shapes(net):
    return {{name: list(t.shape) for name, t in net.state_dict().items() if t.is_floating_point()}}

def probe_load(net, weights):
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if name in weights:
                tensor.copy_(weights[name])
    net.eval()

def probe_predict(net, x):
    with torch.no_grad():
        return net(x).float()

with open({file!r}) as file:
    weights = packed.unpack(file.read())
net = probe_make({network})
packed.compare(weights, probe_shapes(net))
pictures, labels = packed.test_pictures({folder!r})
probe_load(net, weights)
right = 0
for x, y in zip(pictures.split(250), labels.split(250)):
    scores = probe_predict(net, {inputs}(x))
    if tuple(scores.shape) != (len(y), 10):
        shape = tuple(scores.shape)
        raise packed.Unreadable(f"신경망이 그림 {{len(y)}}장에 모양이 {{shape}}인 값을 냈습니다.")
    right += int(((scores.argmax(1) == y) & scores.isfinite().all(1)).sum())
(right, len(labels))
"""


@dataclass(frozen=True)
class Plan:
    """How one notebook's trained network is scored; see the module."""

    task: str
    network: str
    inputs: str
    dataset: str
    marks: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, cell: NotebookNode) -> Plan | None:
        """Read the plan in a cell's metadata, if there is one."""
        found = cell.metadata.get("cnnbook", {}).get("weights")
        return found and cls(**{**found, "marks": tuple(map(tuple, found["marks"]))})

    def points(self, accuracy: float) -> float:
        """Return the points for an accuracy from 0 to 1."""
        return max((points for least, points in self.marks if accuracy >= least), default=0.0)

    def cell(self) -> Cell:
        """Return the cell that scores, to be run as a test."""
        text = SCORE.format(
            file=FILE, network=self.network, inputs=self.inputs, folder=f"data/{self.dataset}"
        )
        return Cell("test", text.strip(), self.task)


@dataclass(frozen=True)
class Score:
    """What a trained network got; `points` is None where a person has to mark."""

    points: float | None
    note: Note


def plan_of(parts: tuple[MendedCell, ...]) -> tuple[Plan | None, str]:
    """Return the plan of a mended notebook and the text that its cell had printed."""
    for part in parts:
        if plan := Plan.of(part.cell):
            return plan, part.saved_output or ""
    return None, ""


def score(plan: Plan, outcome: CellResult | None) -> Score:
    """Read what the scoring cell said; no outcome means that no weights were handed in."""
    if outcome is None:
        return Score(0.0, Note("훈련한 가중치가 노트북에 없어 0점입니다.", plan.task))
    errors = [output for output in outcome.outputs if output["output_type"] == "error"]
    if errors or not outcome.ran:
        error: Mapping[str, Any] = errors[0] if errors else {}
        name, text = error.get("ename", "NotRun"), error.get("evalue") or "채점이 끝나지 않았습니다."
        if name in WAITING or (name == "StudentError" and "제한" in text):
            return Score(None, Note(f"훈련한 신경망을 자동으로 채점하지 못했습니다. {text}", plan.task))
        return Score(0.0, Note(f"훈련한 신경망을 채점할 수 없어 0점입니다. {text}", plan.task))
    shown = next(o["data"]["text/plain"] for o in outcome.outputs if o["output_type"] == "execute_result")
    right, count = ast.literal_eval(shown)
    text = f"CIFAR-10 검사 그림 {count:,}장 가운데 {right:,}장을 맞혔습니다({right / count:.1%})."
    return Score(plan.points(right / count), Note(text, plan.task))
