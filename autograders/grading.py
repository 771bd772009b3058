"""One submission graded: mended, run, and marked by nbgrader's own rule.

The release gate, the nbgrader plug-in, the benches and the tests all come through here.
"""

from __future__ import annotations

import copy
import html
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Protocol

import nbformat
from nbconvert.filters import clean_html
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook, new_output
from nbgrader import utils
from traitlets.config import Config

from . import handed_in_weights, student_id
from .job import Cell, Job, Result
from .mend import Broken, Mended, MendedCell, Note, Submitted, Template, mend, read
from .settings import Settings

REPORT = "autograders"  # the key of our record in a graded notebook's metadata


class Runner(Protocol):
    """Whatever runs a job: the fork server, a stock kernel, a cluster."""

    def run(self, job: Job) -> Result:
        """Run the job's cells in order."""


@dataclass(frozen=True)
class Prepared:
    """A mended submission and the job that runs it (none if there is nothing to run)."""

    mended: Mended
    job: Job | None
    positions: tuple[int | None, ...] = ()  # for each cell of the job, its cell in the notebook
    plan: handed_in_weights.Plan | None = None  # how a trained network in the notebook is scored


@dataclass(frozen=True)
class Graded:
    """A graded submission.

    Attributes
    ----------
    notebook : NotebookNode
        With outputs, notes and nbgrader's metadata: what goes to `autograded/`.
    scores : dict
        grade_id -> (score, maximum) in points; the score is None where a person has to mark.
    notes : tuple of Note
        What mending did.
    stopped : str or None
        Why the run was stopped, in Korean.
    """

    notebook: NotebookNode
    scores: dict[str, tuple[float | None, float]]
    notes: tuple[Note, ...] = ()
    stopped: str | None = None
    record: dict = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Points from tests alone."""
        return sum(score or 0.0 for score, _ in self.scores.values())


def grade_notebook(
    source: NotebookNode | Template,
    submission: NotebookNode | bytes | Submitted | Broken,
    *,
    runner: Runner,
    settings: Settings | None = None,
    files: Mapping[str, bytes] | None = None,
    handed_in: Mapping[str, bytes] | None = None,
    config: Config | None = None,
    name: str = "",
) -> Graded:
    """Grade one submission of one notebook.

    Parameters
    ----------
    source : NotebookNode or Template
        The instructor's notebook. A `Template` saves time when many submissions are graded.
    submission : NotebookNode, bytes, Submitted or Broken
        What was handed in.
    runner : Runner
        Runs the job, for instance a `ForkServer`.
    settings : Settings, optional
        Limits, data sets, seed.
    files : mapping, optional
        The instructor's small files, to lay beside the notebook: relative path -> content.
    handed_in : mapping, optional
        The student's: beside the notebook for the student's code alone.
    config : Config, optional
        nbgrader's configuration, if `source` is a notebook.
    """
    template = source if isinstance(source, Template) else Template.of(source, config)
    prepared = prepare(template, submission, settings=settings, files=files, handed_in=handed_in, name=name)
    return finish(prepared, runner.run(prepared.job) if prepared.job else None)


def prepare(
    template: Template,
    submission: NotebookNode | bytes | Submitted | Broken,
    *,
    settings: Settings | None = None,
    files: Mapping[str, bytes] | None = None,
    handed_in: Mapping[str, bytes] | None = None,
    name: str = "",
    notes: tuple[Note, ...] = (),
) -> Prepared:
    """Mend a submission and write the job that runs it."""
    settings = settings or Settings()
    if isinstance(submission, NotebookNode):
        submission = json.dumps(submission).encode()
    if isinstance(submission, bytes):
        submission = read(submission)
    mended = mend(template, submission)
    if notes:
        mended = Mended(mended.cells, mended.metadata, notes + mended.notes, mended.broken)
    if mended.broken is not None:
        return Prepared(mended, None, (), handed_in_weights.plan_of(mended.cells)[0])
    if name and (other := student_id.remark(mended.cells, name)):
        mended = Mended(mended.cells, mended.metadata, (*mended.notes, other), mended.broken)
    plan, weights = handed_in_weights.plan_of(mended.cells)
    cells: list[Cell] = []
    positions: list[int | None] = []
    for i, part in enumerate(mended.cells):
        name_ = part.cell.metadata.get("nbgrader", {}).get("grade_id")
        if part.saved_output is not None:  # its saved output stands for its run
            if part.saved_output and handed_in_weights.Plan.of(part.cell) is None:
                cells.append(Cell("given", f"saved_output[{name_!r}] = {part.saved_output!r}"))
                positions.append(None)
        elif part.cell.cell_type == "code" and part.cell.source.strip():
            kind = part.origin if part.origin in ("given", "test") else "student"
            cells.append(Cell(kind, part.cell.source, name_))
            positions.append(i)
    own_files = dict(files or {})
    if plan and weights:
        cells.append(plan.cell())
        own_files[handed_in_weights.FILE] = weights.encode()
    job = Job(
        cells=tuple(cells),
        files=own_files,
        handed_in=dict(handed_in or {}),
        datasets=dict(settings.datasets),
        withheld=(plan.dataset,) if plan else (),
        limits=settings.limits,
        checker=settings.checker,
        seed=settings.seed,
        name=name,
    )
    return Prepared(mended, job, tuple(positions), plan)


def finish(prepared: Prepared, result: Result | None) -> Graded:
    """Put the outputs into the notebook and let nbgrader's rule mark it."""
    mended = prepared.mended
    cells = [copy.deepcopy(part.cell) for part in mended.cells]
    stopped = result.stopped if result else None
    ran: set[int] = set()
    if result is not None:
        outcomes = result.cells[: len(prepared.positions)]
        for position, outcome in zip(prepared.positions, outcomes, strict=True):
            if position is not None:
                cells[position].outputs = [_harmless(nbformat.from_dict(o)) for o in outcome.outputs]
                if outcome.ran:
                    ran.add(position)
    reason = mended.broken or stopped or "이 칸은 실행되지 않았습니다."
    scores: dict[str, tuple[float | None, float]] = {}
    for i, (cell, part) in enumerate(zip(cells, mended.cells, strict=True)):
        if part.origin in ("answer", "extra") and cell.cell_type == "markdown":
            cell.source = _harmless_text(cell.source)
        if part.saved_output:
            cell.outputs = [new_output("stream", name="stdout", text=_shown(part))]
        if part.origin == "test":
            _settle(cell, ran=i in ran, reason=reason)
        if utils.is_grade(cell):
            scores[cell.metadata.nbgrader["grade_id"]] = utils.determine_grade(cell)
    scored = _scored(prepared, result)
    if scored:
        mended = Mended(mended.cells, mended.metadata, (*mended.notes, scored.note), mended.broken)
    record = {
        "notes": [asdict(note) for note in mended.notes],
        "scored": {scored.note.grade_id: scored.points} if scored else {},
        "stopped": mended.broken or stopped,
        "seconds": round(result.seconds, 3) if result else 0.0,
        "peak_bytes": result.peak_bytes if result else 0,
    }
    notebook = _notebook(cells, mended, record)
    return Graded(notebook, scores, mended.notes, mended.broken or stopped, record)


def _scored(prepared: Prepared, result: Result | None) -> handed_in_weights.Score | None:
    """Read what the trained network got; its cell is the job's last, if weights were handed in."""
    if prepared.plan is None:
        return None
    ran = result is not None and len(result.cells) > len(prepared.positions)
    return handed_in_weights.score(prepared.plan, result.cells[-1] if ran else None)


def _shown(part: MendedCell) -> str:
    """Return the saved output of a cell; of weights, which nobody reads, the beginning."""
    text = part.saved_output or ""
    return text if handed_in_weights.Plan.of(part.cell) is None else f"{text[:200]} …\n"


def _harmless(output: NotebookNode) -> NotebookNode:
    """Keep of an output what cannot act: formgrader shows it in a page that may change marks."""
    if "data" in output:
        kept = {kind: value for kind, value in output.data.items() if _is_harmless(kind, value)}
        output.data, output.metadata = NotebookNode(kept or {"text/plain": ""}), NotebookNode()
    return output


def _is_harmless(kind: str, value: object) -> bool:
    if kind == "text/plain":
        return isinstance(value, str)
    image = kind in ("image/png", "image/jpeg") and isinstance(value, str)
    return image and re.fullmatch(r"[A-Za-z0-9+/=\s]*", value) is not None


def _harmless_text(markdown: str) -> str:
    """Take scripts and the like out of a student's Markdown; text without tags stays as it is."""
    return clean_html(markdown) if re.search(r"<\s*[a-zA-Z!/?]", markdown) else markdown


def _settle(cell: NotebookNode, *, ran: bool, reason: str) -> None:
    """Leave a test cell with outputs that nbgrader's rule reads as they are meant.

    A warning on stderr is no failure; a test that did not run is; and a partial score has to be a number
    from 0 to the points (nbgrader gives full marks for nan and for a negative one, and loses the submission
    for one that is too large).
    """
    if cell.cell_type != "code":
        return
    cell.outputs = [o for o in cell.outputs if not (o.output_type == "stream" and o.name == "stderr")]
    failed = any(o.output_type == "error" for o in cell.outputs)
    if not ran and not failed and cell.source.strip():
        cell.outputs.append(_error("NotRun", reason))
        return
    for output in cell.outputs:
        if output.output_type != "execute_result" or failed:
            continue
        try:
            score = float(output.data.get("text/plain", ""))
        except (ValueError, TypeError):
            output.output_type = "display_data"  # no number: shown, and no partial score
            output.pop("execution_count", None)
            continue
        points = float(cell.metadata.nbgrader["points"])
        if not math.isfinite(score) or not 0 <= score <= points:
            cell.outputs = [_error("PartialScoreError", f"부분 점수 {score}는 0과 {points} 사이가 아닙니다.")]
            return


def _error(ename: str, evalue: str) -> NotebookNode:
    return new_output("error", ename=ename, evalue=evalue, traceback=[f"{ename}: {evalue}"])


def _notebook(cells: list[NotebookNode], mended: Mended, record: dict) -> NotebookNode:
    notes = list(dict.fromkeys(_line(note) for note in mended.notes))
    if record["stopped"] and not mended.broken:
        notes.append(record["stopped"])
    if notes:
        text = "**채점 안내**\n\n" + "\n".join(f"- {html.escape(note, quote=False)}" for note in notes)
        cells = [new_markdown_cell(text, metadata={REPORT: "notes"}), *cells]
    for i, cell in enumerate(cells):
        cell.id = f"cell-{i}"
    metadata = {k: v for k, v in mended.metadata.items() if k in ("kernelspec", "language_info")}
    return new_notebook(cells=cells, metadata=NotebookNode({**metadata, REPORT: record}))


def _line(note: Note) -> str:
    return f"`{note.grade_id}`: {note.text}" if note.grade_id else note.text
