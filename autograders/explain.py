"""`python -m autograders explain STUDENT ASSIGNMENT`: why each mark is what it is."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory

from .grading import REPORT


def explain(coursedir: CourseDirectory, student: str, assignment: str) -> str:
    """Return a text about every graded notebook of a submission.

    Raises
    ------
    LookupError
        If the submission has not been graded; the message says what to run.
    """
    folder = Path(coursedir.format_path(coursedir.autograded_directory, student, assignment))
    notebooks = sorted(folder.glob("*.ipynb"))
    if not notebooks:
        raise LookupError(f"{folder} holds no graded notebook. Run: nbgrader autograde {assignment}")
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        try:
            submission = gradebook.find_submission(assignment, student)
        except MissingEntry:
            raise LookupError(f"The gradebook has no submission of {assignment} by {student}.") from None
        parts = [f"{student} · {assignment}: {submission.score:g}점 / {submission.max_score:g}점"]
        for saved in submission.notebooks:
            path = folder / f"{saved.name}.ipynb"
            if path in notebooks:
                manual = {g.name: g.manual_score for g in saved.grades if g.manual_score is not None}
                parts.append(_explain_notebook(nbformat.read(path, as_version=4), manual))
    return "\n\n".join(parts)


def _explain_notebook(nb: NotebookNode, manual: dict[str, float]) -> str:
    record = nb.metadata.get(REPORT, {})
    lines = []
    for note in record.get("notes", []):
        lines.append(f"고침   {note['grade_id'] or '노트북'}: {note['text']}")
    if record.get("stopped"):
        lines.append(f"멈춤   {record['stopped']}")
    if record.get("seconds"):
        lines.append(f"실행   {record['seconds']:.1f}초, 메모리 {record['peak_bytes'] / 2**20:.0f} MB")
    for cell in nb.cells:
        if utils.is_grade(cell):
            lines.append(_explain_mark(cell, manual))
    return "\n".join(lines)


def _explain_mark(cell: NotebookNode, manual: dict[str, float]) -> str:
    name = cell.metadata.nbgrader["grade_id"]
    score, points = utils.determine_grade(cell)
    shown = "사람이 채점" if score is None else f"{score:g}"
    line = f"{shown:>5} / {points:g}  {name}"
    if name in manual:
        line += f"  (사람이 준 점수 {manual[name]:g})"
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            line += f"\n             {output.ename}: {output.evalue.strip() or '(말 없음)'}"
    return line
